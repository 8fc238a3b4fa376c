// The runbook that returns an app to the revision before. It moves no traffic itself: it asks a rollout, which
// activates that revision, proves it by its smoke test, gives it all traffic, reads that back and then
// deactivates the other.
import { found, keptFold, type Result } from "../../engines/engine.ts";
import type { Receipt, Situation } from "../../engines/remediation/vocabulary.ts";
import { streamOf } from "../../engines/rollout/names.ts";
import { rollout } from "../../engines/rollout/rollout.ts";
import type { AppView, ReleaseIntent, RolloutEvent, RolloutState } from "../../engines/rollout/vocabulary.ts";
import { sameName } from "../../engines/rollout/weights.ts";
import { admissionOf } from "../../engines/rotation/old-role.ts";
import type { Instant } from "../../engines/time.ts";
import { utcOf } from "../../engines/utc.ts";
import type { Streams } from "../runtime/performer.ts";
import type { Clock, Fact, Fence, Journal } from "../runtime/ports.ts";
import { retiredIn } from "./old-roles.ts";
import type { RunbookPort } from "./remediation-ports.ts";
import type { Apps } from "./rollout-ports.ts";

/** What the runbook needs. */
export interface ReturnWorld {
  readonly journal: Pick<Journal, "read" | "streams">;
  readonly apps: Pick<Apps, "inspect">;
  readonly streams: Streams;
  readonly clock: Pick<Clock, "now">;
}

/** The release that serves, and the revision that served before it. */
interface Returnable {
  readonly intent: ReleaseIntent;
  readonly serving: string;
  readonly before: string;
}

const never = new AbortController().signal;

/** How long the undo may wait for its rollout. */
const undoSeconds = 240;

/** Makes the runbook. */
export const returnToPrevious = (world: ReturnWorld): RunbookPort => ({
  plan: async (target, _rung, _incident, cancel) => planOf(world, target, cancel),
  act: async ({ target, since, incident }, fence) => {
    const earlier = await earlierTry(world, target, since);
    if (earlier !== undefined) return found(earlier);
    const returnable = await returnableOf(world, target, never);
    if (typeof returnable === "string") return { ok: false, reason: returnable };
    if ("reason" in returnable) return returnable;
    const { intent, serving, before } = returnable;
    const stream = await request(world, intent, before, since, incident.alert.rule, fence);
    return stream.ok ? found(receiptOf(stream.value, before, serving)) : stream;
  },
  follow: async ({ follow, until }, cancel) => {
    const ended = await world.streams.follow(follow, until, cancel);
    if (!ended.ok) return ended;
    const { result, message } = ended.value;
    return found({ good: result === "promoted" || result === "unchanged", message });
  },
  undo: async ({ target, since, undo, incident }, fence) => {
    const intent = await intentOf(world, target, undo);
    if (intent === undefined) return { ok: false, reason: `the journal has no release of ${undo}` };
    const view = await world.apps.inspect({ target: intent.target }, never);
    if (!view.ok) return { ...view, reason: `the app cannot be read: ${view.reason}` };
    // It served when the action began.
    const stranger = whyStranger(view.value, undo, since);
    if (stranger !== undefined) return { ok: false, reason: stranger, definite: true };
    const stream = await request(world, intent, undo, since, incident.alert.rule, fence);
    if (!stream.ok) return stream;
    const until = world.clock.now() + undoSeconds * 1000;
    const ended = await world.streams.follow(stream.value, until, never);
    if (!ended.ok) return ended;
    return ended.value.result === "promoted"
      ? found({ message: `${undo} serves again` })
      : { ok: false, reason: ended.value.message };
  },
});

const receiptOf = (stream: string, revision: string, undo: string): Receipt => ({
  message: `a rollout was asked to return to ${revision}`,
  follow: stream,
  undo,
});

/**
 * Finds what an earlier try of an action began, whose answer was lost: once that rollout has moved traffic, the app
 * shows another revision before. One that has not begun is asked for again by the same name.
 */
async function earlierTry({ journal }: ReturnWorld, target: string, since: Instant): Promise<Receipt | undefined> {
  const streams = await journal.streams({ prefix: prefixOf(target) });
  const stream = streams.find((each) => each.endsWith(suffixOf(since)));
  if (stream === undefined) return undefined;
  const { intent, stable } = keptFold(rollout)((await journal.read(stream)) as readonly Fact<RolloutEvent>[]);
  return intent?.returns === undefined || stable === null ? undefined : receiptOf(stream, intent.revision, stable);
}

const prefixOf = (target: string): string => `rollout/${target.split("/").slice(1).join("/")}/`;
const suffixOf = (since: Instant): string => `-r${since.toString(36)}`;

async function planOf(
  world: ReturnWorld,
  target: string,
  cancel: AbortSignal,
): Promise<Result<Situation["readiness"]>> {
  const returnable = await returnableOf(world, target, cancel);
  if (typeof returnable === "string") return found({ fits: false, message: returnable, plan: "" });
  if ("reason" in returnable) return returnable;
  const { serving, before } = returnable;
  return found({
    fits: true,
    message: `${serving} was released after ${before}`,
    plan: `return all traffic from ${serving} to ${before}`,
  });
}

/** Finds the release that serves and the revision before it; or why the app cannot be returned, or not be read. */
async function returnableOf(
  world: ReturnWorld,
  target: string,
  cancel: AbortSignal,
): Promise<Returnable | string | Extract<Result<never>, { readonly ok: false }>> {
  const [, resourceGroup = "", app = ""] = target.split("/");
  const view = await world.apps.inspect({ target: { resourceGroup, app } }, cancel);
  if (!view.ok) return { ...view, reason: `the app cannot be read: ${view.reason}` };
  const serving = mostTraffic(view.value);
  if (serving === undefined) return "no revision has traffic";
  for await (const { intent, stable, ending, startedAt, phaseAt } of releasesOf(world, target)) {
    if (intent === undefined || !sameName(intent.revision, serving) || ending?.result !== "promoted") continue;
    if (intent.returns !== undefined)
      return `${serving} was returned to before, so another return would go back and forth`;
    if (stable === null) return `${serving} is the app's first release`;
    const exists = view.value.revisions.some(({ name }) => sameName(name, stable));
    if (!exists) return `${stable}, which served before, no longer exists`;
    const stranger = whyStranger(view.value, serving, phaseAt) ?? whyStranger(view.value, stable, startedAt);
    if (stranger !== undefined) return stranger;
    return (await whyLockedOut(world, intent, stable)) ?? { intent, serving, before: stable };
  }
  return `the journal has no promoted release of ${serving}`;
}

/**
 * Says why a revision is not the one that the journal knows by its name: it was made later. An app that was deleted and
 * made again gives its revisions the names of before, and nobody has proven those.
 */
function whyStranger({ revisions }: AppView, revision: string, knownAt: Instant): string | undefined {
  const madeAt = revisions.find(({ name }) => sameName(name, revision))?.madeAt;
  return madeAt === undefined || madeAt <= knownAt
    ? undefined
    : `${revision} is another revision by the same name: it was made at ${utcOf(madeAt)}, after its release`;
}

/**
 * Says why the revision before a cut-over could not log in: its slot is being renewed, or others know its password. A
 * role that is merely closed gets its login back before the rollout of the return starts that revision.
 */
async function whyLockedOut(
  { journal }: Pick<ReturnWorld, "journal">,
  { target, purpose }: ReleaseIntent,
  before: string,
): Promise<string | undefined> {
  if (purpose === undefined) return undefined;
  for (const { rotation, state, secret } of await retiredIn(journal, target)) {
    const { standing, asks, message } = admissionOf(state, "");
    if (secret === purpose.replaces && standing !== "open" && !asks)
      return `${before} uses ${secret}: ${message} (${rotation})`;
  }
  return undefined;
}

const mostTraffic = ({ weights }: AppView): string | undefined =>
  weights.toSorted((one, other) => other.percent - one.percent)[0]?.revision;

/** Gives the states of an app's rollouts, the newest first. Only as many journals are read as are asked for. */
async function* releasesOf({ journal }: Pick<ReturnWorld, "journal">, target: string): AsyncGenerator<RolloutState> {
  const stateOf = keptFold(rollout);
  for (const stream of await journal.streams({ prefix: prefixOf(target) }))
    yield stateOf((await journal.read(stream)) as readonly Fact<RolloutEvent>[]);
}

async function intentOf(world: ReturnWorld, target: string, revision: string): Promise<ReleaseIntent | undefined> {
  for await (const { intent } of releasesOf(world, target))
    if (intent !== undefined && sameName(intent.revision, revision)) return intent;
  return undefined;
}

/** Asks for the rollout. Its name follows from the moment of the action, so that a repetition asks for the same one. */
async function request(
  { streams, clock }: ReturnWorld,
  intent: ReleaseIntent,
  revision: string,
  since: Instant,
  rule: string,
  fence: Fence,
): Promise<Result<string>> {
  const {
    gate: _gate,
    dryRun: _dryRun,
    purpose: _purpose,
    repairs: _repairs,
    requestedByName: _name,
    ...kept
  } = intent;
  const stream = streamOf(intent.target, `${revision.slice(0, 50)}${suffixOf(since)}`);
  if (!(await fence())) return { ok: false, reason: "another process now owns the incident, so nothing was asked for" };
  const asked = await streams.request(
    stream,
    {
      ...kept,
      revision,
      release: `return to ${revision}`,
      returns: rule,
      requestedBy: "the control plane",
    } satisfies ReleaseIntent,
    clock.now(),
  );
  return asked.ok ? found(stream) : asked;
}
