// Joins remediations to the world: what is declared, the adapters, the runbooks, and the poll that takes alerts.
import type { AnyEvent, Kinds } from "../engines/kind.ts";
import { type Hint, hintOf } from "../engines/remediation/alerts/delivery.ts";
import type { Remediations } from "../engines/remediation/declaration.ts";
import { incidentKey } from "../engines/remediation/targets.ts";
import type { TargetKey } from "../engines/targets.ts";
import { createAlerts } from "./adapters/azure/alerts.ts";
import type { Connection } from "./adapters/azure/connection.ts";
import { azureEvidence } from "./adapters/azure/evidence.ts";
import { restartRevision, startJob } from "./adapters/azure/runbooks.ts";
import { createSymptoms } from "./adapters/azure/symptoms.ts";
import { withTickets } from "./adapters/azure/tickets.ts";
import type { Patience } from "./adapters/azure/trouble.ts";
import { collectDiagnostics } from "./performers/collect-diagnostics.ts";
import { endBlockingSession } from "./performers/end-blocking-session.ts";
import type { Declared } from "./performers/incident-database.ts";
import { openIssue } from "./performers/open-issue.ts";
import type { RemediationWorld } from "./performers/remediation.ts";
import { takeAlerts } from "./performers/remediation-intake.ts";
import type { Alerts, Issues, Sessions } from "./performers/remediation-ports.ts";
import { actionsInJournal, workInJournal } from "./performers/remediation-situation.ts";
import { returnToPrevious } from "./performers/return-to-previous.ts";
import type { Apps } from "./performers/rollout-ports.ts";
import { rotateCredential } from "./performers/rotate-credential.ts";
import { failure } from "./performers/watched-fence.ts";
import { systemTime } from "./runtime/clock.ts";
import { logTroubles } from "./runtime/lasting-troubles.ts";
import type { Orchestrator } from "./runtime/orchestrate.ts";
import type { Streams } from "./runtime/performer.ts";
import type { Clock, Journal, Pauses, Time } from "./runtime/ports.ts";
import { openWake } from "./runtime/wake.ts";

/** What they are joined to. */
export interface RemediationSetting {
  readonly declared: Remediations;
  readonly connection: Connection;
  readonly patience: Patience;
  readonly resourceManager: string;
  readonly subscription: string;
  readonly workspace: string;
  readonly ingestionSeconds: number;
  readonly requestSeconds: number;
  readonly journal: Journal<AnyEvent>;
  readonly kinds: Kinds;
  readonly apps: Apps;
  /** The declared credentials, which say where databases are, and the sessions there. */
  readonly credentials: Declared;
  readonly sessions: Sessions;
  /** Undefined if no token for issues is configured. */
  readonly issues: Issues | undefined;
  readonly pauses: Pick<Pauses, "current">;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

/** Gives the keys that remediations claim. */
export const incidentKeys = ({ targets }: Remediations): readonly TargetKey[] =>
  targets.map(({ target }) => incidentKey(target));

/** Opens the alerts that may be about declared targets, those of objectives included. */
export function openAlerts({ declared, clock, ...setting }: RemediationSetting): Alerts {
  const { objectives, policies, targets: graph } = declared;
  const { logs } = setting.connection;
  const alerts = createAlerts({ ...setting, graph, policies, now: clock.now });
  return withTickets(alerts, { ...setting, logs, objectives, policies, now: clock.now });
}

/** Opens what the performer of remediations needs. */
export function remediationWorld(setting: RemediationSetting, alerts: Alerts, streams: Streams): RemediationWorld {
  const { declared, connection, patience, workspace, ingestionSeconds, requestSeconds } = setting;
  const { journal, kinds, apps, credentials, sessions, issues, pauses, clock } = setting;
  const cloud = { apps: connection.apps, ready: connection.ready, patience };
  return {
    actions: actionsInJournal(journal),
    work: workInJournal(journal, kinds),
    alerts,
    declarations: {
      load: (rule) => ({
        policy: declared.policies.find((policy) => policy.rule === rule) ?? null,
        graph: declared.targets,
      }),
      stopped: pauses.current,
    },
    symptoms: createSymptoms(connection, patience, workspace, ingestionSeconds, declared),
    runbooks: {
      "return-to-previous": returnToPrevious({ journal, apps, streams, clock }),
      "restart-revision": restartRevision(cloud),
      "start-job": startJob(cloud, systemTime, clock.now),
      "collect-diagnostics": collectDiagnostics({
        azure: azureEvidence(connection, patience, workspace),
        credentials,
        sessions,
        journal,
        clock,
      }),
      "open-issue": openIssue({ journal, issues }),
      "rotate-credential": rotateCredential({ declared: credentials, journal, streams, clock, time: systemTime }),
      "end-blocking-session": endBlockingSession(credentials, sessions),
    },
    clock,
    requestSeconds,
  };
}

/** Lets deliveries wake the poll of the alerts. */
export function openHints({ declared, clock }: Pick<RemediationSetting, "declared" | "clock">): Hints {
  const { wake, woken } = openWake();
  return {
    hint: (payload) => {
      const judged = hintOf(payload, declared, clock.now());
      if (judged.says === "look") wake();
      return judged;
    },
    woken,
  };
}

/** How deliveries wake the poll. */
export interface Hints {
  readonly hint: (payload: unknown) => Hint;
  /** Gives a signal that fires at the next delivery that is worth a look. */
  readonly woken: () => AbortSignal;
}

/** A storm of deliveries must not become a storm of polls. */
const leastMilliseconds = 5_000;

/**
 * Polls alerts until the process closes. Every replica polls: an alert leads to one stream by its name, however many
 * see it. A delivery ends the rest between two polls. Without a policy nothing is polled. After a failure the next poll
 * is no sooner than Azure asks.
 */
export async function pollAlerts(
  { declared, clock, log }: Pick<RemediationSetting, "declared" | "clock" | "log">,
  alerts: Alerts,
  { start }: Pick<Orchestrator, "start">,
  closing: AbortSignal,
  everyMilliseconds: number,
  { woken }: Pick<Hints, "woken">,
  time: Pick<Time, "nap" | "steady"> = systemTime,
): Promise<void> {
  if (declared.policies.length === 0) return;
  const known = new Set<string>();
  const troubles = logTroubles(log, time);
  const subject = "taking alerts";
  while (!closing.aborted) {
    const hinted = woken();
    const taken = await takeAlerts({ alerts, start, known }, clock.now(), closing).catch(failure);
    if (taken.ok) troubles.over(subject);
    else troubles.met(subject, `failed and will be tried again: ${taken.reason}`);
    const askedMilliseconds = taken.ok ? 0 : (taken.retryAfterSeconds ?? 0) * 1000;
    // A rest that Azure asks for is kept, whatever is delivered. A delivery during the poll counts: it may be newer.
    const rest = Math.max(askedMilliseconds, Math.min(leastMilliseconds, everyMilliseconds));
    await time.nap(rest, closing);
    if (rest < everyMilliseconds) await time.nap(everyMilliseconds - rest, AbortSignal.any([closing, hinted]));
  }
}
