// Words that every kind of work uses.

/** Names whoever sent a signal, for people. */
export const senderOf = ({ by, byName }: { readonly by: string; readonly byName?: string | undefined }): string =>
  byName ?? by;

/** Gives the plural of a word, for a number of things. */
export const many = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;
