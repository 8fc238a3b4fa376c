// `npm run pulumi -- <arguments>`: the Pulumi CLI that `bringEngine` chose, as if it had been called by its name. Also the function by which
// the tests of the language host run it. What the arguments mean is between the caller and Pulumi.
import { BallastError } from "../../errors/catalogue.ts";
import { type ChildOptions, type Ended, runChild } from "../child.ts";
import { runInForeground } from "../node/foreground.mjs";
import { bringEngine } from "./bring.ts";

/**
 * Runs the Pulumi CLI to its end and gives its exit code with all its lines.
 *
 * A non-zero code is an answer, not an exception; only an engine that cannot be had throws. An abort interrupts the CLI
 * once, as Ctrl-C does, and it then cancels in good order.
 */
export async function pulumi(args: readonly string[], options: ChildOptions = {}): Promise<Ended> {
  const environment = options.environment ?? process.env;
  const engine = await bringEngine({
    environment,
    ...(options.onLine && { report: options.onLine }),
    ...(options.signal && { signal: options.signal }),
  });
  return runChild(engine.command, [...args, "--non-interactive"], {
    ...options,
    environment: { ...environment, ...engine.environment },
  });
}

async function main(): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, interrupt);
  try {
    const engine = await bringEngine({ signal: interrupted.signal });
    for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, interrupt);
    process.exitCode = await runInForeground(engine.command, process.argv.slice(2), {
      ...process.env,
      ...engine.environment,
    });
  } catch (error) {
    if (interrupted.signal.aborted) process.exitCode = 130;
    else if (error instanceof BallastError) {
      process.stderr.write(`${error}\n`);
      process.exitCode = 1;
    } else throw error;
  }
}

if (import.meta.main) await main();
