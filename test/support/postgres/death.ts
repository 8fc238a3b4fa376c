// Kills a whole PostgreSQL as a power cut would, and starts it again on what it left. It is found by its data folder.
// Its keeper, which would remove that folder, is suspended meanwhile. This works where processes are files under /proc.
import { spawn } from "node:child_process";
import { readFileSync, rmSync, statSync } from "node:fs";
import pg from "pg";
import type { Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { isAlive } from "../processes.ts";
import { eventually } from "./postgres.ts";

const clientOf = ({ host, port, user, password, name }: Database): pg.Client =>
  new pg.Client({ host, port, user, password: password as string, database: name });

/** A server that is down. It can be started again, and later ended, after which the keeper cleans up. */
export interface DeadPostgres {
  readonly revive: () => Promise<void>;
  readonly bury: () => Promise<void>;
}

/** Sends SIGKILL to the postmaster and waits until none of its processes is left. */
export async function killPostgres(database: Database): Promise<DeadPostgres> {
  const client = clientOf(database);
  client.on("error", () => {});
  await client.connect();
  const folder = (await client.query<{ data_directory: string }>("show data_directory")).rows[0]!.data_directory;
  const pids = (await client.query<{ pid: number }>("select pid from pg_stat_activity")).rows.map(({ pid }) => pid);
  const postmaster = Number(readFileSync(`${folder}/postmaster.pid`, "utf8").split("\n")[0]);
  const [command, ...args] = readFileSync(`/proc/${postmaster}/cmdline`, "utf8")
    .split("\0")
    .filter((part) => part !== "") as [string, ...string[]];
  const keeper = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${postmaster}/status`, "utf8"))![1]);
  process.kill(keeper, "SIGSTOP");
  process.kill(postmaster, "SIGKILL");
  await client.end().catch(() => undefined);
  await eventually(() => !pids.some(isAlive), "PostgreSQL to be gone", 30);
  let server: ReturnType<typeof spawn> | undefined;
  return {
    revive: async () => {
      const { uid, gid } = statSync(folder);
      // The suspended keeper cannot reap the dead process, so the new server would take it for a running one.
      rmSync(`${folder}/postmaster.pid`);
      server = spawn(command, args, { uid, gid, cwd: "/", stdio: "ignore", env: { LC_ALL: "C", TZ: "UTC" } });
      await eventually(
        async () => {
          const again = clientOf(database);
          again.on("error", () => {});
          return again
            .connect()
            .then(() => again.end())
            .then(
              () => true,
              () => false,
            );
        },
        "PostgreSQL to recover",
        30,
      );
    },
    bury: async () => {
      const running = server;
      if (running && running.exitCode === null)
        await new Promise((resolve) => {
          running.once("exit", resolve);
          running.kill("SIGINT");
        });
      process.kill(keeper, "SIGCONT");
    },
  };
}
