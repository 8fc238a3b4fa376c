// A reporter that names the test files that are running whenever half a minute has passed without another line. Files
// that start the Pulumi CLI take minutes, and without a terminal vitest prints a file only when it has ended.
import type { Reporter, TestModule } from "vitest/node";

/** The longest time without a line. */
export const silenceSeconds = 30;

/** The parts of the world that the reporter needs. */
export interface Output {
  readonly now: () => number;
  readonly write: (line: string) => void;
}

const toConsole: Output = { now: Date.now, write: (line) => void process.stdout.write(`${line}\n`) };

/** Prints nothing on a terminal, where vitest shows the running files itself. */
export class StillRunning implements Reporter {
  readonly #output: Output;
  readonly #running = new Map<string, number>();
  #printedAt: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Output = toConsole) {
    this.#output = output;
    this.#printedAt = output.now();
  }

  onTestRunStart(): void {
    this.#printedAt = this.#output.now();
    if (!process.stdout.isTTY) this.#timer ??= setInterval(() => this.look(), 1000).unref();
  }

  onTestModuleStart({ relativeModuleId }: Pick<TestModule, "relativeModuleId">): void {
    this.#running.set(relativeModuleId, this.#output.now());
  }

  /** The default reporter prints a line for the file. */
  onTestModuleEnd({ relativeModuleId }: Pick<TestModule, "relativeModuleId">): void {
    this.#running.delete(relativeModuleId);
    this.#printedAt = this.#output.now();
  }

  onTestRunEnd(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Prints the running files if nothing was printed for too long. */
  look(): void {
    const now = this.#output.now();
    if (this.#running.size === 0 || now - this.#printedAt < silenceSeconds * 1000) return;
    this.#printedAt = now;
    const files = [...this.#running].map(([file, since]) => `${file} (${Math.round((now - since) / 1000)} s)`);
    this.#output.write(` … running: ${files.join(", ")}`);
  }
}
