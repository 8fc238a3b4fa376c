// The components of alerts under the real Pulumi CLI on the emulator: deployed, unchanged, refused at preview by name
// where nothing could help, and destroyed without a remainder.
import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bringPulumi, type PulumiCli } from "../../../toolchain/pulumi/bring.ts";
import { type CloudForTests, startCloudForTests } from "../../support/emulator/cloud.ts";

const root = path.join(import.meta.dirname, "../../..");
const program = (scope: string): string => `
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import { Workspace } from "@pulumi/azure-native/operationalinsights/workspace.js";
import { ActionGroup } from "@pulumi/azure-native/monitor/actionGroup.js";
import { Vault } from "@pulumi/azure-native/keyvault/vault.js";
import { getClientConfig } from "@pulumi/azure-native/authorization/getClientConfig.js";
import {
  BaselineAlerts, RemediatedAlert, ServiceObjectives, ServiceWorkbook,
} from ${JSON.stringify(path.join(root, "package.ts"))};
const group = new ResourceGroup("shop", { resourceGroupName: "shop", location: "westeurope" });
const inGroup = { resourceGroupName: group.name };
const workspace = new Workspace("logs", inGroup);
const { tenantId } = await getClientConfig();
const vault = new Vault("keys", { ...inGroup, properties: { tenantId, sku: { family: "A", name: "standard" },
  enableRbacAuthorization: true, enablePurgeProtection: true, softDeleteRetentionInDays: 7 } });
const call = new ActionGroup("call", { ...inGroup, location: "Global", groupShortName: "call", enabled: true,
  emailReceivers: [{ name: "ann", emailAddress: "ann@example.com", useCommonAlertSchema: true }] });
const place = { scope: ${JSON.stringify(scope)}, ...inGroup, location: "westeurope", workspaceId: workspace.id };
const answered = { actionGroupIds: [call.id], owner: "shop team", runbook: "Failing app" };
const promise = new ServiceObjectives("promise", { ...place, ...answered, app: "web",
  objectives: [{ measures: "availability", goodPercent: Number(process.env.GOOD ?? 99.9) }],
  remedy: { ladder: [{ runbook: "return-to-previous" }, { runbook: "collect-diagnostics" }], verification: {} } });
new ServiceWorkbook("page", { ...place, app: "web", runbook: "Failing app", objectives: promise.objectives });
new RemediatedAlert("conflicts", { ...place, ...answered, title: "Conflicts", means: "A lock is stale.",
  query: "ContainerAppHTTPLogs | where StatusCode == 409 | project ContainerAppName", dimension: "ContainerAppName",
  threshold: 20, severity: 2, windowMinutes: 60, targets: ["app/shop/web"],
  remedy: { ladder: [{ runbook: "start-job", job: "release-locks" }], verification: {} } });
const { scope, resourceGroupName } = place;
new BaselineAlerts("baseline", { scope, resourceGroupName, ...answered,
  vaults: [{ id: vault.id, name: "keys" }],
  thresholds: { "vault-saturation": Number(process.env.SATURATION ?? 80) } });
export const groupId = group.id;
export const policies = promise.policies.map(({ rule }) => rule);
`;

let at: CloudForTests;
let pulumiCli: PulumiCli;
let folder: string;

/** Runs the Pulumi CLI and gives its exit code and its output. */
async function pulumi(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const env = {
    PATH: process.env["PATH"]!,
    HOME: folder,
    PULUMI_HOME: path.join(folder, "home"),
    PULUMI_CONFIG_PASSPHRASE: "",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...pulumiCli.environment,
    ...at.cloud.environment,
    ...more,
  };
  const cwd = path.join(folder, "program");
  const run = promisify(execFile)(pulumiCli.command, [...args, "--non-interactive"], { cwd, env });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      said: error.stdout + error.stderr,
    }),
  );
}
async function succeeded(args: readonly string[]): Promise<string> {
  const { code, said } = await pulumi(args);
  expect(code, said).toBe(0);
  return said;
}

beforeAll(async () => {
  pulumiCli = await bringPulumi();
  at = await startCloudForTests();
  folder = at.folder;
  for (const each of ["program", "state"]) mkdirSync(path.join(folder, each));
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "program", "node_modules"));
  const write = (name: string, text: string): void => writeFileSync(path.join(folder, "program", name), text);
  write("package.json", `{"type":"module"}`);
  write(
    "Pulumi.yaml",
    JSON.stringify({
      name: "alerts",
      runtime: { name: "nodejs", options: { typescript: false } },
      main: "index.js",
      backend: { url: `file://${folder}/state` },
    }),
  );
  write("index.js", program(`/subscriptions/${at.cloud.subscription}/resourceGroups/shop`));
  await succeeded(["stack", "init", "dev"]);
}, 120_000);
afterAll(() => at?.close());

test("alerts that name their target go up, stay unchanged, are refused by name at preview, and go down", async () => {
  await succeeded(["up", "--yes", "--skip-preview"]);
  const { groupId, policies } = JSON.parse(await succeeded(["stack", "output", "--json"]));
  const insights = `${groupId}/providers/Microsoft.Insights`;
  const listed = async (type: string, version: string): Promise<readonly { name: string; properties: any }[]> =>
    (await at.ask("GET", `${insights}/${type}?api-version=${version}`)).body.value.toSorted(
      (one: { name: string }, other: { name: string }) => one.name.localeCompare(other.name),
    );
  const rules = await listed("scheduledQueryRules", "2025-01-01-preview");
  expect(
    rules.map(({ name, properties }) => [
      name,
      properties.criteria.allOf[0].dimensions[0].name,
      properties.actions.customProperties,
      properties.actions.actionGroups.length,
    ]),
  ).toEqual(
    ["conflicts-rule", "promise-availability-fast", "promise-availability-slow", "promise-unmeasured"].map((name) => [
      name,
      "ContainerAppName",
      { owner: "shop team", runbook: "Failing app" },
      1,
    ]),
  );
  expect(policies).toEqual(["fast", "slow", "ticket"].map((each) => `promise-availability-${each}`));
  const [page] = await listed("workbooks", "2023-06-01");
  expect(JSON.parse(page!.properties.serializedData).items.length).toBeGreaterThan(5);
  expect((await listed("metricAlerts", "2018-03-01")).map(({ name }) => name)).toEqual(
    ["availability", "refusals", "saturation"].map((each) => `baseline-vault-${each}-keys`),
  );
  await succeeded(["preview", "--expect-no-changes"]);

  const loose = await pulumi(["preview"], { GOOD: "90" });
  expect(loose.said).toContain("The fast alert could never fire: it needs more than 134.4 percent of bad requests.");
  const unreachable = await pulumi(["preview"], { SATURATION: "100" });
  expect(unreachable.said).toContain(
    "vault-saturation of keys (100) can never fire: SaturationShoebox is never more than 100 percent.",
  );
  expect([loose.code, unreachable.code]).not.toContain(0);

  await succeeded(["destroy", "--yes", "--skip-preview"]);
  expect((await at.ask("GET", `${groupId}?api-version=2024-03-01`)).body.error.code).toBe("ResourceGroupNotFound");
}, 180_000);
