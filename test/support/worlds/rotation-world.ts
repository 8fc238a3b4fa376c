// The world of a rotation as a plain object, over the virtual clock of the simulator: a vault, two roles, consumers and
// readers, as the ports of a rotation. It keeps the history of everything, so that a test can ask of every reader
// whether it could log in at any moment.
import type { Consumers, Logins, Roles, Vault } from "../../../controlplane/performers/rotation-ports.ts";
import type { clockOf } from "../../../controlplane/runtime/clock.ts";
import type { Streams } from "../../../controlplane/runtime/performer.ts";
import type { Fence } from "../../../controlplane/runtime/ports.ts";
import type { Result } from "../../../engines/engine.ts";
import { otherSlot, type Slot, slotSecret, slots } from "../../../engines/rotation/declaration.ts";
import type { Login } from "../../../engines/rotation/vocabulary.ts";
import { after, type Instant, secondsBetween } from "../../../engines/time.ts";
import { createLoop, type Loop } from "../../../proofs/simulator/loop.ts";
import { type Reader, type RotationScenario, start } from "./rotation-scenario.ts";

/** Values with the moment from which each holds. */
type History<Value> = { readonly at: Instant; readonly value: Value }[];
const valueAt = <Value>(history: History<Value>, at: Instant): Value =>
  (history.findLast((entry) => entry.at <= at) ?? history[0]!).value;

interface Made {
  readonly version: string;
  readonly rotation: string;
  readonly generation: number;
}

/** The world after, or during, a run. */
export interface RotationWorld {
  readonly loop: Loop;
  readonly versions: Readonly<Record<Slot, Made[]>>;
  readonly published: History<{ readonly slot: Slot; readonly version: string; readonly of: string } | null>;
  readonly passwords: Readonly<Record<Slot, History<string>>>;
  readonly login: Readonly<Record<Slot, History<boolean>>>;
  /** The slot that each app names, and the version that each of its secrets has. */
  readonly apps: Map<string, { slot: Slot | null; readonly secrets: Record<Slot, string> }>;
  readonly rollouts: Map<string, { readonly app: string; readonly endsAt: Instant; readonly result: string }>;
  /** Releases in flight whose revision logs in with slot a. */
  readonly releases: Set<string>;
  /** Logins of consumers that could not succeed. */
  readonly failures: string[];
  /** The secrets that a person has deleted, and may recover. */
  readonly deleted: Set<Slot | "published">;
  readonly copyBehindSeconds: number;
  sessions: number;
}

/** Makes the world of a scenario as it begins. */
export function createWorld(
  { credential, world: { before, astray, copyBehindSeconds } }: RotationScenario,
  loop: Loop = createLoop(start),
): RotationWorld {
  const seed = (slot: Slot): Made => ({ version: `${slot}0`, rotation: "", generation: 0 });
  const seeded = before !== "empty";
  return {
    loop,
    versions: { a: seeded ? [seed("a")] : [], b: seeded ? [seed("b")] : [] },
    published: [{ at: 0, value: seeded && before !== "unpublished" ? { slot: "a", version: "p0", of: "a0" } : null }],
    passwords: { a: [{ at: 0, value: "a0" }], b: [{ at: 0, value: "b0" }] },
    login: { a: [{ at: 0, value: true }], b: [{ at: 0, value: true }] },
    apps: new Map(
      credential.consumers.map(({ app }) => [
        app,
        { slot: app in astray ? astray[app]! : "a", secrets: { a: "a0", b: "b0" } },
      ]),
    ),
    rollouts: new Map(),
    releases: new Set(),
    failures: [],
    deleted: new Set(),
    copyBehindSeconds,
    sessions: 4,
  };
}

const found = <Value>(value: Value): Result<Value> => ({ ok: true, value });
const refused = (reason: string): Result<never> => ({ ok: false, reason });

/** Notes every consumer that could not log in now. */
function check(world: RotationWorld): void {
  const now = world.loop.now();
  for (const [app, { slot, secrets }] of world.apps) {
    if (slot === null) continue;
    const seen = after(now, -world.copyBehindSeconds);
    if (valueAt(world.login[slot], seen) && valueAt(world.passwords[slot], seen) === secrets[slot]) continue;
    world.failures.push(`${app} could not log in with slot ${slot} after ${secondsBetween(start, now)} s`);
  }
}

async function write<Value>(world: RotationWorld, fence: Fence, act: () => Value): Promise<Result<Value>> {
  if (!(await fence())) return refused("fenced");
  const value = act();
  check(world);
  return found(value);
}

export const note = <Value>(world: RotationWorld, history: History<Value>, value: Value): void =>
  void history.push({ at: world.loop.now(), value });

export function vaultOf(world: RotationWorld, { world: { before, validFromSeconds } }: RotationScenario): Vault {
  const notBefore = validFromSeconds === undefined ? {} : { notBefore: after(start, validFromSeconds) };
  const newest = (slot: Slot) => (world.deleted.has(slot) ? undefined : world.versions[slot].at(-1));
  const refusedFor = (secret: Slot | "published") =>
    world.deleted.has(secret) ? refused("409 Conflict: it is in a deleted but recoverable state") : undefined;
  return {
    look: async () => {
      const published = world.deleted.has("published") ? null : valueAt(world.published, world.loop.now());
      const show = (slot: Slot) => {
        const made = newest(slot);
        return {
          newest: made === undefined ? null : { version: made.version, url: urlOf(slot, made.version) },
          rotation: made?.rotation ?? "",
        };
      };
      return found({
        published: published && { ...published, enabled: before !== "disabled", expiresAt: null, ...notBefore },
        slots: { a: show("a"), b: show("b") },
      });
    },
    make: async (_credential, slot, { rotation: by, generation, value: valueOf }, fence) => {
      const conflict = refusedFor(slot);
      if (conflict !== undefined) return conflict;
      const known = world.versions[slot].find((made) => made.rotation === by && made.generation === generation);
      const value = known === undefined ? await valueOf() : found(known.version);
      if (!value.ok) return value;
      return write(world, fence, () => {
        if (known === undefined) world.versions[slot].push({ version: value.value, rotation: by, generation });
        return { version: value.value, url: urlOf(slot, value.value) };
      });
    },
    read: async (_credential, slot, version) =>
      found(world.deleted.has(slot) ? null : (version ?? newest(slot)?.version ?? null)),
    publish: async (_credential, slot, of, _by, fence) =>
      refusedFor("published") ??
      write(world, fence, () => {
        const last = world.published.at(-1)!.value;
        if (last?.of === of) return last.version;
        const version = `p${world.published.length}`;
        note(world, world.published, { slot, version, of });
        return version;
      }),
  };
}

const urlOf = (slot: Slot, version: string): string => `https://kv.vault.azure.net/secrets/database-${slot}/${version}`;

export function rolesOf(world: RotationWorld, scenario: RotationScenario): Roles {
  const { missing, sessionsUntilMinutes } = scenario.world;
  let refusals = scenario.world.refusals;
  const sessions = (slot: Slot): number =>
    slot === "a" && secondsBetween(start, world.loop.now()) < sessionsUntilMinutes * 60 ? world.sessions : 0;
  return {
    look: async (_credential, live) =>
      found({
        login: {
          a: valueAt(world.login.a, world.loop.now()),
          b: valueAt(world.login.b, world.loop.now()),
        },
        missing: missing.filter((right) => !right.startsWith("later: ")),
        otherSessions: sessions(otherSlot(live)),
      }),
    newValue: async ({ storage }, slot, newest) => {
      const kept = await newest();
      const value = `${slot}${world.versions[slot].length}`;
      if (!kept.ok || storage === undefined) return kept.ok ? found(value) : kept;
      // An account makes its keys itself, and the old one is void at once.
      const present = valueAt(world.passwords[slot], world.loop.now());
      if (kept.value !== present) return found(present);
      note(world, world.passwords[slot], value);
      return found(value);
    },
    accept: (_credential, slot, { value: password }, fence) =>
      write(world, fence, () => {
        note(world, world.passwords[slot], password);
        note(world, world.login[slot], true);
        return null;
      }),
    prove: async (_credential, slot, { value: password }) => {
      const now = world.loop.now();
      const login = refusals-- <= 0 && valueAt(world.passwords[slot], now) === password;
      const lacks = missing.map((right) => right.replace("later: ", ""));
      return found({ login, missing: login ? lacks : [], detail: login ? "logged in" : "28P01 from the server" });
    },
    setLogin: (_credential, slot, login, fence) =>
      write(world, fence, () => {
        note(world, world.login[slot], login);
        return null;
      }),
    sessions: async (_credential, slot) => found(sessions(slot)),
    clock: async () => found(after(world.loop.now(), scenario.world.serverAheadSeconds)),
    endSessions: (_credential, slot, fence) =>
      write(world, fence, () => {
        const ended = sessions(slot);
        world.sessions = 0;
        return ended;
      }),
  };
}

/** Gives each login of a reader after one moment and up to another, with its slot and whether it could succeed. */
export function loginsOf(world: RotationWorld, reader: Reader, from: Instant, to: Instant) {
  const { who, everyMinutes, lagMinutes = 0, fromMinutes = 0, untilMinutes = Number.POSITIVE_INFINITY } = reader;
  const logins: (Login & { readonly slot: Slot; readonly failed: boolean })[] = [];
  const passed = Math.max(0, Math.floor((secondsBetween(start, from) / 60 - fromMinutes) / everyMinutes));
  for (let minutes = fromMinutes + passed * everyMinutes; minutes < untilMinutes; minutes += everyMinutes) {
    const at = after(start, minutes * 60);
    if (at > to) break;
    if (at <= from) continue;
    const known = valueAt(world.published, after(at, -lagMinutes * 60));
    const slot = reader.slot ?? known?.slot ?? "a";
    const seen = after(at, -world.copyBehindSeconds);
    const isOpen = valueAt(world.login[slot], seen);
    const knows = reader.slot === undefined ? known?.of : `${slot}0`;
    logins.push({ who, at, slot, refused: !isOpen, failed: !isOpen || valueAt(world.passwords[slot], seen) !== knows });
  }
  return logins;
}

export const loginsIn = (
  world: RotationWorld,
  { world: { readers, silentUntilMinutes, serverAheadSeconds, logLagSeconds } }: RotationScenario,
): Logins => ({
  read: async (_credential, slot, since) => {
    const ahead = serverAheadSeconds * 1000;
    const from = since - ahead;
    const to = after(world.loop.now(), -logLagSeconds);
    const alive = secondsBetween(start, world.loop.now()) >= silentUntilMinutes * 60;
    const logins = readers.flatMap((reader) => {
      const last = loginsOf(world, reader, from, to)
        .filter((login) => login.slot === slot)
        .at(-1);
      return last === undefined || !alive ? [] : [{ who: last.who, at: last.at + ahead, refused: last.refused }];
    });
    return found({ logins, to: alive ? to + ahead : 0, alive });
  },
});

/** What the revision of a release does, in whichever world. */
export interface Woken {
  /** Logs in as an app's first revision. Gives why it could not, or undefined. */
  readonly login: (app: string) => Promise<string | undefined>;
  /** Gives the revision all traffic. */
  readonly serve: (app: string) => Promise<void>;
}

/** What a release of slot a does that is tried again. */
export const wokenIn = (world: RotationWorld): Woken => ({
  login: async (app) => {
    const now = world.loop.now();
    if (!valueAt(world.login.a, now)) return "28000";
    return valueAt(world.passwords.a, now) === world.apps.get(app)!.secrets.a ? undefined : "28P01";
  },
  serve: async (app) => {
    world.apps.get(app)!.slot = "a";
  },
});

export const consumersOf = (world: RotationWorld): Consumers => ({
  slotOf: async ({ app }) => found(world.apps.get(app)?.slot ?? null),
  moveSecret: ({ app }, secret, url, fence) =>
    write(world, fence, () => {
      for (const slot of slots)
        if (secret === slotSecret("database", slot)) world.apps.get(app)!.secrets[slot] = url.split("/").at(-1)!;
      return null;
    }),
});

/** Rollouts as the scenario wants them to end. A promoted one has moved its app to the slot that it was asked for. */
export function streamsOf(
  world: RotationWorld,
  scenario: RotationScenario,
  clock: ReturnType<typeof clockOf>,
): Streams {
  const { rollouts, rolloutMinutes, busy } = scenario.world;
  return {
    request: async (stream, intent, at) => {
      if (world.rollouts.has(stream)) return found("exists");
      const { target, purpose } = intent as {
        readonly target: { readonly app: string };
        readonly purpose: { readonly secret: string; readonly url: string };
      };
      const { app } = target;
      if (at < after(start, (busy[app] ?? 0) * 60)) return refused(`rollout/shop/${app}/${app}--9 is in flight`);
      const earlier = [...world.rollouts.values()].filter((one) => one.app === app).length;
      const ends = rollouts[app] ?? [];
      const result = ends[Math.min(earlier, ends.length - 1)] ?? "promoted";
      world.rollouts.set(stream, { app, endsAt: after(at, rolloutMinutes * 60), result });
      const slot: Slot = purpose.secret.endsWith("-a") ? "a" : "b";
      const seen = world.apps.get(app)!;
      seen.secrets[slot] = purpose.url.split("/").at(-1)!;
      if (result === "promoted")
        world.loop.at(after(at, rolloutMinutes * 60), () => {
          seen.slot = slot;
          check(world);
        });
      return found("started");
    },
    signal: async () => refused("no rotation of this world sends a signal"),
    follow: async (stream, until, cancel) => {
      if (world.releases.has(stream)) return refused(`${stream} is in flight`);
      const { endsAt, result } = world.rollouts.get(stream) ?? { endsAt: 0, result: "rolled-back" };
      await clock.until(Math.min(endsAt, until), cancel);
      if (cancel.aborted || world.loop.now() < endsAt) return refused(`${stream} did not end in time`);
      return found({ result, reason: "as the scenario says", message: `its canary was ${result}` });
    },
  };
}
