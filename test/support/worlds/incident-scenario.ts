// Scenarios of remediations: what is declared, what the world does and when, and the expected journals of all incidents
// in the order of time.
import { defaultsOf } from "../../../engines/form.ts";
import type { AlertKind } from "../../../engines/remediation/alerts/alert.ts";
import {
  type Limits,
  limitsForm,
  type Policy,
  type Verification,
  verificationForm,
} from "../../../engines/remediation/policy.ts";
import { isNoteworthy, messageOf } from "../../../engines/remediation/tell.ts";
import type {
  Declared,
  Incident,
  OtherWork,
  RemediationEvent,
  RunbookName,
  SignalName,
} from "../../../engines/remediation/vocabulary.ts";
import { after, duration, type Instant, secondsBetween } from "../../../engines/time.ts";
import { readScenarios, refuseUnknown, rewriteScenario } from "./scenario-file.ts";

/** When a scenario begins. A world that several share begins each later than the one before. */
export const start: Instant = Date.parse("2026-01-05T09:00:00Z");

/** An alert, and when it fires. One without an end resolves ten minutes after its target is cured. */
export interface ScriptedAlert {
  readonly atMinutes: number;
  readonly resolvesAtMinutes?: number;
  readonly rule: string;
  readonly target: string | null;
  readonly severity: number;
  readonly kind: AlertKind;
  /** How far ahead the clock is by which it says when it fired. */
  readonly aheadMinutes: number;
}

/** The symptom of a target: how many of its rows are bad from when on, and what cures it for how long. */
export interface Symptom {
  readonly rowsPerMinute: number;
  readonly badPercent: number;
  readonly curedBy: readonly RunbookName[];
  /** After this many minutes a cured symptom comes back, with a new alert of the same rule. */
  readonly returnsAfterMinutes?: number;
  /** These runbooks make it worse: then all rows are bad until they are undone. */
  readonly worsenedBy: readonly RunbookName[];
}

/** When something is so: from one minute on, up to another. */
interface Span {
  readonly fromMinutes: number;
  readonly toMinutes?: number;
}

export interface IncidentScenario {
  readonly name: string;
  readonly why: string;
  readonly start: Instant;
  readonly graph: readonly Declared[];
  readonly policies: readonly Policy[];
  readonly alerts: readonly ScriptedAlert[];
  readonly symptoms: Readonly<Record<string, Symptom>>;
  readonly budgetLeftPercent: number | null;
  /** What cannot be read, and when. */
  readonly missing: readonly (Span & { readonly what: "alerts" | "actions" | "rows" | "budget" | "app" })[];
  readonly stops: readonly (Span & { readonly by: string; readonly message: string })[];
  readonly work: readonly (Span & Pick<OtherWork, "stream" | "target">)[];
  /** Runbooks that do not fit, with the reason. */
  readonly unfit: Readonly<Partial<Record<RunbookName, string>>>;
  /** Runbooks whose action, halt or undo fails, with the reason. */
  readonly failing: Readonly<Partial<Record<RunbookName | "halt" | "undo", string>>>;
  /** Apps that are deleted, and from when on each is there again, made anew. */
  readonly gone: readonly (Span & { readonly target: string })[];
  readonly signals: readonly {
    readonly atMinutes: number;
    /** The target whose incident gets it. */
    readonly target: string;
    readonly signal: SignalName;
    readonly by: string;
    readonly message: string;
    readonly mayApprove?: boolean;
  }[];
  /** Runbooks whose first action is carried out, while its answer is lost. */
  readonly lostAnswers: readonly RunbookName[];
  /** Policies that are declared anew while it runs. */
  readonly changes: readonly { readonly atMinutes: number; readonly policies: readonly Policy[] }[];
  readonly drills: readonly { readonly atMinutes: number; readonly rule: string; readonly target: string }[];
  readonly expected: string;
}

/** Reads every scenario of the folder, in the order of their names. */
export const incidentScenarios = (): readonly IncidentScenario[] =>
  readScenarios("remediation").map(({ file, asked, world, why, expected }) => ({
    ...incidentScenario(file, asked, world),
    why,
    expected,
  }));

const knownOfWorld =
  "alerts symptoms budgetLeftPercent missing stops work unfit failing gone signals drills lostAnswers changes".split(
    " ",
  );

/** Makes a scenario from the objects of its first two documents. */
export function incidentScenario(
  file: string,
  declared: Readonly<Record<string, any>>,
  world: Readonly<Record<string, any>> = {},
): IncidentScenario {
  refuseUnknown(file, declared, ["targets", "policies"]);
  refuseUnknown(file, world, knownOfWorld);
  const targets = (declared["targets"] ?? { "app/shop/web": [] }) as Record<string, readonly string[]>;
  const policiesOf = (policies: Record<string, any>): readonly Policy[] =>
    Object.entries(policies).map(([rule, policy]) => policyOf(rule, policy, Object.keys(targets)));
  return {
    name: file.replace(".yaml", ""),
    why: "",
    start,
    graph: Object.entries(targets).map(([target, dependsOn]) => ({ target, dependsOn })),
    policies: policiesOf(declared["policies"] as Record<string, any>),
    alerts: (world["alerts"] ?? []).map((alert: Partial<ScriptedAlert>) => ({
      atMinutes: 0,
      target: "app/shop/web",
      severity: 1,
      kind: "log",
      aheadMinutes: 0,
      ...alert,
    })),
    symptoms: Object.fromEntries(
      Object.entries((world["symptoms"] ?? {}) as Record<string, Partial<Symptom>>).map(([target, symptom]) => [
        target,
        { rowsPerMinute: 600, badPercent: 20, curedBy: [], worsenedBy: [], ...symptom },
      ]),
    ),
    budgetLeftPercent: world["budgetLeftPercent"] === undefined ? 60 : world["budgetLeftPercent"],
    missing: world["missing"] ?? [],
    stops: world["stops"] ?? [],
    work: world["work"] ?? [],
    unfit: world["unfit"] ?? {},
    failing: world["failing"] ?? {},
    gone: world["gone"] ?? [],
    signals: (world["signals"] ?? []).map((signal: object) => ({ target: "app/shop/web", ...signal })),
    drills: world["drills"] ?? [],
    lostAnswers: world["lostAnswers"] ?? [],
    changes: (world["changes"] ?? []).map(({ atMinutes, policies }: Record<string, any>) => ({
      atMinutes,
      policies: policiesOf(policies),
    })),
    expected: "",
  };
}

/** Gives a policy with the defaults for whatever a scenario does not say. */
const policyOf = (
  rule: string,
  given: {
    readonly ladder: readonly (RunbookName | Policy["ladder"][number])[];
    readonly targets?: readonly string[];
    readonly limits?: Partial<Limits>;
    readonly verification?: Partial<Verification>;
  },
  targets: readonly string[],
): Policy => ({
  rule,
  owner: "shop team",
  targets: given.targets ?? targets.filter((target) => target.startsWith("app/")),
  ladder: given.ladder.map((rung) =>
    typeof rung === "string" ? { runbook: rung, approval: "none" } : { ...{ approval: "none" as const }, ...rung },
  ),
  limits: { ...defaultsOf(limitsForm), ...given.limits },
  verification: { ...defaultsOf(verificationForm), ...given.verification },
});

/** Gives a policy of a rule with one rung and the defaults. */
export const policyWith = ({ rule, targets }: Pick<Policy, "rule" | "targets">): Policy =>
  policyOf(rule, { ladder: ["restart-revision"], targets }, targets);

/** Gives an incident of the rule `app-failing`, as the poll of the alerts reports it. */
export const incidentOn = (target: string, alert: Partial<Incident["alert"]> = {}): Incident => ({
  target,
  origin: "alert",
  alert: {
    id: "a",
    kind: "log",
    rule: "app-failing",
    severity: 1,
    condition: "fired",
    firedAt: 0,
    resources: [],
    dimensions: {},
    ...alert,
  },
  message: "it fails",
  requestedBy: "the control plane",
});

type Begun = Pick<IncidentScenario, "start">;

/** Gives the moment so many minutes after the beginning. */
export const minute = ({ start: from }: Begun, minutes: number): Instant => after(from, minutes * 60);

/** Reports whether a moment lies within a span. */
export const isDuring = (begun: Begun, { fromMinutes, toMinutes }: Span, at: Instant): boolean =>
  at >= minute(begun, fromMinutes) && at < minute(begun, toMinutes ?? Number.POSITIVE_INFINITY);

/** Renders journals as the third document of a scenario, without ids: time, target, fact and message. */
export function render(
  journals: readonly { readonly target: string; readonly events: readonly RemediationEvent[] }[],
  from: Instant = start,
): string {
  const names = new Map<string, number>();
  return journals
    .flatMap(({ target, events }) => {
      const before = names.get(target) ?? 0;
      names.set(target, before + 1);
      const name = `${target.split("/").at(-1)}${before === 0 ? "" : `#${before + 1}`}`;
      return newsOf(events).map((event) => ({ event, name }));
    })
    .toSorted((one, other) => one.event.at - other.event.at)
    .map(({ event, name }) => {
      const at = duration(secondsBetween(from, event.at)).padStart(8);
      return `${at}  ${name.padEnd(7)} ${event.kind.padEnd(15)} ${messageOf(event).replaceAll(idPattern, "…")}\n`;
    })
    .join("");
}

const idPattern = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** A hold that says the same as the one before it is read once. */
const newsOf = (events: readonly RemediationEvent[]): readonly RemediationEvent[] => {
  const told = events.filter(isNoteworthy);
  return told.filter((event, index) => {
    const before = told[index - 1];
    return !(event.kind === "Held" && before?.kind === "Held" && before.guard === event.guard);
  });
};

/** Replaces the expected journals of a scenario by actual ones. */
export const rewrite = ({ name }: IncidentScenario, journals: string): void =>
  rewriteScenario("remediation", name, journals);
