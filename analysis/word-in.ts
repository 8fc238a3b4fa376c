// Looks words of a stranger's file up in tables. Plain access would find more than the table holds: `constructor` and
// other words are in every object, and a rule that calls what it finds there stops with an error.

/** Gives what a table holds under a word. */
export const valueIn = <Value>(table: Readonly<Record<string, Value>>, word: string): Value | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined;
