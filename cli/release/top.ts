// `ballast top`: what is under way, live. It asks again and again what is in flight and draws the answer, so that it shows the truth after any
// break. A terminal is redrawn; anything else gets a line for each change.
import type { Command } from "commander";
import type { ControlPlane, Listed, Shown } from "../../client/control-plane.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { type ReachOptions, reach, reachable } from "../reach.ts";
import { print, printJson, styled } from "../terminal.ts";
import { logLine, type Paint, screen, type Watched } from "./top-lines.ts";

const secondsBetweenLooks = 1;
/** For so long an end is shown. */
const fadeMilliseconds = 60_000;

/** Adds the command. */
export const addTop = (program: Command): Command =>
  reachable(program.command("top"))
    .description("show what is under way, live: weight, phase, evidence, and why")
    .addHelpText(
      "after",
      `
On a terminal it is redrawn every second until q; what has ended stays for a minute. Elsewhere it tells a line for each
change, with --json each as JSON.

Examples:
  ballast top
  ballast top --stack prod --json`,
    )
    .action(async (options: ReachOptions) => {
      const plane = await reach(options);
      const stop = new AbortController();
      for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
      if (process.stdout.isTTY && !options.json) await onTerminal(plane, stop);
      else await watch(plane, stop.signal, tellChanges(options.json ?? false));
    });

/** Everything that is watched, and what keeps us from seeing it, if anything does. */
export interface View {
  readonly watched: readonly Watched[];
  readonly now: number;
  readonly trouble?: string;
}

/**
 * Looks at what is in flight every second and shows it, until stopped.
 *
 * What has left the list is asked for once more, for its end. A control plane that goes away is told as trouble and waited for; only one
 * that was never there is an error.
 */
export async function watch(
  plane: Pick<ControlPlane, "list" | "show">,
  stop: AbortSignal,
  show: (view: View) => void,
): Promise<void> {
  let watched: readonly Watched[] = [];
  let isSeen = false;
  while (!stop.aborted) {
    let trouble: string | undefined;
    try {
      const seen = await look(plane, watched);
      watched = seen.watched;
      trouble = seen.unreadable.map(({ error }) => error.message).join(" ");
      isSeen = true;
    } catch (error) {
      if (!(error instanceof BallastError) || !isSeen) throw error;
      trouble = error.message;
    }
    if (!stop.aborted) show({ watched, now: Date.now(), ...(trouble && { trouble }) });
    await rest(stop);
  }
}

async function look(
  plane: Pick<ControlPlane, "list" | "show">,
  before: readonly Watched[],
): Promise<{ readonly watched: readonly Watched[]; readonly unreadable: Listed["unreadable"] }> {
  const { rollouts: inFlight, unreadable } = await plane.list({ inFlight: true });
  const now = Date.now();
  const ids = new Set(inFlight.map(({ id }) => id));
  const left = before.filter(
    ({ shown, endedAt }) => !ids.has(shown.id) && (endedAt === undefined || now - endedAt < fadeMilliseconds),
  );
  const ended = await Promise.all(
    left.map(async (each) =>
      each.endedAt === undefined ? { shown: (await plane.show(each.shown)) ?? each.shown, endedAt: now } : each,
    ),
  );
  return { watched: [...inFlight.map((shown) => ({ shown, endedAt: undefined })), ...ended], unreadable };
}

function rest(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      stop.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, secondsBetweenLooks * 1000);
    stop.addEventListener("abort", wake);
  });
}

/** Tells each rollout when it has changed. */
function tellChanges(json: boolean): (view: View) => void {
  const told = new Map<string, string>();
  let toldTrouble: string | undefined;
  return ({ watched, now, trouble }) => {
    if (trouble && trouble !== toldTrouble) process.stderr.write(`${trouble}\n`);
    toldTrouble = trouble;
    for (const each of watched) {
      const { shown } = each;
      const change = JSON.stringify(json ? shown : visible(shown));
      if (told.get(shown.id) === change) continue;
      told.set(shown.id, change);
      json ? printJson(shown) : print(logLine(each, now));
    }
  };
}

const visible = ({ phase, percent, result, sentence }: Shown) => [phase, percent, result, sentence];

const tones = { plain: "reset", dim: "dim", bold: "bold", canary: "cyan", good: "green", bad: "red" } as const;
const paint: Paint = (tone, text) => styled(tones[tone], text);

/** Takes the terminal over and gives it back as it was, whatever happens. */
async function onTerminal(plane: ControlPlane, stop: AbortController): Promise<void> {
  const { stdin, stdout } = process;
  let last: View | undefined;
  const draw = (view: View | undefined): void => {
    last = view;
    if (view)
      stdout.write(
        `\x1b[H${screen(view.watched, { ...view, columns: stdout.columns, rows: stdout.rows }, paint)
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
