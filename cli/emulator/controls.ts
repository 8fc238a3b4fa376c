// `ballast local clock …` and `ballast local fault …`: the stand-in's clock, and trouble on order for its management requests. What a fault
// does is the stand-in's to say; here kinds that people have a word for become the fields that it takes.
import { Argument, type Command, InvalidArgumentError } from "commander";
import { localTimeUnclear } from "../../errors/cli.ts";
import { print, printJson } from "../terminal.ts";
import { type LocalOptions, localClient, onFolder } from "./client.ts";
import { type CloudStanding, clockLine, type Fault, faultLine } from "./lines.ts";

const showClock = (clock: CloudStanding["clock"], json: boolean | undefined): void =>
  json ? printJson({ at: clock.at, held: clock.held }) : print(`The clock ${clockLine(clock)}.`);

async function setClock({ folder, json }: LocalOptions, at: string | null): Promise<void> {
  const { ask } = await localClient(folder);
  showClock(await ask("POST", "/_standin/clock", { at }), json);
}

/** Adds the commands about the clock. */
export function addClock(group: Command): void {
  const clock = group.command("clock").description("look at the stand-in's clock, set it, advance it");
  onFolder(clock.command("show", { isDefault: true }))
    .description("tell what time it is there")
    .addHelpText("after", "\nExamples:\n  ballast local clock show")
    .action(async ({ folder, json }: LocalOptions) =>
      showClock(await (await localClient(folder)).ask("GET", "/_standin/clock"), json),
    );
  onFolder(clock.command("set <moment>"))
    .description("have it stand at a moment")
    .addHelpText(
      "after",
      "\nIt stands there until it is set, advanced or let run again; sign-in goes by the real time all the same.\n\nExamples:\n  ballast local clock set 2030-01-31T12:00:00Z",
    )
    .action((moment: string, options: LocalOptions) => setClock(options, instant(moment)));
  onFolder(clock.command("advance <span>"))
    .description("have it stand so much later than it is there now")
    .addHelpText("after", "\nExamples:\n  ballast local clock advance 15m\n  ballast local clock advance 30d")
    .action(async (span: string, options: LocalOptions) => {
      const later = milliseconds(span);
      const { at } = await (await localClient(options.folder)).ask("GET", "/_standin/clock");
      await setClock(options, new Date(Date.parse(at) + later).toISOString());
    });
  onFolder(clock.command("real"))
    .description("have it run with the real time again")
    .addHelpText("after", "\nExamples:\n  ballast local clock real")
    .action((options: LocalOptions) => setClock(options, null));
}

function instant(text: string): string {
  const at = Date.parse(text);
  if (Number.isNaN(at) || !/^\d{4}-\d{2}-\d{2}/.test(text)) throw localTimeUnclear({ text, wanted: "a moment" });
  return new Date(at).toISOString();
}

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function milliseconds(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  if (number === undefined) throw localTimeUnclear({ text, wanted: "a span of time" });
  return Number(number) * units[unit as keyof typeof units];
}

interface FaultOptions extends LocalOptions {
  readonly path: string;
  readonly method?: string;
  readonly times: number;
  readonly after?: number;
  readonly seconds: number;
  readonly status: number;
  readonly code?: string;
}

// By the word that people have for it: what it is, and which fields of the stand-in's faults it is.
const kinds: {
  readonly [kind: string]: { readonly what: string; readonly fields: (options: FaultOptions) => object };
} = {
  fail: { what: "answered with --status and --code, not carried out", fields: ({ status }) => ({ status }) },
  throttle: {
    what: "429, with retry-after --seconds",
    fields: ({ seconds }) => ({ status: 429, code: "TooManyRequests", retryAfterSeconds: seconds }),
  },
  conflict: {
    what: "409 ContainerAppOperationInProgress, or --code",
    fields: () => ({ status: 409, code: "ContainerAppOperationInProgress" }),
  },
  "time-out": { what: "carried out, and never answered", fields: () => ({ neverAnswer: true }) },
  "lose-answer": { what: "carried out, and the connection is cut", fields: () => ({ loseAnswer: true }) },
  "fail-later": { what: "accepted, then the operation fails with --code", fields: () => ({ failLater: true }) },
  lie: { what: "a read says what was before the last write", fields: () => ({ lie: true }) },
  forget: { what: "accepted, succeeds, and nothing was changed", fields: () => ({ forget: true }) },
  delay: { what: "all of it --seconds later", fields: ({ seconds }) => ({ delaySeconds: seconds }) },
  late: { what: "not answered, and carried out --seconds later", fields: ({ seconds }) => ({ lateSeconds: seconds }) },
};

/** Adds the commands about faults. */
export function addFault(group: Command): void {
  const fault = group.command("fault").description("order trouble for requests to Resource Manager");
  onFolder(fault.command("list", { isDefault: true }))
    .description("tell which faults are on order")
    .addHelpText("after", "\nExamples:\n  ballast local fault list --json")
    .action(async (options: LocalOptions) => showFaults(await onOrder(options), options));
  addFaultOrder(fault);
  onFolder(fault.command("clear"))
    .description("cancel all of them")
    .addHelpText("after", "\nExamples:\n  ballast local fault clear")
    .action(async (options: LocalOptions) =>
      showFaults(
        (await (await localClient(options.folder)).ask("POST", "/_standin/faults", { faults: [] })).faults,
        options,
      ),
    );
}

const addFaultOrder = (fault: Command): Command =>
  onFolder(fault.command("add").addArgument(new Argument("<kind>", "what happens to them").choices(Object.keys(kinds))))
    .description("order one; earlier orders stay")
    .requiredOption("--path <pattern>", "the requests that meet it: a regular expression on the path")
    .option("--method <method>", "only requests of this method")
    .option("--times <number>", "how many of them", atLeastZero, 1)
    .option("--after <number>", "let so many pass first", atLeastZero)
    .option("--seconds <number>", "how long, for kinds that take a time", atLeastZero, 5)
    .option("--status <number>", "for fail", atLeastZero, 500)
    .option("--code <code>", "the error code, for kinds that answer with one")
    .addHelpText(
      "after",
      `
Kinds:
${Object.entries(kinds)
  .map(([kind, { what }]) => `  ${kind.padEnd(12)} ${what}`)
  .join("\n")}

Examples:
  ballast local fault add throttle --path containerApps/storefront$ --method PATCH --times 3
  ballast local fault add lose-answer --path containerApps/storefront$ --method PATCH`,
    )
    .action(async (kind: string, options: FaultOptions) => {
      const { path, method, times, after, code } = options;
      const { ask } = await localClient(options.folder);
      const ordered = {
        path,
        times,
        ...(method && { method: method.toUpperCase() }),
        ...(after && { after }),
        ...kinds[kind]!.fields(options),
        ...(code && { code }),
      };
      const faults = [...(await onOrder(options)), ordered];
      showFaults((await ask("POST", "/_standin/faults", { faults })).faults, options);
    });

function atLeastZero(text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && number >= 0) return number;
  throw new InvalidArgumentError("It is not a number from 0 on.");
}

/** Gives those that are not spent yet. */
const onOrder = async ({ folder }: LocalOptions): Promise<readonly Fault[]> =>
  ((await (await localClient(folder)).ask("GET", "/_standin/faults")).faults as readonly Fault[]).filter(
    ({ times }) => times > 0,
  );

function showFaults(faults: readonly Fault[], { json }: LocalOptions): void {
  if (json) return printJson({ faults });
  print(faults.length === 0 ? "No fault is on order." : faults.map(faultLine).join("\n"));
}
