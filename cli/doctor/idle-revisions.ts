// Revisions that run and serve nobody. A `pulumi up` that is killed after its write to Azure, and before it has asked
// for the release, leaves one: no rollout knows of it, so nothing takes it back.
import { controlPlane } from "../../client/control-plane.ts";
import { sameName } from "../../engines/rollout/weights.ts";
import { doctorRevisionsIdle } from "../../errors/doctor.ts";
import { messageOf } from "./azure-answer.ts";
import { boundPlane } from "./bound-plane.ts";
import type { AppContext } from "./context.ts";
import { type CheckResult, failed, ok, unknown } from "./finding.ts";
import { groupOf, nameOf } from "./stack.ts";

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
 * Judges which revisions of an app run without traffic and without a label. An `up` may still ask for the release of
 * one that is young.
 */
export function judgeIdle(
  { app, labelled }: { readonly app: string; readonly labelled: readonly string[] },
  revisions: readonly LiveRevision[],
  now: number,
): CheckResult {
  const isNeeded = (name: string) => labelled.some((each) => sameName(each, name));
  const idle = revisions.filter(
    ({ name, properties: { active, trafficWeight = 0, createdTime } }) =>
      active && trafficWeight === 0 && !isNeeded(name) && now - Date.parse(createdTime) >= ageSecondsMin * 1000,
  );
  return idle.length === 0
    ? ok("every active revision serves, is labelled, or is new")
    : failed(doctorRevisionsIdle({ app, revisions: idle.map(({ name }) => name) }));
}

/**
 * Checks that no revision of the app runs for nobody. While a rollout is in flight, its canary may have no traffic yet
 * and its stable none any more: both are needed.
 */
export async function checkIdle(
  labels: readonly { readonly revisionName?: string; readonly label?: string }[],
  { ask, app: { id }, stack }: AppContext,
): Promise<CheckResult> {
  // Asked first: one that ends in between has stopped its stable before the revisions are read.
  const isReleased = await isBeingReleased(id, stack);
  if (isReleased === undefined) return unknown("the control plane cannot be asked whether a release is in flight");
  if (isReleased) return ok("a release is in flight, and may need each revision");
  const answer = await ask("GET", `${id}/revisions`, revisionsVersion);
  if (answer.status !== 200) return unknown(messageOf(answer));
  const labelled = labels.flatMap(({ revisionName, label }) => (label && revisionName ? [revisionName] : []));
  return judgeIdle({ app: nameOf(id), labelled }, answer.body.value as readonly LiveRevision[], Date.now());
}

/** Asks the control plane whether an app is being released; without one, none is. Undefined if it does not say. */
async function isBeingReleased(id: string, stack: AppContext["stack"]): Promise<boolean | undefined> {
  if (stack.endpoint === undefined) return false;
  const access = boundPlane(stack, patienceSeconds);
  if (access === undefined) return undefined;
  const listed = await controlPlane(access)
    .list({ inFlight: true })
    .catch(() => undefined);
  const streams = `rollout/${nameOf(groupOf(id))}/${nameOf(id)}/`.toLowerCase();
  const isOfApp = (each: { readonly id: string }): boolean => each.id.startsWith(streams);
  return listed?.unreadable.some(isOfApp) ? undefined : listed?.rollouts.some(isOfApp);
}
