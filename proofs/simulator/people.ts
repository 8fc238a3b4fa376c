// Models of the control plane's clients: the provider that requests a release until it is accepted, a `pulumi up` that
// plans, locks, compares and writes, people in the portal, and people who send signals.
import type { TrafficWeight } from "@azure/arm-appcontainers";
import { rolloutKind } from "../../engines/rollout/kind.ts";
import type { ReleaseIntent, RolloutObservation, SignalName } from "../../engines/rollout/vocabulary.ts";
import { type Drawn, type Fault, thresholds } from "./draw.ts";
import type { Task } from "./loop.ts";
import { accept } from "./replica.ts";
import { streamFor, target } from "./store.ts";
import type { Replica, World } from "./world.ts";

type Of<Kind extends Fault["kind"]> = Extract<Fault, { kind: Kind }>;

/** The world, with what was drawn for it and the replicas that clients call. */
export interface Town extends World {
  readonly drawn: Drawn;
  readonly replicas: readonly Replica[];
  /** The revisions whose release was requested, in order. */
  readonly asked: string[];
  /** The revisions whose release was refused because another one was in flight. */
  readonly refused: string[];
}

const retryMilliseconds = 5_000;
const patienceMilliseconds = 12 * 3_600_000;

/** Calls any replica that is up and gives its answer; "lost" if the replica dies before it answers. */
function* call(town: Town, stream: string, observation: RolloutObservation): Task<string> {
  const up = town.replicas.filter((replica) => replica.up && replica.asleepUntil <= town.loop.now());
  const me = up.length > 0 ? up[town.trouble.dice.below(up.length)] : undefined;
  if (me === undefined) return "lost";
  let answer: string | undefined;
  town.loop.run(
    accept(town, me, stream, observation, (text) => {
      answer = text;
    }),
    me,
  );
  for (let waited = 0; answer === undefined && waited < 6; waited++)
    yield { until: town.loop.now() + 100 * 4 ** waited };
  return answer ?? "lost";
}

/**
 * The provider and the call PUT rollout: requests a release until it is accepted
 * or refused; may supersede the one before.
 */
export function* release(town: Town, revision: string, supersede: boolean): Task<void> {
  const { drawn, loop } = town;
  const intent: ReleaseIntent = {
    target,
    revision,
    release: revision,
    strategy: drawn.strategy,
    thresholds,
    probePath: "/",
    outsideWeights: drawn.outsideWeights,
    requestedBy: "pulumi",
  };
  town.asked.push(revision);
  for (const deadline = loop.now() + patienceMilliseconds; loop.now() < deadline; ) {
    const inFlight = [...town.store.streams].find(
      ([name, { facts }]) => name !== streamFor(revision) && facts.at(-1)?.state.phase !== "finished",
    )?.[0];
    if (inFlight === undefined) {
      const answer = yield* call(town, streamFor(revision), { kind: "Request", at: loop.now(), intent });
      if (answer === "accepted" || answer === "exists") return;
    } else {
      const other = town.store.streams.get(inFlight)!.facts.at(-1)!.state;
      const whenInFlight = supersede ? ("supersede" as const) : ("refuse" as const);
      const body = { ...intent, outsideWeights: drawn.outsideWeights, whenInFlight };
      const { answer, signal: sent } = rolloutKind.calls.meets({ name: { revision }, body }, other);
      if (answer === "refused") return void town.refused.push(revision);
      if (sent !== undefined) yield* signal(town, inFlight, sent.signal as SignalName, sent.about);
    }
    yield { until: loop.now() + retryMilliseconds };
  }
}

function* signal(town: Town, stream: string, name: SignalName, about?: string): Task<string> {
  return yield* call(town, stream, {
    kind: "Signal",
    at: town.loop.now(),
    signal: name,
    by: "ann",
    message: "because",
    ...(about === undefined ? {} : { about }),
  });
}

/** A person sends a signal, once or several times; after a lost answer they send it again. */
export function* press(town: Town, { signal: name, times }: Of<"signal">): Task<void> {
  for (let each = 0; each < times; each++) {
    const stream = [...town.store.streams.keys()].at(-1);
    if (stream !== undefined && (yield* signal(town, stream, name)) === "lost") yield* signal(town, stream, name);
  }
}

/** Resumes every paused rollout, again and again. */
export function* resumeForever(town: Town): Task<void> {
  for (;;) {
    for (const [stream, { facts }] of town.store.streams)
      if (facts.at(-1)?.state.paused) yield* signal(town, stream, "resume");
    yield { until: town.loop.now() + 120_000 };
  }
}

/** components/canary-app/traffic-guard.ts: plans, locks, compares, puts the app, and then releases the new revision. */
export function* pulumiUp(town: Town, { plan, put, release: behaviour, supersede }: Of<"up">): Task<void> {
  const { loop, cloud, store, note } = town;
  const live = (): string => JSON.stringify(entries(town));
  const planned = entries(town);
  // Some programs go back to the template of the first revision.
  const reverts = behaviour?.is === "good" && put % 3 === 0;
  const plannedText = live();
  yield { until: loop.now() + plan * 1000 };
  const lock = store.lock("pulumi", 120);
  if (lock === undefined) return note("pulumi up", "is refused: another client has locked the app");
  yield { until: loop.now() + 300 };
  if (live() !== plannedText) {
    store.unlock(lock.id);
    return note("pulumi up", "is refused: the traffic has changed since the plan");
  }
  const name = `shop--${cloud.revisions.size + 2}`;
  for (let attempt = 0; attempt < 5; attempt++) {
    const landed = cloud.writeTraffic(planned, "up", put, false, () => {
      if (behaviour !== null) cloud.addRevision(name, reverts ? "one" : name, behaviour);
    });
    note(
      "pulumi up",
      "doneAt" in landed
        ? `writes the app with the traffic of its plan${behaviour ? ` and creates ${name}` : ""}`
        : `is answered ${landed.status}`,
    );
    if ("doneAt" in landed) {
      yield { until: landed.doneAt + 1_000 };
      store.unlock(lock.id);
      if (behaviour !== null) yield* release(town, name, supersede);
      return;
    }
    yield { until: loop.now() + 4_000 };
  }
  store.unlock(lock.id);
}

const entries = ({ cloud }: Town): readonly TrafficWeight[] =>
  (cloud.app().configuration?.ingress?.traffic ?? []).filter(({ weight }) => weight).map((entry) => ({ ...entry }));

/** A person in the portal who does not know of the rollout. */
export function portal({ cloud, note, store }: Town, { what, percent }: Of<"portal">): void {
  const state = [...store.streams.values()].at(-1)?.facts.at(-1)?.state;
  const canary = state?.intent?.revision ?? "shop--2";
  const stable = state?.stable ?? "shop--1";
  note("portal", `${what}${what === "shift" ? ` ${canary} to ${percent}` : ""}`);
  if (what === "deactivate-canary" || what === "deactivate-stable")
    return cloud.setActive(what === "deactivate-canary" ? canary : stable, false, "portal");
  const traffic = cloud.app().configuration?.ingress?.traffic ?? [];
  if (what === "move-labels")
    return void cloud.writeTraffic(
      traffic.map(({ label: _moved, ...entry }) => ({
        ...entry,
        label: entry.revisionName === canary ? "stable" : "canary",
      })),
      "portal",
      3,
      false,
    );
  const shifted = [
    { revisionName: canary, weight: percent },
    { revisionName: stable, weight: 100 - percent },
  ].filter(({ weight, revisionName }) => weight > 0 && cloud.revisions.has(revisionName));
  if (shifted.reduce((sum, { weight }) => sum + weight, 0) === 100) cloud.writeTraffic(shifted, "portal", 3, false);
}
