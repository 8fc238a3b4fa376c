// The policy pack under the real Pulumi CLI: on this repository's own program before and after its first `up`, on a
// program in YAML in a folder that holds nothing else, and with configuration, waivers and secrets. One deployed stack
// is shared.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dateOf, dayOf } from "../../policies/waivers.ts";
import { type Ended, runChild } from "../../toolchain/child.ts";
import { bringPulumi, type PulumiCli } from "../../toolchain/pulumi/bring.ts";
import { quickStrategy, wideThresholds } from "../support/controlplane/quick-strategy.ts";
import { type AnyProvider, startAnyProvider } from "../support/policies/any-provider.ts";
import { bringYamlHost } from "../support/policies/yaml-host.ts";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

const root = join(import.meta.dirname, "..", "..");
const pack = join(root, "policies", "ballast");
const today = dayOf(Date.now());
let pulumiCli: PulumiCli;

/** Gives `level rule file:line` of each violation that the Pulumi CLI shows. */
function violations({ output }: Ended): readonly string[] {
  const lines = output.split("\n");
  return lines.flatMap((line, at) => {
    const [, level, rule] = /\[(mandatory|advisory)\] +\[severity: \w+\] +(\S+)/.exec(line) ?? [];
    const place = /^\s+(\S+:\d+) {2}/.exec(lines[at + 1] ?? "")?.[1];
    return level === undefined ? [] : [[level, rule, place].filter((each) => each !== undefined).join(" ")];
  });
}

/** What the pack says about the whole run, and not about a place. */
const notJudged = "advisory not-judged";

/** Gives the line of a file that holds a text. */
function lineOf(file: string, text: string): number {
  const at = readFileSync(join(root, file), "utf8")
    .split("\n")
    .findIndex((line) => line.includes(text));
  expect(at, `${text} in ${file}`).toBeGreaterThan(-1);
  return at + 1;
}

beforeAll(async () => {
  pulumiCli = await bringPulumi();
});

describe("on this repository's own program", () => {
  let stack: LocalStack;
  let folder: string;
  let strict: readonly string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "ballast-policies-"));
    const config = join(folder, "strict.json");
    writeFileSync(config, JSON.stringify({ all: { enforcementLevel: "mandatory", mandatoryFrom: "low" } }));
    strict = ["--policy-pack", "policies/ballast", "--policy-pack-config", config];
    stack = await startLocalStack({
      "ballast:strategy": { ...quickStrategy, maximumSeconds: 150 },
      "ballast:thresholds": wideThresholds,
    });
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await stack?.close();
  });

  const image = (name: string): string => `emulator.azurecr.io/${name}@sha256:${"0".repeat(64)}`;
  /** What production has and the emulator's stack does not. */
  const asInProduction = {
    "ballast:storefrontImage": image("storefront"),
    "ballast:controlPlaneImage": image("control-plane"),
    "ballast:deadMansSwitchImage": image("dead-mans-switch"),
    "ballast:alerts": { emails: ["on-call@example.com"] },
    "ballast:databaseAuthentication": "entra",
    "ballast:databaseTls": "require",
  };
  const asOnTheEmulator = {
    "ballast:storefrontImage": "emulator.azurecr.io/storefront:1",
    "ballast:controlPlaneImage": "emulator.azurecr.io/control-plane:1",
    "ballast:deadMansSwitchImage": "emulator.azurecr.io/dead-mans-switch:1",
    "ballast:alerts": {},
    "ballast:databaseAuthentication": "password",
    "ballast:databaseTls": "disable",
  };

  test("passes its strictest profile without a waiver, with the settings of production", async () => {
    stack.configure(asInProduction);
    const preview = await stack.pulumi("preview", ...strict);
    stack.configure(asOnTheEmulator);
    expect(violations(preview)).toEqual([notJudged]);
    expect(preview.code).toBe(0);
  });

  test("is judged before its first `up`, at the lines that make its resources, and unknowns are counted", async () => {
    const preview = await stack.pulumi("preview", ...strict);
    const at = (file: string, call: string): string => `${file}:${lineOf(file, call)}`;
    // The settings name no e-mail address, so nobody receives the alerts and nobody owns them.
    expect([...new Set(violations(preview))].toSorted()).toEqual(
      [
        notJudged,
        `mandatory alert-has-action ${at("components/platform/telemetry.ts", "return new ActionGroup(")}`,
        `mandatory alert-has-owner ${at("components/alerts/log-rule.ts", "new ScheduledQueryRule(")}`,
        `mandatory image-by-digest ${at("components/platform/dead-mans-switch.ts", "const job = new Job(")}`,
      ].toSorted(),
    );
    // Telemetry's connection string is not known yet, and azure-native's SDK then hides the whole template.
    expect(preview.output).toMatch(/not judged yet: .*image-by-digest \(2 values: storefront-app, control-plane-app\)/);
    expect(preview.code).not.toBe(0);
    expect(preview.output).not.toContain(`${root}/components`);
  });

  test("is judged completely after its first `up`, and a check of its state finds the same", async () => {
    expect((await stack.up()).code).toBe(0);
    const preview = await stack.pulumi("preview", ...strict);
    const found = violations(preview);
    expect(found).not.toContain(notJudged);
    expect(found.filter((line) => line.includes("control-plane.ts")).map((line) => line.split(" ")[1])).toEqual([
      "image-by-digest",
      "secret-by-reference",
      "secret-by-reference",
    ]);
    stack.lend({});
    const { output, code } = await runChild(
      "sh",
      ["-c", `. ./environment; exec "${process.execPath}" "${join(root, "cli", "main.ts")}" "$@"`, "sh"].concat([
        ...["policy", "check", "--stack", "local", "--program", root, "--profile", "strict", "--format", "json"],
      ]),
      { cwd: stack.folder },
    );
    const report = JSON.parse(output) as { findings: readonly any[]; notJudged: readonly unknown[] };
    expect(
      report.findings.map(({ level, rule, place }) => `${level} ${rule} ${place.file}:${place.line}`).toSorted(),
    ).toEqual(found.toSorted());
    expect(report.notJudged).toEqual([]);
    expect(code).toBe(1);
  });
});

describe("on a program in YAML in a folder of its own", () => {
  let folder: string;
  let provider: AnyProvider;
  let environment: NodeJS.ProcessEnv;
  const run = (...args: readonly string[]): Promise<Ended> =>
    runChild(pulumiCli.command, [...args, "--non-interactive", "--color", "never"], {
      cwd: join(folder, "program"),
      environment,
    });
  // In an installation of its own the SDK uses its TypeScript of 2020; here it would find ours, which has no API.
  const hideTypeScript = `const Module = require("node:module");
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (request === "typescript") throw Object.assign(new Error("not installed"), { code: "MODULE_NOT_FOUND" });
  return resolve.call(this, request, ...rest);
};
`;
  const preview = (...args: readonly string[]): Promise<Ended> =>
    run("preview", "--stack", "prod", "--policy-pack", pack, ...args);
  const file = (name: string): string => join(folder, "program", name);
  const example = join(root, "examples", "bad-orchestration", "infra");

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "ballast-yaml-"));
    for (const name of ["program", "state", "home"]) mkdirSync(join(folder, name));
    for (const name of ["Pulumi.yaml", "Pulumi.prod.yaml"]) cpSync(join(example, name), file(name));
    provider = await startAnyProvider(readFileSync(file("Pulumi.yaml"), "utf8"));
    const host = await bringYamlHost(pulumiCli);
    const hide = join(folder, "hide-typescript.cjs");
    writeFileSync(hide, hideTypeScript);
    environment = {
      ...process.env,
      ...pulumiCli.environment,
      PATH: `${host}:${pulumiCli.environment["PATH"]}`,
      NODE_OPTIONS: `--require ${hide}`,
      PULUMI_DEBUG_PROVIDERS: provider.attach,
      PULUMI_HOME: join(folder, "home"),
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "a test's own",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    };
    const { code, output } = await run("stack", "init", "prod");
    expect([code, code === 0 ? "" : output]).toEqual([0, ""]);
  }, 600_000);
  afterAll(() => {
    provider?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Gives `rule file:line` of the marks in the example. */
  const marks = (): readonly string[] =>
    ["Pulumi.yaml", "Pulumi.prod.yaml"].flatMap((name) =>
      readFileSync(join(example, name), "utf8")
        .split("\n")
        .flatMap((line, at) =>
          (line.split("<- finding ")[1]?.split(" ") ?? []).map((rule) => `mandatory ${rule} ${name}:${at + 1}`),
        ),
    );

  test("every rule that one stack can break reports its line, as production's profile wants", async () => {
    const ended = await preview();
    expect(violations(ended).toSorted()).toEqual(marks().toSorted());
    expect(ended.code).not.toBe(0);
  });

  test("a value that is secret in the configuration and plain in a resource is reported, never printed", async () => {
    const secret = "Wh4t-nobody-may-see";
    const before = readFileSync(file("Pulumi.yaml"), "utf8");
    const set = await run("config", "set", "--secret", "storePassword", secret, "--stack", "prod");
    expect(set.code).toBe(0);
    writeFileSync(
      file("Pulumi.yaml"),
      before.replace("value: http://stock/items", `value: http://stock/?key=${secret}`),
    );
    const ended = await preview();
    writeFileSync(file("Pulumi.yaml"), before);
    const line = before.split("\n").findIndex((each) => each.includes("http://stock/items")) + 1;
    expect(violations(ended)).toContain(`mandatory secret-not-marked Pulumi.yaml:${line}`);
    expect(ended.output).not.toContain(secret);
  });

  test("an unknown name in the pack's configuration is refused, and known ones decide what is mandatory", async () => {
    writeFileSync(file("config.json"), JSON.stringify({ "image-by-tag": "mandatory" }));
    const refused = await preview("--policy-pack-config", "config.json");
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain("policy-unknown");
    expect(refused.output).toContain("image-by-tag");
    writeFileSync(
      file("config.json"),
      JSON.stringify({
        all: { enforcementLevel: "mandatory", mandatoryFrom: "critical" },
        "probes-present": "disabled",
        "secret-expiry": { enforcementLevel: "mandatory", mandatoryFrom: "medium" },
      }),
    );
    const chosen = await preview("--policy-pack-config", "config.json");
    rmSync(file("config.json"));
    const found = violations(chosen);
    expect(found.filter((line) => line.startsWith("mandatory"))).toEqual([
      expect.stringMatching(/^mandatory secret-expiry Pulumi\.yaml:\d+$/),
    ]);
    expect(found.filter((line) => line.includes("probes-present"))).toEqual([]);
    expect(found.filter((line) => line.startsWith("advisory image-by-digest"))).toHaveLength(2);
  });

  test("an update without a preview stops before it creates the resource at fault", async () => {
    const ended = await run("up", "--yes", "--skip-preview", "--stack", "prod", "--policy-pack", pack);
    expect(ended.code).not.toBe(0);
    const { output } = await run("stack", "export", "--stack", "prod");
    const { deployment } = JSON.parse(output.slice(output.indexOf("{"))) as { deployment: { resources: any[] } };
    const created = deployment.resources.map(({ urn }) => urn.split("::").at(-1));
    expect(created).toContain("group");
    expect(created.filter((name) => ["orders", "stock", "vault-entry"].includes(name))).toEqual([]);
    expect((await run("destroy", "--yes", "--skip-preview", "--stack", "prod")).code).toBe(0);
  });

  test("a team's own pack runs beside ours, and neither sees the other's findings as its own", async () => {
    const ended = await preview("--policy-pack", join(root, "examples", "own-policies"));
    expect(ended.output).toMatch(/own-policies@v1\.0\.0[^]*\[mandatory\]\s+resource-group-has-owner/);
    expect(
      violations(ended)
        .filter((each) => !each.includes("resource-group"))
        .toSorted(),
    ).toEqual(marks().toSorted());
  });

  test("the published form finds the same, without places and without the rule that needs secrets", async () => {
    const published = join(folder, "published");
    const built = await runChild(process.execPath, [join(root, "policies", "publish", "build.ts"), published]);
    expect([built.code, built.output]).toEqual([0, expect.stringContaining("pulumi policy publish")]);
    symlinkSync(join(root, "node_modules"), join(published, "node_modules"));
    const ended = await run("preview", "--stack", "prod", "--policy-pack", published);
    const found = ended.output.split("\n").flatMap((line) => /\[advisory\] +(\S+) +\(/.exec(line)?.[1] ?? []);
    const expected = marks()
      .filter((mark) => mark.includes(" Pulumi.yaml:"))
      .map((mark) => mark.split(" ")[1]!)
      .filter((rule) => rule !== "secret-not-marked");
    expect(found.toSorted()).toEqual(expected.toSorted());
    expect(ended.code).toBe(0);
  });

  test("a waiver takes away its finding; an expired one brings it back and is a finding itself", async () => {
    const waiver = (expires: number): string => `version: 1
waivers:
  - rule: image-by-digest
    target: orders
    environment: prod
    reason: The build does not report digests until the new registry is there.
    owner: team-shop
    ticket: SHOP-17
    created: ${dateOf(today - 30)}
    expires: ${dateOf(expires)}
`;
    writeFileSync(file("ballast.policies.yaml"), waiver(today + 30));
    const waived = violations(await preview());
    writeFileSync(file("ballast.policies.yaml"), waiver(today - 1));
    const expired = violations(await preview());
    rmSync(file("ballast.policies.yaml"));
    const ofOrders = marks().find((mark) => mark.includes("image-by-digest"))!;
    expect(marks().filter((mark) => !waived.includes(mark))).toEqual([ofOrders]);
    expect(waived.filter((line) => line.includes("waiver"))).toEqual([]);
    expect(expired).toContain(ofOrders);
    expect(expired).toContain("mandatory waiver-expired ballast.policies.yaml:3");
  });
});
