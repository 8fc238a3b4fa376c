// From which severity on a finding stops an update: a profile for each tier of environments. A stack's tier follows
// from its name, or from the settings file, and the profile follows from the tier.
import { rankOf, type Severity } from "../analysis/rule.ts";
import { environmentOf } from "../analysis/systems/pulumi/names.ts";

export const tiers = ["development", "staging", "production"] as const;
export type Tier = (typeof tiers)[number];

/** Profiles by name, with the least severity that stops an update. */
export const profiles = { relaxed: "critical", standard: "high", strict: "low" } as const satisfies Record<
  string,
  Severity
>;
export type Profile = keyof typeof profiles;
export const profileNames = Object.keys(profiles) as readonly Profile[];

/** The profile of each tier, unless the settings say otherwise. */
export const profileOfTier: Readonly<Record<Tier, Profile>> = {
  development: "relaxed",
  staging: "standard",
  production: "strict",
};

/** Gives the tier that a stack's name says. A name that says nothing counts as staging, which is the middle. */
export function tierOf(stack: string): Tier {
  const environment = environmentOf(stack.split("/").at(-1) ?? stack);
  if (environment === "production" || environment === "staging") return environment;
  if (environment !== undefined || /(^|[^a-z])local([^a-z]|$)/i.test(stack)) return "development";
  return "staging";
}

/** How a finding is enforced, in Pulumi's words. */
export type Level = "advisory" | "mandatory";

/** Gives the level of a severity under a profile. */
export const levelOf = (severity: Severity, from: Severity): Level =>
  rankOf(severity) >= rankOf(from) && severity !== "info" ? "mandatory" : "advisory";
