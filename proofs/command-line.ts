// The options of the commands in this folder. `--help` prints what a command does, and a wrong option is told in one
// line instead of a stack trace.
import { type ParseArgsConfig, parseArgs } from "node:util";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Reads the options of the process. It ends the process after `--help`, and with exit code 2 at a wrong option. */
export function readCommandLine<Known extends Options>(
  help: string,
  options: Known,
): ReturnType<typeof parseArgs<{ options: Known }>>["values"] {
  if (process.argv.includes("--help")) {
    console.log(help);
    process.exit();
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}
