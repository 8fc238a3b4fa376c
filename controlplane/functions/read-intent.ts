// Body of a call → what it asks for. Each field is checked and named, and a field that we do not know is refused: a
// misspelt limit that is silently ignored would be worse than none. What makes a good plan is the engine's affair.
import { checkIntent, defaultLimits, defaultPace } from "../engines/rollout/plan.ts";
import type { Limits, OutsideWeights, Pace, PersonalSignal, ReleaseIntent } from "../engines/rollout/vocabulary.ts";

/** A body as it should be, or every complaint about it. */
export type Parsed<Value> = { readonly value: Value } | { readonly complaints: readonly string[] };

/** What a release asks for in the body of its call. */
export interface AskedRelease extends Pick<ReleaseIntent, "release" | "pace" | "limits" | "probePath" | "outsideWeights"> {
  readonly whenInFlight: "refuse" | "supersede";
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads the body of a release. */
export function readRelease(body: unknown): Parsed<AskedRelease> {
  const complaints: string[] = [];
  const fields = fieldsOf(body, "the body", ["release", "pace", "limits", "probePath", "outsideWeights", "whenInFlight"], complaints);
  const outsideWeights = outsideChoices.find((choice) => choice === fields["outsideWeights"]);
  const asked: AskedRelease = {
    release: text(fields, "release", 200, complaints),
    pace: numbers(fields["pace"], "pace", defaultPace, complaints),
    limits: numbers(fields["limits"], "limits", defaultLimits, complaints),
    probePath: text(fields, "probePath", 1024, complaints),
    ...(outsideWeights === undefined ? {} : { outsideWeights }),
    whenInFlight: fields["whenInFlight"] === "supersede" ? "supersede" : "refuse",
  };
  if (!["refuse", "supersede", undefined].includes(fields["whenInFlight"] as undefined)) complaints.push("whenInFlight is neither refuse nor supersede.");
  if (fields["outsideWeights"] !== undefined && outsideWeights === undefined) complaints.push("outsideWeights is neither restore nor adopt.");
  if (asked.probePath !== "" && !/^\/[\x21-\x7e]*$/.test(asked.probePath)) complaints.push("probePath is not a path: it begins with / and has no spaces.");
  if (complaints.length === 0) complaints.push(...checkIntent(asked));
  return complaints.length === 0 ? { value: asked } : { complaints };
}

const outsideChoices: readonly OutsideWeights[] = ["restore", "adopt"];

/** Only the next release may supersede, so nobody can send that. */
const signals: readonly PersonalSignal[] = ["pause", "resume", "promote", "abort", "retry"];

/** Reads the body of a signal. */
export function readSignal(body: unknown): Parsed<{ readonly signal: PersonalSignal; readonly reason: string }> {
  const complaints: string[] = [];
  const fields = fieldsOf(body, "the body", ["signal", "reason"], complaints);
  const signal = signals.find((name) => name === fields["signal"]);
  if (signal === undefined) complaints.push(`signal is not one of ${signals.join(", ")}.`);
  const reason = text(fields, "reason", 500, complaints);
  return signal !== undefined && complaints.length === 0 ? { value: { signal, reason } } : { complaints };
}

/** Reads the body of a hold. */
export function readHold(body: unknown, secondsMax: number): Parsed<{ readonly seconds: number }> {
  const complaints: string[] = [];
  const { seconds } = fieldsOf(body, "the body", ["seconds"], complaints);
  if (!(typeof seconds === "number" && seconds > 0 && seconds <= secondsMax)) complaints.push(`seconds is not a number from 1 to ${secondsMax}.`);
  return complaints.length === 0 ? { value: { seconds: seconds as number } } : { complaints };
}

function fieldsOf(value: unknown, where: string, known: readonly string[], complaints: string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    complaints.push(`${where} is not an object.`);
    return {};
  }
  for (const name of Object.keys(value).filter((key) => !known.includes(key))) complaints.push(`${where} has a field "${name.slice(0, 60)}" that is not known; known are ${known.join(", ")}.`);
  return value as Fields;
}

function text(fields: Fields, name: string, lengthMax: number, complaints: string[]): string {
  const value = fields[name];
  // Control characters would forge lines in logs and terminals.
  if (typeof value === "string" && value !== "" && value.length <= lengthMax && !/\p{Cc}/u.test(value)) return value;
  complaints.push(`${name} is not a text of 1 to ${lengthMax} characters in one line.`);
  return "";
}

/** Reads an object of numbers and lists of numbers that has exactly the fields of a pattern. */
function numbers<Pattern extends Pace | Limits>(value: unknown, where: string, pattern: Pattern, complaints: string[]): Pattern {
  const fields = fieldsOf(value, where, Object.keys(pattern), complaints);
  for (const [name, example] of Object.entries(pattern)) {
    const given = fields[name];
    const isGood = Array.isArray(example) ? Array.isArray(given) && given.length <= 100 && given.every(Number.isFinite) : Number.isFinite(given);
    if (!isGood) complaints.push(`${where}.${name} is not a ${Array.isArray(example) ? "list of numbers" : "number"}.`);
  }
  return fields as unknown as Pattern;
}
