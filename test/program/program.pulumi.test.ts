// The program under the real Pulumi CLI on the emulator: the traffic that an update sends, what stops
// a preview, what an update does without a control plane, and that `destroy` leaves nothing. The
// tests share one stack and build on each other.
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stack, stackOfSettings } from "../../cli/doctor/stack.ts";
import { stackOfState } from "../../cli/doctor/state.ts";
import { parseConfig } from "../../config.ts";
import { callPolicy } from "../../engines/retry.ts";
import { bringPulumi } from "../../toolchain/pulumi/bring.ts";
import { quickStrategy, wideThresholds } from "../support/controlplane/quick-strategy.ts";
import { underUsers } from "../support/emulator/users.ts";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

const strategy = { ...quickStrategy, maximumSeconds: 150 };
const cli = path.join(import.meta.dirname, "..", "..", "cli", "main.ts");
let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack({ "ballast:strategy": strategy, "ballast:thresholds": wideThresholds });
});
afterAll(() => stack?.close());

const app = "storefront";
const controlPlane = "https://control-plane.apps.westeurope.ballast.localhost";
const providers = (): string =>
  `/subscriptions/${stack.cloud.cloud.subscription}/resourceGroups/ballast-local/providers`;
const release = (name: string): void => stack.configure({ "ballast:storefrontEnvironment": { RELEASE: name } });
type Entry = { readonly revisionName: string; readonly weight: number; readonly label?: string };
const entriesOf = async (): Promise<readonly Entry[]> =>
  (await stack.live(app)).properties.configuration.ingress.traffic;
/** Returns the weights above 0, without labels. */
const weights = (entries: readonly Entry[]) =>
  entries.filter(({ weight }) => weight > 0).map(({ revisionName, weight }) => ({ revisionName, weight }));
const trafficOf = async () => weights(await entriesOf());
const activeRevisions = async (): Promise<readonly string[]> =>
  (await stack.live(app, "/revisions")).value
    .filter(({ properties }: any) => properties.active)
    .map(({ name }: any) => name);
/** Returns the traffic of every PUT of the app so far. */
const sent = async (): Promise<readonly any[]> =>
  (await stack.cloud.ask("GET", "/_emulator/requests")).body.requests
    .filter((request: any) => request.method === "PUT" && request.path.endsWith(`/containerApps/${app}`))
    .map(({ traffic }: any) => traffic);
/** Calls the control plane as the emulator's client. */
const ask = async (method: string, rest: string, body?: object) =>
  stack.cloud.ask(method, `${controlPlane}/rollouts${rest}`, body, {
    token: await stack.cloud.tokenFor("api://ballast"),
  });
const signal = (revision: string, name: string) =>
  ask("POST", `/ballast-local/${app}/${revision}/signals`, { signal: name, message: "a test wants it" });
const order = (...faults: readonly object[]) => stack.cloud.ask("POST", "/_emulator/faults", { faults });

/** Does something while ten users send requests to the app. */
async function underLoad<Result>(act: () => Promise<Result>): Promise<Result> {
  const { storefrontUrl } = await stack.outputs();
  const { value } = await underUsers(
    Array.from({ length: 10 }, () => () => stack.visit(storefrontUrl!)),
    act,
  );
  return value;
}

test("the first `up` finds no live app and deploys a service that answers", async () => {
  const { code, output } = await stack.up();
  expect(output).toContain("promoted");
  expect(code).toBe(0);
  const { storefrontUrl, controlPlaneEndpoint, result, revision } = await stack.outputs();
  expect([result, revision, controlPlaneEndpoint]).toEqual([
    "promoted",
    (await stack.live(app)).properties.latestRevisionName,
    controlPlane,
  ]);
  expect(await stack.visit(storefrontUrl!)).toBe(200);
  expect(await sent()).toEqual([[{ latestRevision: true, weight: 100 }]]);
}, 240_000);

test("the first release pins its traffic to a name, and a preview shows no change", async () => {
  expect(await trafficOf()).toEqual([{ revisionName: (await stack.outputs())["revision"], weight: 100 }]);
  const { code, output } = await stack.pulumi("preview", "--expect-no-changes");
  expect(output).toContain("unchanged");
  expect(code).toBe(0);
});

test("`ballast doctor` finds all that a release needs in order, and names a stack that does not exist", async () => {
  stack.lend({});
  const shell = (line: string) =>
    promisify(execFile)("sh", ["-c", `. ./environment; exec ${line}`], { cwd: stack.folder, maxBuffer: 2 ** 26 });
  const doctor = (name: string) =>
    shell(`"${process.execPath}" "${cli}" doctor --stack ${name} --json`).catch(
      (error: Error & { code: number; stdout: string }) => error,
    );
  const { stdout } = await doctor("local");
  const { findings } = JSON.parse(stdout) as { findings: readonly { check: string; state: string }[] };
  expect(
    findings.map(({ check, state }) => [check, state]),
    stdout,
  ).toEqual(
    [
      "versions",
      "pulumi cli",
      "subscription",
      "providers",
      "rights",
      "quota",
      "names",
      "plane rights",
      "switch rights",
      "pull rights",
      "database size",
      "database role",
      "control plane",
      "token",
      "remediations",
      "credentials",
      "credential apps",
      "credential rights",
      "vault expiries",
      "telemetry",
      "canary",
      "image",
      "request rows",
      "idle revisions",
    ].map((check) => [check, check === "telemetry" ? "unknown" : "ok"]),
  ); // telemetry: the first report comes after a minute
  // The state, by which the doctor examines any other program, describes this stack as its settings do.
  const pulumiCli = await bringPulumi();
  const asked = async (words: string) =>
    JSON.parse((await shell(`"${pulumiCli.command}" ${words} --stack local --non-interactive`)).stdout) as any;
  const config = await asked("config --json");
  const secret = Object.keys(config).filter((key) => config[key].secret);
  const values = Object.entries<any>(config).map(([key, { value }]) => [key, value ?? "not shown"]);
  const { controlPlaneBinding } = await stack.outputs();
  const settings = parseConfig(Object.fromEntries(values), secret);
  const bySettings = stackOfSettings(settings, controlPlane, controlPlaneBinding);
  const byState = stackOfState("local", (await asked("stack export")).deployment.resources);
  const spelled = ({ names, writes, ...rest }: Stack) => ({
    ...rest,
    names: names.map(({ kind, id }) => [kind, id]).sort(),
    groups: [...writes.keys()],
    namespaces: [...new Set([...writes.values()].flat().map((action) => action.split("/")[0]))].sort(),
  });
  expect(spelled(byState)).toEqual(spelled(bySettings));
  expect(await doctor("nowhere")).toMatchObject({
    code: 2,
    stdout: expect.stringContaining(
      '"doctor-stack-unreadable","message":"The Pulumi CLI cannot read the stack nowhere',
    ),
  });
});

test("the dead man's switch of the stack runs and gets the control plane's heartbeat", async () => {
  const job = `${providers()}/Microsoft.App/jobs/dead-mans-switch`;
  const { name } = (await stack.cloud.ask("POST", `${job}/start?api-version=2025-07-01`)).body;
  await expect
    .poll(
      async () =>
        (await stack.cloud.ask("GET", `${job}/executions/${name}?api-version=2025-07-01`)).body.properties.status,
      { timeout: 15_000 },
    )
    .toBe("Succeeded");
  const { lines } = (await stack.cloud.ask("GET", "/_emulator/logs?app=dead-mans-switch")).body;
  expect(lines.filter(({ revision }: any) => revision === name).map(({ json }: any) => json?.what)).toEqual([
    "heartbeat",
  ]);
});

test("dry-run thresholds judge a release and change nothing; a weak plan gets canary-app-cautions", async () => {
  stack.configure({ "ballast:dryRunThresholds": { failurePointsMax: 0.01 } });
  release("1b");
  const { code, output } = await underLoad(stack.up);
  expect(output).toContain("canary-app-cautions");
  expect(output).toMatch(/dry-run thresholds would (wait|continue): /);
  expect([code, output]).toEqual([0, expect.stringContaining("promoted")]);
  const { revision } = await stack.outputs();
  expect((await ask("GET", `/ballast-local/${app}/${revision}`)).body.evidence).toMatchObject({
    againstMax: 20,
    favour: null,
    favourMin: 20,
  });
  stack.configure({ "ballast:dryRunThresholds": {} });
}, 240_000);

test("an update gives its new revision no traffic, and after the promotion a preview shows no change", async () => {
  const first = (await trafficOf())[0]!.revisionName;
  release("2");
  const { code, output } = await underLoad(stack.up);
  expect(output).toContain("promoted");
  expect(code).toBe(0);
  expect((await sent()).at(-1)).toEqual([{ revisionName: first, weight: 100, label: "stable" }]);
  const { revision } = await stack.outputs();
  expect(revision).not.toBe(first);
  expect(await entriesOf()).toEqual([{ revisionName: revision, weight: 100, label: "stable" }]);
  expect((await stack.pulumi("preview", "--expect-no-changes")).code).toBe(0);
}, 240_000);

test("a failed read stops the preview with canary-app-unreadable, and a 403 names the missing right", async () => {
  const faults: readonly (readonly [fault: object, says: string])[] = [
    [{ status: 403, code: "AuthorizationFailed" }, "Microsoft.App/containerApps/read"],
    [{ status: 404, code: "SubscriptionNotFound" }, "SubscriptionNotFound"],
    [{ status: 500, code: "InternalServerError" }, "InternalServerError"],
    [{ status: 429, code: "TooManyRequests", retryAfterSeconds: 1 }, "TooManyRequests"],
    [{ loseAnswer: true }, "run the same command again"],
  ];
  for (const [fault, says] of faults) {
    await order({ method: "GET", path: `/containerApps/${app}$`, times: 20, ...fault });
    // A refresh would fail before the read, with another message.
    const { code: exit, output } = await stack.pulumi("preview", "--refresh=false");
    await order();
    expect(exit).not.toBe(0);
    expect(output).toContain("canary-app-unreadable");
    expect(output).toContain(says);
    expect(output).not.toContain("at absentOrThrow"); // no stack trace
  }
});

test("an unknown key stops the preview with its name", async () => {
  stack.configure({ "ballast:whenInflight": "supersede" });
  const { code, output } = await stack.pulumi("preview");
  stack.configure({ "ballast:whenInflight": undefined });
  expect(code).not.toBe(0);
  expect(output).toContain("config-key-unknown  The configuration sets ballast:whenInflight");
  expect(output).toContain("ballast:whenInFlight");
});

test("traffic that moves between plan and update stays, and stops it with canary-app-traffic-moved", async () => {
  const now = (await trafficOf())[0]!.revisionName;
  const other = (await stack.live(app, "/revisions")).value
    .map(({ name }: { name: string }) => name)
    .find((name: string) => name !== now);
  const puts = (await sent()).length;
  // The control plane is updated first and slowly, so there is time between the read of the plan and the app's write.
  stack.configure({ "ballast:ingestionSeconds": 2 });
  release("3");
  await order({ method: "PUT", path: "/containerApps/control-plane$", times: 1, delaySeconds: 4 });
  const update = stack.up();
  await expect
    .poll(async () => (await stack.cloud.ask("GET", "/_emulator/faults")).body.faults[0]?.times, {
      timeout: 120_000,
      interval: 50,
    })
    .toBe(0);
  await stack.patchTraffic(app, [{ revisionName: other, weight: 100 }]);
  const { code, output } = await update;
  expect(code).not.toBe(0);
  expect(output).toContain("canary-app-traffic-moved");
  expect(output).toContain(`${now} (stable) 100 % when this update was planned and is ${other} 100 % now`);
  expect(await trafficOf()).toEqual([{ revisionName: other, weight: 100 }]);
  expect((await sent()).length).toBe(puts);
  await stack.patchTraffic(app, [{ revisionName: now, weight: 100 }]);
  expect((await underLoad(stack.up)).code).toBe(0); // the lock was released, else this would be refused
}, 300_000);

test("after a rollback an unchanged `up` fails with the same message; a preview shows only the release", async () => {
  const before = await trafficOf();
  // One good answer passes the smoke test; every probe after it fails, so no users are needed.
  stack.configure({
    "ballast:storefrontEnvironment": { RELEASE: "bad", FAULT: "errors", FAULT_PERCENT: 100, FAULT_AFTER: 1 },
  });
  const failed = await stack.up();
  const shown = (await ask("GET", `?resourceGroup=ballast-local&app=${app}`)).body.rollouts[0];
  expect(shown).toMatchObject({
    result: "rolled-back",
    message: expect.stringMatching(/^rolled back at 50 percent: .* failed 3 probes in a row/),
  });
  expect(failed.code).not.toBe(0);
  expect(failed.output).toContain("release-rolled-back");
  expect(failed.output).toContain(shown.message);
  expect(await trafficOf()).toEqual(before);

  const puts = await sent();
  const again = await stack.up();
  expect(again.code).not.toBe(0);
  expect(again.output).toContain(shown.message);
  expect(await sent()).toEqual(puts);
  expect(await trafficOf()).toEqual(before);
  const newest = (await ask("GET", `?resourceGroup=ballast-local&app=${app}`)).body.rollouts[0];
  expect(newest).toEqual(shown); // no second rollout

  // The state keeps the result, and every `up` sends a release that was not promoted to the control plane again. Else
  // the same program would succeed once its failure was reported, and a revert would be skipped, since the state calls
  // it unchanged. So a preview shows the release and nothing else.
  const { output } = await stack.pulumi("preview", "--json");
  const { steps } = JSON.parse(output) as { steps: { op: string; urn: string }[] };
  expect(
    steps.filter(({ op }) => op !== "same" && op !== "refresh").map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`),
  ).toEqual(["update storefront-release"]);
}, 300_000);

test("during a canary no `up` moves traffic: unchanged, refused, or a revert after an abort", async () => {
  const stable = (await trafficOf())[0]!.revisionName;
  stack.configure({
    "ballast:wait": false,
    "ballast:strategy": { ...strategy, bakeSeconds: 600, maximumSeconds: 3_600 },
  });
  release("4");
  expect((await stack.up()).code).toBe(0);
  await expect.poll(async () => (await trafficOf()).length, { timeout: 30_000 }).toBe(2);
  const half = await trafficOf();
  const canary = half.find(({ revisionName }) => revisionName !== stable)!.revisionName;
  expect((await stack.pulumi("preview", "--expect-no-changes")).code).toBe(0);

  // Paused, so that no step can lie between the two reads.
  expect((await signal(canary, "pause")).status).toBe(202);
  const puts = await sent();
  const unchanged = await stack.up();
  expect(unchanged.output).toMatch(/Resources:\s+\d+ unchanged/);
  expect(unchanged.code).toBe(0);
  expect(await trafficOf()).toEqual(half);
  expect(await sent()).toEqual(puts);

  release("5");
  const refused = await stack.up();
  expect(refused.code).not.toBe(0);
  expect(refused.output).toContain("stream-in-flight");
  expect(weights((await sent()).at(-1))).toEqual(half);
  expect(await trafficOf()).toEqual(half);

  expect((await signal(canary, "abort")).status).toBe(202);
  await expect.poll(trafficOf, { timeout: 30_000 }).toEqual([{ revisionName: stable, weight: 100 }]);

  stack.configure({ "ballast:wait": true, "ballast:strategy": strategy });
  release("3");
  const { code, output } = await stack.up();
  expect(output).toContain("unchanged");
  expect(code).toBe(0);
  expect(await trafficOf()).toEqual([{ revisionName: stable, weight: 100 }]);
  expect((await stack.pulumi("preview", "--expect-no-changes")).code).toBe(0);
}, 300_000);

test("without a control plane a new release is refused once its budget of retries is spent", async () => {
  const before = await trafficOf();
  const revision = (await stack.live("control-plane")).properties.latestRevisionName;
  const of = `${providers()}/Microsoft.App/containerApps/control-plane/revisions/${revision}`;
  expect((await stack.cloud.ask("POST", `${of}/deactivate?api-version=2025-07-01`)).status).toBe(200);
  const revisions = await activeRevisions();
  release("6");
  expect((await stack.pulumi("preview")).code).toBe(0);
  const began = performance.now();
  const { code, output } = await stack.up();
  expect(code).not.toBe(0);
  expect(output).toContain("canary-app-unreleasable");
  expect((performance.now() - began) / 1000).toBeGreaterThan(callPolicy.budgetSeconds / 2);
  expect([await trafficOf(), await activeRevisions()]).toEqual([before, revisions]);
}, 300_000);

test("`destroy` without a control plane warns that nothing was aborted, continues and leaves nothing", async () => {
  const { code, output } = await stack.pulumi("destroy", "--yes", "--skip-preview");
  expect(output).toContain("No rollout was aborted; the deletion continues.");
  expect(output).not.toContain("error:");
  expect(code).toBe(0);
  const { subscription } = stack.cloud.cloud;
  expect(
    (await stack.cloud.ask("GET", `/subscriptions/${subscription}/resourceGroups/ballast-local?api-version=2024-03-01`))
      .status,
  ).toBe(404);
  expect((await stack.cloud.ask("GET", "/_emulator/processes")).body.processes).toEqual([]);
}, 300_000);
