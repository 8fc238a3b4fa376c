// Performs the effects of a rotation: one line for each effect that touches the world. The adapters know how a call is
// sent and what its answers mean, and the engine decides when.
import { found, type Result } from "../../engines/engine.ts";
import { otherSlot, secretKey, slots } from "../../engines/rotation/declaration.ts";
import { type Kin, kinOf } from "../../engines/rotation/kin.ts";
import type {
  Credential,
  CredentialName,
  CredentialView,
  Login,
  ReadersView,
  RotationEffect,
  RotationOutcome,
  Slot,
} from "../../engines/rotation/vocabulary.ts";
import { after, type Instant } from "../../engines/time.ts";
import { aborted, systemTime } from "../runtime/clock.ts";
import { limitSecondsOf, readWithin, requestsPerRead, writeWithin } from "../runtime/limits.ts";
import type { Performer, Streams, Within } from "../runtime/performer.ts";
import type { Clock, Fence, Time } from "../runtime/ports.ts";
import { loginsByOurClock } from "./logins-by-our-clock.ts";
import type { Accepted, Consumers, Logins, Roles, RolesView, Vault } from "./rotation-ports.ts";
import type { Ahead } from "./rotations-ahead.ts";
import { failure, watched } from "./watched-fence.ts";

/** The ports of a rotation, the declared credentials, and the limit of one request. */
export interface RotationWorld {
  readonly credentials: () => Promise<readonly Credential[]>;
  readonly vault: Vault;
  readonly roles: Roles;
  readonly logins: Logins;
  readonly consumers: Consumers;
  readonly streams: Streams;
  readonly clock: Clock;
  /** Other rotations that go first: by the budget, those under way or asked for earlier; and those of the kin. */
  readonly ahead?: ((stream: string, kin: Kin) => Promise<Ahead>) | undefined;
  /** How many rotations may be under way at once. @default any number */
  readonly atOnce?: number | undefined;
  /** The limit of a single request; shorter than the lease. */
  readonly requestSeconds: number;
  /** @default the machine's time */
  readonly time?: Time | undefined;
}

const writes: readonly RotationEffect["kind"][] = [
  "MakeVersion",
  "SetVerifier",
  "RequestRollout",
  "Publish",
  "EndSessions",
  "SetLogin",
  "MoveSecret",
];
const waits: readonly RotationEffect["kind"][] = ["AwaitRollout", "Wait", "AwaitSignal"];

const isWrite = ({ kind }: RotationEffect): boolean => writes.includes(kind);

/** Makes the performer of rotations. */
export const rotationPerformer = (world: RotationWorld): Performer<RotationEffect, RotationOutcome> => ({
  isWrite,
  limitSeconds: (effect) => (waits.includes(effect.kind) ? 0 : limitSecondsOf(isWrite(effect), world.requestSeconds)),
  ready: () => Promise.resolve(),
  perform: (effect, within) => performEffect(effect, world, within),
});

/** Performs an effect and gives its outcome. */
async function performEffect(
  effect: RotationEffect,
  world: RotationWorld,
  { fence, cancel, stream }: Within,
): Promise<RotationOutcome> {
  const asked = watched(fence);
  const over = new AbortController();
  const answer = await callPort(effect, world, { fence: asked.fence, cancel, stream }, over.signal).catch(failure);
  over.abort();
  asked.rethrow();
  return { kind: "Outcome", of: effect.kind, at: world.clock.now(), found: answer } as RotationOutcome;
}

async function callPort(
  effect: RotationEffect,
  world: RotationWorld,
  { fence, cancel, stream }: Pick<Within, "fence" | "cancel" | "stream">,
  over: AbortSignal,
): Promise<Result<unknown>> {
  const { vault, roles, consumers, streams, clock, requestSeconds, time = systemTime } = world;
  const read = <Value>(call: (cancel: AbortSignal) => Promise<Result<Value>>) =>
    readWithin(call, requestSeconds * requestsPerRead, cancel, over, time);
  const write = <Value>(call: (fence: Fence) => Promise<Result<Value>>) =>
    writeWithin(call, requestSeconds, fence, over, time);
  switch (effect.kind) {
    case "Inspect":
      return read((late) => inspect(effect.credential, world, stream, late));
    case "MakeVersion": {
      const { credential, slot, rotation, generation, keeps } = effect;
      const expiresAt = after(clock.now(), credential.validDays * 86_400);
      // Whatever an earlier declaration left in the vault, no other value is made.
      const newest = async () => (keeps ? nothing() : vault.read(credential, slot, undefined, over));
      return write((mine) => {
        const value = () => roles.newValue(credential, slot, newest, mine);
        return vault.make(credential, slot, { rotation, generation, expiresAt, value }, mine);
      });
    }
    case "SetVerifier":
      return write(async (mine) => {
        const version = await readVersion(effect, vault, over);
        return version.ok ? roles.accept(effect.credential, effect.slot, version.value, mine) : version;
      });
    case "Prove":
      return read(async (late) => {
        const version = await readVersion(effect, vault, late);
        return version.ok ? roles.prove(effect.credential, effect.slot, version.value, late) : version;
      });
    case "RequestRollout":
      return requestRollout(effect, streams, clock, fence);
    case "AwaitRollout":
      return streams.follow(effect.stream, effect.until, cancel);
    case "Publish": {
      const { credential, slot, version, rotation } = effect;
      const published = await write((mine) => vault.publish(credential, slot, version, rotation, mine));
      return published.ok ? { ok: true, value: { slot, version: published.value } } : published;
    }
    case "ReadReaders":
      return read((late) => readReaders(effect, world, late));
    case "EndSessions": {
      const ended = await write((mine) => roles.endSessions(effect.credential, effect.slot, mine));
      return ended.ok ? { ok: true, value: { ended: ended.value } } : ended;
    }
    case "SetLogin": {
      const { credential, slot, login } = effect;
      const set = await write((mine) => roles.setLogin(credential, slot, login, mine));
      return set.ok ? { ok: true, value: { login } } : set;
    }
    case "MoveSecret":
      return write((mine) => consumers.moveSecret(effect.consumer, effect.secret, effect.url, mine));
    case "Wait":
      return clock.until(effect.until, cancel).then(nothing);
    case "AwaitSignal":
      return aborted(cancel).then(nothing);
  }
}

/** Reads the value of the version at work. */
async function readVersion(
  { credential, slot, version, url }: Extract<RotationEffect, { kind: "SetVerifier" | "Prove" }>,
  vault: Vault,
  cancel: AbortSignal,
): Promise<Result<Accepted>> {
  const read = await vault.read(credential, slot, version, cancel);
  if (!read.ok) return read;
  if (!read.value) return { ok: false, reason: `version ${version} of slot ${slot} cannot be read` };
  return { ok: true, value: { version, url, value: read.value } };
}

/** Reads the credential as it is declared and as the world has it. */
async function inspect(
  name: CredentialName,
  world: RotationWorld,
  stream: string,
  cancel: AbortSignal,
): Promise<Result<CredentialView>> {
  const credentials = await world.credentials();
  const declaration = credentials.find((one) => secretKey(one) === secretKey(name));
  if (declaration === undefined) return { ok: false, reason: `the credential ${name.credential} is not declared` };
  const seen = await inspectDeclared(declaration, world, cancel);
  if (!seen.ok) return seen;
  const others = await world.ahead?.(stream, kinOf(declaration, credentials));
  return { ok: true, value: { ...seen.value, ...others, atOnce: world.atOnce ?? 0 } };
}

/** What the inspection of a credential reads. */
export type InspectedWorld = Pick<RotationWorld, "vault" | "roles" | "logins" | "consumers" | "clock">;

/** Reads a declared credential as the world has it. */
export async function inspectDeclared(
  declaration: Credential,
  world: InspectedWorld,
  cancel: AbortSignal,
): Promise<Result<CredentialView>> {
  const { vault, roles, consumers, clock } = world;
  const secrets = await vault.look(declaration, cancel);
  if (!secrets.ok) return secrets;
  const { published } = secrets.value;
  const from = after(clock.now(), -declaration.timings.quietSeconds);
  // Before the first version no app can name a slot, and both roles get a password.
  const [seen, idle, ...named] = await Promise.all([
    published === null ? lookAtBoth(roles, declaration, cancel) : roles.look(declaration, published.slot, cancel),
    published === null
      ? loginsOfBoth(world, declaration, from, cancel)
      : loginsByOurClock(world, declaration, otherSlot(published.slot), from, cancel),
    ...(published === null ? [] : declaration.consumers).map((consumer) =>
      consumers.slotOf(consumer, declaration.credential, cancel),
    ),
  ]);
  if (!seen.ok) return seen;
  if (!idle.ok) return idle;
  const unread = named.find((one) => !one.ok);
  if (unread !== undefined && !unread.ok) return unread;
  const slot = (which: Slot) => ({ ...secrets.value.slots[which], login: seen.value.login[which] });
  return {
    ok: true,
    value: {
      declaration,
      published,
      slots: { a: slot("a"), b: slot("b") },
      consumers: declaration.consumers.map(({ resourceGroup, app }, index) => {
        const seenIn = named[index];
        return { resourceGroup, app, slot: seenIn?.ok ? seenIn.value : null };
      }),
      idleLogins: idle.value.logins,
      idleSessions: seen.value.otherSessions,
      missing: seen.value.missing,
      ahead: [],
      kin: [],
      atOnce: 0,
    },
  };
}

/** Looks at the roles of a credential that has no version yet: at the sessions of both, and at what either lacks. */
async function lookAtBoth(roles: Roles, credential: Credential, cancel: AbortSignal): Promise<Result<RolesView>> {
  const [one, other] = await Promise.all(slots.map((slot) => roles.look(credential, slot, cancel)));
  if (!one?.ok) return one!;
  if (!other?.ok) return other!;
  return {
    ok: true,
    value: {
      login: one.value.login,
      missing: [...new Set([...one.value.missing, ...other.value.missing])],
      otherSessions: one.value.otherSessions + other.value.otherSessions,
    },
  };
}

/** Reads who used either role. A new server may have no log yet, and open sessions tell too. */
async function loginsOfBoth(
  world: InspectedWorld,
  credential: Credential,
  from: Instant,
  cancel: AbortSignal,
): ReturnType<Logins["read"]> {
  const seen = await Promise.all(slots.map((slot) => loginsByOurClock(world, credential, slot, from, cancel)));
  return {
    ok: true,
    value: { logins: seen.flatMap((one) => (one.ok ? one.value.logins : [])), to: from, alive: false },
  };
}

async function requestRollout(
  { stream, intent }: Extract<RotationEffect, { kind: "RequestRollout" }>,
  streams: Streams,
  clock: Clock,
  fence: Fence,
): Promise<Result<{ readonly stream: string }>> {
  if (!(await fence())) return { ok: false, reason: "another process now owns the rotation, so nothing was asked for" };
  const asked = await streams.request(stream, intent, clock.now());
  return asked.ok ? { ok: true, value: { stream } } : asked;
}

/** Counts the sessions first: that opens a session of our own, which the log must then show. */
async function readReaders(
  { credential, slot, from, neededBy, looksAtConsumers }: Extract<RotationEffect, { kind: "ReadReaders" }>,
  world: RotationWorld,
  cancel: AbortSignal,
): Promise<Result<ReadersView>> {
  const sessions = await world.roles.sessions(credential, slot, cancel);
  if (!sessions.ok) return sessions;
  const seen = await loginsByOurClock(world, credential, slot, from, cancel);
  if (!seen.ok) return seen;
  const releases = await inFlight(neededBy, world, cancel);
  const astray = looksAtConsumers ? await servingFrom(slot, credential, world, cancel) : found([]);
  if (!astray.ok) return astray;
  const view = { ...seen.value, logins: [...seen.value.logins, ...releases], sessions: sessions.value };
  return found(astray.value.length === 0 ? view : { ...view, astray: astray.value });
}

/** Gives the releases that need the old role and have not ended, as readers of it: each may log in at any moment. */
async function inFlight(
  releases: readonly string[],
  { streams, clock }: RotationWorld,
  cancel: AbortSignal,
): Promise<readonly Login[]> {
  const at = clock.now();
  const ended = await Promise.all(releases.map((stream) => streams.follow(stream, at, cancel)));
  return releases.flatMap((stream, index) =>
    ended[index]?.ok ? [] : [{ who: `the release of ${stream.split("/").at(-1)}`, at, refused: false, inFlight: true }],
  );
}

/** Names the consumers whose serving revision names a slot. */
async function servingFrom(
  slot: Slot,
  { consumers, credential }: Credential,
  world: RotationWorld,
  cancel: AbortSignal,
): Promise<Result<readonly string[]>> {
  const seen = await Promise.all(consumers.map((each) => world.consumers.slotOf(each, credential, cancel)));
  const unread = seen.find((each) => !each.ok);
  if (unread !== undefined && !unread.ok) return unread;
  return found(
    consumers.flatMap(({ app }, index) => {
      const each = seen[index];
      return each?.ok && each.value === slot ? [app] : [];
    }),
  );
}

const nothing = (): Result<null> => ({ ok: true, value: null });
