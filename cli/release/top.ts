// `ballast top`: the rollouts in progress, live. It reads their whole state every second, so the display is right again
// after any break in the connection. A terminal is redrawn; any other output gets a line for each change.
import type { Command } from "commander";
import { type ControlPlane, controlPlane, type Listed } from "../../client/control-plane.ts";
import type { RolloutSummary } from "../../client/rollouts.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { type ReachOptions, reach, withReachOptions } from "../reach.ts";
import { print, printJson, styled } from "../terminal.ts";
import { logLine, type Paint, screen, sizeOf, type Watched } from "./top-lines.ts";

const pollSeconds = 1;
/** How long a rollout stays on the screen after its end. */
const fadeMilliseconds = 60_000;

/** Adds the command `top`. */
export const addTop = (program: Command): Command =>
  withReachOptions(program.command("top"))
    .description("show the rollouts in progress, live: weight, phase, evidence and reason")
    .addHelpText(
      "after",
      `
On a terminal the display is refreshed every second until you press q; a rollout that ends stays for a
minute. Without a terminal, each change is printed as a line, or as a JSON object with --json, until Ctrl-C.
The odds in favour of a canary decide only whether it gets more than half of the traffic.

Examples:
  ballast top
  ballast top --stack prod --json`,
    )
    .action(async (options: ReachOptions) => {
      const plane = controlPlane(await reach(options));
      const stop = new AbortController();
      for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
      if (process.stdout.isTTY && !options.json) await onTerminal(plane, stop);
      else await watch(plane, stop.signal, printChanges(options.json ?? false));
    });

/** The rollouts to show, and an error if the last poll failed. */
export interface View {
  readonly watched: readonly Watched[];
  readonly now: number;
  readonly trouble?: string;
}

/**
 * Polls the rollouts in progress every second and shows them, until stopped.
 *
 * A rollout that has left the list is read once more, for its result. When the control plane goes away, the view
 * carries the error and polling continues; only a first poll that fails throws.
 */
export async function watch(
  plane: Pick<ControlPlane, "list" | "show">,
  stop: AbortSignal,
  show: (view: View) => void,
): Promise<void> {
  let watched: readonly Watched[] = [];
  let hasPolled = false;
  while (!stop.aborted) {
    let trouble: string | undefined;
    try {
      const polled = await poll(plane, watched);
      watched = polled.watched;
      trouble = polled.troubled.map(({ error }) => error.message).join(" ");
      hasPolled = true;
    } catch (error) {
      if (!(error instanceof BallastError) || !hasPolled) throw error;
      trouble = error.message;
    }
    if (!stop.aborted) show({ watched, now: Date.now(), ...(trouble && { trouble }) });
    await nextPoll(stop);
  }
}

async function poll(
  plane: Pick<ControlPlane, "list" | "show">,
  before: readonly Watched[],
): Promise<{ readonly watched: readonly Watched[]; readonly troubled: Listed["unreadable"] }> {
  const { rollouts: inFlight, unreadable, stuck } = await plane.list({ inFlight: true });
  const now = Date.now();
  const ids = new Set(inFlight.map(({ id }) => id));
  const left = before.filter(
    ({ rollout, endedAt }) => !ids.has(rollout.id) && (endedAt === undefined || now - endedAt < fadeMilliseconds),
  );
  const ended = await Promise.all(
    left.map(async (each) =>
      each.endedAt === undefined ? { rollout: (await plane.show(each.rollout)) ?? each.rollout, endedAt: now } : each,
    ),
  );
  const watched = [...inFlight.map((rollout) => ({ rollout, endedAt: undefined })), ...ended];
  return { watched, troubled: [...unreadable, ...stuck] };
}

function nextPoll(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      stop.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, pollSeconds * 1000);
    stop.addEventListener("abort", wake);
  });
}

/** Prints each rollout whenever it has changed. */
function printChanges(json: boolean): (view: View) => void {
  const printed = new Map<string, string>();
  let printedTrouble: string | undefined;
  return ({ watched, now, trouble }) => {
    if (trouble && trouble !== printedTrouble) process.stderr.write(`${trouble}\n`);
    printedTrouble = trouble;
    for (const each of watched) {
      const { rollout } = each;
      const change = JSON.stringify(json ? rollout : visible(rollout));
      if (printed.get(rollout.id) === change) continue;
      printed.set(rollout.id, change);
      json ? printJson(rollout) : print(logLine(each, now));
    }
  };
}

const visible = ({ phase, percent, result, message }: RolloutSummary) => [phase, percent, result, message];

const tones = { plain: "reset", dim: "dim", bold: "bold", canary: "cyan", good: "green", bad: "red" } as const;
const paint: Paint = (tone, text) => styled(tones[tone], text);

/** Shows the live screen on the terminal, and restores the terminal afterwards, also after an error. */
async function onTerminal(plane: ControlPlane, stop: AbortController): Promise<void> {
  const { stdin, stdout } = process;
  let last: View | undefined;
  const draw = (view: View | undefined): void => {
    last = view;
    if (view)
      stdout.write(
        `\x1b[H${screen(view.watched, { ...view, ...sizeOf(stdout) }, paint)
          .map((line) => `${line}\x1b[K\r\n`)
          .join("")}\x1b[J`,
      );
  };
  const key = (bytes: Buffer): void => {
    if (["q", "Q", "\x03"].includes(bytes.toString())) stop.abort();
  };
  const redraw = (): void => draw(last);
  stdout.write("\x1b[?1049h\x1b[?25l");
  stdout.on("resize", redraw);
  if (stdin.isTTY) stdin.setRawMode(true).on("data", key).resume();
  try {
    await watch(plane, stop.signal, draw);
  } finally {
    if (stdin.isTTY) stdin.setRawMode(false).off("data", key).pause();
    stdout.off("resize", redraw).write("\x1b[?25h\x1b[?1049l");
  }
}
