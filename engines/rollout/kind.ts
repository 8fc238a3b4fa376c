// The rollout as a kind of work: where everything that the control plane must know of it is put together.
import type { Kind } from "../kind.ts";
import { appKey } from "../targets.ts";
import { facts, finishes } from "./facts.ts";
import { meetRollout } from "./meet-rollout.ts";
import { parts } from "./names.ts";
import { notificationsOf } from "./notifications.ts";
import { endReasons, results } from "./reasons.ts";
import { type AskedRelease, intentOf, releaseForm } from "./request.ts";
import { rollout } from "./rollout.ts";
import { approvals, personalSignalNames } from "./signals.ts";
import { endOf, summaryOf, summarySchema } from "./summary.ts";
import { telemetry } from "./telemetry.ts";
import { isNoteworthy, messageOf } from "./tell.ts";
import type { RolloutEffect, RolloutEvent, RolloutObservation, RolloutState } from "./vocabulary.ts";

/** Releases of container apps by canary. */
export const rolloutKind: Kind<RolloutObservation, RolloutEvent, RolloutState, RolloutEffect, AskedRelease> = {
  kind: "rollout",
  engine: rollout,
  facts,
  finishes,
  targetsOf: (first) => (first.kind === "Planned" ? [appKey(first.intent.target)] : []),
  calls: {
    noun: "Rollout",
    plural: "rollouts",
    parts,
    targetsNamed: ({ rg = "", app = "" }) => [appKey({ resourceGroup: rg, app })],
    filters: { resourceGroup: "rg", app: "app" },
    request: releaseForm,
    intentOf,
    meets: meetRollout,
    signals: personalSignalNames,
    approvals,
    whyDisregarded: (events) => events.find((event) => event.kind === "Disregarded")?.what,
    summaryOf,
    summary: summarySchema,
    ended: endOf,
    ends: { results: Object.keys(results), reasons: Object.keys(endReasons) },
  },
  messages: { messageOf, isNoteworthy, notificationsOf },
  telemetry,
};
