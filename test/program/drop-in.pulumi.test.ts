// An app that a program deploys with azure-native becomes a CanaryApp and goes back: real Pulumi CLI, real emulator. No
// step may replace the app, take a setting from it, or move a request before a rollout does.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { quickStrategy, wideThresholds } from "../support/controlplane/quick-strategy.ts";
import { management } from "../support/emulator/cloud.ts";
import { underUsers } from "../support/emulator/users.ts";
import { clientObjectId, giveRole, hostOf, secretClient, vaultBody, vaultVersion } from "../support/emulator/vault.ts";
import { eventually } from "../support/postgres/postgres.ts";
import { type ContainerAppProject, containerAppProject, type Main } from "../support/program/container-app-program.ts";
import { fullApp, plainApp } from "../support/program/container-app-shapes.ts";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

const app = "storefront";

let stack: LocalStack;
let folder: string;
let environmentId: string;
let project: ContainerAppProject;
let releases: object;

const pulumi = (main: Main, command: readonly string[], config: Readonly<Record<string, unknown>>) =>
  project.run(main, command, config);
const up = ["up", "--yes"] as const;
/** An update without a preview of its own, mostly because one of the same program came before it. */
const bareUp = [...up, "--skip-preview"] as const;
const preview = ["preview", "--diff"] as const;

beforeAll(async () => {
  stack = await startLocalStack({});
  folder = mkdtempSync(path.join(tmpdir(), "ballast-drop-in-"));
  const deployed = await stack.up("--exclude", `**::${app}`, "--exclude", `**::${app}-*`, "--exclude-dependents");
  expect(deployed.code, deployed.output).toBe(0);
  const plane = await stack.live("control-plane");
  await manageCopies(plane);
  environmentId = plane.properties.managedEnvironmentId ?? plane.properties.environmentId;
  await makeShareAndVault();
  releases = {
    controlPlane: { endpoint: `https://${plane.properties.configuration.ingress.fqdn}`, audience: "api://ballast" },
    strategy: { ...quickStrategy, maximumSeconds: 240 },
    thresholds: wideThresholds,
  };
  project = await containerAppProject(folder, stack.cloud.cloud.environment);
}, 300_000);
afterAll(async () => {
  await stack?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Three more apps of the factory. The control plane manages those that it is told to. */
const copies = ["copy-1", "copy-2", "copy-3"];
async function manageCopies({ id, properties }: any): Promise<void> {
  const managed = JSON.stringify([app, ...copies].map((each) => ({ resourceGroup: "ballast-local", app: each })));
  const [container, ...more] = properties.template.containers;
  const env = container.env.map((each: any) =>
    each.name === "BALLAST_MANAGED_TARGETS" ? { ...each, value: managed } : each,
  );
  const containers = [{ ...container, env }, ...more];
  const change = { properties: { template: { ...properties.template, revisionSuffix: "", containers } } };
  const { status } = await stack.cloud.settle("PATCH", `${management}${id}?api-version=2025-07-01`, change);
  expect(status).toBeLessThan(300);
  const { latestRevisionName } = (await stack.live("control-plane")).properties;
  await eventually(
    async () => (await stack.live("control-plane")).properties.latestReadyRevisionName === latestRevisionName,
    "the control plane that manages the copies",
  );
}

/** A file share of the environment, and a vault with a secret. */
const vault = "shapes";
const scopeOf = (rest: string): string =>
  `/subscriptions/${stack.cloud.cloud.subscription}/resourceGroups/ballast-local/providers/${rest}`;
async function makeShareAndVault(): Promise<void> {
  const { ask, settle, cloud, agent } = stack.cloud;
  const share = { accountName: "shapes", accountKey: "a2V5", shareName: "files", accessMode: "ReadWrite" };
  const storage = `${environmentId}/storages/files?api-version=2025-07-01`;
  expect((await settle("PUT", `${management}${storage}`, { properties: { azureFile: share } })).status).toBeLessThan(
    300,
  );
  const scope = scopeOf(`Microsoft.KeyVault/vaults/${vault}`);
  await settle("PUT", `${management}${scope}?${vaultVersion}`, vaultBody({ cloud }));
  await giveRole({ ask, cloud }, scope, "officer", await clientObjectId(stack.cloud));
  await secretClient(cloud, agent, vault).setSecret("db", "swordfish-swordfish");
}

describe("an app of many settings, and three more from the same factory", () => {
  let mayRead = false;
  const placed = () => ({ resourceGroupName: "ballast-local", managedEnvironmentId: environmentId });
  const given = (version: string, change: object = {}) => {
    const place = placed();
    return {
      app: {
        containerAppName: app,
        ...place,
        ...fullApp(version, mayRead ? `${hostOf(vault)}/secrets/db` : undefined),
        ...change,
      },
      copies: copies.map((each) => ({ ...place, ...plainApp(each, version) })),
    };
  };
  /** What an app has beside what releases move. */
  const lasting = async (of = app) => {
    const { properties, tags, identity } = await stack.live(of);
    const { activeRevisionsMode: _mode, ingress, ...configuration } = properties.configuration;
    const { traffic: _traffic, ...rest } = ingress;
    const { template } = properties;
    return {
      tags,
      identity,
      configuration,
      ingress: rest,
      scale: template.scale,
      containers: template.containers.length,
    };
  };
  const lastingOfCopies = () => Promise.all(copies.map(lasting));
  const serving = async (): Promise<readonly string[]> =>
    (await stack.live(app)).properties.configuration.ingress.traffic
      .filter(({ weight }: any) => weight > 0)
      .map(({ revisionName }: any) => revisionName);
  /** Runs a command while users visit the app, none of whom may see an error. */
  async function withUsers<Ended>(run: () => Promise<Ended>): Promise<Ended> {
    const all = await Promise.all([app, ...copies].map((each) => stack.live(each)));
    const origins = all.map(({ properties }) => `https://${properties.configuration.ingress.fqdn}`);
    const visits = [...origins, ...origins, ...origins].map((origin) => () => stack.visit(origin));
    const { value, answers } = await underUsers(visits, run);
    expect(answers.length).toBeGreaterThan(10);
    expect(new Set(answers)).toEqual(new Set([200]));
    return value;
  }
  const release = async (kind: "js" | "ts", version: string, command: readonly string[] = up) =>
    withUsers(() => pulumi(kind, command, { ...given(version), releases }));
  afterAll(async () => void (await pulumi("js", ["destroy", "--yes", "--skip-preview"], given("1"))), 180_000);
  let first: string;
  let second: string;
  let before: object;
  let copiesBefore: readonly object[];

  test.each(["of-a-transformation", "of-a-transform"])(
    "no app of a shape that no release can judge is taken over: a preview refuses each by name, and one %s",
    async (transformed) => {
      const one = { ...placed(), ...plainApp("any", "1") };
      const { code, output } = await pulumi("refusals", preview, { app: one, releases, transformed });
      expect(code).not.toBe(0);
      for (const [shape, words] of [
        ["autonamed", "canary-app-unnamed .*containerAppName"],
        ["of-a-pipeline", 'canary-app-ignored-template .*"template.containers\\[0\\].image" in ignoreChanges'],
        ["of-one-path", 'canary-app-ignored-template .*"template" in ignoreChanges'],
        ["tcp", 'canary-app-unfit .*"tcp".* the app\'s ingress is TCP'],
        ["without-ingress", 'canary-app-unfit .*"without-ingress".* the app has no ingress'],
        ["sticky", 'canary-app-unfit .*"sticky".* the app has sticky sessions'],
      ])
        expect(output).toMatch(new RegExp(`${shape}: ${words}`));
      expect(output).toMatch(
        new RegExp(`canary-app-ignored-template .*"${transformed}" has "template" in ignoreChanges`),
      );
    },
    120_000,
  );

  test("is deployed as a ContainerApp", async () => {
    const made = await pulumi("ts", up, given("1"));
    expect(made.code, made.output).toBe(0);
    const { principalId } = (await stack.live(app)).identity;
    await giveRole(stack.cloud, scopeOf(`Microsoft.KeyVault/vaults/${vault}`), "user", principalId);
    mayRead = true;
    const { code, output } = await pulumi("ts", up, given("1"));
    expect(code, output).toBe(0);
    first = await eventually(
      async () => ((await stack.live(app)).properties.latestReadyRevisionName as string) || undefined,
      "the app to be ready",
    );
    before = await lasting();
    copiesBefore = await lastingOfCopies();
    const [team, both, none] = copiesBefore as readonly { tags?: object; containers: number }[];
    expect([team, both, none].map((each) => [each!.tags, each!.containers])).toEqual([
      [{ team: "shop" }, 1],
      [{ team: "shop" }, 2],
      [undefined, 1],
    ]);
  }, 180_000);

  test("becomes a CanaryApp: a preview replaces and deletes nothing, and the update moves no request", async () => {
    const seen = await pulumi("ts", preview, { ...given("1"), releases });
    expect(seen.code, seen.output).toBe(0);
    expect(seen.output).not.toMatch(/replace|delete/);
    expect(seen.output).not.toContain("hunter2");
    const elsewhere = await pulumi("ts", preview, { ...given("1", { containerAppName: "elsewhere" }), releases });
    expect(elsewhere.code).not.toBe(0);
    expect(elsewhere.output).toMatch(
      /error: .*canary-app-moved .*its name is storefront, and the program says elsewhere/,
    );
    const another = await pulumi("ts", up, { ...given("1", { containerAppName: copies[0] }), releases });
    expect(another.code).not.toBe(0);
    expect(another.output).toMatch(/error: .*canary-app-(moved|losses|scope-changes) /);
    // Without a preview, the update itself finds it before its write.
    const unseen = { ...given("1", { containerAppName: "elsewhere" }), copies: [], releases };
    const written = await pulumi("ts", bareUp, unseen);
    expect(written.code).not.toBe(0);
    expect(written.output).toMatch(/error: .*canary-app-moved .*its name is storefront/);
    expect([await lasting(), (await stack.live(app)).properties.latestRevisionName]).toEqual([before, first]);
    const capital = await pulumi("ts", preview, { ...given("1", { resourceGroupName: "Ballast-Local" }), releases });
    expect(capital.code, capital.output).toBe(0);
    expect(capital.output).not.toMatch(/replace|delete/);
    expect(seen.output).toMatch(/canary-app-consumes .*the scale rule orders; Dapr, if the app subscribes/);
    // One place for steps: hooks would take it for ever if they had to start the provider.
    const { code, output } = await release("ts", "1", [...bareUp, "--parallel", "1"]);
    expect(code, output).toBe(0);
    expect(await serving()).toEqual([first]);
    expect([await lasting(), await lastingOfCopies()]).toEqual([before, copiesBefore]);
    const again = await pulumi("ts", ["preview", "--expect-no-changes"], { ...given("1"), releases });
    expect(again.code, again.output).toBe(0);
  }, 300_000);

  test("is released, and a tag alone starts no rollout", async () => {
    const { code, output } = await release("ts", "2");
    expect(code, output).toBe(0);
    expect(output).toContain("promoted");
    for (const each of copies) {
      const { latestRevisionName, configuration } = (await stack.live(each)).properties;
      expect(configuration.ingress.traffic[0]).toMatchObject({ revisionName: latestRevisionName, weight: 100 });
    }
    second = (await serving())[0]!;
    expect(second).not.toBe(first);
    expect([await lasting(), await lastingOfCopies()]).toEqual([before, copiesBefore]);
    const { tags } = fullApp("2", undefined);
    const tagged = { ...given("2", { tags: { ...tags, cost: "1" } }), releases };
    const seen = await pulumi("ts", preview, tagged);
    expect(seen.code, seen.output).toBe(0);
    expect(seen.output).not.toContain("ballast:index:Release");
    const now = await serving();
    const written = await pulumi("ts", bareUp, tagged);
    expect(written.code, written.output).toBe(0);
    expect(written.output).toMatch(/~ 1 updated/); // the app, and no release
    expect(await serving()).toEqual(now);
    expect((await stack.live(app)).tags).toMatchObject({ cost: "1" });
  }, 300_000);

  test("loses nothing in silence: a tag that another client added stops the preview until it is kept", async () => {
    const reverted = { ...given("2"), releases };
    const refused = await pulumi("js", preview, reverted);
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain("canary-app-losses");
    expect(refused.output).toContain("the tag cost");
    const kept = await pulumi("js", preview, { ...given("2"), releases: { ...releases, keepLive: ["tags"] } });
    expect(kept.code, kept.output).toBe(0);
    const accepted = await pulumi("js", up, { ...given("2"), releases: { ...releases, acceptLoss: ["tags"] } });
    expect(accepted.code, accepted.output).toBe(0);
    expect(await lasting()).toEqual(before);
  }, 300_000);

  test("is not deleted for another name: the preview refuses it", async () => {
    const { code, output } = await pulumi("js", preview, {
      ...given("2", { containerAppName: "elsewhere" }),
      releases,
    });
    expect(code).not.toBe(0);
    expect(output).toMatch(/canary-app-moved .*its name is storefront, and the program says elsewhere/);
  }, 300_000);

  test("goes back to an earlier template by a rollout of its own", async () => {
    const { code, output } = await release("js", "1");
    expect(code, output).toBe(0);
    expect(await serving()).toHaveLength(1);
    expect(await lasting()).toEqual(before);
    const again = await pulumi("js", ["preview", "--expect-no-changes"], { ...given("1"), releases });
    expect(again.code, again.output).toBe(0);
  }, 300_000);

  test("is released once more if a person gave its traffic to an older revision, and no update hides it", async () => {
    const now = await serving();
    await stack.activate(app, second);
    await stack.patchTraffic(app, [{ revisionName: second, weight: 100 }]);
    // Whoever gives the traffic by hand does not wait for a replica; that is not what this test is about.
    const { fqdn } = (await stack.live(app)).properties.configuration.ingress;
    await eventually(async () => (await stack.visit(`https://${fqdn}`)) === 200, "the older revision to answer");
    const seen = await pulumi("js", preview, { ...given("1"), releases });
    expect(seen.code, seen.output).toBe(0);
    expect(seen.output).toContain("ballast:index:Release");
    const { code, output } = await release("js", "1", bareUp);
    expect(code, output).toBe(0);
    expect(output).toContain("promoted");
    expect(await serving()).toEqual(now);
    const again = await pulumi("js", ["preview", "--expect-no-changes"], { ...given("1"), releases });
    expect(again.code, again.output).toBe(0);
  }, 300_000);

  test("stays as it is if its template is stable's, and goes back to a ContainerApp from there", async () => {
    const now = await serving();
    // A release that was rolled back leaves such a revision: the latest, and without traffic.
    const { id, properties } = await stack.live(app);
    const [container, ...more] = properties.template.containers;
    const containers = [{ ...container, env: [{ name: "RELEASE", value: "rolled back" }] }, ...more];
    const change = { properties: { template: { ...properties.template, containers } } };
    await stack.cloud.settle("PATCH", `${management}${id}?api-version=2025-07-01`, change);
    const { code, output } = await release("js", "1");
    expect(code, output).toBe(0);
    expect(output).toContain("its template is the same as stable's");
    expect(await serving()).toEqual(now);
    const again = await pulumi("js", ["preview", "--expect-no-changes"], { ...given("1"), releases });
    expect(again.code, again.output).toBe(0);
  }, 300_000);

  test("becomes a ContainerApp again, without a replacement", async () => {
    const { latestRevisionName: latest } = (await stack.live(app)).properties;
    await stack.activate(app, latest);
    await eventually(
      async () => (await stack.live(app, `/revisions/${latest}`)).properties.healthState === "Healthy",
      "the latest revision to be healthy",
    );
    const back = { ...given("1"), back: true };
    const seen = await pulumi("js", preview, back);
    expect(seen.code, seen.output).toBe(0);
    expect(seen.output).not.toContain("replace");
    const { code, output } = await withUsers(() => pulumi("js", bareUp, back));
    expect(code, output).toBe(0);
    expect([await lasting(), await lastingOfCopies()]).toEqual([before, copiesBefore]);
  }, 300_000);
});
