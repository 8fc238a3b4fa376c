// A model of Container Apps with its dangerous quirks. It accepts weight on a deactivated revision, does not wait for a
// named revision to be ready, has no conditional write, answers 409 during an operation, and may fail or forget a write
// that it accepted. It keeps the history of the traffic, from which requests and lost users are counted.
import type { ContainerApp, TrafficWeight } from "@azure/arm-appcontainers";
import type { Restart, RevisionView, Tally } from "../../engines/rollout/vocabulary.ts";
import type { Behaviour, Drawn } from "./draw.ts";
import { behaviourAt, lostSecondsOf, type Revision, type Stretch, tallyOf, type Writer } from "./history.ts";
import type { Loop } from "./loop.ts";

/** The answer to a write: the moment at which its operation ends, or a refusal. */
export type Landed = { readonly doneAt: number } | { readonly status: number; readonly code: string };

/** The cloud with one app. */
export interface Cloud {
  readonly revisions: Map<string, Revision>;
  readonly app: () => ContainerApp;
  /** The app before its last change. */
  readonly appBefore: () => ContainerApp;
  readonly view: (revision: Revision) => RevisionView;
  /** Starts to write the traffic; it takes effect when the operation ends, unless the operation fails. */
  readonly writeTraffic: (
    traffic: readonly TrafficWeight[],
    writer: Writer,
    seconds: number,
    fails: boolean,
    then?: () => void,
  ) => Landed;
  readonly setActive: (name: string, active: boolean, writer: Writer) => void;
  readonly addRevision: (name: string, template: string, behaviour: Behaviour) => void;
  /** Counts the requests of a revision in a period. */
  readonly tally: (revision: string | null, from: number, to: number) => Tally;
  readonly canServe: (name: string) => boolean;
  /** The restarts of a revision's replicas so far. */
  readonly restartsOf: (name: string) => readonly Restart[];
  /**
   * Seconds, weighted by share, in which a write of ours sent users to a revision that was deactivated or not ready.
   */
  readonly lostSeconds: () => number;
  readonly lastChange: () => { readonly at: number; readonly writer: Writer };
}

/** Makes the app as it is before the release: the revision that serves, and the canary without traffic. */
export function createCloud(drawn: Drawn, loop: Loop, start: number): Cloud {
  const revisions = new Map<string, Revision>();
  const history: Stretch[] = [];
  let traffic: readonly TrafficWeight[] = [];
  let before: readonly TrafficWeight[] = [];
  let busyUntil = 0;
  let failed = false;
  let writer: Writer = "up";
  let changedAt = start;

  const addRevision: Cloud["addRevision"] = (name, template, behaviour) => {
    const readyAt = behaviour.is === "never-ready" ? Number.POSITIVE_INFINITY : loop.now() + 8_000;
    revisions.set(name, { name, template, behaviour, active: true, readyAt, activeSince: loop.now() });
  };
  const lastState = (): string => (failed ? "Failed" : "Succeeded");
  const appOf = (entries: readonly TrafficWeight[]): ContainerApp => ({
    location: "here",
    provisioningState: loop.now() < busyUntil ? "InProgress" : lastState(),
    configuration: {
      activeRevisionsMode: "Multiple",
      ingress: { external: true, targetPort: 80, traffic: [...entries] },
    },
  });
  const remember = (by: Writer): void => {
    writer = by;
    changedAt = loop.now();
    const shares = traffic.flatMap(({ revisionName = "", weight = 0 }) => {
      const revision = revisions.get(revisionName);
      return revision === undefined || weight === 0
        ? []
        : [{ revision, percent: weight, active: revision.active, readyAt: revision.readyAt }];
    });
    history.push({ from: changedAt, shares, writer });
  };
  const put = (entries: readonly TrafficWeight[], by: Writer): void => {
    before = traffic;
    traffic = entries;
    remember(by);
  };

  if (drawn.before !== "nothing") {
    addRevision("shop--1", "one", { is: "good", fromSeconds: 0 });
    revisions.get("shop--1")!.readyAt = start;
  }
  addRevision("shop--2", drawn.before === "twin" ? "one" : "two", drawn.canary);
  put([{ revisionName: drawn.before === "nothing" ? "shop--2" : "shop--1", weight: 100 }], "up");

  return {
    revisions,
    addRevision,
    app: () => appOf(traffic),
    appBefore: () => appOf(before),
    view: (revision) => ({
      name: revision.name,
      active: revision.active,
      ...statesOf(revision, loop.now()),
      templateHash: revision.template,
      minReplicas: 1,
    }),
    writeTraffic: (entries, by, seconds, fails, then) => {
      if (loop.now() < busyUntil) return { status: 409, code: "ContainerAppOperationInProgress" };
      if (entries.some(({ revisionName = "" }) => !revisions.has(revisionName)))
        return { status: 400, code: "ContainerAppRevisionNotFound" };
      busyUntil = loop.now() + seconds * 1000;
      loop.at(busyUntil, () => {
        failed = fails;
        if (fails) return;
        then?.();
        put(entries, by);
      });
      return { doneAt: busyUntil };
    },
    setActive: (name, active, by) => {
      const revision = revisions.get(name);
      if (revision === undefined || revision.active === active) return;
      revision.active = active;
      revision.activeSince = loop.now();
      revision.readyAt = revision.behaviour.is === "never-ready" ? Number.POSITIVE_INFINITY : loop.now() + 8_000;
      remember(traffic.some(({ revisionName, weight }) => revisionName === name && weight) ? by : writer);
    },
    canServe: (name) => canServe(revisions.get(name), loop.now(), start),
    restartsOf: (name) => restartsOf(drawn, name, (loop.now() - start) / 1000),
    tally: (name, from, to) => tallyOf(history, drawn, start, name, from, to),
    lostSeconds: () => lostSecondsOf(history, loop.now()),
    lastChange: () => ({ at: changedAt, writer }),
  };
}

function canServe(revision: Revision | undefined, now: number, start: number): boolean {
  return revision?.active === true && now >= revision.readyAt && behaviourAt(revision, now, start) !== "dead";
}

function restartsOf({ restartSeconds }: Drawn, name: string, seconds: number): ReturnType<Cloud["restartsOf"]> {
  const times = restartSeconds === undefined ? 0 : Math.floor(seconds / restartSeconds);
  return times === 0 ? [] : [{ replica: `${name}-1`, times }];
}

function statesOf({ active, readyAt, activeSince }: Revision, now: number): Pick<RevisionView, "running" | "health"> {
  if (!active) return { running: "Stopped", health: "None" };
  if (now >= readyAt) return { running: "Running", health: "Healthy" };
  return now - activeSince > 261_000
    ? { running: "Failed", health: "Unhealthy" }
    : { running: "Processing", health: "None" };
}
