// Effects, signals and people as words, for messages about facts.
import type { RemediationEffect } from "./vocabulary.ts";

/** What each effect does. */
export const effectWords: { readonly [Kind in RemediationEffect["kind"]]: string } = {
  LoadPolicy: "reading the policy",
  Assess: "reading the situation",
  Wait: "waiting",
  Act: "the action",
  Follow: "following what the action began",
  Measure: "reading the rows since the action",
  Undo: "the undo",
};

/** Names the sender of a signal for people: by name, or by id if the token has no name. */
export const senderOf = ({ by, byName }: { readonly by: string; readonly byName?: string | undefined }): string =>
  byName ?? by;

/** Gives the plural of a word, for a number of things. */
export const many = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;
