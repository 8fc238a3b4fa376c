// Revisions that run and serve nobody. A `pulumi up` that is killed after its write to Azure, and before it has asked
// for the release, leaves one: no rollout knows of it, so nothing takes it back.
import { bindAudience } from "../../bind-audience.ts";
import { controlPlane } from "../../client/control-plane.ts";
import { tokenFor } from "../../client/credential.ts";
import { sameName } from "../../engines/rollout/weights.ts";
import { doctorRevisionsIdle } from "../../errors/doctor.ts";
import { messageOf } from "./azure-answer.ts";
import type { AppContext } from "./context.ts";
import { type CheckResult, failed, ok, unknown } from "./finding.ts";
import { nameOf } from "./stack.ts";

const revisionsVersion = "2025-07-01";
/** Younger revisions may belong to a `pulumi up` that is about to ask for their release. */
const ageSecondsMin = 600;
const patienceSeconds = 5;

/** The part of a revision that is read here, as Resource Manager shows it. */
export interface LiveRevision {
  readonly name: string;
  readonly properties: {
    readonly active: boolean;
    readonly trafficWeight?: number;
    readonly createdTime: string;
  };
}

/**
 * Judges which revisions of an app run without traffic, without a label, and without a rollout in flight. An `up` may
 * still ask for the release of one that is young.
 */
export function judgeIdle(
  { app, labelled, inFlight }: { app: string; labelled: readonly string[]; inFlight: readonly string[] },
  revisions: readonly LiveRevision[],
  now: number,
): CheckResult {
  const isNeeded = (name: string) => [...labelled, ...inFlight].some((each) => sameName(each, name));
  const idle = revisions.filter(
    ({ name, properties: { active, trafficWeight = 0, createdTime } }) =>
      active && trafficWeight === 0 && !isNeeded(name) && now - Date.parse(createdTime) >= ageSecondsMin * 1000,
  );
  return idle.length === 0
    ? ok("every active revision serves, is labelled, is being released, or is new")
    : failed(doctorRevisionsIdle({ app, revisions: idle.map(({ name }) => name) }));
}

/** Checks that no revision of the app runs for nobody. */
export async function checkIdle(
  labels: readonly { readonly revisionName?: string; readonly label?: string }[],
  { ask, app: { id }, stack }: AppContext,
): Promise<CheckResult> {
  const answer = await ask("GET", `${id}/revisions`, revisionsVersion);
  if (answer.status !== 200) return unknown(messageOf(answer));
  const inFlight = await revisionsInFlight(id, stack);
  if (inFlight === undefined) return unknown("the control plane cannot be asked which revisions are being released");
  const labelled = labels.flatMap(({ revisionName, label }) => (label && revisionName ? [revisionName] : []));
  return judgeIdle({ app: nameOf(id), labelled, inFlight }, answer.body.value as readonly LiveRevision[], Date.now());
}

/** Asks the control plane which revisions are being released; without one, none is. Undefined if it does not say. */
async function revisionsInFlight(
  id: string,
  { endpoint, audience, binding }: AppContext["stack"],
): Promise<readonly string[] | undefined> {
  if (endpoint === undefined) return [];
  if (bindAudience(endpoint, audience) !== binding) return undefined;
  const plane = controlPlane({ endpoint, token: tokenFor(audience), patienceSeconds });
  const app = nameOf(id);
  const listed = await plane.list({ inFlight: true }).catch(() => undefined);
  return listed?.rollouts.filter((rollout) => sameName(rollout.app, app)).map(({ revision }) => revision);
}
