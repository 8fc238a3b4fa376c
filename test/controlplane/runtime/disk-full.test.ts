// A full disk during a rollout: PostgreSQL's refusal (SQLSTATE 53100) of every fact, and, if this machine allows a
// mount, a real small disk that is filled to its last byte. Acknowledged facts stay, users stay where they are, and
// with free space the rollout continues to its right end.
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { replay } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { openWorld, type WorldOptions } from "../../../proofs/chaos/world.ts";
import { eventually } from "../../support/postgres/postgres.ts";
import { type Proxy, postgresRefusal, startProxy } from "../../support/postgres/proxy.ts";

/** A disk that can be filled and emptied. */
interface Disk {
  readonly wishes: WorldOptions;
  readonly fill: (pool: pg.Pool) => Promise<void>;
  readonly empty: () => void;
  readonly remove: () => Promise<void> | undefined | void;
}

// A fresh server takes half of it. Its write-ahead log needs no further segment while writes are small.
const megabytes = 80;

const mount = (as: readonly string[], folder: string): boolean =>
  run(...as, "mount", "-t", "tmpfs", "-o", `size=${megabytes}m,mode=1777`, "ballast", folder);
const unmount = (as: readonly string[], folder: string): boolean => run(...as, "umount", "--lazy", folder);
const emptyFolder = (): string => mkdtempSync(path.join(tmpdir(), "ballast-disk-"));

/**
 * The command prefix with which a mount is permitted here: none for root, or sudo without a password; else undefined.
 */
function mayMount(): readonly string[] | undefined {
  const folder = emptyFolder();
  const as = [[], ["sudo", "-n"]].find((words) => mount(words, folder) && unmount(words, folder));
  rmSync(folder, { recursive: true });
  return as;
}

/** Mounts a small file system in memory. */
function mounted(as: readonly string[]): Disk {
  const folder = emptyFolder();
  const filler = path.join(folder, "filler");
  mount(as, folder);
  return {
    wishes: { postgresFolder: folder },
    fill: async (pool) => {
      fillUp(filler);
      await expect(
        pool.query("create table public.one_more as select md5(n::text) from generate_series(1, 1000) as n"),
      ).rejects.toMatchObject({ code: "53100" });
    },
    empty: () => rmSync(filler),
    remove: () => {
      unmount(as, folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const run = (...[command, ...args]: readonly string[]): boolean =>
  spawnSync(command!, args, { stdio: "ignore" }).status === 0;

/** Writes ever smaller pieces until nothing fits. */
function fillUp(file: string): void {
  const open = openSync(file, "w");
  for (let size = 2 ** 20; size >= 1; size = size / 2) {
    const piece = Buffer.alloc(size);
    try {
      for (;;) writeSync(open, piece);
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
    }
  }
  closeSync(open);
}

/** Refuses each fact as a full disk does. This works on any machine. */
function refusing(): Disk {
  let proxy: Proxy | undefined;
  const between: WorldOptions["between"] = async (database) => {
    proxy = await startProxy(database);
    return { ...database, port: proxy.port };
  };
  return {
    wishes: { between },
    fill: async () => {
      proxy!.there = (bytes) => (bytes.includes("ballast-append") ? postgresRefusal("53100") : "pass");
    },
    empty: () => {
      proxy!.there = () => "pass";
    },
    remove: () => proxy?.close(),
  };
}

const app = "amber";
const asRoot = mayMount();
const disks: readonly (readonly [string, () => Disk])[] = [
  ["a database that refuses facts as with a full disk", refusing],
  ...(asRoot ? [["a real disk that is full", () => mounted(asRoot)] as const] : []),
];
if (!asRoot) console.log("No disk can be mounted here, so that of the two full disks the one on order runs alone.");

test.for(disks)(
  "a rollout meets %s: nothing that was written is lost, users stay where they are, and with room again it is promoted",
  { timeout: 180_000 },
  async ([, open]) => {
    const disk = open();
    onTestFinished(disk.remove);
    const world = await openWorld({ apps: [app], ...disk.wishes });
    const { pool, traffic } = world;
    onTestFinished(world.close);
    const canary = await world.shop.release("2", [{ revisionName: world.first.get(app)!, weight: 100 }], app);
    await world.requestRollout(app, canary, "2", 6);
    const events = async (): Promise<readonly RolloutEvent[]> =>
      (
        await pool.query<{ event: RolloutEvent }>(
          "select event from ballast.facts where stream like $1 order by index",
          [`%/${canary}`],
        )
      ).rows.map(({ event }) => event);
    await eventually(async () => (await events()).some(({ kind }) => kind === "StepReached"), "the first step", 60);
    const half = await traffic(app);
    await disk.fill(pool);
    const written = await silence(events);
    expect(written.map(({ kind }) => kind)).not.toContain("Finished");
    expect(await traffic(app)).toEqual(half);
    disk.empty();
    const all = await eventually(
      async () => {
        const read = await events();
        return read.at(-1)?.kind === "Finished" && read;
      },
      "the rollout to end",
      120,
    );
    expect(all.slice(0, written.length)).toEqual(written);
    expect(all.at(-1)).toMatchObject({ result: "promoted" });
    expect(replay(all)).toBeUndefined();
    expect(await traffic(app)).toEqual([{ revisionName: canary, weight: 100 }]);
  },
);

/** Waits until nothing was written for longer than a step's bake. Pages in use have room for a few facts. */
async function silence(events: () => Promise<readonly RolloutEvent[]>): Promise<readonly RolloutEvent[]> {
  let written = await events();
  let since = performance.now();
  await eventually(
    async () => {
      const now = await events();
      if (now.length > written.length) [written, since] = [now, performance.now()];
      return performance.now() - since > 7000;
    },
    "silence",
    60,
  );
  return written;
}
