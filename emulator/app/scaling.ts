// What time does to the revisions of an app: one that may go to zero does so after its cool-down, and those that were deactivated
// long ago and are too many are purged. Time is the stand-in's clock, so that a test sets it instead of waiting. Up to zero and back is
// all that scales here; rules and load are not looked at.

import type { Cloud } from "../arm/resource.ts";
import { runtimeOf, startRevision, untilReady } from "./app-runtime.ts";
import { type AppRuntime, latestOf, type Revision } from "./revisions.ts";

const lookEveryMilliseconds = 100;
// Azure purges when it finds the time: not before a quarter of an hour, as others have recorded.
const purgeAfterMilliseconds = 900_000;
const inactiveRevisionsMax = 100;

/** Lets time pass over every app from now on; gives how to end that. */
export function startScaling(cloud: Cloud): () => void {
  const timer = setInterval(() => {
    for (const app of runtimeOf(cloud).apps.values()) letTimePass(app, cloud.clock.now());
  }, lookEveryMilliseconds);
  timer.unref();
  return () => clearInterval(timer);
}

function letTimePass(app: AppRuntime, now: number): void {
  if (app.truths["scales-to-zero"])
    for (const revision of app.revisions) if (isIdle(revision, now)) scaleToZero(revision);
  if (app.truths["inactive-are-purged"]) purge(app, now);
}

function isIdle({ active, set, wasReady, usedAt, template }: Revision, now: number): boolean {
  const { minReplicas = 0, cooldownPeriod = 300 } = template["scale"] ?? {};
  return (
    active &&
    set !== undefined &&
    wasReady &&
    Number(minReplicas) === 0 &&
    set.replicas.every(({ inFlight }) => inFlight === 0) &&
    now - (usedAt ?? now) >= Number(cooldownPeriod) * 1000
  );
}

function scaleToZero(revision: Revision): void {
  void revision.set?.stop();
  Object.assign(revision, { set: undefined, atZero: true });
}

/** Forgets revisions for good; their suffixes stay taken and their traffic entries stay in the list. */
function purge(app: AppRuntime, now: number): void {
  const inactive = app.revisions.filter((each) => !each.active && each !== latestOf(app));
  const excess = inactive.length - Number(app.configuration["maxInactiveRevisions"] ?? inactiveRevisionsMax);
  for (const revision of inactive.slice(0, Math.max(0, excess))) {
    if (now - (revision.deactivatedAt ?? now) >= purgeAfterMilliseconds)
      app.revisions.splice(app.revisions.indexOf(revision), 1);
  }
}

/** Says whether a request to a revision is held until a replica is up: it is at zero, or on its way from there. */
export const mustWake = (revision: Revision | undefined): revision is Revision =>
  revision?.active === true && (revision.atZero === true || (revision.started?.by === "request" && !revision.wasReady));

/** Brings a revision up from zero; resolves when it is ready, or will not be, or `signal` aborts. */
export async function wake(cloud: Cloud, app: AppRuntime, revision: Revision, signal: AbortSignal): Promise<void> {
  if (revision.atZero) startRevision(cloud, app, revision, "request");
  await untilReady(revision, cloud.clock.now, signal);
}
