// Says of a wait that it goes on. An update that prints nothing for minutes looks as if it hung.

/** Nobody wonders before. */
const silentMilliseconds = 10_000;

/** Gives what is waited for. @param say is called once, if that takes longer than ten seconds */
export async function aloud<Value>(waited: Promise<Value>, say: () => void): Promise<Value> {
  const timer = setTimeout(say, silentMilliseconds);
  try {
    return await waited;
  } finally {
    clearTimeout(timer);
  }
}
