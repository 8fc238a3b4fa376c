// Reads the file `ballast.policies.yaml` beside a program: tiers, profiles and waivers. Every field is checked, and a
// complaint names its line. A waiver that breaks a rule of waivers is kept with the reason, because it becomes a
// finding; anything else that is wrong refuses the file, so that a typing error never switches something off.
import type { Place, Text } from "../analysis/place.ts";
import { keyOf, refusal, YamlFile } from "../analysis/yaml-file.ts";
import { type Profile, profileNames, profileOfTier, type Tier, tiers } from "./profiles.ts";
import { readWaiver, type Waiver } from "./waivers.ts";

export const settingsName = "ballast.policies.yaml";

/** What the file says, with what it leaves out filled in. */
export interface PolicySettings {
  /** Tiers of stacks by pattern, in order; the first match decides. */
  readonly stacks: readonly { readonly pattern: string; readonly tier: Tier }[];
  readonly profiles: Readonly<Record<Tier, Profile>>;
  readonly waivers: readonly Waiver[];
}

export const noSettings: PolicySettings = { stacks: [], profiles: profileOfTier, waivers: [] };

/** A field that is wrong. */
export interface Complaint {
  readonly place: Place;
  readonly message: string;
}

const known = new Set(["version", "tiers", "profiles", "waivers"]);

/** Reads the file's text. @returns the settings, or every complaint */
export function readPolicySettings(
  text: string,
  ruleIds: ReadonlySet<string>,
  file = settingsName,
): PolicySettings | readonly Complaint[] {
  const because = refusal(text);
  if (because !== undefined) return [{ place: startOf(file), message: because }];
  const yaml = new YamlFile(file, text);
  if (yaml.obstacle !== undefined) return [{ place: startOf(file), message: yaml.obstacle }];
  const complaints: Complaint[] = [...yaml.complaints];
  const complain = (place: Place, message: string): void => void complaints.push({ place, message });
  for (const pair of yaml.pairs(yaml.root))
    if (!known.has(keyOf(pair))) complain(yaml.pairPlace(pair), `${keyOf(pair)} is not a field of this file`);
  const version = yaml.text(yaml.get(yaml.root, "version"));
  if (version?.text !== "1") complain(version?.place ?? startOf(file), "version must be 1");
  const settings: PolicySettings = {
    stacks: readTiers(yaml, complain),
    profiles: readProfiles(yaml, complain),
    waivers: yaml
      .items(yaml.get(yaml.root, "waivers"))
      .flatMap((item) => readWaiver(yaml, item, ruleIds, complain) ?? []),
  };
  return complaints.length > 0 ? complaints : settings;
}

export const isRefused = (read: PolicySettings | readonly Complaint[]): read is readonly Complaint[] =>
  Array.isArray(read);

type Complain = (place: Place, message: string) => void;

function readTiers(yaml: YamlFile, complain: Complain): PolicySettings["stacks"] {
  return yaml.items(yaml.get(yaml.root, "tiers")).flatMap((item) => {
    const [pattern, tier] = [yaml.text(yaml.get(item, "stack")), yaml.text(yaml.get(item, "tier"))];
    if (pattern === undefined)
      complain(yaml.place(item), "a tier needs stack, the name of a stack with * for any text");
    const chosen = oneOf(tiers, tier, () =>
      complain(tier?.place ?? yaml.place(item), `tier must be one of ${tiers.join(", ")}`),
    );
    return pattern && chosen ? [{ pattern: pattern.text, tier: chosen }] : [];
  });
}

function readProfiles(yaml: YamlFile, complain: Complain): PolicySettings["profiles"] {
  const given = yaml.entries(yaml.get(yaml.root, "profiles")).flatMap(({ key, value }) => {
    const tier = oneOf(tiers, key, () => complain(key.place, `${key.text} is not a tier (${tiers.join(", ")})`));
    const profile = oneOf(profileNames, value, () =>
      complain(value.place, `a profile must be one of ${profileNames.join(", ")}`),
    );
    return tier && profile ? [[tier, profile] as const] : [];
  });
  return { ...profileOfTier, ...Object.fromEntries(given) };
}

function oneOf<Word extends string>(
  all: readonly Word[],
  text: Text | undefined,
  otherwise: () => void,
): Word | undefined {
  const found = all.find((each) => each === text?.text);
  if (found === undefined) otherwise();
  return found;
}

const startOf = (file: string): Place => ({ file, line: 1, column: 1, endLine: 1, endColumn: 1 });
