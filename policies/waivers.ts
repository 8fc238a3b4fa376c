// Waivers: findings that a team accepts for a time. A waiver names its rule, target and environment, and says why, who
// answers for it, and until when. It lasts 90 days at most and is renewed twice at most; after that the finding counts
// again. An expired waiver, an unused one and one that breaks these rules are findings themselves.
import type { ParsedNode } from "yaml";
import type { Place } from "../analysis/place.ts";
import { nameOf } from "../analysis/systems/pulumi/names.ts";
import type { PulumiFinding } from "../analysis/systems/pulumi/view.ts";
import type { YamlFile } from "../analysis/yaml-file.ts";
import { keyOf } from "../analysis/yaml-file.ts";

const daysMax = 90;
const renewalsMax = 2;

/** A waiver as the file has it. */
export interface Waiver {
  readonly rule: string;
  /** The name or the URN of a resource, or the name of a file; `*` stands for any text. */
  readonly target: string;
  /** The name of a stack; `*` stands for any text. */
  readonly environment: string;
  readonly reason: string;
  readonly owner: string;
  readonly ticket: string;
  /** Days since 1970. */
  readonly created: number;
  readonly expires: number;
  readonly renewals: number;
  readonly place: Place;
}

/** Dates are days of the calendar in UTC: a waiver ends with its day. */
export const dayOf = (milliseconds: number): number => Math.floor(milliseconds / 86_400_000);
export const dateOf = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

const fields = [
  "rule",
  "target",
  "environment",
  "reason",
  "owner",
  "ticket",
  "created",
  "expires",
  "renewals",
] as const;

/** Reads one waiver; complains about each field that is missing or of the wrong form. */
export function readWaiver(
  yaml: YamlFile,
  node: ParsedNode | null | undefined,
  ruleIds: ReadonlySet<string>,
  complain: (place: Place, message: string) => void,
): Waiver | undefined {
  const place = yaml.place(node);
  let isSound = true;
  const refuse = (at: Place, message: string): void => {
    isSound = false;
    complain(at, message);
  };
  for (const pair of yaml.pairs(node))
    if (!fields.some((field) => field === keyOf(pair)))
      refuse(yaml.pairPlace(pair), `${keyOf(pair)} is not a field of a waiver`);
  const text = (field: (typeof fields)[number]): string => {
    const found = yaml.text(yaml.get(node, field))?.text.trim() ?? "";
    if (found === "" && field !== "renewals") refuse(place, `a waiver needs ${field}`);
    return found;
  };
  const day = (field: "created" | "expires"): number => {
    const found = text(field);
    const at = Date.parse(`${found}T00:00:00Z`);
    const isDate = /^\d{4}-\d{2}-\d{2}$/.test(found) && dateOf(dayOf(at)) === found;
    if (!isDate && found !== "") refuse(place, `${field} must be a date such as 2027-01-31`);
    return isDate ? dayOf(at) : 0;
  };
  const waiver: Waiver = {
    rule: text("rule"),
    target: text("target"),
    environment: text("environment"),
    reason: text("reason"),
    owner: text("owner"),
    ticket: text("ticket"),
    created: day("created"),
    expires: day("expires"),
    renewals: Number(text("renewals") || "0"),
    place,
  };
  if (waiver.rule !== "" && !ruleIds.has(waiver.rule)) refuse(place, `${waiver.rule} is not a rule`);
  if (!(Number.isInteger(waiver.renewals) && waiver.renewals >= 0)) refuse(place, "renewals must be a whole number");
  return isSound ? waiver : undefined;
}

/** Says what a waiver breaks; undefined if it is in order. */
export function fault({ created, expires, renewals, reason }: Waiver, today: number): string | undefined {
  if (created > today) return `it begins on ${dateOf(created)}, which is not today or earlier`;
  if (expires < created) return "it expires before it begins";
  if (expires - created > daysMax) return `it lasts ${expires - created} days; ${daysMax} is the limit`;
  if (renewals > renewalsMax) return `it was renewed ${renewals} times; ${renewalsMax} is the limit`;
  return reason.length < 10 ? "its reason does not explain anything" : undefined;
}

/** Whether a waiver is about a stack. */
export const isAbout = ({ environment }: Waiver, stack: string): boolean => matches(environment, stack);

/** Whether a waiver covers a finding of its stack. */
export function covers({ rule, target }: Waiver, finding: PulumiFinding): boolean {
  if (rule !== finding.rule) return false;
  const { urn, place } = finding;
  return urn === undefined ? matches(target, place.file) : matches(target, urn) || matches(target, nameOf(urn));
}

/** Whether a text matches a pattern in which `*` stands for any text. */
export function matches(pattern: string, text: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(text);
}
