// `ballast emulator clock …` and `ballast emulator fault …`: the emulator's clock, and faults for its management
// requests. The kinds of fault named here are translated into the fields that the emulator's own API takes.
import { Argument, type Command, InvalidArgumentError } from "commander";
import { emulatorTimeUnclear } from "../../errors/cli.ts";
import { print, printJson } from "../terminal.ts";
import { emulatorClient, type FolderOptions, withFolderOptions } from "./client.ts";
import { clockLine, type EmulatorStatus, type Fault, faultLine } from "./lines.ts";

const printClock = (clock: EmulatorStatus["clock"], json: boolean | undefined): void =>
  json ? printJson({ at: clock.at, stopped: clock.stopped }) : print(`The clock ${clockLine(clock)}.`);

async function setClock({ folder, json }: FolderOptions, at: string | null): Promise<void> {
  const { ask } = await emulatorClient(folder);
  printClock(await ask("POST", "/_emulator/clock", { at }), json);
}

/** Adds the commands about the clock. */
export function addClock(group: Command): void {
  const clock = group
    .command("clock")
    .description("show, set or advance the emulator's clock; without a command, show it");
  withFolderOptions(clock.command("show", { isDefault: true }))
    .description("show the time on the clock")
    .addHelpText("after", "\nExamples:\n  ballast emulator clock show")
    .action(async ({ folder, json }: FolderOptions) =>
      printClock(await (await emulatorClient(folder)).ask("GET", "/_emulator/clock"), json),
    );
  withFolderOptions(clock.command("set").argument("<time>", "moment, such as 2030-01-31T12:00:00Z"))
    .description("set the clock to a time and stop it there")
    .addHelpText(
      "after",
      `
The clock stands still until it is set, advanced or started again. Sign-in always uses the real time.

Examples:
  ballast emulator clock set 2030-01-31T12:00:00Z`,
    )
    .action((time: string, options: FolderOptions) => setClock(options, instant(time)));
  withFolderOptions(clock.command("advance").argument("<duration>", "how far, such as 90s, 15m, 2h or 30d"))
    .description("advance the clock by a duration and stop it there")
    .addHelpText("after", "\nExamples:\n  ballast emulator clock advance 15m\n  ballast emulator clock advance 30d")
    .action(async (text: string, options: FolderOptions) => {
      const later = milliseconds(text);
      const { at } = await (await emulatorClient(options.folder)).ask("GET", "/_emulator/clock");
      await setClock(options, new Date(Date.parse(at) + later).toISOString());
    });
  withFolderOptions(clock.command("real"))
    .description("set the clock to the real time and start it again")
    .addHelpText("after", "\nExamples:\n  ballast emulator clock real")
    .action((options: FolderOptions) => setClock(options, null));
}

function instant(text: string): string {
  const at = Date.parse(text);
  if (Number.isNaN(at) || !/^\d{4}-\d{2}-\d{2}/.test(text)) throw emulatorTimeUnclear({ text, wanted: "a time" });
  return new Date(at).toISOString();
}

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function milliseconds(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  if (number === undefined) throw emulatorTimeUnclear({ text, wanted: "a duration" });
  return Number(number) * units[unit as keyof typeof units];
}

interface FaultOptions extends FolderOptions {
  readonly path: string;
  readonly method?: string;
  readonly times: number;
  readonly after?: number;
  readonly seconds: number;
  readonly status: number;
  readonly code?: string;
}

/** The kinds of fault by name, each with its effect and the fields it sets in the emulator's API. */
const kinds: {
  readonly [kind: string]: { readonly what: string; readonly fields: (options: FaultOptions) => object };
} = {
  fail: { what: "answers with --status and --code, and changes nothing", fields: ({ status }) => ({ status }) },
  throttle: {
    what: "answers with 429 and retry-after: --seconds",
    fields: ({ seconds }) => ({ status: 429, code: "TooManyRequests", retryAfterSeconds: seconds }),
  },
  conflict: {
    what: "answers with 409 and --code (default: ContainerAppOperationInProgress)",
    fields: () => ({ status: 409, code: "ContainerAppOperationInProgress" }),
  },
  "time-out": { what: "carries out the request, and never answers", fields: () => ({ neverAnswer: true }) },
  "lose-answer": { what: "carries out the request, and cuts the connection", fields: () => ({ loseAnswer: true }) },
  "fail-later": {
    what: "accepts the request, then fails its operation with --code",
    fields: () => ({ failLater: true }),
  },
  lie: { what: "answers a read with the state before the last write", fields: () => ({ lie: true }) },
  forget: { what: "accepts the request and succeeds, but changes nothing", fields: () => ({ forget: true }) },
  delay: {
    what: "carries out and answers the request --seconds later",
    fields: ({ seconds }) => ({ delaySeconds: seconds }),
  },
  late: {
    what: "never answers, and carries out the request --seconds later",
    fields: ({ seconds }) => ({ lateSeconds: seconds }),
  },
};

/** Adds the commands about faults. */
export function addFault(group: Command): void {
  const fault = group
    .command("fault")
    .description("inject faults into requests to Resource Manager; without a command, list them");
  withFolderOptions(fault.command("list", { isDefault: true }))
    .description("list the pending faults")
    .addHelpText("after", "\nExamples:\n  ballast emulator fault list --json")
    .action(async (options: FolderOptions) => printFaults(await pendingFaults(options), options));
  addFaultAdd(fault);
  withFolderOptions(fault.command("clear"))
    .description("remove all pending faults")
    .addHelpText("after", "\nExamples:\n  ballast emulator fault clear")
    .action(async (options: FolderOptions) => {
      const { ask } = await emulatorClient(options.folder);
      printFaults((await ask("POST", "/_emulator/faults", { faults: [] })).faults, options);
    });
}

const kindLines = (): string =>
  Object.entries(kinds)
    .map(([kind, { what }]) => `  ${kind.padEnd(12)} ${what}`)
    .join("\n");

const addFaultAdd = (fault: Command): Command =>
  withFolderOptions(
    fault.command("add").addArgument(new Argument("<kind>", "kind of fault").choices(Object.keys(kinds))),
  )
    .description("add a fault to hit coming requests")
    .requiredOption("--path <pattern>", "requests to hit, as a regular expression on the path")
    .option("--method <method>", "hit only requests with this method")
    .option("--times <number>", "number of requests to hit", atLeastZero, 1)
    .option("--after <number>", "number of matching requests to let pass first", atLeastZero)
    .option("--seconds <number>", "duration in seconds, for kinds that use one", atLeastZero, 5)
    .option("--status <number>", "status, for fail", atLeastZero, 500)
    .option("--code <code>", "error code, for kinds that answer with one")
    .addHelpText(
      "after",
      `
Kinds:
${kindLines()}

Examples:
  ballast emulator fault add throttle --path containerApps/storefront$ --method PATCH --times 3
  ballast emulator fault add lose-answer --path containerApps/storefront$ --method PATCH`,
    )
    .action(async (kind: string, options: FaultOptions) => {
      const { path, method, times, after, code } = options;
      const { ask } = await emulatorClient(options.folder);
      const added = {
        path,
        times,
        ...(method && { method: method.toUpperCase() }),
        ...(after && { after }),
        ...kinds[kind]!.fields(options),
        ...(code && { code }),
      };
      const faults = [...(await pendingFaults(options)), added];
      printFaults((await ask("POST", "/_emulator/faults", { faults })).faults, options);
    });

function atLeastZero(text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && number >= 0) return number;
  throw new InvalidArgumentError("Expected a number of at least 0.");
}

const pendingFaults = async ({ folder }: FolderOptions): Promise<readonly Fault[]> =>
  ((await (await emulatorClient(folder)).ask("GET", "/_emulator/faults")).faults as readonly Fault[]).filter(
    ({ times }) => times > 0,
  );

function printFaults(faults: readonly Fault[], { json }: FolderOptions): void {
  if (json) return printJson({ faults });
  print(faults.length === 0 ? "No faults are pending." : faults.map(faultLine).join("\n"));
}
