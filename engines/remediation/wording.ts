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
  Halt: "halting what the action began",
  Undo: "the undo",
};
