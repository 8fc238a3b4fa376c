// Alerts → remediations. The alerts API is polled; a delivery only makes the next poll come sooner, because deliveries
// are lost, repeated and forged. Each alert leads to one stream by its name, however often it is seen.
import type { Request, Result } from "../../engines/engine.ts";
import { whyUnfit } from "../../engines/remediation/alerts/alert.ts";
import { streamOf } from "../../engines/remediation/names.ts";
import type { Incident, Sighting } from "../../engines/remediation/vocabulary.ts";
import { after, type Instant } from "../../engines/time.ts";
import { BallastError } from "../../errors/catalogue.ts";
import type { Alerts } from "./remediation-ports.ts";

/** What taking alerts needs. */
export interface Intake {
  readonly alerts: Alerts;
  /** Starts a stream, unless it exists. @throws claim-target-held while the target has another incident */
  readonly start: (stream: string, request: Request<Incident>) => Promise<"started" | "exists">;
  /** The streams that were seen to exist, and are not asked for again. A stream leaves it with its alert. */
  readonly known: Set<string>;
}

/** How far back alerts are looked up: the service keeps them for 30 days, and an outage of ours is shorter. */
const lookBackSeconds = 86_400;

/** How many streams one poll starts at most. Those that a storm leaves over are taken by the next poll. */
export const startsMax = 200;

/**
 * Takes the alerts that are fired now, the most severe first, and gives the streams that it started. A storm is taken
 * in parts, so that a critical alert that comes during it waits for one part at most.
 */
export async function takeAlerts(
  intake: Intake,
  now: Instant,
  cancel: AbortSignal,
): Promise<Result<readonly string[]>> {
  const listed = await intake.alerts.list(after(now, -lookBackSeconds), cancel);
  if (!listed.ok) return listed;
  const started: string[] = [];
  const seen = new Set<string>();
  const held = new Set<string>();
  const actionable = listed.value.alerts.filter(isActionable);
  for (const sighting of actionable.toSorted((one, other) => one.severity - other.severity)) {
    const incident = incidentOf(sighting);
    const stream = streamOf(incident);
    seen.add(stream);
    // Each try reads the journal of whoever holds the target, and a storm may be on one target alone.
    if (intake.known.has(stream) || started.length >= startsMax || held.has(incident.target)) continue;
    const answer = await startOne(intake, stream, incident, now);
    if (answer === "held") held.add(incident.target);
    else intake.known.add(stream);
    if (answer === "started") started.push(stream);
  }
  for (const stream of intake.known) if (!seen.has(stream)) intake.known.delete(stream);
  return { ok: true, value: started };
}

const isActionable = ({ target, covered, resolvedAt, kind }: Sighting): boolean =>
  target !== null && covered && resolvedAt === null && whyUnfit(kind) === undefined;

/** A target has one incident at a time. Its next alert is taken once that one has ended. */
async function startOne(
  { start }: Intake,
  stream: string,
  intent: Incident,
  at: Instant,
): Promise<"started" | "exists" | "held"> {
  try {
    return await start(stream, { kind: "Request", at, intent });
  } catch (error) {
    if (error instanceof BallastError && error.id === "claim-target-held") return "held";
    throw error;
  }
}

const incidentOf = ({ id, kind, rule, severity, target, firedAt, trace }: Sighting): Incident => ({
  target: target ?? "",
  origin: "alert",
  alert: {
    id,
    kind,
    rule,
    severity,
    condition: "fired",
    firedAt,
    resources: [],
    dimensions: {},
    ...(trace === undefined ? {} : { trace }),
  },
  message: `the alert rule ${rule} fired`,
  requestedBy: "the control plane",
});
