// One remediation at a glance, as the control plane answers it and the command line reads it. The shape is declared
// here once, so that both sides agree.
import type { Ended } from "../kind.ts";
import { exactly, type Schema } from "../schema.ts";
import { nullableTrace } from "../trace.ts";
import type { SeenRemediation } from "./glance.ts";
import { endReasons, guardNames, results } from "./reasons.ts";
import { runbookNames } from "./runbooks.ts";
import { messageOf } from "./tell.ts";
import type { EndReason, GuardName, RemediationResult, RemediationState, RunbookName } from "./vocabulary.ts";

/** One remediation at a glance. */
export interface RemediationSummary {
  /** `remediation/<type>/<resource group>/<name>/<incident>`, in lower case. */
  readonly id: string;
  readonly target: string;
  readonly rule: string;
  readonly severity: number;
  readonly origin: "alert" | "person" | "drill";
  readonly owner: string | null;
  readonly phase: string;
  /** The runbook of the present rung; null before the policy is known. */
  readonly runbook: RunbookName | null;
  /** The actions that have begun. */
  readonly actions: number;
  readonly paused: boolean;
  /** The trace of the release that the alert watches, or of whoever asked for it; null if there is none. */
  readonly trace: string | null;
  readonly result: RemediationResult | null;
  /** Why it ended or, while it is in flight, which guard holds it; null if it goes on. */
  readonly reason: EndReason | GuardName | null;
  readonly message: string;
  readonly startedAt: number;
  readonly facts: number;
}

/** Gives the summary of a remediation; undefined if its journal does not begin with a report. */
export function summaryOf(stream: string, { state, reported, facts, last }: SeenRemediation) {
  if (reported === undefined) return undefined;
  const { incident } = reported;
  const { policy, rung, action, ended } = state;
  const isCounted = action !== undefined && ended.at(-1)?.action.reservedAt !== action.reservedAt;
  return {
    id: stream,
    target: incident.target,
    rule: incident.alert.rule,
    severity: incident.alert.severity,
    origin: incident.origin,
    owner: policy?.owner ?? null,
    phase: state.phase,
    runbook: policy?.ladder[rung]?.runbook ?? null,
    actions: ended.length + (isCounted && action.stage !== "reserved" ? 1 : 0),
    paused: state.paused,
    trace: incident.alert.trace ?? null,
    result: state.ending?.result ?? null,
    reason: state.ending?.reason ?? state.held ?? null,
    message: messageOf(last ?? reported),
    startedAt: reported.at,
    facts,
  } satisfies RemediationSummary;
}

/** Gives how a remediation ended; undefined while it is in flight. */
export const endOf = ({ ending }: RemediationState): Ended | undefined => ending;

const text: Schema = { type: "string" };
const meaningsOf = (reasons: Readonly<Record<string, string>>): string =>
  Object.entries(reasons)
    .map(([code, meaning]) => `\`${code}\` (${meaning})`)
    .join(", ");

/** A summary as JSON Schema. */
export const summarySchema: Schema = exactly({
  id: { ...text, description: "`remediation/<type>/<resource group>/<name>/<incident>`, in lower case." },
  target: { ...text, description: "The key of the target, such as `app/shop/web`." },
  rule: { ...text, description: "The alert rule." },
  severity: { type: "integer", minimum: 0, maximum: 4 },
  origin: { ...text, enum: ["alert", "person", "drill"] },
  owner: { type: ["string", "null"], description: "Who is called; null before the policy is known." },
  phase: text,
  runbook: {
    anyOf: [{ ...text, enum: runbookNames }, { type: "null" }],
    description: "The runbook of the present rung; null before the policy is known, and after the last rung.",
  },
  actions: { type: "integer", minimum: 0, description: "How many actions have begun." },
  paused: { type: "boolean" },
  trace: nullableTrace,
  result: {
    anyOf: [{ ...text, enum: Object.keys(results) }, { type: "null" }],
    description: "Null while it is in flight.",
  },
  reason: {
    anyOf: [{ ...text, enum: [...Object.keys(endReasons), ...Object.keys(guardNames)] }, { type: "null" }],
    description:
      "Why it ended or, while it is in flight, which guard holds it; null if it goes on. " +
      `Ends: ${meaningsOf(endReasons)}. Guards: ${meaningsOf(guardNames)}.`,
  },
  message: { ...text, description: "The same for people, with the numbers of the case." },
  startedAt: { type: "number", description: "Milliseconds since 1970-01-01 UTC." },
  facts: { type: "integer", minimum: 0, description: "The number of facts in its journal." },
} satisfies Record<keyof RemediationSummary, Schema>);
