// The platform of a scenario for real: the emulator with real processes, called through the real adapters. The
// time is virtual: the clock jumps, together with the emulator's, and the request rows of the skipped time are put
// into its store.
import { createContainerApps } from "../../../controlplane/adapters/azure/container-apps.ts";
import { createRequestRows } from "../../../controlplane/adapters/azure/request-rows.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import type { Apps, Requests } from "../../../controlplane/performers/rollout-ports.ts";
import { bandOf, durationsAbove } from "../../../engines/rollout/judge/durations.ts";
import type { ReleaseIntent, Target } from "../../../engines/rollout/vocabulary.ts";
import type { Instant } from "../../../engines/time.ts";
import { requestSeconds, type Shop } from "../emulator/azure-shop.ts";
import { eventually } from "../postgres/postgres.ts";
import { intentOf } from "./pure-world.ts";
import {
  failingPath,
  type Interference,
  othersBetween,
  type Scenario,
  slowMilliseconds,
  start,
  tallyOf,
  usualMilliseconds,
} from "./scenario.ts";

export interface RealWorld {
  readonly intent: ReleaseIntent;
  readonly apps: Apps;
  readonly requests: Requests;
  readonly now: () => Instant;
  /** The revision that another client has put, if any. */
  readonly third: () => string | undefined;
  /** Lets time pass, with the requests of that time. It sends no signals. */
  readonly advance: (to: Instant) => Promise<void>;
  /** Deletes the app, so that its replicas do not run on beside the scenarios that follow. */
  readonly close: () => Promise<void>;
}

/** Creates the app with the first revisions of a scenario, and sets the clocks to its start. */
export async function realWorld(scenario: Scenario, shop: Shop): Promise<RealWorld> {
  const target: Target = { resourceGroup: "shop", app: scenario.name.replaceAll(/[^a-z]/g, "").slice(0, 24) };
  await shop.arm("POST", "/_emulator/clock", { at: null });
  await shop.arm("DELETE", "/_emulator/rows");
  const { stable, canary } = await putRevisions(scenario, shop, target);
  let now = start;
  const set = async (at: Instant) => {
    now = at;
    await shop.arm("POST", "/_emulator/clock", { at });
  };
  await set(start);
  const adapter = createContainerApps(shop.connection, patienceOf(requestSeconds));
  const apps: Apps = {
    ...adapter,
    activate: async (effect, fence) => {
      const done = await adapter.activate(effect, fence);
      await healthy(adapter, effect);
      return done;
    },
  };
  let rowsTo = start;
  const goOn = async (to: Instant) => {
    const interval = scenario.strategy.intervalSeconds * 1000;
    const seen = await apps.readTraffic(target, AbortSignal.timeout(10_000));
    if (!seen.ok) throw new Error(seen.reason);
    const share = (revision: string | null) =>
      seen.value.weights.find((weight) => weight.revision === revision)?.percent ?? 0;
    for (; rowsTo + interval <= to; rowsTo += interval) {
      for (const [arm, revision] of [
        ["canary", canary],
        ["stable", stable],
      ] as const)
        await putRows(scenario, shop, { target, arm, revision, at: rowsTo, percent: share(revision) });
    }
    await set(to);
  };
  let third: string | undefined;
  const advance = async (to: Instant) => {
    for (const other of othersBetween(scenario, now, to)) {
      await goOn(other.at);
      third = (await interfere(shop, target, { stable, canary }, other)) ?? third;
      if (other.kills !== undefined) await crash(shop, apps, target, canary);
    }
    await goOn(to);
  };
  return {
    intent: { ...intentOf(scenario), target, revision: canary },
    apps,
    requests: createRequestRows(shop.connection, patienceOf(requestSeconds), shop.workspace, 0),
    now: () => now,
    third: () => third,
    advance,
    close: async () => {
      await shop.arm("POST", "/_emulator/clock", { at: null });
      await shop.connection.apps.containerApps
        .delete(target.resourceGroup, target.app, { updateIntervalInMs: 30 })
        .pollUntilDone();
    },
  };
}

/**
 * Waits until an activated revision is up: a process takes real time to start, which the virtual clock does not show.
 */
async function healthy(apps: Apps, { target, revision }: Parameters<Apps["activate"]>[0]): Promise<void> {
  await eventually(async () => {
    const seen = await apps.inspect({ target }, AbortSignal.timeout(5_000));
    return seen.ok && seen.value.revisions.find(({ name }) => name === revision)?.health === "Healthy";
  }, `${revision} to be healthy`);
}

/** Kills the process of a revision's replica, and waits until its platform has started another that is ready. */
async function crash(shop: Shop, apps: Apps, target: Target, revision: string): Promise<void> {
  const { body } = await shop.arm("POST", "/_emulator/kill", { app: target.app, revision });
  if (body.pids.length !== 1) throw new Error(`${revision} had ${body.pids.length} processes to kill.`);
  const { containerAppsRevisionReplicas } = shop.connection.apps;
  await eventually(async () => {
    const { value } = await containerAppsRevisionReplicas.listReplicas(target.resourceGroup, target.app, revision);
    return value?.some(({ containers }) => containers?.some(({ restartCount }) => (restartCount ?? 0) > 0));
  }, `a restart of ${revision}`);
  await healthy(apps, { kind: "Activate", target, revision });
}

/** Changes the app as another client does, such as the portal. Gives the name of the revision that it put, if any. */
async function interfere(
  { connection, release }: Shop,
  { resourceGroup, app }: Target,
  { stable, canary }: { readonly stable: string | null; readonly canary: string },
  { canaryPercent, deactivates, mode, puts }: Interference,
): Promise<string | undefined> {
  const { containerApps, containerAppsRevisions } = connection.apps;
  const { location } = await containerApps.get(resourceGroup, app);
  const write = (configuration: object) =>
    containerApps.update(resourceGroup, app, { location, configuration }).pollUntilDone();
  if (canaryPercent !== undefined)
    await write({
      ingress: {
        traffic: [
          { revisionName: stable, weight: 100 - canaryPercent },
          { revisionName: canary, weight: canaryPercent },
        ],
      },
    });
  if (deactivates !== undefined) await containerAppsRevisions.deactivateRevision(resourceGroup, app, canary);
  if (mode !== undefined) await write({ activeRevisionsMode: mode });
  if (puts === undefined) return undefined;
  const before = await containerApps.get(resourceGroup, app);
  return release(
    puts === "stable" ? "1" : "3",
    (before.configuration?.ingress?.traffic ?? []).map(({ revisionName, weight = 0 }) => ({
      revisionName: revisionName!,
      weight,
    })),
    app,
  );
}

async function putRevisions(
  scenario: Scenario,
  shop: Shop,
  { app }: Target,
): Promise<{ readonly stable: string | null; readonly canary: string }> {
  // Probes are the only real requests to the canary, so a count of them determines a moment.
  const canaryFaults = Number.isFinite(scenario.probesAnswered)
    ? { FAULT: "errors", FAULT_PERCENT: "100", FAULT_AFTER: String(scenario.probesAnswered) }
    : {};
  if (scenario.before === "nothing")
    return {
      stable: null,
      canary: await shop.release("2", [{ latestRevision: true, weight: 100 }], app, canaryFaults),
    };
  const stable = await shop.release("1", [{ latestRevision: true, weight: 100 }], app);
  const all = [{ revisionName: stable, weight: 100 }];
  if (scenario.before === "twin") {
    await shop.release("2", all, app);
    return { stable, canary: await shop.release("1", all, app) };
  }
  return { stable, canary: await shop.release("2", all, app, canaryFaults) };
}

interface Slice {
  readonly target: Target;
  readonly arm: "canary" | "stable";
  readonly revision: string | null;
  readonly at: Instant;
  readonly percent: number;
}

/** Adds the rows of one arm in one interval, spread evenly: first the failed, then the slow, then the good ones. */
async function putRows(scenario: Scenario, shop: Shop, { target, arm, revision, at, percent }: Slice): Promise<void> {
  const { requests, failed, durations } = tallyOf(scenario, arm, at, percent);
  const slow = durations === undefined ? 0 : durationsAbove(durations, bandOf(usualMilliseconds));
  if (revision === null || requests === 0) return;
  const rows = Array.from({ length: requests }, (_, index) => {
    const TimeGenerated = at + Math.floor((index * scenario.strategy.intervalSeconds * 1000) / requests);
    const isSlow = index >= failed && index < failed + slow;
    return {
      TimeGenerated,
      visibleAt: TimeGenerated,
      ContainerAppName: target.app,
      RevisionName: revision,
      StatusCode: index < failed ? 500 : 200,
      Path: index < failed ? failingPath : "/",
      RequestDuration: isSlow ? slowMilliseconds : usualMilliseconds,
    };
  });
  const { status, body } = await shop.arm("POST", "/_emulator/rows", { rows });
  if (status !== 200) throw new Error(`The emulator refused the rows: ${JSON.stringify(body)}`);
}
