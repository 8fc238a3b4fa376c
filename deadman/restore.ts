// Returns an app's traffic to the revision with the label `stable`. It reads the app, does the one thing that
// is missing, and reads again until the app shows it. So it may be interrupted anywhere and may run twice at
// the same time.
import { setTimeout as sleep } from "node:timers/promises";
import { type Ask, type Asked, describeAsked } from "./azure.ts";

/** One app. */
export interface Target {
  readonly resourceGroup: string;
  readonly app: string;
}

/** The result for one app: left alone, restored, or failed, with the reason. */
export type Outcome =
  | { readonly what: "left-alone" | "restored"; readonly message: string }
  | { readonly what: "failed"; readonly message: string };

/** One entry of an app's traffic, as in Azure's JSON. */
export interface Entry {
  readonly revisionName?: string;
  readonly latestRevision?: boolean;
  readonly weight?: number;
  readonly label?: string;
}

/** What must be done with an app. */
type Plan =
  | { readonly what: "nothing"; readonly message: string }
  | { readonly what: "wait"; readonly message: string }
  | { readonly what: "shift"; readonly stable: string; readonly traffic: readonly Entry[] };

const stableLabel = "stable";
const sameName = (one: string | undefined, other: string): boolean => one?.toLowerCase() === other.toLowerCase();
const describeTraffic = (entries: readonly Entry[]): string =>
  entries
    .filter(({ weight }) => weight)
    .map(({ revisionName, weight }) => `${revisionName ?? "the latest revision"} ${weight}`)
    .join(", ") || "none";

/** Plans the next action until the stable revision has all traffic. */
// biome-ignore lint/suspicious/noExplicitAny: the JSON of Azure has no types here, and this folder may import none
export function plan(properties: { readonly [name: string]: any }): Plan {
  const { ingress, activeRevisionsMode } = properties["configuration"] ?? {};
  const entries: readonly Entry[] = ingress?.traffic ?? [];
  const stable = entries.find(({ label, revisionName }) => label === stableLabel && revisionName)?.revisionName;
  if (activeRevisionsMode !== "Multiple")
    return {
      what: "nothing",
      message: `it is in ${activeRevisionsMode ?? "Single"} revision mode, which does not split traffic`,
    };
  if (stable === undefined)
    return {
      what: "nothing",
      message:
        `no revision has the label ${stableLabel}, so it is unknown where the traffic belongs ` +
        `(now: ${describeTraffic(entries)})`,
    };
  if (properties["provisioningState"] === "InProgress")
    return { what: "wait", message: "another operation on it is under way" };
  const isWhole = entries.every(({ revisionName, weight }) => !weight || sameName(revisionName, stable));
  // The app shows the last requested weights, even if that write failed; then the weights in force are unknown.
  if (isWhole && properties["provisioningState"] !== "Failed")
    return { what: "nothing", message: `${stable} has 100 percent` };
  // A patch replaces the whole list, so a label that is left out is lost.
  const others = entries.filter(
    ({ label, revisionName }) => label && !(label === stableLabel && sameName(revisionName, stable)),
  );
  return {
    what: "shift",
    stable,
    traffic: [
      { revisionName: stable, weight: 100, label: stableLabel },
      ...others.map((entry) => ({ ...entry, weight: 0 })),
    ],
  };
}

/** Reports whether a revision answers requests. An unknown state counts as not yet. */
const isServing = ({ active, runningState, healthState }: { readonly [name: string]: unknown }): boolean =>
  active === true &&
  ["Running", "RunningAtMaxScale", "ScaledToZero"].includes(String(runningState)) &&
  healthState !== "Unhealthy";

const passing = new Set<number | undefined>([undefined, 408, 409, 429, 500, 502, 503, 504]);

/**
 * The result of one pass: the outcome, or why to read again. `from` is the traffic before our write, if we wrote.
 */
type Pass =
  | { readonly outcome: Outcome }
  | { readonly again: string; readonly afterSeconds?: number; readonly from?: string };

const failed = (message: string): Pass => ({ outcome: { what: "failed", message } });
const troubled = (what: string, asked: Asked, from?: string): Pass =>
  passing.has(asked.status)
    ? {
        again: `${what}: ${describeAsked(asked)}`,
        ...(asked.status === undefined ? {} : { afterSeconds: asked.retryAfterSeconds }),
        ...(from === undefined ? {} : { from }),
      }
    : failed(`${what}: ${describeAsked(asked)}`);

/** Reads the app and does the one thing that is missing. */
async function pass(ask: Ask, path: string, from: string | undefined): Promise<Pass> {
  const app = await ask("GET", path);
  if (app.status !== 200) return troubled("it cannot be read", app);
  const properties = app.body["properties"] ?? {};
  const wanted = plan(properties);
  if (wanted.what === "wait") return { again: wanted.message };
  if (wanted.what === "nothing")
    return {
      outcome:
        from === undefined
          ? { what: "left-alone", message: wanted.message }
          : { what: "restored", message: `${wanted.message} again; before: ${from}` },
    };
  const { stable, traffic } = wanted;
  const revision = await ask("GET", `${path}/revisions/${stable}`);
  if (revision.status === 404) return failed(`its stable revision ${stable} no longer exists`);
  if (revision.status !== 200) return troubled(`its stable revision ${stable} cannot be read`, revision);
  const state = revision.body["properties"] ?? {};
  if (!state.active) {
    const activated = await ask("POST", `${path}/revisions/${stable}/activate`);
    return activated.status === 200
      ? { again: `its stable revision ${stable} was activated and is not ready yet` }
      : troubled(`its stable revision ${stable} cannot be activated`, activated);
  }
  // Azure sends traffic to a revision that is not ready without a warning, and users would get errors.
  if (!isServing(state))
    return {
      again:
        `its stable revision ${stable} is ${state.runningState ?? "in an unknown state"}, ` +
        `${state.healthState ?? "of unknown health"}`,
    };
  const before = describeTraffic(properties.configuration.ingress.traffic);
  const sent = await ask("PATCH", path, {
    location: app.body["location"],
    properties: { configuration: { ingress: { traffic } } },
  });
  // A write whose answer was lost or is a 500 may still have landed. The next read shows it, and then it was ours.
  const isAccepted = sent.status !== undefined && sent.status < 300;
  const isPossible = sent.status === undefined || sent.status >= 500;
  if (isAccepted) return { again: "the weights were written, but it does not show them yet", from: before };
  return troubled("its traffic cannot be written", sent, isPossible ? before : undefined);
}

/**
 * Returns an app's traffic to its stable revision, within the given patience.
 *
 * While this waits for a revision or for another write, the control plane may come back and continue. So `isBack` is
 * asked before each further pass, until we have written.
 */
export async function restore(
  ask: Ask,
  subscription: string,
  { resourceGroup, app }: Target,
  patienceSeconds: number,
  isBack: () => Promise<boolean>,
): Promise<Outcome> {
  const group = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}`;
  const path = `${group}/providers/Microsoft.App/containerApps/${app}`;
  const deadline = performance.now() + patienceSeconds * 1000;
  let from: string | undefined;
  for (let wait = 250; ; wait = Math.min(wait * 2, 5_000)) {
    const passed = await pass(ask, path, from);
    if ("outcome" in passed) return passed.outcome;
    from ??= passed.from;
    if (performance.now() >= deadline)
      return { what: "failed", message: `${passed.again} (given up after ${patienceSeconds} s)` };
    await sleep(
      Math.min(Math.max(wait, (passed.afterSeconds ?? 0) * 1000), Math.max(250, deadline - performance.now())),
    );
    if (from === undefined && (await isBack()))
      return { what: "left-alone", message: `the heartbeat is back, and nothing was written (${passed.again})` };
  }
}
