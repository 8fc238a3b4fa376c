// Container Apps, as far as rollouts need it. Every write goes the same way: look first, and only if something is missing
// ask the fence, send, and look again. So a write whose answer was lost is found to have landed instead of being sent
// twice, and one that is no longer ours is never sent. Nothing here decides what the weights should be.
import type { ContainerApp, Revision } from "@azure/arm-appcontainers";
import type { Result } from "../../../engines/engine.ts";
import { sameWeights, shareOf } from "../../../engines/rollout/evolve.ts";
import type {
  AppView,
  ProbeView,
  RevisionView,
  Target,
  TrafficView,
  Weight,
} from "../../../engines/rollout/vocabulary.ts";
import type { Apps, Fence } from "../../runtime/ports.ts";
import { afterFence, type Connection } from "./connection.ts";
import { probeAddress } from "./probe.ts";
import {
  entriesFor,
  entriesOf,
  fitnessOf,
  modeOf,
  sameLabels,
  templateHash,
  weightsInWords,
  weightsOf,
} from "./traffic.ts";
import {
  type Answered,
  ask,
  asResult,
  type Patience,
  rest,
  restBefore,
  type Trouble,
  troubleOf,
  within,
} from "./trouble.ts";

/** Opens Container Apps over the clients of a connection. */
export function createContainerApps(
  connection: Pick<Connection, "apps" | "agent" | "ready">,
  patience: Patience,
): Apps {
  const cloud: Cloud = { apps: connection.apps, ready: connection.ready, patience };
  return {
    inspect: (target, cancel) => inspect(cloud, target, cancel),
    readTraffic: (target, cancel) => readTraffic(cloud, target, cancel),
    shift: (effect, fence) => shift(cloud, effect, fence),
    activate: ({ target, revision }, fence) => activate(cloud, target, revision, fence, isProvisioned),
    deactivate: ({ target, revision }, fence) => deactivate(cloud, target, revision, fence),
    probe: async ({ target, revision, path, timeoutSeconds, awake }, cancel) => {
      const asked = async (name: string): Promise<Result<ProbeView>> => {
        const found = await getRevision(cloud, target, name, cancel);
        if (!found.ok) return asResult(found);
        if (!found.value.fqdn)
          return { ok: false, reason: `revision ${name} has no address of its own, since its app has no ingress` };
        return {
          ok: true,
          value: {
            ...(await probeAddress(connection.agent, found.value.fqdn, path, timeoutSeconds, cancel)),
            running: found.value.runningState ?? "Unknown",
          },
        };
      };
      const [answer] = await Promise.all([asked(revision), awake === undefined ? undefined : asked(awake)]);
      return answer;
    },
  };
}

interface Cloud extends Pick<Connection, "apps" | "ready"> {
  readonly patience: Patience;
}

const getApp = (
  { apps, patience }: Cloud,
  { resourceGroup, app }: Target,
  cancel?: AbortSignal,
): Promise<Answered<ContainerApp>> =>
  ask(patience, cancel, (abortSignal) => apps.containerApps.get(resourceGroup, app, { abortSignal }));

const getRevision = (
  { apps, patience }: Cloud,
  { resourceGroup, app }: Target,
  revision: string,
  cancel?: AbortSignal,
): Promise<Answered<Revision>> =>
  ask(patience, cancel, (abortSignal) =>
    apps.containerAppsRevisions.getRevision(resourceGroup, app, revision, { abortSignal }),
  );

const listRevisions = (
  { apps, patience }: Cloud,
  { resourceGroup, app }: Target,
  cancel?: AbortSignal,
): Promise<Answered<readonly Revision[]>> =>
  ask(patience, cancel, async (abortSignal) => {
    const revisions: Revision[] = [];
    for await (const revision of apps.containerAppsRevisions.listRevisions(resourceGroup, app, { abortSignal }))
      revisions.push(revision);
    return revisions;
  });

async function inspect(cloud: Cloud, target: Target, cancel: AbortSignal): Promise<Result<AppView>> {
  const [app, revisions] = await Promise.all([getApp(cloud, target, cancel), listRevisions(cloud, target, cancel)]);
  if (!app.ok) return asResult(app);
  if (!revisions.ok) return asResult(revisions);
  const weights = weightsOf(app.value);
  return weights.ok
    ? { ok: true, value: { weights: weights.value, revisions: revisions.value.map(viewOf), ...fitnessOf(app.value) } }
    : weights;
}

const viewOf = (revision: Revision): RevisionView => ({
  name: revision.name ?? "",
  active: revision.active ?? false,
  running: revision.runningState ?? "Unknown",
  health: revision.healthState ?? "None",
  templateHash: templateHash(revision.template),
  // A scale that says no minimum has none.
  minReplicas: revision.template?.scale?.minReplicas ?? 0,
});

/** Reads who gets what and, of those, who cannot serve it: Azure gives traffic to what is deactivated without a word. */
async function readTraffic(cloud: Cloud, target: Target, cancel?: AbortSignal): Promise<Result<TrafficView>> {
  const app = await getApp(cloud, target, cancel);
  if (!app.ok) return asResult(app);
  const weights = weightsOf(app.value);
  if (!weights.ok) return weights;
  const seen = await Promise.all(
    weights.value.map(async ({ revision }) => ({
      revision,
      found: await getRevision(cloud, target, revision, cancel),
    })),
  );
  const unread = seen.find(({ found }) => !found.ok && found.trouble.status !== 404);
  if (unread !== undefined && !unread.found.ok) return asResult(unread.found);
  const deactivated = seen.filter(({ found }) => !found.ok || !found.value.active).map(({ revision }) => revision);
  return { ok: true, value: { weights: weights.value, ...(deactivated.length > 0 ? { deactivated } : {}) } };
}

/** What a look at the world says about a write: it is done, it must not be, another operation must end first, or it is to be sent. */
type Look<Value> =
  | { readonly say: "done"; readonly value: Value }
  | { readonly say: "refuse"; readonly reason: string }
  | { readonly say: "wait"; readonly reason: string }
  | { readonly say: "send"; readonly send: (signal: AbortSignal) => Promise<unknown> };

/**
 * Carries a write out: looks, asks the fence, sends, and looks again until the world shows it or patience ends.
 *
 * `look` is told whether a sending has been answered well: then a world that still shows something else has been changed
 * by somebody, and sending again would be a quarrel rather than a retry.
 */
async function settle<Value>(
  { patience, ready }: Cloud,
  fence: Fence,
  look: (sent: boolean) => Promise<Look<Value>>,
): Promise<Result<Value>> {
  const deadline = performance.now() + patience.operationSeconds * 1000;
  let sent = false;
  let attempt = 0;
  let last = "";
  for (;;) {
    const found = await look(sent);
    if (found.say === "done") return { ok: true, value: found.value };
    if (found.say === "refuse") return { ok: false, reason: found.reason };
    if (performance.now() >= deadline)
      return {
        ok: false,
        reason: `${found.say === "wait" ? found.reason : last} (given up after ${patience.operationSeconds} s)`,
      };
    if (found.say === "wait") {
      await rest(pollMilliseconds(patience));
      continue;
    }
    if (attempt >= patience.attemptsMax) return { ok: false, reason: `${last} (${attempt} attempts)` };
    await within(patience.operationSeconds, undefined, ready).catch(() => undefined); // A token that is slow shall be slow here; one that cannot be had is the sending's trouble.
    const askedAt = performance.now();
    if (!(await fence())) return { ok: false, reason: "the app is in other hands by now, so nothing was sent" };
    attempt += 1;
    const trouble = await troubleIn(patience, (signal) => afterFence(askedAt, () => found.send(signal)));
    sent = trouble === undefined;
    if (trouble === undefined) continue;
    if (!trouble.passing) return { ok: false, reason: trouble.reason };
    last = trouble.reason;
    await restBefore(attempt, trouble, patience);
    // A conflict was answered before anything happened, and the other operation may take minutes: only the deadline ends that.
    if (trouble.status === 409) attempt -= 1;
  }
}

async function troubleIn(
  patience: Patience,
  send: (signal: AbortSignal) => Promise<unknown>,
): Promise<Trouble | undefined> {
  try {
    await within(patience.operationSeconds, undefined, send);
    return undefined;
  } catch (thrown) {
    return troubleOf(thrown, patience.requestSeconds);
  }
}

const pollMilliseconds = ({ requestSeconds }: Patience): number => Math.min(2000, requestSeconds * 50);

async function shift(
  cloud: Cloud,
  { target, weights, labels }: Parameters<Apps["shift"]>[0],
  fence: Fence,
): Promise<Result<TrafficView>> {
  const sum = weights.reduce((total, { percent }) => total + percent, 0);
  if (sum !== 100) throw new Error(`weights add up to ${sum}`);
  const ready = await readyFor(cloud, target, weights, fence);
  if (!ready.ok) return ready;
  return settle<TrafficView>(cloud, fence, async (sent) => {
    const app = await getApp(cloud, target);
    if (!app.ok) return { say: "refuse", reason: app.reason };
    const shown = weightsOf(app.value);
    if (!shown.ok) return { say: "refuse", reason: shown.reason };
    if (app.value.provisioningState === "InProgress")
      return { say: "wait", reason: "another operation on the app is under way" };
    // An entry that says `latestRevision` may resolve to the wanted revision today and to another tomorrow: it is not there until it says the name.
    const there =
      sameWeights(shown.value, weights) &&
      !entriesOf(app.value).some(({ latestRevision, weight }) => latestRevision && weight);
    // Labels that the platform does not keep are no quarrel: once they were written, the weights alone count.
    if (there && (sent || sameLabels(app.value, labels)) && (sent || app.value.provisioningState !== "Failed"))
      return { say: "done", value: { weights: shown.value } };
    if (sent)
      return { say: "refuse", reason: `the weights were written, but the app shows ${weightsInWords(shown.value)}` };
    const refusal = whyNotWeighted(app.value);
    if (refusal !== undefined) return { say: "refuse", reason: refusal };
    const traffic = entriesFor(weights, labels, app.value, ready.value);
    return { say: "send", send: (abortSignal) => patchTraffic(cloud, target, app.value, traffic, abortSignal) };
  });
}

/** Says why weights would have no effect on an app; undefined where they have. */
function whyNotWeighted(app: ContainerApp): string | undefined {
  if (app.configuration?.ingress === undefined) return "the app has no ingress, so there is no traffic to shift";
  return modeOf(app) === "Multiple"
    ? undefined
    : `the app is in ${modeOf(app)} revision mode, and weights count in Multiple only`;
}

/**
 * Sees to it that each revision that is to have weight is active, and gives the names of all revisions.
 *
 * Azure gives traffic to a deactivated revision without a word, and its users get errors. The revision that was stable
 * may have been deactivated or purged by somebody just when traffic is to go back to it.
 */
async function readyFor(
  cloud: Cloud,
  target: Target,
  weights: readonly Weight[],
  fence: Fence,
): Promise<Result<ReadonlySet<string>>> {
  const revisions = await listRevisions(cloud, target);
  if (!revisions.ok) return asResult(revisions);
  const byName = new Map(revisions.value.map((revision) => [(revision.name ?? "").toLowerCase(), revision]));
  for (const { revision } of weights.filter(({ percent }) => percent > 0)) {
    const found = byName.get(revision.toLowerCase());
    if (found === undefined)
      return { ok: false, reason: `there is no revision ${revision} any more, so it cannot be given traffic` };
    if (found.active) continue;
    const activated = await activate(cloud, target, revision, fence, isHealthy);
    if (!activated.ok)
      return {
        ok: false,
        reason: `revision ${revision} was deactivated and cannot be brought back: ${activated.reason}`,
      };
  }
  return { ok: true, value: new Set(byName.keys()) };
}

/** Sends a merge patch with nothing but the traffic, and polls the operation to its end. */
async function patchTraffic(
  { apps, patience }: Cloud,
  { resourceGroup, app }: Target,
  { location }: ContainerApp,
  traffic: ReturnType<typeof entriesFor>,
  abortSignal: AbortSignal,
): Promise<void> {
  const patch = { location, configuration: { ingress: { traffic } } };
  await apps.containerApps
    .update(resourceGroup, app, patch, { abortSignal, updateIntervalInMs: pollMilliseconds(patience) })
    .pollUntilDone({ abortSignal });
}

const isProvisioned = (revision: Revision): boolean =>
  revision.active === true && revision.provisioningState === "Provisioned";
/** A revision without replicas has no health, and answers all the same once a request wakes it. */
const isHealthy = (revision: Revision): boolean =>
  isProvisioned(revision) && (revision.healthState === "Healthy" || revision.runningState === "ScaledToZero");

async function activate(
  cloud: Cloud,
  target: Target,
  revision: string,
  fence: Fence,
  isUp: (revision: Revision) => boolean,
): Promise<Result<null>> {
  return settle<null>(cloud, fence, async (sent) => {
    const found = await getRevision(cloud, target, revision);
    if (!found.ok) return { say: "refuse", reason: found.reason };
    if (isUp(found.value)) return { say: "done", value: null };
    const { active, provisioningState, runningState, provisioningError } = found.value;
    if (active && provisioningState === "Failed")
      return {
        say: "refuse",
        reason: `revision ${revision} cannot be provisioned: ${provisioningError ?? "Azure gives no reason"}`,
      };
    if (active || sent)
      return {
        say: "wait",
        reason: `revision ${revision} is ${provisioningState ?? "in no known state"}, ${runningState ?? "Unknown"}`,
      };
    return {
      say: "send",
      send: (abortSignal) =>
        cloud.apps.containerAppsRevisions.activateRevision(target.resourceGroup, target.app, revision, { abortSignal }),
    };
  });
}

/** Takes a revision away, unless anybody is still sent to it. A revision that is gone altogether needs no taking away. */
async function deactivate(cloud: Cloud, target: Target, revision: string, fence: Fence): Promise<Result<null>> {
  return settle<null>(cloud, fence, async (sent) => {
    const found = await getRevision(cloud, target, revision);
    if (!found.ok)
      return found.trouble.status === 404 ? { say: "done", value: null } : { say: "refuse", reason: found.reason };
    if (sent && found.value.active) return { say: "wait", reason: `revision ${revision} is still active` };
    // One that is deactivated already may still have weight, which is an outage and not an end.
    const traffic = await readTraffic(cloud, target);
    if (!traffic.ok) return { say: "refuse", reason: traffic.reason };
    const percent = shareOf(traffic.value.weights, revision);
    if (percent !== undefined)
      return { say: "refuse", reason: `revision ${revision} still has ${percent} percent of the traffic` };
    if (!found.value.active) return { say: "done", value: null };
    return {
      say: "send",
      send: (abortSignal) =>
        cloud.apps.containerAppsRevisions.deactivateRevision(target.resourceGroup, target.app, revision, {
          abortSignal,
        }),
    };
  });
}
