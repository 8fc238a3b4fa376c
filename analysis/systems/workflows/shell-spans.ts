// Where the lines and the here documents of a script end. The reader of single commands and the one of the whole tree
// share them.

/** Gives the place after the last character of the line. */
export const endOfLine = (script: string, at: number): number => {
  const end = script.indexOf("\n", at);
  return end === -1 ? script.length : end;
};

/** Gives the place after here documents that begin at a place, each up to the line that is its end. */
export function afterHereDocuments(script: string, at: number, ends: readonly string[]): number {
  let from = at;
  for (const end of ends) {
    while (from < script.length) {
      const stop = endOfLine(script, from);
      const isEnd = script.slice(from, stop).trim() === end;
      from = Math.min(stop + 1, script.length);
      if (isEnd) break;
    }
  }
  return from;
}
