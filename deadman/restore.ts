// Gives an app's traffic back to the revision that bears the label `stable`. It looks, does the one thing that is missing, and looks
// again until the app shows it, so that it may be cut off anywhere and may run twice at once.
// It does not know why it was called, and judges nothing: the label is all that it goes by.
import { setTimeout as sleep } from "node:timers/promises";
import { type Ask, type Asked, describeAsked } from "./azure.ts";

/** One app. */
export interface Target {
  readonly resourceGroup: string;
  readonly app: string;
}

/** What came of one app: left as it was, or given back, or neither and why. */
export type Outcome =
  | { readonly what: "left-alone" | "restored"; readonly sentence: string }
  | { readonly what: "failed"; readonly sentence: string };

/** One entry of an app's traffic as the wire has it. */
export interface Entry {
  readonly revisionName?: string;
  readonly latestRevision?: boolean;
  readonly weight?: number;
  readonly label?: string;
}

/** What an app lacks. */
type Plan =
  | { readonly what: "nothing"; readonly sentence: string }
  | { readonly what: "wait"; readonly sentence: string }
  | { readonly what: "shift"; readonly stable: string; readonly traffic: readonly Entry[] };

const stableLabel = "stable";
const sameName = (one: string | undefined, other: string): boolean => one?.toLowerCase() === other.toLowerCase();
const describeTraffic = (entries: readonly Entry[]): string =>
  entries
    .filter(({ weight }) => weight)
    .map(({ revisionName, weight }) => `${revisionName ?? "the latest revision"} ${weight}`)
    .join(", ") || "nobody";

/** Says what an app lacks until its stable revision has everything. */
export function plan(properties: { readonly [name: string]: any }): Plan {
  const { ingress, activeRevisionsMode } = properties["configuration"] ?? {};
  const entries: readonly Entry[] = ingress?.traffic ?? [];
  const stable = entries.find(({ label, revisionName }) => label === stableLabel && revisionName)?.revisionName;
  if (activeRevisionsMode !== "Multiple")
    return {
      what: "nothing",
      sentence: `it is in ${activeRevisionsMode ?? "Single"} revision mode, in which traffic is not split`,
    };
  if (stable === undefined)
    return {
      what: "nothing",
      sentence: `no revision bears the label ${stableLabel}, so it is not known whom the traffic (${describeTraffic(entries)}) belongs to`,
    };
  if (properties["provisioningState"] === "InProgress")
    return { what: "wait", sentence: "another operation on it is under way" };
  const isWhole = entries.every(({ revisionName, weight }) => !weight || sameName(revisionName, stable));
  // The app shows what it was asked for last, in force or not: of a write that failed, nothing is known.
  if (isWhole && properties["provisioningState"] !== "Failed")
    return { what: "nothing", sentence: `${stable} has 100 percent` };
  // A patch replaces the list whole, and a label that is left out is lost.
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

/** Whether requests sent to a revision are answered. States that are not known here mean: not yet. */
const isServing = ({ active, runningState, healthState }: { readonly [name: string]: unknown }): boolean =>
  active === true &&
  ["Running", "RunningAtMaxScale", "ScaledToZero"].includes(String(runningState)) &&
  healthState !== "Unhealthy";

const passing = new Set<number | undefined>([undefined, 408, 409, 429, 500, 502, 503, 504]);

/** One look and what was done then: the end of it, or why it must be looked at again and, where it was written to, whose traffic it was before. */
type Turn =
  | { readonly outcome: Outcome }
  | { readonly again: string; readonly afterSeconds?: number; readonly from?: string };

const failed = (sentence: string): Turn => ({ outcome: { what: "failed", sentence } });
const troubled = (what: string, asked: Asked, from?: string): Turn =>
  passing.has(asked.status)
    ? {
        again: `${what}: ${describeAsked(asked)}`,
        ...(asked.status === undefined ? {} : { afterSeconds: asked.retryAfterSeconds }),
        ...(from === undefined ? {} : { from }),
      }
    : failed(`${what}: ${describeAsked(asked)}`);

async function turn(ask: Ask, path: string, from: string | undefined): Promise<Turn> {
  const app = await ask("GET", path);
  if (app.status !== 200) return troubled("it cannot be read", app);
  const properties = app.body["properties"] ?? {};
  const wanted = plan(properties);
  if (wanted.what === "wait") return { again: wanted.sentence };
  if (wanted.what === "nothing")
    return {
      outcome:
        from === undefined
          ? { what: "left-alone", sentence: wanted.sentence }
          : { what: "restored", sentence: `${wanted.sentence} again; before, it was ${from}` },
    };
  const { stable, traffic } = wanted;
  const revision = await ask("GET", `${path}/revisions/${stable}`);
  if (revision.status === 404) return failed(`its stable revision ${stable} is not there any more`);
  if (revision.status !== 200) return troubled(`its stable revision ${stable} cannot be read`, revision);
  const state = revision.body["properties"] ?? {};
  if (!state.active) {
    const activated = await ask("POST", `${path}/revisions/${stable}/activate`);
    return activated.status === 200
      ? { again: `its stable revision ${stable} was activated and is not ready` }
      : troubled(`its stable revision ${stable} cannot be activated`, activated);
  }
  // Azure gives traffic to what is not ready without a word, and users would get errors from it.
  if (!isServing(state))
    return {
      again: `its stable revision ${stable} is ${state.runningState ?? "in no known state"}, ${state.healthState ?? "of no known health"}`,
    };
  const before = describeTraffic(properties.configuration.ingress.traffic);
  const sent = await ask("PATCH", path, {
    location: app.body["location"],
    properties: { configuration: { ingress: { traffic } } },
  });
  // A write whose answer was lost or says 500 may have landed all the same: the next look tells, and then it was ours.
  const isAccepted = sent.status !== undefined && sent.status < 300;
  const isPossible = sent.status === undefined || sent.status >= 500;
  if (isAccepted) return { again: "the weights were written and it does not show them", from: before };
  return troubled("its traffic cannot be written", sent, isPossible ? before : undefined);
}

/**
 * Gives an app back to its stable revision, within the patience given.
 *
 * A control plane that comes back while this waits, for a revision to be ready or for another write to end, has the app again, so that
 * `isBack` is asked before each further look.
 */
export async function restore(
  ask: Ask,
  subscription: string,
  { resourceGroup, app }: Target,
  patienceSeconds: number,
  isBack: () => Promise<boolean>,
): Promise<Outcome> {
  const path = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.App/containerApps/${app}`;
  const deadline = performance.now() + patienceSeconds * 1000;
  let from: string | undefined;
  for (let wait = 250; ; wait = Math.min(wait * 2, 5_000)) {
    const turned = await turn(ask, path, from);
    if ("outcome" in turned) return turned.outcome;
    from ??= turned.from;
    if (performance.now() >= deadline)
      return { what: "failed", sentence: `${turned.again} (given up after ${patienceSeconds} s)` };
    await sleep(
      Math.min(Math.max(wait, (turned.afterSeconds ?? 0) * 1000), Math.max(250, deadline - performance.now())),
    );
    if (from === undefined && (await isBack()))
      return { what: "left-alone", sentence: `the heartbeat is back, and nothing was written (${turned.again})` };
  }
}
