// The `ballast` command as a grammar: its own commands, arguments and options, read by its own parser, with nothing
// behind them. `ballast` answers a command line that this rejects with exit code 2.
import { type Command, CommanderError } from "commander";
import { ballastProgram } from "../../../toolchain/package/reference-commands.ts";

/** What a message may leave out and a block may not: a group's command, an argument, an option that must be there. */
const left = ["commander.help", "commander.missingArgument", "commander.missingMandatoryOptionValue"];

function ballast(): Command {
  const program = ballastProgram();
  withoutActions(program);
  return program;
}

/** Gives every command by its words, such as `release list`. */
export function commandNames(of: Command = ballast(), before = ""): readonly string[] {
  return of.commands.flatMap((each) =>
    each.commands.length > 0 ? commandNames(each as Command, `${before}${each.name()} `) : [`${before}${each.name()}`],
  );
}

/** Says what the parser has against the words after `ballast`; nothing where it takes them. */
export async function complaintOf(words: readonly string[], isWhole: boolean): Promise<string | undefined> {
  try {
    await ballast().parseAsync(words, { from: "user" });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return !isWhole && left.includes(error.code) ? undefined : error.message;
  }
}

function withoutActions(command: Command): void {
  for (const each of command.commands) {
    if (each.commands.length === 0) each.action(() => undefined);
    withoutActions(each as Command);
  }
}
