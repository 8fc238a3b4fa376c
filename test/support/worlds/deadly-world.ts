// A world for replicas that die on time: each effect and each append is two points, one before and one after it, and the
// process kills itself at the point that it was told. What was sent, and what time it is, lies in the database, where it
// outlives whoever did it; time passes by waiting alone, so that a crash cannot show in a journal by the clock.
import type pg from "pg";
import type { Apps, Clock, Journal, Requests } from "../../../controlplane/runtime/ports.ts";

/** Where time begins. */
export const dawn = 1_000_000_000_000;

interface Ports {
  readonly apps: Apps;
  readonly requests: Requests;
  readonly journal: Journal;
}

export interface DeadlyWorld extends Ports {
  readonly clock: Clock;
  /** Counts points from now on, and dies at the one of that number; without one it only counts. */
  readonly arm: (dieAt?: number) => void;
  readonly points: () => number;
}

/** Creates the tables of what was sent and of the time. It is done once, by nobody who opens the world. */
export const createDeadlyWorld = async (pool: pg.Pool): Promise<void> =>
  void (await pool.query(
    `create table public.sent (place serial, effect jsonb not null); create table public.clock (now float8 not null); insert into public.clock values (${dawn})`,
  ));

/** Wraps a replica's ports. */
export function deadlyWorld(pool: pg.Pool, { apps, requests, journal }: Ports): DeadlyWorld {
  let now = dawn;
  let points = 0;
  let last: number | undefined;
  const point = (): void => {
    points++;
    if (points === last) process.kill(process.pid, "SIGKILL");
  };
  const look = async (): Promise<void> => {
    now = (await pool.query<{ now: number }>("select now from public.clock")).rows[0]!.now;
  };
  async function sent<Value>(effect: object, send: () => Promise<Value>): Promise<Value> {
    point();
    await look();
    await pool.query("insert into public.sent (effect) values ($1)", [JSON.stringify(effect)]);
    const value = await send();
    point();
    return value;
  }
  return {
    apps: {
      inspect: (target, cancel) => sent({ kind: "Inspect" }, () => apps.inspect(target, cancel)),
      shift: (effect, fence) => sent(effect, () => apps.shift(effect, fence)),
      readTraffic: (target, cancel) => sent({ kind: "VerifyTraffic" }, () => apps.readTraffic(target, cancel)),
      activate: (effect, fence) => sent(effect, () => apps.activate(effect, fence)),
      deactivate: (effect, fence) => sent(effect, () => apps.deactivate(effect, fence)),
      probe: (effect, cancel) => sent(effect, () => apps.probe(effect, cancel)),
    },
    requests: { measure: (effect, _, cancel) => sent(effect, () => requests.measure(effect, now, cancel)) },
    journal: {
      ...journal,
      append: async (...append) => {
        point();
        const appended = await journal.append(...append);
        point();
        return appended;
      },
    },
    clock: {
      now: () => now,
      until: (at) =>
        sent({ kind: "Wait", at }, async () => {
          now = (
            await pool.query<{ now: number }>("update public.clock set now = greatest(now, $1) returning now", [at])
          ).rows[0]!.now;
        }),
    },
    arm: (dieAt) => {
      points = 0;
      last = dieAt;
    },
    points: () => points,
  };
}
