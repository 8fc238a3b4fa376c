// What policies say about one stack: the findings of the rules with their levels, after waivers and baseline, and the
// findings about waivers and baseline themselves. It is pure: the stack, the settings and the day come in.
import type { FailedRule } from "../analysis/failed-rule.ts";
import type { Place } from "../analysis/place.ts";
import { byPlace, compareText } from "../analysis/place.ts";
import { rankOf, type Severity } from "../analysis/rule.ts";
import { nameOf } from "../analysis/systems/pulumi/names.ts";
import type { Judged, PulumiFinding, Unjudged } from "../analysis/systems/pulumi/view.ts";
import { type BaselineEntry, baselineName, entryOf, isSame } from "./baseline.ts";
import { type Level, levelOf, type Profile, profiles, type Tier, tierOf } from "./profiles.ts";
import type { PolicySettings } from "./settings.ts";
import { covers, dateOf, fault, isAbout, matches, type Waiver } from "./waivers.ts";

/** Findings about the policies themselves. They are policies too, and have a name each. */
export const ownPolicies = {
  "waiver-expired": "A waiver has expired",
  "waiver-refused": "A waiver breaks the rules of waivers",
  "waiver-unused": "A waiver covers nothing",
  "baseline-stale": "The baseline names what is no longer found",
} as const;

/** What the user chose for one policy, over its profile. */
export interface Choice {
  readonly level: Level | "disabled";
  /** From which severity on a finding is mandatory. @default as the profile says */
  readonly mandatoryFrom?: Severity | undefined;
}

export interface JudgedFinding {
  readonly finding: PulumiFinding;
  readonly level: Level;
  /** Whether the baseline has it. */
  readonly isOld: boolean;
}

export interface Judgement {
  readonly stack: string;
  readonly tier: Tier;
  readonly profile: Profile;
  /** The mandatory ones first, then by severity and place. */
  readonly findings: readonly JudgedFinding[];
  readonly waived: readonly { readonly finding: PulumiFinding; readonly waiver: Waiver }[];
  /** What each rule could not judge, because it is known only after the update. */
  readonly unjudged: ReadonlyMap<string, readonly Unjudged[]>;
  /** The rules that stopped with an error: their findings are missing. */
  readonly failed: readonly FailedRule[];
}

/** What a judgement is based on. */
export interface Basis {
  readonly stack: string;
  readonly judged: Judged;
  readonly settings: PolicySettings;
  readonly baseline: readonly BaselineEntry[];
  /** Today, in days since 1970. */
  readonly today: number;
  readonly choices?: ReadonlyMap<string, Choice>;
  /** Replaces the profile of the stack's tier. */
  readonly profile?: Profile | undefined;
}

/** Gives the tier and the profile of a stack. */
function profileFor(stack: string, { stacks, profiles: byTier }: PolicySettings): { tier: Tier; profile: Profile } {
  const tier = stacks.find(({ pattern }) => matches(pattern, stack))?.tier ?? tierOf(stack);
  return { tier, profile: byTier[tier] };
}

/** Judges a stack. */
export function judgementOf(basis: Basis): Judgement {
  const { stack, judged, settings, baseline, choices = new Map<string, Choice>() } = basis;
  const { tier, profile: ofTier } = profileFor(stack, settings);
  const profile = basis.profile ?? ofTier;
  const applied = applyWaivers(basis);
  const all = [...applied.open, ...applied.findings, ...stale(basis)];
  const findings = all.flatMap((finding): readonly JudgedFinding[] => {
    const choice = choices.get(finding.rule);
    if (choice?.level === "disabled") return [];
    const isOld = baseline.some((entry) => isSame(entry, entryOf(stack, finding)));
    const level = levelOf(finding.severity, choice?.mandatoryFrom ?? profiles[profile]);
    return [{ finding, isOld, level: isOld || choice?.level === "advisory" ? "advisory" : level }];
  });
  return {
    stack,
    tier,
    profile,
    findings: findings.toSorted(byWeight),
    waived: applied.waived,
    unjudged: judged.unjudged,
    failed: judged.failed,
  };
}

const byWeight = (one: JudgedFinding, other: JudgedFinding): number =>
  Number(other.level === "mandatory") - Number(one.level === "mandatory") ||
  rankOf(other.finding.severity) - rankOf(one.finding.severity) ||
  byPlace(one.finding.place, other.finding.place) ||
  compareText(one.finding.rule, other.finding.rule) ||
  compareText(one.finding.subject, other.finding.subject);

interface Applied {
  readonly open: readonly PulumiFinding[];
  readonly waived: Judgement["waived"];
  /** Findings about waivers. */
  readonly findings: readonly PulumiFinding[];
}

function applyWaivers({ stack, judged, settings, today }: Basis): Applied {
  const own = settings.waivers.filter((waiver) => isAbout(waiver, stack));
  const faults = new Map(own.map((waiver) => [waiver, fault(waiver, today)]));
  const valid = own.filter((waiver) => faults.get(waiver) === undefined && waiver.expires >= today);
  const waived = judged.findings.flatMap((finding) => {
    const waiver = valid.find((each) => covers(each, finding));
    return waiver ? [{ finding, waiver }] : [];
  });
  const open = judged.findings.filter((finding) => !waived.some((each) => each.finding === finding));
  const findings = own.flatMap((waiver) => {
    const broken = faults.get(waiver);
    if (broken !== undefined) return [refused(waiver, broken)];
    if (waiver.expires < today) return [expired(waiver)];
    const isUsed = waived.some((each) => each.waiver === waiver) || isUncertain(waiver, judged);
    return isUsed ? [] : [unused(waiver)];
  });
  return { open, waived, findings };
}

/** Whether the rule could not judge something in the waiver's target, so that it may be needed after all. */
const isUncertain = ({ rule, target }: Waiver, { unjudged, failed }: Judged): boolean =>
  failed.some((each) => each.rule === rule) ||
  (unjudged.get(rule) ?? []).some(({ urn }) => matches(target, urn) || matches(target, nameOf(urn)));

const about = (waiver: Waiver): string => `The waiver of ${waiver.rule} for ${waiver.target} (${waiver.ticket})`;

const refused = (waiver: Waiver, broken: string): PulumiFinding =>
  own("waiver-refused", "high", waiver.place, subjectOf(waiver), {
    message: `${about(waiver)} is not applied: ${broken}.`,
    cost: "What it was to cover is reported as if there were no waiver.",
    fix: "correct the waiver, or fix what it covers",
  });

const expired = (waiver: Waiver): PulumiFinding =>
  own("waiver-expired", "high", waiver.place, subjectOf(waiver), {
    message: `${about(waiver)} expired on ${dateOf(waiver.expires)}; ${waiver.owner} answers for it.`,
    cost: "What it covered is reported again.",
    fix: "fix what it covers and remove it, or renew it and count the renewal",
  });

const unused = (waiver: Waiver): PulumiFinding =>
  own("waiver-unused", "low", waiver.place, subjectOf(waiver), {
    message: `${about(waiver)} covers nothing.`,
    cost: "It would hide the same problem without notice if it came back.",
    fix: "remove the waiver",
  });

const subjectOf = ({ rule, target, environment }: Waiver): string => `${rule} ${target} ${environment}`;

/** Whether a rule could not judge everything, so that what it does not find may still be there. */
export const isUnsure = (rule: string, { unjudged, failed }: Pick<Judged, "unjudged" | "failed">): boolean =>
  unjudged.has(rule) || failed.some((each) => each.rule === rule);

/** Entries of this stack that are no longer found, if their rule could judge everything. */
const stale = ({ stack, judged, baseline }: Basis): readonly PulumiFinding[] =>
  baseline
    .filter(
      (entry) =>
        entry.stack === stack &&
        !isUnsure(entry.rule, judged) &&
        !judged.findings.some((finding) => isSame(entryOf(stack, finding), entry)),
    )
    .map((entry) =>
      own("baseline-stale", "low", startOf(baselineName), `${entry.rule} ${entry.subject}`, {
        message: `The baseline names ${entry.rule} for ${entry.subject}, which is no longer found.`,
        cost: "The same problem could come back without stopping an update.",
        fix: `run \`ballast policy check --stack ${stack} --shrink-baseline\``,
      }),
    );

const startOf = (file: string): Place => ({ file, line: 1, column: 1, endLine: 1, endColumn: 1 });

const own = (
  rule: keyof typeof ownPolicies,
  severity: Severity,
  place: Place,
  subject: string,
  words: Pick<PulumiFinding, "message" | "cost" | "fix">,
): PulumiFinding => ({ rule, severity, known: "structural", place, subject, ...words });
