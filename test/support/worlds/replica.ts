// A replica of the control plane's loop, as a process of its own that a test may kill. It reads commands from its input
// and reports on its output what it does, one line of JSON each.
import { createInterface } from "node:readline";
import { setTimeout as nap } from "node:timers/promises";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import { connectionOptions, type Database, openPool } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import { openTime } from "../../../controlplane/adapters/postgres/time.ts";
import type { Apps } from "../../../controlplane/performers/rollout-ports.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import type { Journal } from "../../../controlplane/runtime/ports.ts";
import type { Engine } from "../../../engines/engine.ts";
import { registerKinds } from "../../../engines/kind.ts";
import { rolloutKind } from "../../../engines/rollout/kind.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import type {
  RolloutEffect,
  RolloutEvent,
  RolloutObservation,
  SignalName,
} from "../../../engines/rollout/vocabulary.ts";
import { canaryPercent, cloudInTable } from "./cloud-in-table.ts";
import { deadlyWorld } from "./deadly-world.ts";
import { rolloutLoop, rollouts } from "./rollouts.ts";
import { toyEngine } from "./toy-engine.ts";

export interface ReplicaSetting {
  readonly database: Database;
  readonly name: string;
  readonly leaseSeconds: number;
  /** Which engine decides. @default "toy" */
  readonly engine?: "toy" | "rollout";
  /** Whether it runs in a deadly world, which can kill it at a chosen point. */
  readonly deadly?: true;
  /** How long a shift takes from the fence to its end. */
  readonly shiftSeconds?: number;
  /** How far the machine's own clock is off. @default 0 */
  readonly skewSeconds?: number;
  /** Where to hang for ever: once the write to this percentage was sent, or before or after its fact was appended. */
  readonly hang?: { readonly at: "sent" | "before append" | "after append"; readonly percent: number };
}

const setting = JSON.parse(process.argv[2] ?? "{}") as ReplicaSetting;
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const log = (message: string): void => say({ log: message });
const rightTime = Date.now;
Date.now = () => rightTime() + (setting.skewSeconds ?? 0) * 1000;
process.on("warning", (warning) => log(`warning: ${warning.message}`));

const pool = openPool(setting.database, log);
await migrate(pool);
const hangs = async (at: string, percent: number | undefined): Promise<void> => {
  if (setting.hang?.at !== at || setting.hang.percent !== percent) return;
  say({ hangs: at });
  await new Promise(() => {});
};
const time = await openTime(pool);
const cloud = cloudInTable(pool);
const apps: Apps = {
  ...cloud.apps,
  shift: async (effect, fence) => {
    const shifted = await cloud.apps.shift(effect, async () => {
      const isOurs = await fence();
      if (setting.shiftSeconds !== undefined) {
        say({ sending: effect.target.app });
        await nap(setting.shiftSeconds * 1000);
      }
      return isOurs;
    });
    if (!shifted.ok) return shifted;
    const percent = canaryPercent(effect.weights);
    say({ sent: percent, app: effect.target.app });
    await hangs("sent", percent);
    return shifted;
  },
};
const journal = openJournal(pool, connectionOptions(setting.database), rollouts, log);
const hanging: Journal<RolloutEvent> = {
  ...journal,
  append: async (stream, on, events, pen) => {
    const shifted = events.find((event) => event.kind === "TrafficShifted");
    await hangs("before append", shifted && canaryPercent(shifted.weights));
    const appended = await journal.append(stream, on, events, pen);
    await hangs("after append", shifted && canaryPercent(shifted.weights));
    return appended;
  },
};
const clock = clockOf(time.now);
const deadly = setting.deadly ? deadlyWorld(pool, { apps, requests: cloud.requests, journal }) : undefined;
const ports = deadly ?? { apps, requests: cloud.requests, journal: hanging, clock };
const engine: Engine<RolloutObservation, RolloutEvent, any, RolloutEffect> =
  setting.engine === "rollout" ? rollout : toyEngine;
const orchestrator = rolloutLoop({
  ports: { ...ports, claims: openClaims(pool, setting.leaseSeconds) },
  kinds: registerKinds([{ ...rolloutKind, engine }]),
  pool,
  process: setting.name,
  leaseSeconds: setting.leaseSeconds,
  requestSeconds: setting.leaseSeconds / 2,
  log,
});
await orchestrator.launch();
say({ launched: setting.name });

interface Asked {
  readonly start?: Parameters<typeof orchestrator.start>;
  readonly signal?: readonly [stream: string, signal: SignalName];
  readonly arm?: { readonly dieAt?: number };
  readonly points?: true;
  readonly recover?: true;
  readonly close?: true;
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const asked = JSON.parse(line) as Asked;
  if (asked.arm) deadly?.arm(asked.arm.dieAt);
  if (asked.points) say({ points: deadly?.points() });
  if (asked.recover) void orchestrator.recover().catch((error: unknown) => log(String(error)));
  if (asked.signal)
    void orchestrator
      .signal(asked.signal[0], {
        kind: "Signal",
        at: time.now(),
        signal: asked.signal[1],
        by: "ann",
        message: "because",
      })
      .then(
        (events) => say({ signalled: events.map(({ kind }) => kind) }),
        (error: unknown) => say({ refused: String(error) }),
      );
  if (asked.start)
    void orchestrator.start(...asked.start).then(
      (came) => say({ came }),
      (error: unknown) => say({ refused: String(error) }),
    );
  if (asked.close)
    void orchestrator
      .close()
      .then(() => journal.close())
      .then(() => pool.end())
      .then(
        () => say({ closed: setting.name }),
        (error: unknown) => say({ refused: String(error) }),
      );
});
