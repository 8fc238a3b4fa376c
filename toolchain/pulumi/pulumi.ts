// `npm run pulumi -- <arguments>`: runs the Pulumi CLI that `bringPulumi` chose, as if the user had called it. It also
// exports the function with which the tests of the language host run it.
import { BallastError } from "../../errors/catalogue.ts";
import { type ChildOptions, type Ended, runChild } from "../child.ts";
import { runInForeground } from "../node/foreground.mjs";
import { bringPulumi } from "./bring.ts";

/**
 * Runs the Pulumi CLI to its end and gives its exit code and all its lines.
 *
 * A non-zero code does not throw. An abort interrupts the CLI once, as Ctrl-C does, so that it cancels cleanly.
 *
 * @throws toolchain-no-pulumi
 */
export async function pulumi(args: readonly string[], options: ChildOptions = {}): Promise<Ended> {
  const environment = options.environment ?? process.env;
  const pulumiCli = await bringPulumi({
    environment,
    ...(options.onLine && { report: options.onLine }),
    ...(options.signal && { signal: options.signal }),
  });
  return runChild(pulumiCli.command, [...args, "--non-interactive"], {
    ...options,
    environment: { ...environment, ...pulumiCli.environment },
  });
}

async function main(): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, interrupt);
  try {
    const pulumiCli = await bringPulumi({ signal: interrupted.signal });
    for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, interrupt);
    process.exitCode = await runInForeground(pulumiCli.command, process.argv.slice(2), {
      ...process.env,
      ...pulumiCli.environment,
    });
  } catch (error) {
    if (interrupted.signal.aborted) process.exitCode = 130;
    else if (error instanceof BallastError) {
      process.stderr.write(`${error}\n`);
      process.exitCode = error.exitCode;
    } else throw error;
  }
}

if (import.meta.main) await main();
