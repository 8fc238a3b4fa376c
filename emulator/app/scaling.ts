// What happens to the revisions of an app as time passes: a revision without a minimum of replicas goes to zero after
// its cool-down, and old inactive revisions beyond the maximum are purged. Time is the emulator's clock, so that a test
// sets it instead of waiting. An HTTP rule starts replicas by the requests in progress, and ends them when the load has
// been lower for a while; other scale rules have no effect.

import type { Body, Cloud } from "../arm/resource.ts";
import { runtimeOf, startRevision, untilReady } from "./app-runtime.ts";
import { type AppRuntime, latestOf, type Revision } from "./revisions.ts";

const checkEveryMilliseconds = 100;
// Azure purges late: after a quarter of an hour or more, by recordings of others.
const purgeAfterMilliseconds = 900_000;
const inactiveRevisionsMax = 100;

/** Applies the passage of time to every app from now on. Gives the function that stops it. */
export function startScaling(cloud: Cloud): () => void {
  const timer = setInterval(() => {
    for (const app of runtimeOf(cloud).apps.values()) letTimePass(app, cloud.clock.now());
  }, checkEveryMilliseconds);
  timer.unref();
  return () => clearInterval(timer);
}

function letTimePass(app: AppRuntime, now: number): void {
  for (const revision of app.revisions) scaleByLoad(revision, now);
  if (app.quirks["scales-to-zero"])
    for (const revision of app.revisions) if (isIdle(revision, now)) scaleToZero(revision);
  if (app.quirks["inactive-are-purged"]) purge(app, now);
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

// Azure waits as long before it ends replicas.
const scaleDownAfterMilliseconds = 300_000;

/** Gives how many concurrent requests one replica should have; undefined without an HTTP rule. */
function concurrencyOf({ template }: Revision): number | undefined {
  const numbers = ((template["scale"]?.rules ?? []) as Body[]).flatMap(({ http }) => {
    const wanted: unknown = http?.metadata?.concurrentRequests;
    return wanted === undefined ? [] : [Number(wanted)];
  });
  // The rule that wants the most replicas wins.
  return numbers.length === 0 ? undefined : Math.min(...numbers);
}

/** Starts the replicas that the requests need, up to the maximum, and ends those that were idle for long. */
function scaleByLoad(revision: Revision, now: number): void {
  const { set, active, template } = revision;
  const concurrency = concurrencyOf(revision);
  if (!set || !active || concurrency === undefined) return;
  const { minReplicas = 0, maxReplicas = 10 } = template["scale"] ?? {};
  const load = set.replicas.reduce((sum, { inFlight }) => sum + inFlight, 0);
  const wanted = Math.min(Math.max(1, Number(minReplicas), Math.ceil(load / concurrency)), Number(maxReplicas));
  const count = set.replicas.length;
  if (wanted >= count) {
    revision.busyAt = now;
    if (wanted > count) set.scaleTo(wanted);
  } else if (now - (revision.busyAt ?? now) >= scaleDownAfterMilliseconds) set.scaleTo(wanted);
}

function scaleToZero(revision: Revision): void {
  void revision.set?.stop();
  Object.assign(revision, { set: undefined, atZero: true });
}

/** Removes revisions for good. Their suffixes stay taken and their traffic entries stay. */
function purge(app: AppRuntime, now: number): void {
  const inactive = app.revisions.filter((each) => !each.active && each !== latestOf(app));
  const excess = inactive.length - Number(app.configuration["maxInactiveRevisions"] ?? inactiveRevisionsMax);
  for (const revision of inactive.slice(0, Math.max(0, excess))) {
    if (now - (revision.deactivatedAt ?? now) >= purgeAfterMilliseconds)
      app.revisions.splice(app.revisions.indexOf(revision), 1);
  }
}

/** Reports whether a request must wait for a replica: the revision is at zero, or starting from there. */
export const mustWake = (revision: Revision | undefined): revision is Revision =>
  revision?.active === true && (revision.atZero === true || (revision.started?.by === "request" && !revision.wasReady));

/** Starts a revision from zero. Resolves when it is ready, or cannot become ready, or `signal` aborts. */
export async function wake(cloud: Cloud, app: AppRuntime, revision: Revision, signal: AbortSignal): Promise<void> {
  if (revision.atZero) startRevision(cloud, app, revision, "request");
  await untilReady(revision, cloud.clock.now, signal);
}
