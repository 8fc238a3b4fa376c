// A command that sends a signal to a stream, or with `--all` to all streams of a kind where that is possible.
import type { Command } from "commander";
import type { StreamTypes } from "../../client/streams.ts";
import { usageWrong } from "../../errors/cli.ts";
import { type ReachOptions, reach, withReachOptions } from "../reach.ts";
import { print, printJson } from "../terminal.ts";
import { examples, found, namedOf, namingOf } from "./found.ts";
import type { SignalCommand, SignalOfAll, Work } from "./work.ts";

interface SignalOptions extends ReachOptions {
  readonly message: string;
  readonly all?: true;
  readonly for?: number;
}

/** Adds the command of a signal. */
export function addSignal<Types extends StreamTypes>(
  group: Command,
  work: Work<Types>,
  { signal, description, exampleMessage, ofAll }: SignalCommand<Types["signal"]>,
): void {
  const { kind } = work.streams;
  const of = (name: string): string => `ballast ${work.command} ${signal} ${name} --message "${exampleMessage}"`;
  const lines = [of(work.exampleNames[0]), ...(ofAll === undefined ? [] : [of(ofAll.example)])];
  const command = withReachOptions(
    group.command(signal).argument(ofAll === undefined ? `<${kind}>` : `[${kind}]`, namedOf(work)),
  )
    .description(description)
    .requiredOption("-m, --message <text>", "why, recorded in the journal with your name");
  if (ofAll !== undefined) command.option("--all", ofAll.description);
  if (ofAll?.time !== undefined) command.option("--for <time>", ofAll.time.description, ofAll.time.read);
  command
    .addHelpText("after", `${namingOf(work)}\n${examples(...lines)}`)
    .action(async (name: string | undefined, options: SignalOptions) => {
      if (options.all && ofAll !== undefined) return signalAll(ofAll, name, options);
      if (name === undefined) throw usageWrong({ reason: `Name a ${kind}, or say --all.` });
      if (options.for !== undefined) throw usageWrong({ reason: "--for belongs to --all." });
      const { calls, stream, fullName } = await found(work, name, options);
      const message = await calls.signal(fullName, signal, options.message);
      if (options.json) return printJson({ accepted: true, id: stream.id, message });
      print(message);
    });
}

async function signalAll({ time, carryOut }: SignalOfAll, name: string | undefined, options: SignalOptions) {
  if (name !== undefined) throw usageWrong({ reason: "Give a name or --all, not both." });
  if (time !== undefined && options.for === undefined)
    throw usageWrong({ reason: "--all needs --for, such as --for 2h: it ends by itself." });
  const { json, line } = await carryOut(await reach(options), options.message, options.for);
  if (options.json) return printJson(json);
  print(line);
}
