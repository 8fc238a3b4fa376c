// The guard's Azure side and its check names: both forms of a subject in GitHub's letter case, one credential after
// another, and a required check that the published workflows report by another reading of them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { readGraph } from "../../analysis/analyze.ts";
import { folderOf } from "../../analysis/folder.ts";
import { checkNamesOf } from "../../analysis/systems/workflows/check-names.ts";
import { viewOf } from "../../analysis/systems/workflows/view.ts";
import { callers } from "../../components/workflows/callers.ts";
import { DeliveryWorkflows } from "../../components/workflows/delivery-workflows.ts";
import { RepositoryGuard } from "../../components/workflows/repository-guard.ts";
import { record, valueOf } from "../support/program/mocks.ts";

const commit = "4f2a".repeat(10);
const stacks = [{ name: "dev" }, { name: "eu.prod" }];
const guard = {
  repository: "acme/shop", // GitHub calls it Acme/shop
  environments: { prod: { reviewers: ["operations"] } },
  reportedChecks: ["preview-dev / preview"],
};
const ofOperations = { reviewers: ["operations"] };
const shopIdentity = { resourceGroupName: "ids", identityName: "shop" };

test("each identity trusts both forms of each subject, one credential after the other", async () => {
  const { made, declared } = await record(
    () =>
      new RepositoryGuard("shop", { ...guard, environments: { prod: { ...ofOperations, identity: shopIdentity } } }),
  );
  const credentials = declared.filter(({ type }) => type.endsWith(":FederatedIdentityCredential"));
  expect(credentials.map(({ inputs }) => inputs["subject"])).toEqual([
    "repo:Acme@100/shop@1001:environment:prod",
    "repo:Acme/shop:environment:prod",
  ]);
  for (const { inputs } of credentials)
    expect(inputs).toMatchObject({
      issuer: "https://token.actions.githubusercontent.com",
      audiences: ["api://AzureADTokenExchange"],
    });
  expect(await valueOf(made.subjects)).toContain("repo:Acme/shop:pull_request");
  const settings = declared.find(({ type }) => type === "ballast:index:RepositorySettings")!;
  expect(settings.inputs).toMatchObject({
    environments: { prod: { reviewers: ["operations"], waitMinutes: 0, branches: ["main"] } },
    requiredChecks: ["preview-dev / preview"],
    subjectClaims: [],
  });
});

test("environments whose names come to one in Azure, or to a long one, have credentials of their own", async () => {
  const long = "e".repeat(200);
  const names = ["prod", "eu/prod", "eu prod", "EU-prod", long, `${long}2`];
  const environments = Object.fromEntries(names.map((name) => [name, { reviewers: [], identity: shopIdentity }]));
  const { declared } = await record(() => new RepositoryGuard("shop", { ...guard, environments }));
  const credentials = declared.filter(({ type }) => type.endsWith(":FederatedIdentityCredential"));
  const called = credentials.map(({ inputs }) => String(inputs["federatedIdentityCredentialResourceName"]));
  expect(new Set(called.map((each) => each.toLowerCase())).size).toBe(2 * names.length);
  expect(called.filter((each) => !/^[A-Za-z0-9][\w-]{2,119}$/.test(each))).toEqual([]);
  expect(called).toEqual(expect.arrayContaining(["github-1001-environment-prod-by-name"]));
});

test("a colon in an environment's name is in its subject as GitHub writes it", async () => {
  const environments = { "Production:V1": { reviewers: [], identity: shopIdentity } };
  const { declared } = await record(() => new RepositoryGuard("shop", { ...guard, environments }));
  const subjects = declared.flatMap(({ inputs }) => inputs["subject"] ?? []);
  expect(subjects).toContain("repo:Acme/shop:environment:Production%3AV1");
});

/** Environments by their number. */
const numbered = (count: number, identity: ReturnType<typeof ids>) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`e${at}`, { reviewers: [], identity }]));
const ids = (identityName: pulumi.Input<string>) => ({ resourceGroupName: "ids", identityName });
const yetToBeNamed = pulumi.output("made");

test.each<[what: string, build: () => unknown, told: string | undefined]>([
  ["ten environments of one identity", () => guardOf("a", 10, ids("shop")), undefined],
  ["eleven environments of one identity", () => guardOf("a", 11, ids("shop")), "shop would need 22"],
  [
    "nine environments of the identity that previews too",
    () => new RepositoryGuard("a", { ...guard, environments: numbered(9, ids("ONE")), previewIdentity: ids("one") }),
    "one would need 22",
  ],
  [
    "two guards that share an identity",
    () => [guardOf("a", 6, ids("shop")), guardOf("b", 5, ids("Shop"))],
    "Shop would need 22",
  ],
  [
    "two guards that share an identity which Azure has yet to name",
    () => [guardOf("a", 6, ids(yetToBeNamed)), guardOf("b", 5, ids(yetToBeNamed))],
    "would need 22",
  ],
  ["two guards with an identity each", () => [guardOf("a", 9, ids("a")), guardOf("b", 9, ids("b"))], undefined],
])("Azure's limit of credentials, met by %s", async (_what, build, told) => {
  const recorded = record(() => ({ built: build() }));
  if (told === undefined) await recorded;
  else {
    await expect(recorded).rejects.toThrow("workflows-credentials-too-many");
    await expect(recorded).rejects.toThrow(told);
  }
});
const guardOf = (name: string, count: number, identity: ReturnType<typeof ids>) =>
  new RepositoryGuard(name, { ...guard, environments: numbered(count, identity) });

test("an environment's identity trusts that environment alone, and previews trust the main branch", async () => {
  const environments = {
    dev: { reviewers: [], identity: ids("dev") },
    prod: { ...ofOperations, identity: ids(pulumi.output("prod")) },
    old: { reviewers: [] },
  };
  const args = { ...guard, branch: "trunk", environments, previewIdentity: ids("reads") };
  const { declared } = await record(() => new RepositoryGuard("shop", args));
  const trusted = declared
    .filter(({ type }) => type.endsWith(":FederatedIdentityCredential"))
    .map(({ inputs }) => `${inputs["resourceName"]} ${String(inputs["subject"]).replace(/^repo:[^:]+:/, "")}`);
  expect([...new Set(trusted)].toSorted()).toEqual([
    "dev environment:dev",
    "prod environment:prod",
    "reads pull_request",
    "reads ref:refs/heads/trunk",
  ]);
  const settings = declared.find(({ type }) => type === "ballast:index:RepositorySettings")!;
  expect(settings.inputs["environments"]).toMatchObject({ prod: { branches: ["trunk"] } });
  expect(JSON.stringify(settings.inputs["environments"])).not.toContain("identity");
});

test("stacks whose variables would have one name are refused", async () => {
  const args = { source: `example/ballast@${commit}`, version: "v1.4.0", waves: [["acme/shop"]] };
  const build = () => new DeliveryWorkflows("a", { ...args, stacks: [{ name: "eu.prod" }, { name: "EU-prod" }] });
  await expect(record(build)).rejects.toThrow(
    "stacks eu.prod and EU-prod would share the variable AZURE_DEPLOY_CLIENT_ID_EU_PROD",
  );
});

test("a required check that no workflow reports is refused, and nothing is declared", async () => {
  const build = () => new RepositoryGuard("shop", { ...guard, requiredChecks: ["preview"] });
  await expect(record(build)).rejects.toThrow("workflows-check-unknown");
});

test("the checks that a delivery names are those that its files report", async () => {
  const args = { source: `example/ballast@${commit}`, version: "v1.4.0", stacks, waves: [["acme/shop"]] };
  const { made } = await record(() => new DeliveryWorkflows("delivery", args));
  const files = callers({ stacks, folder: ".", branch: "main", source: "example/ballast", commit, version: "v1.4.0" });
  expect(made.reportedChecks).toEqual(["preview-dev / preview", "preview-eu-prod / preview"]);
  expect(await reportedBy(files)).toEqual(expect.arrayContaining([...made.reportedChecks]));
});

test("a delivery of a second project passes its secrets on, and has files and checks of its own", async () => {
  const secrets = ["pulumi-config-passphrase"] as const;
  const { made, declared } = await record(
    () =>
      new DeliveryWorkflows("delivery", {
        source: `example/ballast@${commit}`,
        version: "v1.4.0",
        stacks: [{ name: "prod", secrets }],
        folder: "infra",
        project: "shop",
        has: ["credentials"],
        waves: [["acme/shop"]],
      }),
  );
  const [published] = declared.filter(({ type }) => type === "ballast:index:RepositoryFiles");
  const files = published!.inputs["files"] as Readonly<Record<string, string>>;
  expect(Object.keys(files).toSorted()).toEqual(
    ["credentials", "deploy", "nightly", "preview"].map((name) => `.github/workflows/shop-${name}.yml`),
  );
  for (const text of Object.values(files))
    expect(text).toContain(`pulumi-config-passphrase: \${{ secrets.PULUMI_CONFIG_PASSPHRASE_PROD }}`);
  expect(made.reportedChecks).toEqual(["shop-preview-prod / preview"]);
});

/** What the analyser finds that these files report, with the reusable workflows beside them. */
async function reportedBy(files: ReadonlyMap<string, string>): Promise<readonly string[]> {
  const folder = join(import.meta.dirname, "..", "..", ".github", "workflows");
  const own = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")] as const);
  const local = [...files].map(([name, text]) => [
    name,
    text.replaceAll(`example/ballast/.github/workflows/`, "./.github/workflows/").replaceAll(`@${commit} # v1.4.0`, ""),
  ]);
  const all = [...own, ...local].map(([name, text]) => [`.github/workflows/${name}`, text]);
  const graph = await readGraph(folderOf(Object.fromEntries(all)), { scope: ["github"] });
  return checkNamesOf(viewOf(graph)).map(({ name }) => name);
}
