// Says on standard error what a command is doing whenever it has said nothing for ten seconds. Only a command that is
// silent while it works needs it. Standard output is left alone, since scripts read it.

/** The time, and where lines go. */
export interface Output {
  /** Milliseconds by a clock that is never set back. */
  readonly now: () => number;
  readonly write: (line: string) => void;
}

const toTerminal: Output = {
  now: () => performance.now(),
  write: (line) => void process.stderr.write(`${line}\n`),
};

/** After how many seconds of silence a line is printed. */
const silenceSeconds = 10;

/** Gives a function that prints a line if the last one was too long ago. Work without pauses calls it now and then. */
export function lookAfter(describe: () => string, output: Output = toTerminal): () => void {
  const startedAt = output.now();
  let printedAt = startedAt;
  return () => {
    const now = output.now();
    if (now - printedAt < silenceSeconds * 1000) return;
    printedAt = now;
    output.write(` … ${describe()} (${Math.round((now - startedAt) / 1000)} s)`);
  };
}

/** Waits for work that leaves the process free, and prints a line every ten seconds meanwhile. */
export async function whileRunning<Result>(
  describe: () => string,
  work: () => Promise<Result>,
  output?: Output,
): Promise<Result> {
  const timer = setInterval(lookAfter(describe, output), 1000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
