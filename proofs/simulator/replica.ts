// One process of the control plane: the shipped loop, performer and engine over the ports of ports.ts. Nothing of the
// loop is modelled here.
import { rolloutPerformer } from "../../controlplane/performers/rollout.ts";
import type { Apps, Requests } from "../../controlplane/performers/rollout-ports.ts";
import { createOrchestrator } from "../../controlplane/runtime/orchestrate.ts";
import type { Performer, Within } from "../../controlplane/runtime/performer.ts";
import type { Claims, Fence } from "../../controlplane/runtime/ports.ts";
import type { Request, Result, Signal } from "../../engines/engine.ts";
import { registerKinds } from "../../engines/kind.ts";
import { rolloutKind } from "../../engines/rollout/kind.ts";
import type { RolloutEffect, RolloutObservation, RolloutOutcome, Weight } from "../../engines/rollout/vocabulary.ts";
import { BallastError } from "../../errors/catalogue.ts";
import * as azure from "./azure.ts";
import type { Task } from "./loop.ts";
import { orchestrationsFor } from "./orchestrations.ts";
import { claimsFor, clockFor, inTask, journalFor, type Place, StoreLost } from "./ports.ts";
import { beginLife, waitFor } from "./virtual-time.ts";
import { leaseSeconds, type Replica, type World } from "./world.ts";

const kinds = registerKinds([rolloutKind]);

/** Begins a life of a process: the loop starts, and recovers by itself. */
export function* boot(world: World, me: Replica): Task<void> {
  const place: Place = { world, me, life: beginLife(world.loop, me) };
  const claims = claimsFor(place);
  me.orchestrator = createOrchestrator({
    ports: { journal: journalFor(place), claims, clock: clockFor(place) },
    kinds,
    performers: () => ({ rollout: performerFor(place, claims) }),
    orchestrations: orchestrationsFor(place),
    time: place.life.time,
    process: me.process,
    leaseSeconds,
    log: (message) => world.note(me.process, message),
  });
  yield* waitFor(me.orchestrator.launch());
}

/** The shipped performer over the model of Azure. It notes each write with the pass that sent it. */
function performerFor(place: Place, claims: Claims): Performer<RolloutEffect, RolloutOutcome> {
  const { life } = place;
  const shared = { claims, clock: clockFor(place), requestSeconds: azure.requestSeconds, time: life.time };
  const over = (within: Within | undefined) => rolloutPerformer({ ...shared, ...callsFor(place, within) });
  const outside = over(undefined);
  return { ...outside, perform: (effect, within) => over(within).perform(effect, within) };
}

function callsFor(place: Place, within: Within | undefined): { readonly apps: Apps; readonly requests: Requests } {
  const run = <Value>(
    task: (call: azure.Call) => Task<Result<Value>>,
    effect?: RolloutEffect,
    fence?: Fence,
  ): Promise<Result<Value>> => inTask(place, () => task(callFor(place, within, effect, fence)));
  return {
    apps: {
      inspect: () => run(azure.inspect),
      readTraffic: () => run(azure.readTraffic),
      probe: (effect) => run((call) => azure.probe(call, effect.revision)),
      shift: (effect, fence) => run((call) => azure.shift(call, effect), effect, fence),
      // The simulated app has its canary from the start, so making it is activating it.
      repoint: (effect, fence) => run((call) => azure.activate(call, effect.revision), effect, fence),
      activate: (effect, fence) => run((call) => azure.activate(call, effect.revision), effect, fence),
      deactivate: (effect, fence) => run((call) => azure.deactivate(call, effect.revision), effect, fence),
    },
    requests: { measure: (effect, now) => run((call) => azure.measure(call, effect, now)) },
  };
}

function callFor(
  { world, me }: Place,
  within: Within | undefined,
  effect: RolloutEffect | undefined,
  fence: Fence | undefined,
): azure.Call {
  const { loop, cloud, trouble } = world;
  return {
    loop,
    cloud,
    trouble,
    host: me,
    fence: function* () {
      yield* trouble.pass(me, "before-fence");
      return yield* waitFor(fence!());
    },
    sent: (fencedAt) => noteWrite(world, me, within!, effect!, fencedAt),
  };
}

/** Notes a write at the moment when it is sent, and whether its process had lost the claim by then. */
function noteWrite(world: World, me: Replica, within: Within, effect: RolloutEffect, fencedAt: number): void {
  const { loop, store, writes } = world;
  const weights: readonly Weight[] = effect.kind === "ShiftTraffic" ? effect.weights : [];
  const claim = store.lastClaim(within.stream, me.process);
  writes.push({
    at: loop.now(),
    stream: within.stream,
    length: within.length,
    epoch: claim.epoch,
    kind: effect.kind,
    weights,
    process: me.process,
    fencedAt,
    lateBy: store.stillOurs(claim) ? 0 : loop.now() - store.endedAt(claim),
    sleptThere: me.sleptAt >= fencedAt,
  });
  const shares = weights.map(({ revision, percent }) => `${revision} ${percent}`).join(", ");
  world.note(me.process, `sends ${effect.kind} ${shares}`);
}

/** A request or a signal reaches a process. `lost` if its database fails; the caller cannot know whether it counted. */
export function* accept(
  world: World,
  me: Replica,
  stream: string,
  observation: RolloutObservation,
  answer: (text: string) => void,
): Task<void> {
  const { orchestrator } = me;
  if (orchestrator === undefined) return answer("lost");
  try {
    if (observation.kind === "Request") {
      const started = yield* waitFor(orchestrator.start(stream, observation as Request<unknown>));
      answer(started === "exists" ? "exists" : "accepted");
    } else {
      yield* waitFor(orchestrator.signal(stream, observation as Signal<string>));
      answer("accepted");
    }
    world.note(
      me.process,
      `accepts ${observation.kind === "Signal" ? observation.signal : observation.kind} for ${stream}`,
    );
  } catch (error) {
    if (!(error instanceof StoreLost || error instanceof BallastError)) throw error;
    answer(error instanceof StoreLost ? "lost" : error.id);
  }
}
