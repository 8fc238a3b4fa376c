// `ballast emulator` as a person meets it: a process that outlives its shell, and a guide whose commands work when they
// are pasted. The commands are taken from what `up` prints, and the programs from docs/start/emulator.md.
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bringPulumi } from "../../toolchain/pulumi/bring.ts";
import {
  appHost,
  type CommandResult,
  type DeployedApp,
  type EmulatorFolder,
  isOpen,
  makeEmulatorFolder,
  webOption,
} from "../support/emulator/emulator-command.ts";
import { isAlive } from "../support/processes.ts";

const root = path.join(import.meta.dirname, "..", "..");

describe("an emulator that is up", () => {
  let here: EmulatorFolder;
  let up: any;
  let guide: string;
  let app: DeployedApp;
  beforeAll(async () => {
    here = makeEmulatorFolder();
    guide = (await here.emulator(`up ${webOption}`)).out;
    await here.emulator("down");
    up = await here.asJson("up");
    app = await here.deploy();
  });
  afterAll(() => here.remove());

  /** Gives a command of the guide, as a person would paste it. */
  const pasted = (title: string): string => {
    const line = guide
      .split("\n")
      .find((each) => each.startsWith(title))!
      .slice(title.length)
      .trim();
    return line.replace("<app>.<environment>", "shop.apps");
  };

  test("outlives its shell, keeps its port, and gives everything that a program needs", async () => {
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
    const { cloud } = here.running();
    for (const port of [cloud.port, cloud.providerPort]) {
      expect(await isOpen(port)).toBe(true);
      for (const address of ["::1", ...others])
        expect([address, await isOpen(port, address)]).toEqual([address, false]);
    }
  });

  test("answers the curl commands of its guide, for Resource Manager and for an app", async () => {
    const groups = await here.shell(pasted("curl"));
    expect(JSON.parse(groups.out).value).toMatchObject([{ name: "shop" }]);
    expect(JSON.parse((await here.shell(pasted("an app"))).out)).toMatchObject({
      revision: expect.stringMatching(/^shop--/),
    });
  });

  test("answers as Resource Manager, sign-in and Log Analytics at its one address", async () => {
    const origin = `https://127.0.0.1:${up.port}`;
    expect((await app.client.ask("GET", `${origin}/metadata/endpoints?api-version=2022-09-01`)).body).toMatchObject({
      resourceManager: `${origin}/`,
      authentication: { loginEndpoint: `${origin}/` },
    });
    expect(
      (await app.client.ask("GET", `${origin}/${up.tenant}/v2.0/.well-known/openid-configuration`)).body,
    ).toMatchObject({ token_endpoint: `${origin}/${up.tenant}/oauth2/v2.0/token` });
    // Log Analytics refuses a token for another audience.
    expect(
      (await app.client.ask("POST", `${origin}/v1/workspaces/none/query`, { query: "x" })).body.error,
    ).toMatchObject({
      code: "InvalidAuthenticationTokenAudience",
      message: expect.stringContaining("api.loganalytics"),
    });
  });

  /** Gives the first program of the page that contains a word. */
  const programOf = (word: string): string =>
    [...readFileSync(path.join(root, "docs", "start", "emulator.md"), "utf8").matchAll(/```js\n(.*?)```/gs)]
      .map(([, text]) => text!)
      .find((text) => text.includes(word))!;

  test("runs the page's program with Microsoft's client in a shell with its environment", async () => {
    symlinkSync(path.join(root, "node_modules"), path.join(here.folder, "node_modules"));
    writeFileSync(path.join(here.folder, "program.mjs"), programOf("arm-appcontainers"));
    const { code, out, err } = await here.shell(`${pasted("a shell")} && ${process.execPath} program.mjs`);
    expect([code, err, out]).toEqual([0, "", `shop ${app.second}\n`]);
  });

  test("runs the page's Pulumi program under the real Pulumi CLI", async () => {
    const pulumiCli = await bringPulumi();
    const program = path.join(here.folder, "pulumi");
    for (const name of ["", "state", "home"]) mkdirSync(path.join(program, name));
    symlinkSync(path.join(root, "node_modules"), path.join(program, "node_modules"));
    writeFileSync(path.join(program, "package.json"), '{"type":"module"}');
    writeFileSync(
      path.join(program, "Pulumi.yaml"),
      [
        "name: five",
        "runtime: { name: nodejs, options: { typescript: false } }",
        "main: index.js",
        `backend: { url: "file://${program}/state" }`,
        "",
      ].join("\n"),
    );
    writeFileSync(path.join(program, "index.js"), programOf("azure-native"));
    const environment = {
      ...pulumiCli.environment,
      HOME: here.folder,
      PULUMI_HOME: path.join(program, "home"),
      PULUMI_CONFIG_PASSPHRASE: "",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const pulumi = (words: string): Promise<CommandResult> =>
      here.shell(`${pasted("a shell")} && cd pulumi && ${pulumiCli.command} ${words} --non-interactive`, environment);
    await pulumi("stack init dev");
    const { code, out, err } = await pulumi("preview");
    expect(code, out + err).toBe(0);
    expect(out).toMatch(/\+ 3 to create/);
  });

  test("status shows revisions, weights, replicas, labels and addresses", async () => {
    const { apps } = await here.asJson("status");
    expect(apps).toMatchObject([
      {
        name: "shop",
        resourceGroup: "shop",
        address: `https://${appHost}`,
        revisions: [
          { name: app.first, weight: 80, active: true, replicas: [{ pid: expect.any(Number), ready: true }] },
          {
            name: app.second,
            weight: 20,
            labels: ["canary"],
            labelAddresses: ["https://shop---canary.apps.westeurope.ballast.localhost"],
          },
        ],
      },
    ]);
    const { out } = await here.emulator("status");
    expect(out).toMatch(new RegExp(`${app.second} +20 +Running +1 of 1`));
    expect(out).not.toContain("\u001b[");
  });

  test("traffic reports which revisions answered, every second and in total", async () => {
    const lines = (await here.emulator("traffic shop --rate 40 --seconds 3 --json")).out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const summary = lines.at(-1);
    expect(summary).toMatchObject({ kind: "summary", failed: 0 });
    expect(summary.sent).toBe(summary.byRevision[app.first].answered + summary.byRevision[app.second].answered);
    expect(summary.sent).toBeLessThanOrEqual(121); // The rate allows no more; a slow machine may send fewer.
    expect(summary.byRevision[app.first].answered).toBeGreaterThan(summary.byRevision[app.second].answered);
    // The three seconds include the start of the generator, and the last line is a part of a second.
    expect(lines.filter(({ kind }) => kind === "second").length).toBeGreaterThanOrEqual(2);
    expect((await here.emulator("traffic shop --rate 20 --seconds 2")).out).toMatch(
      new RegExp(`^\\d\\d:\\d\\d:\\d\\d  \\d+ sent, \\d+ answered, 0 failed  .*${app.first} \\d+`),
    );
  });

  test("clock is set, advanced and started again", async () => {
    expect(await here.asJson("clock set 2030-01-31T12:00:00Z")).toEqual({
      at: "2030-01-31T12:00:00.000Z",
      stopped: true,
    });
    expect(await here.asJson("clock advance 90m")).toEqual({ at: "2030-01-31T13:30:00.000Z", stopped: true });
    expect((await here.emulator("clock")).out).toBe("The clock is stopped at 2030-01-31T13:30:00.000Z.\n");
    expect(await here.asJson("clock real")).toMatchObject({ stopped: false });
  });

  test("fault adds faults, which hit requests, and clears them", async () => {
    await here.emulator("fault add throttle --path resourcegroups/shop$ --method get --times 2 --seconds 7");
    await here.emulator("fault add conflict --path containerApps/shop$ --method PATCH --code ContainerAppLockConflict");
    expect((await here.asJson("fault list")).faults).toMatchObject([
      { method: "GET", times: 2, status: 429 },
      { method: "PATCH", status: 409, code: "ContainerAppLockConflict" },
    ]);
    const group = `/subscriptions/${up.subscription}/resourceGroups/shop?api-version=2024-03-01`;
    expect(await app.client.ask("GET", group)).toMatchObject({ status: 429, headers: { "retry-after": "7" } });
    expect((await here.emulator("fault")).out).toMatch(/^GET resourcegroups\/shop\$, 1 more request: .*status 429/);
    expect((await here.emulator("fault clear")).out).toBe("No faults are pending.\n");
    expect((await app.client.ask("GET", group)).status).toBe(200);
  });

  test("invalid commands fail with errors of the catalogue", async () => {
    expect(await here.emulator("up")).toMatchObject({
      code: 1,
      err: expect.stringContaining("cli-emulator-up-already"),
    });
    expect(await here.emulator("traffic nobody")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/cli-emulator-app-unknown.*nobody.*shop/),
    });
    expect(await here.emulator("clock set tomorrow")).toMatchObject({
      code: 2,
      err: expect.stringContaining("cli-emulator-time-unclear"),
    });
    expect(await here.emulator("clock advance 5")).toMatchObject({
      code: 2,
      err: expect.stringContaining("cli-emulator-time-unclear"),
    });
    expect(await here.emulator("reset")).toMatchObject({
      code: 2,
      err: expect.stringContaining("cli-emulator-reset-unasked"),
    });
    expect(await here.emulator("fault add flood --path x")).toMatchObject({
      code: 2,
      err: expect.stringContaining("Allowed choices are fail, throttle, conflict"),
    });
    const { code, out } = await here.emulator("fault add fail --path '(' --json");
    expect([code, JSON.parse(out).error.id]).toEqual([1, "cli-emulator-refused"]);
  });
});

test("every command has help with an example", async () => {
  const here = makeEmulatorFolder();
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
    expect([words, await here.emulator(`${words} --help`)]).toEqual([
      words,
      { code: 0, err: "", out: expect.stringMatching(new RegExp(`Examples:\\n  ballast emulator ${words}`)) },
    ]);
  }
  await here.remove();
});
