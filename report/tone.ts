// What a fact means to a reader. The style gives each tone its colour.

/** The tones, from the most serious on: it went badly, a person intervened, attention is needed, it went well. */
export type Tone = "bad" | "person" | "warn" | "good" | "plain";

/** Gives the tone of facts that are shown together: that of the most serious. */
export const gravest = (tones: readonly Tone[]): Tone =>
  (["bad", "person", "warn", "good"] as const).find((tone) => tones.includes(tone)) ?? "plain";
