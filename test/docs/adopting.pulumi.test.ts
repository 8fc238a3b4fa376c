// docs/start/adopting.md is carried out: its program, its configuration, its import file and its commands, with the
// real Pulumi CLI on the emulator, by a team whose app was made by hand. Commands that need Azure's own command line or
// a registry are left out. The test prints how long each step took, for the page, and checks that no user notices
// anything.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { replicaSizes } from "../../components/conventions.ts";
import { switchActions } from "../../components/platform/dead-mans-switch.ts";
import { databaseSku } from "../../defaults.ts";
import { quickStrategy, wideThresholds } from "../support/controlplane/quick-strategy.ts";
import { assembleTeam, type Team } from "../support/docs/adopting-team.ts";
import { commandsOf } from "../support/docs/page-commands.ts";
import { management } from "../support/emulator/cloud.ts";
import { startUsers, type Users } from "../support/emulator/users.ts";
import { eventually } from "../support/postgres/postgres.ts";

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "start", "adopting.md"), "utf8");
/** Gives a chapter of the page by the beginning of its title. */
const chapter = (title: string): string => page.split(/^## /m).find((text) => text.startsWith(title))!;
/** Gives a text on one line, so that it does not matter where the page is wrapped. */
const unwrapped = (text: string): string => text.replaceAll(/\s+/g, " ");
/** Gives a chapter's block in a language, with the team's own values for the placeholders in `< >`. */
const block = (title: string, language: string): string =>
  filled(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(chapter(title))![1]!);
/** Gives the commands of a chapter's blocks that do not need Azure. */
const commands = (title: string): readonly string[] =>
  commandsOf("", chapter(title))
    .filter(({ inBlock, text }) => inBlock && !/^az |sign-in|image build|^npm install/.test(text))
    .map(({ text }) => filled(text));

let team: Team;
let stable: string;
let values: Readonly<Record<string, string>>;
let users: Users;

const filled = (text: string): string =>
  text.replaceAll(
    /<([^>]+)>/g,
    (whole, name: string) =>
      values[name] ?? expect.fail(`the page has the placeholder ${whole}, for which this test has no value`),
  );
const traffic = async (): Promise<readonly any[]> =>
  (await team.live()).properties.configuration.ingress.traffic.filter(({ weight }: any) => weight > 0);

/** Runs a chapter's commands, the last of which may fail, and prints how long they took. */
async function follow(
  title: string,
  onLine?: (line: string) => void,
): Promise<readonly { readonly code: number; readonly output: string }[]> {
  const from = Date.now();
  const ended = [];
  for (const command of commands(title)) ended.push(await team.shell(command, onLine));
  reportSeconds(title, from);
  return ended;
}
const reportSeconds = (title: string, from: number): void =>
  void process.stdout.write(`adopting ${title} took ${((Date.now() - from) / 1000).toFixed(0)} s\n`);
const expectSuccess = (ended: readonly { readonly code: number; readonly output: string }[]): void =>
  expect(ended.filter(({ code }) => code !== 0).map(({ output }) => output.slice(-3000))).toEqual([]);

beforeAll(async () => {
  team = await assembleTeam();
  const { cloud } = team.cloud;
  const inGroup = (path: string): string => `${team.group}/providers/${path}`;
  const customerId = (
    await team.cloud.ask(
      "GET",
      `${management}${inGroup("Microsoft.OperationalInsights/workspaces/shop-logs")}?api-version=2023-09-01`,
    )
  ).body.properties.customerId;
  values = {
    "subscription id": cloud.subscription,
    "tenant id": cloud.tenant,
    digest: `sha256:${"a".repeat(64)}`,
    "environment id": inGroup("Microsoft.App/managedEnvironments/shop-apps"),
    "environment's default domain": "shop-apps.westeurope.ballast.localhost",
    "workspace id": inGroup("Microsoft.OperationalInsights/workspaces/shop-logs"),
    "workspace's customer id": customerId,
    "puller id": inGroup("Microsoft.ManagedIdentity/userAssignedIdentities/shop-pulls"),
    "registry id": inGroup("Microsoft.ContainerRegistry/registries/shopimages"),
    "the image that shop runs now": "shopimages.azurecr.io/storefront:1",
    "the next image": "shopimages.azurecr.io/storefront:2",
  };
  stable = (await team.live()).properties.latestReadyRevisionName;
  const { config } = parse(block("4.", "yaml")) as { config: object };
  const emulator = {
    "azure-native:metadataHost": "management.ballast.localhost",
    "azure-native:disableInstanceDiscovery": true,
    "existing-app:endpoints": {
      resourceManager: management,
      logs: "https://api.loganalytics.ballast.localhost",
      login: "https://login.ballast.localhost",
    },
    "existing-app:databasePassword": "For tests, of no use elsewhere",
    "existing-app:server": { port: team.postgresPort, tls: "disable" },
    "existing-app:ingestionSeconds": 1,
    "existing-app:strategy": quickStrategy,
    "existing-app:thresholds": wideThresholds,
  };
  writeFileSync(join(team.program, "Pulumi.prod.yaml"), stringify({ config: { ...config, ...emulator } }));
  writeFileSync(join(team.program, "import.json"), block("6.", "json"));
  users = startUsers(Array.from({ length: 8 }, () => team.visit));
}, 180_000);
afterAll(async () => {
  await users?.end();
  await team?.close();
});

test(
  "the program compiles against the package's own declarations",
  async () => expectSuccess(await follow("4.")),
  120_000,
);

test("the control plane is deployed first, into its own group, and does not touch the app", async () => {
  expectSuccess(await follow("5."));
  expect((await team.live()).properties).toMatchObject({
    latestReadyRevisionName: stable,
    configuration: { activeRevisionsMode: "Single" },
  });
}, 120_000);

test("the import leaves the app unchanged, and the preview replaces and deletes nothing", async () => {
  const ended = await follow("6.");
  expectSuccess(ended);
  expect(ended.at(-1)!.output).toMatch(/azure-native:app:ContainerApp +shop-app +update/);
  expect(ended.at(-1)!.output).toMatch(/ballast:index:Release +shop-release +create/);
  expect(ended.at(-1)!.output).not.toMatch(/replace|delete/);
  expect((await team.live()).properties.latestReadyRevisionName).toBe(stable);
}, 120_000);

test("the first canary replaces the revision made by hand, and the next image replaces the first canary", async () => {
  const seen: string[] = [];
  const ended = await follow("7.", (line) => void seen.push(line));
  expectSuccess(ended);
  const { latestRevisionName, configuration, template } = (await team.live()).properties;
  expect(seen.filter((line) => /\bpromoted: /.test(line)).length).toBeGreaterThanOrEqual(2);
  expect(template.containers[0].image).toBe("shopimages.azurecr.io/storefront:2");
  expect(configuration).toMatchObject({
    activeRevisionsMode: "Multiple",
    ingress: { traffic: [{ revisionName: latestRevisionName, weight: 100, label: "stable" }] },
  });
  const reports = readdirSync(join(team.program, "out"));
  expect(reports).toEqual([expect.stringMatching(/^shop--\w+\.html$/)]);
  expect(readFileSync(join(team.program, "out", reports[0]!), "utf8")).toContain("<h1>promoted</h1>");
  stable = latestRevisionName;
}, 240_000);

test("the doctor finds the program by its state, and everything that releases need", async () => {
  const { code, output } = await team.shell("ballast doctor --stack prod --json");
  const { findings } = JSON.parse(output.slice(output.indexOf("{"))) as {
    findings: readonly { check: string; state: string; text?: string; error?: object }[];
  };
  expect(findings.filter(({ state }) => state !== "ok")).toEqual([]);
  expect(code).toBe(0);
}, 120_000);

test("a canary aborted on purpose gives all traffic back, and taking the change back moves no traffic", async () => {
  const from = Date.now();
  const [set, up, abort, remove, again] = commands("8.");
  await team.shell(`pulumi config set --path strategy.bakeSeconds 20 && ${set}`);
  const failing = team.shell(up!);
  await Promise.race([
    failing.then((ended) => expect.fail(ended.output.slice(-3000))),
    eventually(async () => (await traffic()).length === 2, "the canary to have a weight", 120),
  ]);
  expectSuccess([await team.shell(abort!)]);
  const { code, output } = await failing;
  expect([code, output]).toEqual([1, expect.stringMatching(/rolled back at 50 percent: .*a rehearsal/)]);
  expect(await traffic()).toMatchObject([{ revisionName: stable, weight: 100 }]);
  const same = await team.shell(up!);
  expect([same.code, same.output]).toEqual([1, expect.stringMatching(/rolled back at 50 percent: .*a rehearsal/)]);
  expectSuccess([await team.shell(remove!), await team.shell(again!)]);
  reportSeconds("8.", from);
  expect(await traffic()).toMatchObject([{ revisionName: stable, weight: 100 }]);
}, 240_000);

test("leaving keeps the app, its revision and its traffic, and removes everything else", async () => {
  expectSuccess(await follow("Leaving"));
  expect(await traffic()).toMatchObject([{ revisionName: stable, weight: 100 }]);
  expect(
    (await team.cloud.ask("GET", `${management}${team.group}-releases?api-version=2024-03-01`)).body.error.code,
  ).toBe("ResourceGroupNotFound");
  expect(
    (await team.cloud.ask("GET", `${management}${team.group}/providers/Microsoft.App/jobs?api-version=2025-07-01`)).body
      .value,
  ).toEqual([]);
}, 120_000);

test("every user request was answered with 200", async () => {
  await users.end();
  expect(users.answers.length).toBeGreaterThan(500);
  expect(users.answers.filter((status) => status !== 200)).toEqual([]);
});

test("the page has the GUIDs of the roles that the program assigns, and the default size of a replica", () => {
  const source = ["control-plane-rights", "image-registry"]
    .map((name) => readFileSync(join(import.meta.dirname, "..", "..", "components", "platform", `${name}.ts`), "utf8"))
    .join();
  const guids = [...source.matchAll(/"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"/g)].map(([, guid]) => guid!);
  expect(guids).toHaveLength(4);
  expect(guids.filter((guid) => !chapter("1.").includes(guid))).toEqual([]);
  expect(unwrapped(chapter("1."))).toContain(
    `${replicaSizes.storefront.cpu} vCPU and ${replicaSizes.storefront.gib} GiB`,
  );
  expect([switchActions.length, chapter("1.")]).toEqual([
    4,
    expect.stringContaining("a role of its own with four actions"),
  ]);
});

test("the page's costs and times are those of the program and of `ballast power`", () => {
  const costs = unwrapped(chapter("What it costs"));
  expect(costs).toContain(
    `one replica of ${replicaSizes.controlPlane.cpu} vCPU and ${replicaSizes.controlPlane.gib} GiB`,
  );
  expect(costs).toContain(`of the size \`${databaseSku}\``);
  const [, minutes] = /promoted +(\d+)m/.exec(
    readFileSync(join(import.meta.dirname, "..", "..", "docs", "guides", "power.md"), "utf8"),
  )!;
  expect(page).toContain(`| ${minutes} min at 1,200 requests a minute |`);
});
