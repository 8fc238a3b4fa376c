// A pause of everything that is done by itself: who asked for it, why, and when it ends. It belongs to no stream.
import { number, type ObjectOf, text } from "./form.ts";

/** The longest pause, and the longest time of a limit: 30 days. */
export const longestSeconds = 2_592_000;

const words = text("a text", { least: 0 });

export const pauseFields = {
  by: words,
  message: words,
  until: number({ description: "When the pause ends by itself." }),
};

/** A pause of all remediations. */
export interface PauseOfAll extends ObjectOf<typeof pauseFields> {}
