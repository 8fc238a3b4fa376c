// A world in which replicas die at a chosen point: there is a point before and after each effect and each append, and
// the process kills itself at the chosen one. The sent effects and the time are in the database, so that they outlive
// the process. Time passes only by waiting, so that a crash leaves no trace in the times of a journal.
import type pg from "pg";
import type { Apps, Requests } from "../../../controlplane/performers/rollout-ports.ts";
import type { Clock, Journal } from "../../../controlplane/runtime/ports.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";

/** The time at the start. */
export const dawn = 1_000_000_000_000;

interface Ports {
  readonly apps: Apps;
  readonly requests: Requests;
  readonly journal: Journal<RolloutEvent>;
}

export interface DeadlyWorld extends Ports {
  readonly clock: Clock;
  /** Counts points from now on, and dies at the one with this number, if any. */
  readonly arm: (dieAt?: number) => void;
  readonly points: () => number;
}

/** Creates the tables of the sent effects and of the time, once for all processes. */
export const createDeadlyWorld = async (pool: pg.Pool): Promise<void> =>
  void (await pool.query(
    `create table public.sent (place serial, effect jsonb not null);
     create table public.clock (now float8 not null);
     insert into public.clock values (${dawn})`,
  ));

/** Wraps the ports of a replica. */
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
      repoint: (effect, fence) => sent(effect, () => apps.repoint(effect, fence)),
      inspect: (asked, cancel) => sent({ kind: "Inspect" }, () => apps.inspect(asked, cancel)),
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
