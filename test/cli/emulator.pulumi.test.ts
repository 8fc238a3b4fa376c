// `ballast local` as a person meets it: a process that outlives its shell, lines that work when they are pasted, and nothing left after
// `down`. The lines are taken from what the command prints and the programs from its document.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bringEngine } from "../../toolchain/pulumi/bring.ts";
import { rawClient, webImage } from "../support/emulator/cloud.ts";
import { eventually } from "../support/postgres/postgres.ts";
import { isAlive } from "../support/processes.ts";

const root = path.join(import.meta.dirname, "..", "..");
let folder: string;

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in a shell that then ends, as a person's does. */
async function shell(line: string, environment: NodeJS.ProcessEnv = {}): Promise<Said> {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env;
  return promisify(execFile)("/bin/sh", ["-c", line], {
    cwd: folder,
    env: { ...inherited, ...environment },
    maxBuffer: 32 * 1024 * 1024,
  }).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      out: error.stdout,
      err: error.stderr,
    }),
  );
}

const local = (words: string): Promise<Said> =>
  shell(`${process.execPath} ${path.join(root, "cli", "ballast.mjs")} local ${words}`);

async function asJson(words: string): Promise<any> {
  const { code, out, err } = await local(`${words} --json`);
  expect([code, err], `${words}: ${out}`).toEqual([0, ""]);
  return JSON.parse(out);
}

const isOpen = (port: number, host = "127.0.0.1"): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect({ port, host, timeout: 2000 }, () => {
      socket.destroy();
      resolve(true);
    });
    socket
      .on("error", () => resolve(false))
      .on("timeout", () => {
        socket.destroy();
        resolve(false);
      });
  });

const running = (of = ".ballast-local") => JSON.parse(readFileSync(path.join(folder, of, "running.json"), "utf8"));
const host = "shop.apps.westeurope.ballast.localhost";

/** Deploys an app of two revisions, 80 to 20, the second labelled. */
async function deploy(of = ".ballast-local"): Promise<{
  readonly client: Awaited<ReturnType<typeof rawClient>>;
  readonly first: string;
  readonly second: string;
}> {
  const { cloud } = running(of);
  const client = await rawClient(cloud);
  const group = `/subscriptions/${cloud.subscription}/resourceGroups/shop`;
  const app = `${group}/providers/Microsoft.App/containerApps/shop?api-version=2025-07-01`;
  await client.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await client.settle("PUT", `${group}/providers/Microsoft.App/managedEnvironments/apps?api-version=2025-07-01`, {
    location: "westeurope",
    properties: {},
  });
  const put = async (word: string, more: object = {}): Promise<string> => {
    await client.settle("PUT", app, {
      location: "westeurope",
      properties: {
        managedEnvironmentId: `${group}/providers/Microsoft.App/managedEnvironments/apps`,
        template: {
          containers: [{ name: "web", image: "registry.example/web:1", env: [{ name: "WORD", value: word }] }],
          scale: { minReplicas: 1 },
        },
        configuration: {
          activeRevisionsMode: "Multiple",
          ingress: { external: true, targetPort: 8080, traffic: [{ latestRevision: true, weight: 100 }] },
        },
        ...more,
      },
    });
    return (await client.ask("GET", app)).body.properties.latestRevisionName;
  };
  const [first, second] = [await put("one"), await put("two")];
  await client.settle("PATCH", app, {
    properties: {
      configuration: {
        ingress: {
          traffic: [
            { revisionName: first, weight: 80 },
            { revisionName: second, weight: 20, label: "canary" },
          ],
        },
      },
    },
  });
  for (const revision of [first, second])
    await eventually(
      async () =>
        (await client.ask("GET", `https://${revision}.apps.westeurope.ballast.localhost/`).catch(() => undefined))
          ?.status === 200,
      `an answer of ${revision}`,
    );
  return { client, first, second };
}

const makeFolder = (): void => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-local-"));
  webImage(folder);
};
const removeFolder = async (): Promise<void> => {
  for (const name of readdirSync(folder))
    if (/^(\.ballast-local|other)$/.test(name)) await local(`down --folder ${name}`);
  rmSync(folder, { recursive: true, force: true });
};
const image = "--image web=./web:main.mjs";

describe("a cloud that is up", () => {
  let up: any;
  let guide: string;
  let at: Awaited<ReturnType<typeof deploy>>;
  beforeAll(async () => {
    makeFolder();
    guide = (await local(`up ${image}`)).out;
    await local("down");
    up = await asJson("up");
    at = await deploy();
  });
  afterAll(removeFolder);

  /** Gives a line of the guide, as a person would paste it. */
  const pasted = (title: string): string => {
    const line = guide
      .split("\n")
      .find((each) => each.startsWith(title))!
      .slice(title.length)
      .trim();
    return line.replace("<app>.<environment>", "shop.apps");
  };

  test("has outlived its shell on the port it had before, and tells everything that a program needs", async () => {
    expect(isAlive(up.pid)).toBe(true);
    expect(guide).toContain(`up on 127.0.0.1:${up.port} `);
    expect(up).toMatchObject({
      endpoints: { resourceManager: `https://127.0.0.1:${up.port}` },
      caFile: path.join(up.folder, "ca.pem"),
      ingress: { address: `127.0.0.1:${up.port}` },
      subscription: expect.stringMatching(/ba11a57e$/),
      tenant: expect.stringMatching(/beef$/),
      token: expect.stringMatching(/^ey/),
    });
    for (const name of ["environment", "running.json", "log", "images.json", "charter.json"])
      expect([name, statSync(path.join(up.folder, name)).mode & 0o777]).toEqual([name, 0o600]);
  });

  test("listens on 127.0.0.1 and on no other address of the machine", async () => {
    const others = Object.values(networkInterfaces()).flatMap((each = []) =>
      each.filter(({ internal, family }) => !internal && family === "IPv4").map(({ address }) => address),
    );
    const { cloud } = running();
    for (const port of [cloud.port, cloud.providerPort]) {
      expect(await isOpen(port)).toBe(true);
      for (const address of ["::1", ...others])
        expect([address, await isOpen(port, address)]).toEqual([address, false]);
    }
  });

  test("answers the curl lines that it printed, Resource Manager's and an app's", async () => {
    const groups = await shell(pasted("curl"));
    expect(JSON.parse(groups.out).value).toMatchObject([{ name: "shop" }]);
    expect(JSON.parse((await shell(pasted("an app"))).out)).toMatchObject({
      revision: expect.stringMatching(/^shop--/),
    });
  });

  test("answers as every door by its address alone", async () => {
    const origin = `https://127.0.0.1:${up.port}`;
    expect((await at.client.ask("GET", `${origin}/metadata/endpoints?api-version=2022-09-01`)).body).toMatchObject({
      resourceManager: `${origin}/`,
      authentication: { loginEndpoint: `${origin}/` },
    });
    expect(
      (await at.client.ask("GET", `${origin}/${up.tenant}/v2.0/.well-known/openid-configuration`)).body,
    ).toMatchObject({ token_endpoint: `${origin}/${up.tenant}/oauth2/v2.0/token` });
    // The logs' own door knows that this token is for another.
    expect(
      (await at.client.ask("POST", `${origin}/v1/workspaces/none/query`, { query: "x" })).body.error,
    ).toMatchObject({
      code: "InvalidAuthenticationTokenAudience",
      message: expect.stringContaining("api.loganalytics"),
    });
  });

  /** The first program of the document that says this. */
  const programOf = (word: string): string =>
    [...readFileSync(path.join(root, "docs", "start", "emulator.md"), "utf8").matchAll(/```js\n(.*?)```/gs)]
      .map(([, text]) => text!)
      .find((text) => text.includes(word))!;

  test("serves the document's program with Microsoft's client in a shell with its environment", async () => {
    symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
    writeFileSync(path.join(folder, "program.mjs"), programOf("arm-appcontainers"));
    const { code, out, err } = await shell(`${pasted("a shell")} && ${process.execPath} program.mjs`);
    expect([code, err, out]).toEqual([0, "", `shop ${at.second}\n`]);
  });

  test("serves the document's Pulumi program under the real engine", async () => {
    const engine = await bringEngine();
    const program = path.join(folder, "pulumi");
    for (const name of ["", "state", "home"]) mkdirSync(path.join(program, name));
    symlinkSync(path.join(root, "node_modules"), path.join(program, "node_modules"));
    writeFileSync(path.join(program, "package.json"), '{"type":"module"}');
    writeFileSync(
      path.join(program, "Pulumi.yaml"),
      `name: five\nruntime: { name: nodejs, options: { typescript: false } }\nmain: index.js\nbackend: { url: "file://${program}/state" }\n`,
    );
    writeFileSync(path.join(program, "index.js"), programOf("azure-native"));
    const environment = {
      ...engine.environment,
      HOME: folder,
      PULUMI_HOME: path.join(program, "home"),
      PULUMI_CONFIG_PASSPHRASE: "",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const pulumi = (words: string): Promise<Said> =>
      shell(`${pasted("a shell")} && cd pulumi && ${engine.command} ${words} --non-interactive`, environment);
    await pulumi("stack init dev");
    const { code, out, err } = await pulumi("preview");
    expect(code, out + err).toBe(0);
    expect(out).toMatch(/\+ 3 to create/);
  });

  test("says how it stands: revisions, weights, replicas, labels and their addresses", async () => {
    const { apps } = await asJson("status");
    expect(apps).toMatchObject([
      {
        name: "shop",
        resourceGroup: "shop",
        address: `https://${host}`,
        revisions: [
          { name: at.first, weight: 80, active: true, replicas: [{ pid: expect.any(Number), ready: true }] },
          {
            name: at.second,
            weight: 20,
            labels: ["canary"],
            labelAddresses: ["https://shop---canary.apps.westeurope.ballast.localhost"],
          },
        ],
      },
    ]);
    const { out } = await local("status");
    expect(out).toMatch(new RegExp(`${at.second} +20 +Running +1 of 1`));
    expect(out).not.toContain("\u001b[");
  });

  test("tells second by second who answered real requests, and who in all", async () => {
    const lines = (await local("traffic shop --rate 40 --seconds 3 --json")).out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const summary = lines.at(-1);
    expect(summary).toMatchObject({ kind: "summary", failed: 0 });
    expect(summary.sent).toBe(summary.byRevision[at.first].answered + summary.byRevision[at.second].answered);
    expect(summary.sent).toBeLessThanOrEqual(121); // What the rate allows; a slow machine may send fewer.
    expect(summary.byRevision[at.first].answered).toBeGreaterThan(summary.byRevision[at.second].answered);
    expect(lines.filter(({ kind }) => kind === "second").length).toBeGreaterThanOrEqual(3);
    expect((await local("traffic shop --rate 20 --seconds 2")).out).toMatch(
      new RegExp(`^\\d\\d:\\d\\d:\\d\\d  \\d+ sent, \\d+ answered, 0 failed  .*${at.first} \\d+`),
    );
  });

  test("sets, advances and frees the clock", async () => {
    expect(await asJson("clock set 2030-01-31T12:00:00Z")).toEqual({ at: "2030-01-31T12:00:00.000Z", held: true });
    expect(await asJson("clock advance 90m")).toEqual({ at: "2030-01-31T13:30:00.000Z", held: true });
    expect((await local("clock")).out).toBe("The clock stands at 2030-01-31T13:30:00.000Z.\n");
    expect(await asJson("clock real")).toMatchObject({ held: false });
  });

  test("orders faults one after another, which requests then meet, and cancels them", async () => {
    await local("fault add throttle --path resourcegroups/shop$ --method get --times 2 --seconds 7");
    await local("fault add conflict --path containerApps/shop$ --method PATCH --code ContainerAppLockConflict");
    expect((await asJson("fault list")).faults).toMatchObject([
      { method: "GET", times: 2, status: 429 },
      { method: "PATCH", status: 409, code: "ContainerAppLockConflict" },
    ]);
    const group = `/subscriptions/${up.subscription}/resourceGroups/shop?api-version=2024-03-01`;
    expect(await at.client.ask("GET", group)).toMatchObject({ status: 429, headers: { "retry-after": "7" } });
    expect((await local("fault")).out).toMatch(/^GET resourcegroups\/shop\$, 1 more time: .*status 429/);
    expect((await local("fault clear")).out).toBe("No fault is on order.\n");
    expect((await at.client.ask("GET", group)).status).toBe(200);
  });

  test("refuses in words of the catalogue", async () => {
    expect(await local("up")).toMatchObject({ code: 1, err: expect.stringContaining("cli-local-up-already") });
    expect(await local("traffic nobody")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/cli-local-app-unknown.*nobody.*shop/),
    });
    expect(await local("clock set tomorrow")).toMatchObject({
      code: 2,
      err: expect.stringContaining("cli-local-time-unclear"),
    });
    expect(await local("clock advance 5")).toMatchObject({
      code: 2,
      err: expect.stringContaining("cli-local-time-unclear"),
    });
    expect(await local("reset")).toMatchObject({ code: 2, err: expect.stringContaining("cli-local-reset-unasked") });
    expect(await local("fault add flood --path x")).toMatchObject({
      code: 2,
      err: expect.stringContaining("Allowed choices are fail, throttle, conflict"),
    });
    const { code, out } = await local("fault add fail --path '(' --json");
    expect([code, JSON.parse(out).error.id]).toEqual([1, "cli-local-refused"]);
  });
});

describe("a folder", () => {
  beforeEach(makeFolder);
  afterEach(removeFolder);

  test("leaves no process and no port after down, keeps its cloud, and forgets it by reset", async () => {
    const up = await asJson(`up ${image} --postgres`);
    const { cloud, postgres } = running();
    await deploy();
    const { processes } = (await (await rawClient(cloud)).ask("GET", "/_standin/processes")).body;
    const pids = [up.pid, ...processes.map(({ pid }: { pid: number }) => pid)];
    expect(pids.filter(isAlive)).toHaveLength(3);
    expect(await isOpen(postgres.port)).toBe(true);
    expect(await asJson("down")).toMatchObject({ stopped: true, pid: up.pid });
    expect(pids.filter(isAlive)).toEqual([]);
    for (const port of [cloud.port, cloud.providerPort, postgres.port]) expect(await isOpen(port)).toBe(false);
    expect(await local("status")).toMatchObject({ code: 3, out: expect.stringContaining("not up; its state is kept") });
    expect(await local("down")).toMatchObject({ code: 3, err: expect.stringContaining("cli-local-not-up") });
    expect(await asJson("reset --yes")).toMatchObject({ forgotten: true });
    expect(readdirSync(folder)).not.toContain(".ballast-local");
  });

  test("whose process was killed says so, and is taken up where it was", async () => {
    const up = await asJson(`up ${image}`);
    const { first } = await deploy();
    const pids = (await asJson("status")).apps[0].revisions.flatMap(({ replicas }: any) =>
      replicas.map(({ pid }: any) => pid),
    );
    process.kill(up.pid, "SIGKILL");
    await eventually(() => ![up.pid, ...pids].some(isAlive), "the end of the process and its replicas");
    expect((await local("status")).out).toContain(`process ${up.pid} was killed; its state is kept`);
    expect((await local("up")).out).toContain(`Process ${up.pid}, started `);
    const [app] = (await asJson("status")).apps;
    expect(app.revisions[0]).toMatchObject({ name: first, weight: 80 });
    const client = await rawClient(running().cloud);
    await eventually(
      async () => (await client.ask("GET", `https://${host}/`).catch(() => undefined))?.status === 200,
      "the app's answer",
    );
  });

  test("does not take another process for its own, whatever id a stale record names", async () => {
    const up = await asJson("up");
    process.kill(up.pid, "SIGKILL");
    await eventually(() => !isAlive(up.pid), "the end of the process");
    const stranger: ChildProcess = spawn("sleep", ["60"]);
    writeFileSync(
      path.join(up.folder, "running.json"),
      JSON.stringify({ pid: stranger.pid, startedAt: "2030-01-01T00:00:00.000Z" }),
    );
    expect(await local("down")).toMatchObject({ code: 3 });
    expect((await asJson("up")).pid).not.toBe(stranger.pid);
    expect(isAlive(stranger.pid!)).toBe(true);
    stranger.kill();
    await once(stranger, "exit");
  });

  test("is a cloud of its own beside another", async () => {
    const [one, other] = [await asJson(`up ${image}`), await asJson(`up --folder other ${image}`)];
    await deploy();
    expect([one.port === other.port, one.token === other.token]).toEqual([false, false]);
    expect((await asJson("status --folder other")).apps).toEqual([]);
    const { agent, ask } = await rawClient(running("other").cloud);
    expect(
      (await ask("GET", `/subscriptions/${one.subscription}?api-version=2024-03-01`, undefined, { token: one.token }))
        .status,
    ).not.toBe(200);
    agent.destroy();
    await local("down --folder other");
    expect((await asJson("status")).apps).toHaveLength(1);
  });

  test("is refused where it cannot be started, with the reason, and what is kept stays", async () => {
    expect(await local("up --image web=./nowhere:main.mjs")).toMatchObject({
      code: 2,
      err: expect.stringContaining("cli-local-image-unclear"),
    });
    expect(await local("up --port 70000")).toMatchObject({ code: 2, err: expect.stringContaining("not a port") });
    expect(await local("up --folder web")).toMatchObject({
      code: 1,
      err: expect.stringContaining("cli-local-folder-foreign"),
    });
    const { port } = await asJson("up");
    await local("down");
    expect(await local(`up --port ${port === 65535 ? 65534 : port + 1}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining("cli-local-port-kept"),
    });
    const taken = net.createServer().listen(port, "127.0.0.1");
    await once(taken, "listening");
    expect(await local("up")).toMatchObject({
      code: 1,
      err: expect.stringMatching(new RegExp(`cli-local-port-taken.*127.0.0.1:${port}, which`)),
    });
    expect(await local(`up --folder other --port ${port}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining("cli-local-port-taken"),
    });
    taken.close();
    const at = (name: string): string => path.join(folder, ".ballast-local", name);
    const charter = readFileSync(at("charter.json"), "utf8");
    writeFileSync(at("charter.json"), charter.replace('"format":1', '"format":2'));
    expect(await local("up")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/cli-local-state-unreadable.*format 2/),
    });
    writeFileSync(at("charter.json"), charter);
    writeFileSync(at("documents.jsonl"), "no json\n");
    expect(await local("up")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/cli-local-state-unreadable.*Line 1 of .*documents.jsonl is damaged/),
    });
    rmSync(at("documents.jsonl"));
    rmSync(at("ca.pem"));
    mkdirSync(at("ca.pem"));
    expect(await local("up")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/cli-local-start-failed[^]*EISDIR/),
    });
    rmSync(at("ca.pem"), { recursive: true });
    expect((await asJson("up")).port).toBe(port);
  });

  test("is left as it was where up was broken off before it had said anything", async () => {
    const line = spawn(process.execPath, [path.join(root, "cli", "main.ts"), "local", "up"], {
      cwd: folder,
      stdio: "ignore",
    });
    const record = path.join(folder, ".ballast-local", "running.json");
    const { pid } = await eventually(
      () => existsSync(record) && readFileSync(record, "utf8") !== "" && running(),
      "the start of the process",
    );
    line.kill("SIGKILL");
    await once(line, "exit");
    await eventually(() => !isAlive(pid), "the end of the process");
    expect(existsSync(record)).toBe(false);
  });

  test("is asked in vain where nothing is up: every command says so, with 3", async () => {
    for (const words of ["down", "token", "clock", "fault", "traffic shop"])
      expect([words, await local(words)]).toMatchObject([
        words,
        { code: 3, err: expect.stringContaining("cli-local-not-up") },
      ]);
    expect(await local("status")).toMatchObject({ code: 3, out: expect.stringContaining("nothing is kept there") });
  });
});

test("every command has help with an example", async () => {
  folder = tmpdir();
  for (const words of [
    "up",
    "down",
    "status",
    "reset",
    "token",
    "clock show",
    "clock set",
    "clock advance",
    "clock real",
    "fault list",
    "fault add",
    "fault clear",
    "traffic",
  ]) {
    expect([words, await local(`${words} --help`)]).toEqual([
      words,
      { code: 0, err: "", out: expect.stringMatching(new RegExp(`Examples:\\n  ballast local ${words}`)) },
    ]);
  }
});
