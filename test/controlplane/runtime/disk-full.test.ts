// A disk on which PostgreSQL can write nothing more, in the middle of a rollout: the server's refusal of a full disk (SQLSTATE 53100) for
// every fact, and, where this machine lets us mount one, a real small disk that is filled to its last byte. What was acknowledged stays,
// users stay where they are, and with room again the rollout goes on to its right end.
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { replay } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { openWorld, type Wishes } from "../../../proofs/chaos/world.ts";
import { eventually } from "../../support/postgres/postgres.ts";
import { type Proxy, postgresRefusal, startProxy } from "../../support/postgres/proxy.ts";

/** A disk that can be filled, and emptied again. */
interface Disk {
  readonly wishes: Wishes;
  readonly fill: (pool: pg.Pool) => Promise<void>;
  readonly empty: () => void;
  readonly remove: () => Promise<void> | undefined | void;
}

// A fresh server takes half of it, and its log of writes never a segment more while nothing is big.
const megabytes = 80;

const mount = (as: readonly string[], folder: string): boolean =>
  run(...as, "mount", "-t", "tmpfs", "-o", `size=${megabytes}m,mode=1777`, "ballast", folder);
const unmount = (as: readonly string[], folder: string): boolean => run(...as, "umount", "--lazy", folder);
const emptyFolder = (): string => mkdtempSync(path.join(tmpdir(), "ballast-disk-"));

/** By which words before it a mount is permitted here: none for root, sudo where it asks for no password; undefined where neither is. */
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

/** Writes until nothing more can be written, in ever smaller pieces. */
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

/** Refuses each fact as a full disk does, which any machine can. */
function refusing(): Disk {
  let proxy: Proxy | undefined;
  const between: Wishes["between"] = async (database) => {
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
const as = mayMount();
const disks: readonly (readonly [string, () => Disk])[] = [
  ["a database that refuses facts as with a full disk", refusing],
  ...(as ? [["a real disk that is full", () => mounted(as)] as const] : []),
];
if (!as) console.log("No disk can be mounted here, so that of the two full disks the one on order runs alone.");

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

/** Waits until nothing has been written for longer than the step is watched; pages that are begun have room for a few facts. */
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
