// Everybody outside the control plane: the provider that puts a release until it is heard, a `pulumi up` that plans, holds, compares and
// writes, people in the portal, people who send signals. They know the control plane by its answers only.

import type { TrafficWeight } from "@azure/arm-appcontainers";
import type { ReleaseIntent, SignalName } from "../../engines/rollout/vocabulary.ts";
import { type Drawn, type Fault, limits } from "./draw.ts";
import type { Task } from "./loop.ts";
import { hear, type Replica, type World } from "./replica.ts";
import { streamFor, target } from "./store.ts";

type Of<Kind extends Fault["kind"]> = Extract<Fault, { kind: Kind }>;

export interface Town extends World {
  readonly drawn: Drawn;
  readonly replicas: readonly Replica[];
  /** Names of the revisions whose release was asked for, in order. */
  readonly asked: string[];
}

const retryMilliseconds = 5_000;
const patienceMilliseconds = 12 * 3_600_000;

/** Calls any replica that is up, and gives its answer; a replica that dies meanwhile answers nothing. */
function* call(town: Town, stream: string, observation: Parameters<typeof hear>[3]): Task<string> {
  const up = town.replicas.filter((replica) => replica.up && replica.asleepUntil <= town.loop.now());
  const me = up.length > 0 ? up[town.trouble.dice.below(up.length)] : undefined;
  if (me === undefined) return "lost";
  let answer: string | undefined;
  town.loop.run(
    hear(town, me, stream, observation, (came) => {
      answer = came;
    }),
    me,
  );
  for (let waited = 0; answer === undefined && waited < 6; waited++)
    yield { until: town.loop.now() + 100 * 4 ** waited };
  return answer ?? "lost";
}

/** functions/put-rollout.ts and the provider behind it: asks until the release is heard or refused; the next release supersedes where it says so. */
export function* release(town: Town, revision: string, supersede: boolean): Task<void> {
  const { drawn, loop } = town;
  const intent: ReleaseIntent = {
    target,
    revision,
    release: revision,
    pace: drawn.pace,
    limits,
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
      if (answer === "heard" || answer === "exists") return;
    } else if (!supersede) return;
    else if (town.store.streams.get(inFlight)!.facts.at(-1)?.state.ending === undefined)
      yield* signal(town, inFlight, "supersede");
    yield { until: loop.now() + retryMilliseconds };
  }
}

function* signal(town: Town, stream: string, name: SignalName): Task<string> {
  return yield* call(town, stream, { kind: "Signal", at: town.loop.now(), signal: name, by: "ann", reason: "because" });
}

/** One person's signal, once or more often; a lost answer makes people press again. */
export function* press(town: Town, { signal: name, times }: Of<"signal">): Task<void> {
  for (let each = 0; each < times; each++) {
    const stream = [...town.store.streams.keys()].at(-1);
    if (stream !== undefined && (yield* signal(town, stream, name)) === "lost") yield* signal(town, stream, name);
  }
}

/** Lets everything go on that is paused, until nothing is unfinished. */
export function* resumeForever(town: Town): Task<void> {
  for (;;) {
    for (const [stream, { facts }] of town.store.streams)
      if (facts.at(-1)?.state.paused) yield* signal(town, stream, "resume");
    yield { until: town.loop.now() + 120_000 };
  }
}

/** components/canary-app/traffic-guard.ts: plan, hold, compare, PUT, and then the release of the new revision. */
export function* pulumiUp(town: Town, { plan, put, release: behaviour, supersede }: Of<"up">): Task<void> {
  const { loop, cloud, store, tell } = town;
  const live = (): string => JSON.stringify(entries(town));
  const planned = entries(town);
  const plannedText = live();
  yield { until: loop.now() + plan * 1000 };
  const hold = store.hold("pulumi", 120);
  if (hold === undefined) return tell("pulumi up", "is refused: somebody else holds the app");
  yield { until: loop.now() + 300 };
  if (live() !== plannedText) {
    store.unhold(hold.id);
    return tell("pulumi up", "is refused: traffic has moved since the plan");
  }
  const name = `shop--${cloud.revisions.size + 2}`;
  for (let attempt = 0; attempt < 5; attempt++) {
    const landed = cloud.writeTraffic(planned, "up", put, false, () => {
      if (behaviour !== null) cloud.addRevision(name, name, behaviour);
    });
    tell(
      "pulumi up",
      "doneAt" in landed
        ? `writes the app with the traffic of its plan${behaviour ? ` and makes ${name}` : ""}`
        : `is answered ${landed.status}`,
    );
    if ("doneAt" in landed) {
      yield { until: landed.doneAt + 1_000 };
      store.unhold(hold.id);
      if (behaviour !== null) yield* release(town, name, supersede);
      return;
    }
    yield { until: loop.now() + 4_000 };
  }
  store.unhold(hold.id);
}

const entries = ({ cloud }: Town): readonly TrafficWeight[] =>
  (cloud.app().configuration?.ingress?.traffic ?? []).filter(({ weight }) => weight).map((entry) => ({ ...entry }));

/** Somebody in the portal, who knows nothing of rollouts. */
export function portal({ cloud, tell, store }: Town, { what, percent }: Of<"portal">): void {
  const intent = [...store.streams.values()].at(-1)?.facts.at(-1)?.state;
  const canary = intent?.intent?.revision ?? "shop--2";
  const stable = intent?.stable ?? "shop--1";
  tell("portal", `${what}${what === "shift" ? ` ${canary} to ${percent}` : ""}`);
  if (what === "deactivate-canary" || what === "deactivate-stable")
    return cloud.setActive(what === "deactivate-canary" ? canary : stable, false, "portal");
  const traffic = cloud.app().configuration?.ingress?.traffic ?? [];
  if (what === "move-labels")
    return void cloud.writeTraffic(
      traffic.map(({ label: _moved, ...entry }) => ({
        ...entry,
        label: `${entry.revisionName === canary ? "stable" : "canary"}`,
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
