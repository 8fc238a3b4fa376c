// The guard's Azure side and its check names: both forms of a subject in GitHub's letter case, one credential after
// another, and a required check that the published workflows report by another reading of them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
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

test("each identity trusts both forms of each subject, one credential after the other", async () => {
  const { made, declared } = await record(
    () => new RepositoryGuard("shop", { ...guard, deployIdentity: { resourceGroupName: "ids", identityName: "shop" } }),
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
  const environments = Object.fromEntries(names.map((name) => [name, { reviewers: [] }]));
  const deployIdentity = { resourceGroupName: "ids", identityName: "shop" };
  const { declared } = await record(() => new RepositoryGuard("shop", { ...guard, environments, deployIdentity }));
  const credentials = declared.filter(({ type }) => type.endsWith(":FederatedIdentityCredential"));
  const called = credentials.map(({ inputs }) => String(inputs["federatedIdentityCredentialResourceName"]));
  expect(new Set(called.map((each) => each.toLowerCase())).size).toBe(2 * names.length);
  expect(called.filter((each) => !/^[A-Za-z0-9][\w-]{2,119}$/.test(each))).toEqual([]);
  expect(called).toEqual(expect.arrayContaining(["github-1001-environment-prod-by-name"]));
});

test("a required check that no workflow reports is refused, and nothing is declared", async () => {
  const build = () => new RepositoryGuard("shop", { ...guard, requiredChecks: ["preview"] });
  await expect(record(build)).rejects.toThrow("workflows-check-unknown");
});

test("the checks that a delivery names are those that its files report", async () => {
  const args = { source: `example/ballast@${commit}`, version: "v1.4.0", stacks, waves: [["acme/shop"]] };
  const { made } = await record(() => new DeliveryWorkflows("delivery", args));
  const files = callers({ stacks, folder: ".", source: "example/ballast", commit, version: "v1.4.0" });
  expect(made.reportedChecks).toEqual(["preview-dev / preview", "preview-eu-prod / preview"]);
  expect(await reportedBy(files)).toEqual(expect.arrayContaining([...made.reportedChecks]));
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
