// The folder of `ballast emulator`: what is left after `down`, a crash, a failed start or an interrupted one, and that
// emulators in different folders are independent. Each test starts its own emulators.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { rawClient } from "../support/emulator/cloud.ts";
import {
  appHost,
  type EmulatorFolder,
  failedWith,
  isOpen,
  makeEmulatorFolder,
  webOption,
} from "../support/emulator/emulator-command.ts";
import { eventually } from "../support/postgres/postgres.ts";
import { isAlive } from "../support/processes.ts";

const root = path.join(import.meta.dirname, "..", "..");
let here: EmulatorFolder;

beforeEach(() => {
  here = makeEmulatorFolder();
});
afterEach(() => here.remove());

test("after down no process and no port is left; the state is saved until reset", async () => {
  const up = await here.asJson(`up ${webOption} --postgres`);
  const { cloud, postgres } = here.running();
  await here.deploy();
  const { processes } = (await (await rawClient(cloud)).ask("GET", "/_emulator/processes")).body;
  const pids = [up.pid, ...processes.map(({ pid }: { pid: number }) => pid)];
  expect(pids.filter(isAlive)).toHaveLength(3);
  expect(await isOpen(postgres.port)).toBe(true);
  expect(await here.asJson("down")).toMatchObject({ stopped: true, pid: up.pid });
  expect(pids.filter(isAlive)).toEqual([]);
  for (const port of [cloud.port, cloud.providerPort, postgres.port]) expect(await isOpen(port)).toBe(false);
  expect(await here.emulator("status")).toMatchObject({
    code: 3,
    out: expect.stringContaining("is not running. Its state is saved."),
  });
  expect(await here.emulator("down")).toMatchObject(failedWith(3, "cli-emulator-not-up"));
  expect(await here.asJson("reset --yes")).toMatchObject({ forgotten: true });
  expect(readdirSync(here.folder)).not.toContain(".ballast-emulator");
});

test("after a crash the next start reports it and restores the state", async () => {
  const up = await here.asJson(`up ${webOption}`);
  const { first } = await here.deploy();
  const pids = (await here.asJson("status")).apps[0].revisions.flatMap(({ replicas }: any) =>
    replicas.map(({ pid }: any) => pid),
  );
  process.kill(up.pid, "SIGKILL");
  await eventually(() => ![up.pid, ...pids].some(isAlive), "the end of the process and its replicas");
  expect((await here.emulator("status")).out).toContain(
    `is not running; process ${up.pid} was killed. Its state is saved.`,
  );
  expect((await here.emulator("up")).out).toContain(`Process ${up.pid}, started `);
  const [app] = (await here.asJson("status")).apps;
  expect(app.revisions[0]).toMatchObject({ name: first, weight: 80 });
  const client = await rawClient(here.running().cloud);
  await eventually(
    async () => (await client.ask("GET", `https://${appHost}/`).catch(() => undefined))?.status === 200,
    "the app's answer",
  );
});

test("a process id in a stale record that now belongs to another program is ignored", async () => {
  const up = await here.asJson("up");
  process.kill(up.pid, "SIGKILL");
  await eventually(() => !isAlive(up.pid), "the end of the process");
  const stranger: ChildProcess = spawn("sleep", ["60"]);
  writeFileSync(
    path.join(up.folder, "running.json"),
    JSON.stringify({ pid: stranger.pid, startedAt: "2030-01-01T00:00:00.000Z" }),
  );
  expect(await here.emulator("down")).toMatchObject({ code: 3 });
  expect((await here.asJson("up")).pid).not.toBe(stranger.pid);
  expect(isAlive(stranger.pid!)).toBe(true);
  stranger.kill();
  await once(stranger, "exit");
});

test("emulators in two folders are independent", async () => {
  const [one, other] = [await here.asJson(`up ${webOption}`), await here.asJson(`up --folder other ${webOption}`)];
  await here.deploy();
  expect([one.port === other.port, one.token === other.token]).toEqual([false, false]);
  expect((await here.asJson("status --folder other")).apps).toEqual([]);
  const { agent, ask } = await rawClient(here.running("other").cloud);
  expect(
    (await ask("GET", `/subscriptions/${one.subscription}?api-version=2024-03-01`, undefined, { token: one.token }))
      .status,
  ).not.toBe(200);
  agent.destroy();
  await here.emulator("down --folder other");
  expect((await here.asJson("status")).apps).toHaveLength(1);
});

/** Gives a free port that the system hands to nobody who did not ask for it: another test could take it meanwhile. */
async function quietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = net.createServer();
    const isFree = await new Promise<boolean>((resolve) =>
      server
        .once("error", () => resolve(false))
        .once("listening", () => server.close(() => resolve(true)))
        .listen(port, "127.0.0.1"),
    );
    if (isFree) return port;
  }
}

test("a start that fails gives the reason and keeps the saved state", async () => {
  expect(await here.emulator("up --image web=./nowhere:main.mjs")).toMatchObject(
    failedWith(2, "cli-emulator-image-unclear"),
  );
  expect(await here.emulator("up --port 70000")).toMatchObject(failedWith(2, "Expected a port"));
  expect(await here.emulator("up --folder web")).toMatchObject(failedWith(2, "cli-emulator-folder-foreign"));
  const { port } = await here.asJson(`up --port ${await quietPort()}`);
  await here.emulator("down");
  expect(await here.emulator(`up --port ${port + 1}`)).toMatchObject(failedWith(2, "cli-emulator-port-kept"));
  const taken = net.createServer().listen(port, "127.0.0.1");
  await once(taken, "listening");
  expect(await here.emulator("up")).toMatchObject(
    failedWith(1, new RegExp(`cli-emulator-port-taken.*127.0.0.1:${port}, the port that`)),
  );
  expect(await here.emulator(`up --folder other --port ${port}`)).toMatchObject(
    failedWith(1, "cli-emulator-port-taken"),
  );
  taken.close();
  const at = (name: string): string => path.join(here.folder, ".ballast-emulator", name);
  const charter = readFileSync(at("charter.json"), "utf8");
  writeFileSync(at("charter.json"), charter.replace('"format":1', '"format":2'));
  expect(await here.emulator("up")).toMatchObject(failedWith(1, /cli-emulator-state-unreadable.*format 2/));
  writeFileSync(at("charter.json"), charter);
  writeFileSync(at("documents.jsonl"), "no json\n");
  expect(await here.emulator("up")).toMatchObject(
    failedWith(1, /cli-emulator-state-unreadable.*Line 1 of .*documents.jsonl is damaged/),
  );
  rmSync(at("documents.jsonl"));
  rmSync(at("ca.pem"));
  mkdirSync(at("ca.pem"));
  expect(await here.emulator("up")).toMatchObject(failedWith(1, /cli-emulator-start-failed[^]*EISDIR/));
  rmSync(at("ca.pem"), { recursive: true });
  expect((await here.asJson("up")).port).toBe(port);
});

test("a start whose `up` is killed ends again and leaves no record", async () => {
  const line = spawn(process.execPath, [path.join(root, "cli", "main.ts"), "emulator", "up"], {
    cwd: here.folder,
    stdio: "ignore",
  });
  const record = path.join(here.folder, ".ballast-emulator", "running.json");
  const { pid } = await eventually(
    () => existsSync(record) && readFileSync(record, "utf8") !== "" && here.running(),
    "the start of the process",
  );
  line.kill("SIGKILL");
  await once(line, "exit");
  await eventually(() => !isAlive(pid), "the end of the process");
  expect(existsSync(record)).toBe(false);
});

test("every command exits with 3 if no emulator is running", async () => {
  for (const words of ["down", "token", "clock", "fault", "traffic shop"])
    expect([words, await here.emulator(words)]).toMatchObject([words, failedWith(3, "cli-emulator-not-up")]);
  expect(await here.emulator("status")).toMatchObject({
    code: 3,
    out: expect.stringContaining("It has no saved state."),
  });
});
