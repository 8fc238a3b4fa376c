// A program with a vault, a rotated credential and an app that logs in with it: real Pulumi CLI, real emulator, real
// PostgreSQL. The first update makes the passwords; a rotation cuts the app over by canary; afterwards no update, no
// refresh and no preview changes anything, and no state or plan has a password.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareCredentialRoles } from "../../controlplane/adapters/credentials/prepare-roles.ts";
import { images } from "../../demo/ground.ts";
import { runChild } from "../../toolchain/child.ts";
import { bringPulumi } from "../../toolchain/pulumi/bring.ts";
import { quickStrategy, wideThresholds } from "../support/controlplane/quick-strategy.ts";
import { management, webImage } from "../support/emulator/cloud.ts";
import { underUsers } from "../support/emulator/users.ts";
import { eventually } from "../support/postgres/postgres.ts";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

const root = path.join(import.meta.dirname, "..", "..");
const app = "storefront";
const rotatorPassword = "Rotator-1-of-a-test";

const program = `
import * as pulumi from "@pulumi/pulumi";
import { CanaryApp, DatabaseCredential, httpApp, SecretVault } from ${JSON.stringify(path.join(root, "package.ts"))};

const { place, controlPlane, server, environmentId, plan, tenant, workspaceId, officer, image, variables } =
  new pulumi.Config().requireObject("given");
const vault = new SecretVault("kv", { ...place, tenant, workspaceId, officer }, { protect: false });
const database = new DatabaseCredential("database", {
  ...place,
  controlPlane,
  credential: "database",
  vault: { id: vault.vaultId, name: vault.vaultName },
  server,
  database: "shop",
  roles: { a: "shop_a", b: "shop_b" },
  rotator: "ballast_rotator",
  preparedBy: { resourceGroup: place.resourceGroupName, job: "shop-roles" },
  checks: ["select count(*) from orders"],
  consumers: [{ resourceGroup: place.resourceGroupName, app: "${app}", ...plan }],
});
const shop = new CanaryApp("shop", {
  ...httpApp({ ...place, scope: undefined, containerAppName: "${app}", environmentId, image, variables }),
  controlPlane,
  ...plan,
  credentials: { DATABASE_URL: database.uri() },
});
export const { url } = shop;
export const { vaultName } = vault;
`.replace("...place, scope: undefined,", "resourceGroupName: place.resourceGroupName, location: place.location,");

let stack: LocalStack;
let folder: string;
let given: Readonly<Record<string, unknown>>;
let environment: NodeJS.ProcessEnv;
const output: string[] = [];

/** Runs the Pulumi CLI on the program. */
async function pulumi(...command: readonly string[]) {
  const { command: file } = await bringPulumi();
  const args = [...command, "--stack", "dev", "--non-interactive", "--color", "never"];
  const ended = await runChild(file, args, { cwd: path.join(folder, "program"), environment });
  output.push(ended.output);
  return ended;
}

function configure(value: typeof given): void {
  const config = { "azure-native:location": "westeurope", "shop:given": value };
  writeFileSync(path.join(folder, "program", "Pulumi.dev.yaml"), JSON.stringify({ config }));
}

const group = (): string => `/subscriptions/${stack.cloud.cloud.subscription}/resourceGroups/ballast-local`;
const arm = async (method: string, to: string, version: string, body?: unknown): Promise<any> => {
  const { status, body: found } = await stack.cloud.settle(method, `${management}${to}?api-version=${version}`, body);
  expect(status, JSON.stringify(found)).toBeLessThan(300);
  return found;
};

async function prepareRoles(): Promise<void> {
  const admin = new pg.Client({ connectionString: stack.postgres.url("postgres") });
  await admin.connect();
  await admin.query("create database shop");
  await admin.end();
}

/** Does what the job of a `DatabaseRole` does. */
async function runJob(): Promise<void> {
  const client = new pg.Client({ connectionString: stack.postgres.url("shop") });
  await client.connect();
  await prepareCredentialRoles(client, { owner: "shop_owner", a: "shop_a", b: "shop_b", rotator: "ballast_rotator" });
  await client.query(`alter role ballast_rotator password '${rotatorPassword}'`);
  await client.query("create table orders (id int); grant select on orders to shop_owner");
  await client.end();
}

/** Tells the control plane where vaults are, and how its rotator signs in. */
async function prepareControlPlane(): Promise<string> {
  const plane = await stack.live("control-plane");
  const { template, latestReadyRevisionName: before } = plane.properties;
  const [container] = template.containers;
  const more = { BALLAST_VAULTS: `vault.${stack.cloud.cloud.suffix}`, BALLAST_ROTATOR_PASSWORD: rotatorPassword };
  const env = [
    ...container.env.filter(({ name }: { name: string }) => !(name in more)),
    ...Object.entries(more).map(([name, value]) => ({ name, value })),
  ];
  const containers = [{ ...container, env }];
  await arm("PATCH", `${group()}/providers/Microsoft.App/containerApps/control-plane`, "2025-07-01", {
    properties: { template: { ...template, containers } },
  });
  await eventually(
    async () => (await stack.live("control-plane")).properties.latestReadyRevisionName !== before,
    "the control plane to be ready again",
    60,
  );
  return `https://${plane.properties.configuration.ingress.fqdn}`;
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-credential-"));
  mkdirSync(path.join(folder, "state"));
  stack = await startLocalStack({}, { ...images, ...webImage(folder) } as typeof images);
  const deployed = await stack.up("--exclude", `**::${app}`, "--exclude", `**::${app}-*`, "--exclude-dependents");
  expect(deployed.code, deployed.output).toBe(0);
  await prepareRoles();
  const endpoint = await prepareControlPlane();
  const workspaces = `${group()}/providers/Microsoft.OperationalInsights/workspaces`;
  const plane = await stack.live("control-plane");
  const identity = Object.keys(plane.identity.userAssignedIdentities).find((id) => id.endsWith("/control-plane"))!;
  given = {
    place: { scope: group(), resourceGroupName: "ballast-local", location: "westeurope" },
    controlPlane: { endpoint, audience: "api://ballast" },
    server: { host: stack.postgres.host, port: stack.postgres.port, tls: "disable" },
    environmentId: plane.properties.managedEnvironmentId ?? plane.properties.environmentId,
    plan: { strategy: quickStrategy, thresholds: wideThresholds },
    tenant: stack.cloud.cloud.tenant,
    workspaceId: `${workspaces}/apps`,
    officer: plane.identity.userAssignedIdentities[identity].principalId,
    image: "registry.example/web:1",
    variables: { RELEASE: "1" },
  };
  environment = {
    ...process.env,
    ...stack.cloud.cloud.environment,
    ...(await bringPulumi()).environment,
    PULUMI_HOME: path.join(folder, "home"),
    PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "for tests",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  const cwd = path.join(folder, "program");
  mkdirSync(cwd);
  symlinkSync(path.join(root, "node_modules"), path.join(cwd, "node_modules"));
  writeFileSync(path.join(cwd, "package.json"), '{ "name": "shop", "private": true, "type": "module" }');
  writeFileSync(path.join(cwd, "index.js"), program);
  const project = {
    name: "shop",
    runtime: { name: "nodejs", options: { typescript: false } },
    main: "index.js",
    options: { refresh: "always" },
    plugins: { providers: [{ name: "ballast", path: path.join(root, "provider") }] },
  };
  writeFileSync(path.join(cwd, "Pulumi.yaml"), JSON.stringify(project));
  configure(given);
  const made = await pulumi("stack", "init");
  expect(made.code, made.output).toBe(0);
}, 300_000);
afterAll(async () => {
  await stack?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks the app for the URL that its serving replica has. */
async function databaseUrl(): Promise<URL> {
  const fqdn = (await stack.live(app)).properties.configuration.ingress.fqdn;
  const { body } = await stack.cloud.ask("GET", `https://${fqdn}/environment`, undefined, { token: null });
  return new URL((body as Record<string, string>)["DATABASE_URL"]!);
}

/** Logs in as the app does, and gives the role and the password. */
async function logIn(): Promise<{ readonly role: string; readonly password: string }> {
  const { username: user, password } = await databaseUrl();
  const { host, port } = stack.postgres;
  const client = new pg.Client({ host, port, database: "shop", user, password });
  await client.connect();
  await client.query("select count(*) from orders");
  await client.end();
  return { role: user, password };
}

/** Sends users' requests until an action has ended. */
async function withUsers<Value>(act: () => Promise<Value>): Promise<Value> {
  const origin = `https://${(await stack.live(app)).properties.configuration.ingress.fqdn}`;
  const { value } = await underUsers(
    Array.from({ length: 4 }, () => () => stack.visit(origin)),
    act,
  );
  return value;
}

test("credential-unprepared: until the job has run, the update is refused with its command", async () => {
  const { code, output: said } = await pulumi("up", "--yes", "--skip-preview");
  expect(code).not.toBe(0);
  expect(said).toContain("credential-unprepared");
  expect(said).toContain("az containerapp job start --resource-group ballast-local --name shop-roles");
}, 240_000);

test("the first update makes the passwords, and the app logs in", async () => {
  await runJob();
  const { code, output: said } = await pulumi("up", "--yes", "--skip-preview");
  expect(code, said).toBe(0);
  expect(said).toContain("database gets its first versions");
  expect((await logIn()).role).toBe("shop_a");
}, 240_000);

/** Asks for a rotation, and gives how to ask the control plane more. */
async function rotate(name: string) {
  const outputs = JSON.parse((await pulumi("stack", "output", "--json")).output) as { vaultName: string };
  const plane = `https://${(await stack.live("control-plane")).properties.configuration.ingress.fqdn}`;
  const token = await stack.cloud.tokenFor("api://ballast");
  const ask = (method: string, at: string, body?: unknown): Promise<any> =>
    stack.cloud.ask(method, at, body, { token });
  const url = `${plane}/rotations/${outputs.vaultName}/database/${name}`;
  const put = await ask("PUT", url, { cause: "leaked", message: "a test wants it" });
  expect(put.status, JSON.stringify(put.body)).toBe(202);
  return { plane, url, ask };
}

/** Previews with the state as it is: it has not seen what a rotation did. */
async function expectNoRelease(): Promise<void> {
  const { code, output: said } = await pulumi("preview", "--refresh=false");
  expect(code, said).toBe(0);
  expect(said).not.toContain("ballast:index:Release");
}

test("after a rotation every update, refresh and preview changes nothing, and the app logs in", async () => {
  const before = await logIn();
  const rotation = await rotate("r1");
  const ended = await withUsers(() =>
    eventually(
      async () => {
        const { body } = await rotation.ask("GET", rotation.url);
        return body.result === null ? undefined : body;
      },
      "the rotation to end",
      150,
    ),
  );
  expect(ended).toMatchObject({ result: "rotated", published: "b" });
  const after = await logIn();
  expect(after.role).toBe("shop_b");
  await expectNoRelease();

  const plan = path.join(folder, "plan.json");
  for (const command of [
    ["preview", "--expect-no-changes", "--save-plan", plan],
    ["refresh", "--yes", "--skip-preview"],
    ["preview", "--expect-no-changes"],
    ["up", "--yes", "--skip-preview"],
  ]) {
    const { code, output: said } = await pulumi(...command);
    expect(code, said).toBe(0);
  }
  expect(await logIn()).toEqual(after);

  const state = readdirSync(path.join(folder, "state"), { recursive: true, encoding: "utf8" })
    .map((file) => path.join(folder, "state", file))
    .filter((file) => file.endsWith(".json"))
    .map((file) => readFileSync(file, "utf8"));
  expect(state.length).toBeGreaterThan(0);
  const planned = readFileSync(plan, "utf8");
  expect(planned).toContain("ballast:index:Credential");
  const written = [...state, planned, ...output].join("\n");
  for (const { password } of [before, after]) expect(written).not.toContain(password);
}, 400_000);

test("after a rotation that was rolled back, a release names the slot that serves", async () => {
  const before = await logIn();
  const { plane, ask } = await rotate("r2");
  const canary = `${app}--a-r2-1`;
  const cutOver = `${plane}/rollouts/ballast-local/${app}/${canary}`;
  // Nobody visits the app, so the cut-over waits there for evidence. Aborted before, it would be rejected.
  await eventually(async () => (await ask("GET", cutOver)).body.percent === 50, "the cut-over to have traffic", 150);
  const aborted = await ask("POST", `${cutOver}/signals`, { signal: "abort", message: "a test wants it" });
  expect(aborted.status, JSON.stringify(aborted.body)).toBe(202);
  await eventually(
    async () => (await ask("GET", cutOver)).body.result === "rolled-back",
    "the cut-over to be rolled back",
    60,
  );
  expect((await stack.live(app)).properties.latestRevisionName).toBe(canary);
  await expectNoRelease();
  const same = await pulumi("preview", "--expect-no-changes");
  expect(same.code, same.output).toBe(0);
  configure({ ...given, variables: { RELEASE: "2" } });
  const { code, output: said } = await withUsers(() => pulumi("up", "--yes", "--skip-preview"));
  expect(code, said).toBe(0);
  expect(said).toContain("promoted");
  expect(await logIn()).toEqual(before);
}, 400_000);
