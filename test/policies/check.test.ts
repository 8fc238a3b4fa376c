// `ballast policy check` on states in files: text, JSON and SARIF, exit codes, the baseline, and what it refuses. The
// check of a deployed stack is in pack.pulumi.test.ts.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dateOf, dayOf } from "../../policies/waivers.ts";

const cli = join(import.meta.dirname, "..", "..", "cli", "main.ts");
const today = dayOf(Date.now());
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-check-"));
  writeFileSync(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
  writeFileSync(join(folder, "index.ts"), '\nnew ContainerApp("shop", {});\n');
  writeState(["shop", "shop.azurecr.io/shop:1"], ["cart", "shop.azurecr.io/cart:1"]);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function writeState(...apps: readonly (readonly [name: string, image: string])[]): void {
  const resources = apps.map(([name, image]) => ({
    urn: `urn:pulumi:prod::shop::azure-native:app:ContainerApp::${name}`,
    type: "azure-native:app:ContainerApp",
    custom: true,
    id: `/subscriptions/1/resourceGroups/shop/providers/Microsoft.App/containerApps/${name}`,
    inputs: { template: { containers: [{ name, image }] } },
  }));
  writeFileSync(
    join(folder, "state.json"),
    JSON.stringify({ version: 3, deployment: { manifest: {}, resources } }, null, 2),
  );
}

/** Runs the command in the folder. */
const check = (...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, [cli, "policy", "check", ...args], { cwd: folder }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
const onState = (...args: readonly string[]) => check("--file", "state.json", ...args);
const waive = (target: string): void =>
  writeFileSync(
    join(folder, "ballast.policies.yaml"),
    `version: 1
waivers:
  - rule: image-by-digest
    target: ${target}
    environment: prod
    reason: The build gives no digest yet.
    owner: team-shop
    ticket: SHOP-17
    created: ${dateOf(today)}
    expires: ${dateOf(today + 30)}
`,
  );

test("the text names level, severity, place, fix and page, and exit code 1 means a mandatory finding", async () => {
  const { code, stdout } = await onState();
  expect(stdout).toContain("prod: production, profile strict. 2 findings, 2 of them mandatory.");
  expect(stdout).toContain("mandatory medium  image-by-digest\n  index.ts:2  The image shop.azurecr.io/shop:1 of shop");
  expect(stdout).toContain("  page  docs/reference/rules/image-by-digest.md");
  expect(code).toBe(1);
  const relaxed = await onState("--profile", "relaxed");
  expect([relaxed.code, relaxed.stdout.split("\n")[0]]).toEqual([
    0,
    "prod: production, profile relaxed. 2 findings, 0 of them mandatory.",
  ]);
});

test("a secret in a preview is sealed: it is no alarm, and a plain text in its place is one", async () => {
  const urn = "urn:pulumi:prod::shop::azure-native:dbforpostgresql:Server::journal";
  const rules = async (administratorLoginPassword: string): Promise<readonly string[]> => {
    const newState = { urn, type: "azure-native:dbforpostgresql:Server", custom: true };
    const step = { op: "create", urn, newState: { ...newState, inputs: { administratorLoginPassword } } };
    writeFileSync(join(folder, "preview.json"), JSON.stringify({ config: {}, steps: [step], changeSummary: {} }));
    const { stdout } = await check("--file", "preview.json", "--format", "json");
    expect(stdout).not.toContain("Tr0ub4dor");
    return JSON.parse(stdout).findings.map(({ rule }: any) => rule);
  };
  expect(await rules("[secret]")).not.toContain("secret-not-marked");
  expect(await rules("Tr0ub4dor-and-3")).toContain("secret-not-marked");
});

test("the JSON holds what the text holds, and the waiver of what is waived", async () => {
  waive("cart");
  const { stdout } = await onState("--format", "json");
  const report = JSON.parse(stdout) as any;
  expect(report).toMatchObject({ version: 1, stack: "prod", tier: "production", profile: "strict", notJudged: [] });
  expect(report.findings).toMatchObject([
    {
      rule: "image-by-digest",
      severity: "medium",
      level: "mandatory",
      place: { file: "index.ts", line: 2 },
      isOld: false,
    },
  ]);
  expect(Object.keys(report.findings[0])).toEqual(expect.arrayContaining(["message", "cost", "fix", "page", "urn"]));
  expect(report.waived).toMatchObject([
    {
      rule: "image-by-digest",
      waiver: { owner: "team-shop", ticket: "SHOP-17", expires: dateOf(today + 30), line: 3 },
    },
  ]);
});

test("--json is --format json, and no other format beside it", async () => {
  const [short, long, both] = await Promise.all([
    onState("--json"),
    onState("--format", "json"),
    onState("--json", "--format", "sarif"),
  ]);
  expect(JSON.parse(short.stdout)).toEqual(JSON.parse(long.stdout));
  expect([both.code, JSON.parse(both.stdout).error.id]).toEqual([2, "cli-usage-wrong"]);
});

test("the SARIF has severity, fix and page, and suppresses what is waived with the grounds", async () => {
  waive("cart");
  const { stdout } = await onState("--format", "sarif");
  const { runs } = JSON.parse(stdout) as any;
  const [open, waived] = runs[0].results;
  expect(open).toMatchObject({
    ruleId: "image-by-digest",
    level: "warning",
    locations: [{ physicalLocation: { artifactLocation: { uri: "index.ts" }, region: { startLine: 2 } } }],
    properties: { severity: "medium", page: "docs/reference/rules/image-by-digest.md", fix: expect.any(String) },
  });
  expect(open.suppressions).toBe(undefined);
  expect(waived.suppressions).toMatchObject([
    { status: "accepted", justification: expect.stringContaining("SHOP-17") },
  ]);
  expect(runs[0].tool.driver.rules[open.ruleIndex].properties.page).toBe("docs/reference/rules/image-by-digest.md");
});

test("a baseline is written once, keeps what is old from stopping, and only shrinks", async () => {
  const path = join(folder, "ballast.policies.baseline.json");
  const subjects = (): readonly string[] =>
    JSON.parse(readFileSync(path, "utf8")).findings.map(({ subject }: any) => subject);
  expect((await onState("--write-baseline")).code).toBe(0);
  expect(subjects()).toHaveLength(2);
  writeState(["shop", "shop.azurecr.io/shop:1"], ["mail", "shop.azurecr.io/mail:1"]);
  const { code, stdout } = await onState();
  expect(code).toBe(1);
  expect(stdout).toContain("advisory medium  image-by-digest  (in the baseline)");
  expect(stdout).toContain("mandatory low  baseline-stale");
  const again = await onState("--write-baseline");
  expect([again.code, again.stderr.split(" ")[0]]).toEqual([1, "policy-baseline-exists"]);
  await onState("--shrink-baseline");
  expect(subjects()).toEqual([expect.stringContaining("::shop ")]);
});

test("a stack before its first update breaks no policy, so that its first pull request can be judged", async () => {
  const state = JSON.stringify({ version: 3, deployment: { manifest: {}, metadata: {} } });
  const script = `#!/bin/sh\n[ "$1" = version ] && echo v3.259.0 || echo '${state}'\n`;
  writeFileSync(join(folder, "pulumi"), script, { mode: 0o755 });
  const environment = { ...process.env, PATH: `${folder}:${process.env["PATH"]}` };
  const args = [cli, "policy", "check", "--stack", "dev", "--format", "json"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env: environment });
  expect(JSON.parse(stdout)).toMatchObject({ stack: "dev", findings: [] });
  writeFileSync(join(folder, "state.json"), state);
  expect((await onState()).code).toBe(2); // a file does not say which stack it is of
});

test("what is not a state, or not there, is refused with exit code 2", async () => {
  writeFileSync(join(folder, "other.json"), "{}");
  writeFileSync(join(folder, "broken.json"), "{");
  for (const args of [["--file", "other.json"], ["--file", "broken.json"], ["--file", "none.json"], []]) {
    const { code, stderr } = await check(...args);
    expect([code, stderr.split(" ")[0]], args.join(" ")).toEqual([2, "policy-state-unreadable"]);
  }
});

test("a baseline that was not written by the command is refused", async () => {
  writeFileSync(join(folder, "ballast.policies.baseline.json"), '{"version":1,"findings":[{}]}');
  const { code, stderr } = await onState();
  expect([code, stderr.split(" ")[0]]).toEqual([2, "policy-baseline-unreadable"]);
});

test("wrong settings are refused with their line", async () => {
  writeFileSync(join(folder, "ballast.policies.yaml"), "version: 1\nprofile: strict\n");
  const { code, stderr } = await onState();
  expect(code).toBe(2);
  expect(stderr).toContain("policy-settings-refused");
  expect(stderr).toContain("ballast.policies.yaml:2 profile is not a field of this file");
});
