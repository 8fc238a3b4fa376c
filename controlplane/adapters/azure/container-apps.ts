// Container Apps, as far as rollouts need it. Every write works the same way: read first, and only if something is
// missing ask the fence, send, and read again. So a write whose answer was lost is found to have landed instead of
// being sent twice, and a write that is no longer ours is never sent. settle.ts has that loop.
import type { ContainerApp, Revision } from "@azure/arm-appcontainers";
import type { Result } from "../../../engines/engine.ts";
import type { CredentialSlots } from "../../../engines/rollout/intent.ts";
import type {
  AppView,
  ProbeView,
  RevisionView,
  Target,
  TrafficView,
  Weight,
} from "../../../engines/rollout/vocabulary.ts";
import { sameWeights, shareOf } from "../../../engines/rollout/weights.ts";
import type { Apps, Sight } from "../../performers/rollout-ports.ts";
import type { Fence } from "../../runtime/ports.ts";
import { type Cloud, getApp, getRevision, listRevisions } from "./cloud.ts";
import type { Connection } from "./connection.ts";
import { probeAddress } from "./probe.ts";
import { repoint } from "./repoint.ts";
import { fetchRestarts } from "./restarts.ts";
import { pollMilliseconds, refuseUnread, settle } from "./settle.ts";
import {
  describeWeights,
  entriesFor,
  entriesOf,
  fitnessOf,
  modeOf,
  sameLabels,
  templateHash,
  weightsOf,
} from "./traffic.ts";
import { asResult, type Patience } from "./trouble.ts";

/** Opens Container Apps over the clients of a connection. */
export function createContainerApps(
  connection: Pick<Connection, "apps" | "agent" | "ready">,
  patience: Patience,
): Apps {
  const cloud: Cloud = { apps: connection.apps, ready: connection.ready, patience };
  return {
    repoint: (effect, fence) => repoint(cloud, effect, fence),
    inspect: (asked, cancel) => inspect(cloud, asked, cancel),
    readTraffic: (target, cancel) => readTraffic(cloud, target, cancel),
    shift: (effect, fence) => shift(cloud, effect, fence),
    activate: ({ target, revision }, fence) => activate(cloud, target, revision, fence, isProvisioned),
    deactivate: ({ target, revision }, fence) => deactivate(cloud, target, revision, fence),
    probe: async ({ target, revision, awake, ...asked }, cancel) => {
      const answerOf = async (name: string): Promise<Result<Omit<ProbeView, "restarts">>> => {
        const found = await getRevision(cloud, target, name, cancel);
        if (!found.ok) return asResult(found);
        if (!found.value.fqdn)
          return { ok: false, reason: `revision ${name} has no address of its own, because its app has no ingress` };
        return {
          ok: true,
          value: {
            ...(await probeAddress(connection.agent, found.value.fqdn, asked, cancel)),
            running: found.value.runningState ?? "Unknown",
          },
        };
      };
      const [answer, restarts] = await Promise.all([
        answerOf(revision),
        fetchRestarts(cloud, patience, target, revision, cancel),
        awake === undefined ? undefined : answerOf(awake),
      ]);
      return answer.ok && restarts !== undefined ? { ok: true, value: { ...answer.value, restarts } } : answer;
    },
  };
}

async function inspect(
  cloud: Cloud,
  { target, credentialSlots }: Parameters<Apps["inspect"]>[0],
  cancel: AbortSignal,
): Promise<Result<AppView>> {
  const [app, revisions] = await Promise.all([getApp(cloud, target, cancel), listRevisions(cloud, target, cancel)]);
  if (!app.ok) return asResult(app);
  if (!revisions.ok) return asResult(revisions);
  const weights = weightsOf(app.value);
  if (!weights.ok) return weights;
  const views = revisions.value.map((revision) => viewOf(revision, credentialSlots));
  return { ok: true, value: { weights: weights.value, revisions: views, ...fitnessOf(app.value) } };
}

const viewOf = (revision: Revision, slots?: CredentialSlots): RevisionView => ({
  name: revision.name ?? "",
  active: revision.active ?? false,
  running: revision.runningState ?? "Unknown",
  health: revision.healthState ?? "None",
  templateHash: templateHash(revision.template, slots),
  ...(revision.createdTime && { madeAt: revision.createdTime.getTime() }),
  ...secretsIn(revision),
  images: (revision.template?.containers ?? []).flatMap(({ image }) => (image === undefined ? [] : [image])),
  // Without a minimum in the scale, the minimum is 0.
  minReplicas: revision.template?.scale?.minReplicas ?? 0,
  ...startupOf(revision),
});

/** Gives the secrets that the variables of a revision name, if it names any. */
function secretsIn({ template }: Revision): Pick<RevisionView, "secrets"> {
  const containers = [...(template?.containers ?? []), ...(template?.initContainers ?? [])];
  const names = containers.flatMap(({ env = [] }) => env.flatMap(({ secretRef }) => secretRef ?? []));
  return names.length === 0 ? {} : { secrets: [...new Set(names)] };
}

/** Gives how long the startup probes of a revision allow its containers to take, if it has any. */
function startupOf({ template }: Revision): Pick<RevisionView, "startupSeconds"> {
  const times = (template?.containers ?? [])
    .flatMap(({ probes = [] }) => probes)
    .filter(({ type }) => type?.toLowerCase() === "startup")
    .map(
      ({ initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3 }) =>
        initialDelaySeconds + periodSeconds * failureThreshold,
    );
  return times.length === 0 ? {} : { startupSeconds: Math.max(...times) };
}

/**
 * Reads the weights, and which revisions with traffic are deactivated: Azure sends traffic to those without a warning.
 */
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

/** Reads who serves, and when a revision was made. */
export const openSight =
  (connection: Pick<Connection, "apps" | "ready">, patience: Patience): Sight =>
  async (target, revision, cancel) => {
    const cloud: Cloud = { apps: connection.apps, ready: connection.ready, patience };
    const [app, made] = await Promise.all([
      getApp(cloud, target, cancel),
      getRevision(cloud, target, revision, cancel),
    ]);
    if (!app.ok) return asResult(app);
    if (!made.ok && made.trouble.status !== 404) return asResult(made);
    const weights = weightsOf(app.value);
    return weights.ok
      ? { ok: true, value: { weights: weights.value, madeAt: made.ok ? made.value.createdTime?.getTime() : undefined } }
      : weights;
  };

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
    if (!app.ok) return refuseUnread(app);
    const shown = weightsOf(app.value);
    if (!shown.ok) return { say: "refuse", reason: shown.reason };
    if (app.value.provisioningState === "InProgress")
      return { say: "wait", reason: "another operation on the app is under way" };
    // An entry with `latestRevision` may mean the wanted revision today and another one tomorrow: it must
    // have the name.
    const there =
      sameWeights(shown.value, weights) &&
      !entriesOf(app.value).some(({ latestRevision, weight }) => latestRevision && weight);
    // The platform may drop labels. Once they were written, only the weights count.
    if (there && (sent || sameLabels(app.value, labels)) && (sent || app.value.provisioningState !== "Failed"))
      return { say: "done", value: { weights: shown.value } };
    if (sent)
      return { say: "refuse", reason: `the weights were written, but the app shows ${describeWeights(shown.value)}` };
    const refusal = whyNotWeighted(app.value);
    if (refusal !== undefined) return { say: "refuse", reason: refusal };
    const traffic = entriesFor(weights, labels, app.value, ready.value);
    return { say: "send", send: (abortSignal) => patchTraffic(cloud, target, app.value, traffic, abortSignal) };
  });
}

/** Explains why weights would have no effect on an app; undefined if they have. */
function whyNotWeighted(app: ContainerApp): string | undefined {
  if (app.configuration?.ingress === undefined) return "the app has no ingress, so there is no traffic to shift";
  return modeOf(app) === "Multiple"
    ? undefined
    : `the app is in ${modeOf(app)} revision mode; weights take effect only in Multiple mode`;
}

/**
 * Ensures that each revision that gets weight is active, and gives the names of all revisions.
 *
 * Azure sends traffic to a deactivated revision without a warning, and its users get errors. Someone may deactivate or
 * purge stable just when the traffic should return to it.
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
      return { ok: false, reason: `revision ${revision} no longer exists, so it cannot receive traffic` };
    if (found.active) continue;
    const activated = await activate(cloud, target, revision, fence, isHealthy);
    if (!activated.ok)
      return {
        ...activated,
        reason: `revision ${revision} was deactivated and cannot be activated again: ${activated.reason}`,
      };
  }
  return { ok: true, value: new Set(byName.keys()) };
}

/** Sends a merge patch with only the traffic, and polls until the operation ends. */
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
/** A revision without replicas has no health, but it answers once a request starts a replica. */
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
    if (!found.ok) return refuseUnread(found);
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

/** Deactivates a revision, unless it still has traffic. A revision that no longer exists counts as deactivated. */
async function deactivate(cloud: Cloud, target: Target, revision: string, fence: Fence): Promise<Result<null>> {
  return settle<null>(cloud, fence, async (sent) => {
    const found = await getRevision(cloud, target, revision);
    if (!found.ok) return found.trouble.status === 404 ? { say: "done", value: null } : refuseUnread(found);
    if (sent && found.value.active) return { say: "wait", reason: `revision ${revision} is still active` };
    // A revision that is already deactivated may still have weight. That is an outage, not success.
    const traffic = await readTraffic(cloud, target);
    if (!traffic.ok) return { say: "refuse", ...traffic };
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
