// A model of the Azure adapter, adapters/azure/container-apps.ts and request-rows.ts, as tasks of virtual time
// over the model of the cloud. `ask`, `settle`, `readyFor` and each write follow the functions of the same
// name there. Traffic is read by the real adapters/azure/traffic.ts. SDK, TLS and KQL are left out, because
// contract tests and the emulator cover them.
import { entriesFor, entriesOf, fitnessOf, sameLabels, weightsOf } from "../../controlplane/adapters/azure/traffic.ts";
import type { Result } from "../../engines/engine.ts";
import type {
  AppView,
  Bucket,
  Measurement,
  ProbeView,
  RolloutEffect,
  TrafficView,
  Weight,
} from "../../engines/rollout/vocabulary.ts";
import { sameWeights, shareOf } from "../../engines/rollout/weights.ts";
import type { Cloud, Landed } from "./cloud.ts";
import type { CloudTrouble } from "./draw.ts";
import type { Revision } from "./history.ts";
import type { Host, Loop, Task } from "./loop.ts";
import type { Trouble } from "./trouble.ts";

type Effect<Kind extends RolloutEffect["kind"]> = Extract<RolloutEffect, { kind: Kind }>;
type Failure = { readonly ok: false; readonly reason: string; readonly status?: number; readonly passing: boolean };
type Answer<Value> = { readonly ok: true; readonly value: Value } | Failure;
type Look<Value> =
  | { readonly say: "done"; readonly value: Value }
  | { readonly say: "refuse"; readonly reason: string }
  | { readonly say: "wait"; readonly reason: string }
  | { readonly say: "send"; readonly send: (how: CloudTrouble | undefined) => Landed };

/** What the adapter needs for one read or write of one process. */
export interface Call {
  readonly loop: Loop;
  readonly cloud: Cloud;
  readonly trouble: Trouble;
  readonly host: Host;
  readonly fence: () => Task<boolean>;
  /** Called for each write at the moment when it is sent. */
  readonly sent: (fencedAt: number) => void;
}

export const requestSeconds = 30;
const operationSeconds = 300;
const attemptsMax = 4;
const pollMilliseconds = 1_500;
const ingestionSeconds = 120;

const passing = (reason: string, status?: number): Failure => ({
  ok: false,
  reason,
  passing: true,
  ...(status === undefined ? {} : { status }),
});

/** Sends one request, which may land or not; its answer may arrive or not, independently of that. */
function* send<Value>(
  { loop, trouble }: Call,
  land: (how: CloudTrouble | undefined) => Value,
  isWrite: boolean,
): Task<Answer<Value>> {
  const how = trouble.cloud();
  const latency = trouble.dice.between(50, 400);
  if (how === "429" || (how === "409" && isWrite)) {
    yield { until: loop.now() + latency };
    return passing(how === "429" ? "429: too many requests" : "409 ContainerAppOperationInProgress", Number(how));
  }
  const lands = !(how === "500" || how === "reset") || trouble.dice.chance(50);
  const landsAt =
    loop.now() + (how === "late" ? trouble.dice.between(requestSeconds, 3 * requestSeconds) * 1000 : latency / 2);
  let landed: Value | undefined;
  if (lands)
    loop.at(landsAt, () => {
      landed = land(how);
    });
  yield { until: how === "lost" || how === "late" ? loop.now() + requestSeconds * 1000 : loop.now() + latency };
  if (how === "lost" || how === "late") return passing(`no answer in ${requestSeconds} s`);
  if (how === "500" || how === "reset")
    return passing(how === "500" ? "500: internal error" : "ECONNRESET", how === "500" ? 500 : undefined);
  return { ok: true, value: landed! };
}

/** An unanswered or refused request rests for longer each time. */
const restMilliseconds = (attempt: number): number =>
  Math.min(requestSeconds * 1000, (requestSeconds * 1000 * 2 ** attempt) / 64);

function* ask<Value>(call: Call, read: (how: CloudTrouble | undefined) => Value): Task<Answer<Value>> {
  for (let attempt = 1; ; attempt++) {
    const answer = yield* send(call, read, false);
    if (answer.ok || attempt >= attemptsMax) return answer;
    yield { until: call.loop.now() + restMilliseconds(attempt) };
  }
}

const getApp = (call: Call) => ask(call, (how) => (how === "lie" ? call.cloud.appBefore() : call.cloud.app()));
const getRevision = (call: Call, name: string) => ask(call, () => copyOf(call.cloud.revisions.get(name.toLowerCase())));
const copyOf = (revision: Revision | undefined): Revision | undefined => revision && { ...revision };

/** container-apps.ts `inspect`. */
export function* inspect(call: Call): Task<Result<AppView>> {
  const app = yield* getApp(call);
  if (!app.ok) return app;
  const revisions = yield* ask(call, () => [...call.cloud.revisions.values()].map(call.cloud.view));
  if (!revisions.ok) return revisions;
  const weights = weightsOf(app.value);
  return weights.ok
    ? { ok: true, value: { weights: weights.value, revisions: revisions.value, ...fitnessOf(app.value) } }
    : weights;
}

/** container-apps.ts `readTraffic`. */
export function* readTraffic(call: Call): Task<Result<TrafficView>> {
  const app = yield* getApp(call);
  if (!app.ok) return app;
  const weights = weightsOf(app.value);
  if (!weights.ok) return weights;
  const deactivated: string[] = [];
  for (const { revision } of weights.value) {
    const found = yield* getRevision(call, revision);
    if (!found.ok) return found;
    if (!found.value?.active) deactivated.push(revision);
  }
  return { ok: true, value: { weights: weights.value, ...(deactivated.length > 0 ? { deactivated } : {}) } };
}

/** container-apps.ts `settle`: look, ask the fence, send, look again. */
function* settle<Value>(call: Call, look: (sent: boolean) => Task<Look<Value>>): Task<Result<Value>> {
  const { loop } = call;
  const deadline = loop.now() + operationSeconds * 1000;
  let sent = false;
  let attempt = 0;
  let last = "";
  for (;;) {
    const found: Look<Value> = yield* look(sent);
    if (found.say === "done") return { ok: true, value: found.value };
    if (found.say === "refuse") return { ok: false, reason: found.reason };
    if (found.say === "wait") last = found.reason;
    if (loop.now() >= deadline) return { ok: false, reason: `${last} (timed out)` };
    if (found.say === "wait") {
      yield { until: loop.now() + pollMilliseconds };
      continue;
    }
    if (attempt >= attemptsMax) return { ok: false, reason: `${last} (${attempt} attempts)` };
    if (!(yield* call.fence())) return { ok: false, reason: "another process now owns the app, so nothing was sent" };
    attempt += 1;
    const failure: Failure | undefined = yield* sendFenced(call, found.send);
    sent = failure === undefined;
    if (failure === undefined) continue;
    if (!failure.passing) return failure;
    last = failure.reason;
    yield { until: loop.now() + restMilliseconds(attempt) };
    attempt -= Number(failure.status === 409);
  }
}

/** Sends a write right after its fence; the process may die or sleep before it and after it. */
function* sendFenced(call: Call, write: (how: CloudTrouble | undefined) => Landed): Task<Failure | undefined> {
  const fencedAt = call.loop.now();
  yield* call.trouble.pass(call.host, "before-send");
  call.sent(fencedAt);
  const failure = yield* carry(call, write);
  yield* call.trouble.pass(call.host, "after-send");
  return failure;
}

/** Sends a write and polls its operation to the end. */
function* carry(call: Call, write: (how: CloudTrouble | undefined) => Landed): Task<Failure | undefined> {
  const { loop } = call;
  let how: CloudTrouble | undefined;
  const answer = yield* send(
    call,
    (met) => {
      how = met;
      return met === "forget" ? { doneAt: loop.now() } : write(met);
    },
    true,
  );
  if (!answer.ok) return answer;
  if ("status" in answer.value)
    return {
      ok: false,
      reason: `${answer.value.status} ${answer.value.code}`,
      status: answer.value.status,
      passing: answer.value.status === 409,
    };
  if (answer.value.doneAt > loop.now()) yield { until: answer.value.doneAt + 1 };
  return how === "async-failure" ? passing("the operation failed after it was accepted") : undefined;
}

/** container-apps.ts `shift`. */
export function* shift(call: Call, { weights, labels }: Effect<"ShiftTraffic">): Task<Result<TrafficView>> {
  const ready = yield* readyFor(call, weights);
  if (!ready.ok) return ready;
  return yield* settle<TrafficView>(call, function* (sent) {
    const app = yield* getApp(call);
    if (!app.ok) return { say: "refuse", reason: app.reason };
    const shown = weightsOf(app.value);
    if (!shown.ok) return { say: "refuse", reason: shown.reason };
    if (app.value.provisioningState === "InProgress")
      return { say: "wait", reason: "another operation on the app is in progress" };
    const there =
      sameWeights(shown.value, weights) &&
      !entriesOf(app.value).some(({ latestRevision, weight }) => latestRevision && weight);
    if (there && (sent || sameLabels(app.value, labels)) && (sent || app.value.provisioningState !== "Failed"))
      return { say: "done", value: { weights: shown.value } };
    if (sent) return { say: "refuse", reason: "the weights were written, but the app shows others" };
    const traffic = entriesFor(weights, labels, app.value, ready.value);
    const seconds = call.trouble.dice.between(2, 8);
    return { say: "send", send: (how) => call.cloud.writeTraffic(traffic, "us", seconds, how === "async-failure") };
  });
}

/** container-apps.ts `readyFor`: a revision must be active before it gets weight. */
function* readyFor(call: Call, weights: readonly Weight[]): Task<Result<ReadonlySet<string>>> {
  const revisions = yield* ask(call, () =>
    [...call.cloud.revisions.values()].map(({ name, active }) => ({ name, active })),
  );
  if (!revisions.ok) return revisions;
  for (const { revision } of weights.filter(({ percent }) => percent > 0)) {
    const found = revisions.value.find(({ name }) => name === revision.toLowerCase());
    if (found === undefined)
      return { ok: false, reason: `revision ${revision} no longer exists, so it cannot receive traffic` };
    if (found.active) continue;
    const activated = yield* activate(call, revision);
    if (!activated.ok)
      return {
        ok: false,
        reason: `revision ${revision} was deactivated and cannot be activated again: ${activated.reason}`,
      };
  }
  return { ok: true, value: new Set(revisions.value.map(({ name }) => name)) };
}

/** container-apps.ts `activate`. */
export function* activate(call: Call, name: string): Task<Result<null>> {
  const { loop, cloud } = call;
  return yield* settle<null>(call, function* (sent) {
    const found = yield* getRevision(call, name);
    if (!found.ok || found.value === undefined) return { say: "refuse", reason: found.ok ? "404" : found.reason };
    const { active, readyAt, activeSince } = found.value;
    if (active && loop.now() >= readyAt) return { say: "done", value: null };
    if (active && loop.now() - activeSince > 261_000)
      return { say: "refuse", reason: `revision ${name} cannot be provisioned` };
    if (active || sent) return { say: "wait", reason: `revision ${name} is not ready yet` };
    return {
      say: "send",
      send: () => {
        cloud.setActive(name, true, "us");
        return { doneAt: loop.now() };
      },
    };
  });
}

/** container-apps.ts `deactivate`: refuses while the revision has traffic. */
export function* deactivate(call: Call, name: string): Task<Result<null>> {
  const { loop, cloud } = call;
  return yield* settle<null>(call, function* (sent) {
    const found = yield* getRevision(call, name);
    if (!found.ok) return { say: "refuse", reason: found.reason };
    if (!found.value?.active) return { say: "done", value: null };
    if (sent) return { say: "wait", reason: `revision ${name} is still active` };
    const app = yield* getApp(call);
    if (!app.ok) return { say: "refuse", reason: app.reason };
    const shown = weightsOf(app.value);
    const percent = shown.ok ? shareOf(shown.value, name) : 0;
    if (percent !== undefined)
      return { say: "refuse", reason: `revision ${name} still has ${percent} percent of the traffic` };
    return {
      say: "send",
      send: () => {
        cloud.setActive(name, false, "us");
        return { doneAt: loop.now() };
      },
    };
  });
}

/** container-apps.ts `probe`. */
export function* probe(call: Call, name: string): Task<Result<ProbeView>> {
  const found = yield* getRevision(call, name);
  if (!found.ok || found.value === undefined) return { ok: false, reason: found.ok ? "404" : found.reason };
  const good = call.cloud.canServe(name);
  return {
    ok: true,
    value: {
      good,
      detail: good ? "answered 200" : "answered 503",
      running: call.cloud.view(found.value).running,
      restarts: call.cloud.restartsOf(name),
    },
  };
}

/** request-rows.ts `measure` and `bucketsOf`: which buckets are complete, and their requests. */
export function* measure(
  call: Call,
  { canary, stable, intervalSeconds, from: asked }: Effect<"Measure">,
  now: number,
): Task<Result<Measurement>> {
  const { cloud, trouble, loop } = call;
  const interval = intervalSeconds * 1000;
  const from = Math.ceil(asked / interval) * interval;
  const limit = now - ingestionSeconds * 1000;
  if (limit - from < interval) return { ok: true, value: { buckets: [], to: asked } };
  const answered = yield* ask(call, () => loop.now());
  if (!answered.ok) return { ok: false, reason: `request rows cannot be read: ${answered.reason}` };
  const visible = answered.value - ingestionSeconds * 1000;
  const buckets: Bucket[] = [];
  let newest = 0;
  for (let at = from; at < Math.min(limit, visible) && buckets.length < 600; at += interval) {
    const isIn = at + interval <= visible && trouble.rowsLateUntil(at) <= answered.value;
    const none = { requests: 0, failed: 0 };
    const bucket = {
      at,
      canary: isIn ? cloud.tally(canary, at, at + interval) : none,
      stable: isIn ? cloud.tally(stable, at, at + interval) : none,
    };
    if (bucket.canary.requests + bucket.stable.requests > 0) newest = at;
    buckets.push(bucket);
  }
  const certain = Math.max(Math.min(limit, newest), limit - ingestionSeconds * 1000);
  const count = Math.min(600, Math.max(0, Math.floor((certain - from) / interval)));
  const none = { requests: 0, failed: 0 };
  while (buckets.length < count) buckets.push({ at: from + buckets.length * interval, canary: none, stable: none });
  return { ok: true, value: { buckets: buckets.slice(0, count), to: count === 0 ? asked : from + count * interval } };
}
