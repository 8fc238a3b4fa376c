// The program under the real Pulumi engine on the stand-in: whose traffic an update sends, what stops a preview, what an
// update does without a control plane, and that nothing is left at the end. One stack, one chapter after another.
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stack, stackOfSettings } from "../../cli/doctor/stack.ts";
import { stackOfState } from "../../cli/doctor/state.ts";
import { parseConfig } from "../../config.ts";
import { bringEngine } from "../../toolchain/pulumi/bring.ts";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

const pace = {
  weights: [50],
  bakeSeconds: 1,
  warmUpSeconds: 0,
  tickSeconds: 1,
  probeSeconds: 1,
  smokeSeconds: 12,
  maximumSeconds: 150,
};
const limits = { failurePointsMax: 20, slowdownTolerated: 10 }; // the widest that a plan may have: a few dozen requests are evidence enough here
const cli = path.join(import.meta.dirname, "..", "..", "cli", "main.ts");
let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack({ "ballast:pace": pace, "ballast:limits": limits });
});
afterAll(() => stack?.close());

const app = "storefront";
const controlPlane = "https://control-plane.apps.westeurope.ballast.localhost";
const release = (name: string): void => stack.configure({ "ballast:storefrontEnvironment": { RELEASE: name } });
type Entry = { readonly revisionName: string; readonly weight: number; readonly label?: string };
const entriesOf = async (): Promise<readonly Entry[]> =>
  (await stack.live(app)).properties.configuration.ingress.traffic;
/** Who gets how much; what is said of those who get nothing, and by which label, is another matter. */
const weights = (entries: readonly Entry[]) =>
  entries.filter(({ weight }) => weight > 0).map(({ revisionName, weight }) => ({ revisionName, weight }));
const trafficOf = async () => weights(await entriesOf());
/** The traffic of every full PUT of the app so far. */
const sent = async (): Promise<readonly any[]> =>
  (await stack.cloud.ask("GET", "/_standin/requests")).body.requests
    .filter(({ method, path }: any) => method === "PUT" && path.endsWith(`/containerApps/${app}`))
    .map(({ traffic }: any) => traffic);
/** Asks the control plane as the fixed client may. */
const ask = async (method: string, rest: string, body?: object) =>
  stack.cloud.ask(method, `${controlPlane}/rollouts${rest}`, body, {
    token: await stack.cloud.tokenFor("api://ballast"),
  });
const signal = (revision: string, name: string) =>
  ask("POST", `/ballast-local/${app}/${revision}/signals`, { signal: name, reason: "a test wants it" });
const order = (...faults: readonly object[]) => stack.cloud.ask("POST", "/_standin/faults", { faults });

/** Carries something out while users ask the app, ten at a time. */
async function underLoad<Result>(act: () => Promise<Result>): Promise<Result> {
  const { storefrontUrl } = await stack.outputs();
  let over = false;
  const users = Promise.all(
    Array.from({ length: 10 }, async () => {
      while (!over) await stack.visit(storefrontUrl!).catch(() => 0);
    }),
  );
  try {
    return await act();
  } finally {
    over = true;
    await users;
  }
}

test("the first `up` finds nothing live, which stops nothing, and deploys a service that answers", async () => {
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
});

test("the first release pins its traffic to a name, and the unchanged program is clean", async () => {
  expect(await trafficOf()).toEqual([{ revisionName: (await stack.outputs())["revision"], weight: 100 }]);
  const { code, output } = await stack.pulumi("preview", "--expect-no-changes");
  expect(output).toContain("unchanged");
  expect(code).toBe(0);
});

test("doctor finds nothing wrong with the stack, and says so of each thing that a release needs; a stack that is not there is told by its name", async () => {
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
      "engine",
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
      "telemetry",
      "canary",
      "image",
      "request rows",
      "cost",
    ].map((check) => [check, check === "telemetry" ? "unknown" : "ok"]),
  ); // Its first report comes after a minute.
  // What any other program is looked at by, its state, tells the same of this one as its settings do.
  const engine = await bringEngine();
  const asked = async (words: string) =>
    JSON.parse((await shell(`"${engine.command}" ${words} --stack local --non-interactive`)).stdout) as any;
  const config = await asked("config --json");
  const secret = Object.keys(config).filter((key) => config[key].secret);
  const values = Object.entries<any>(config).map(([key, { value }]) => [key, value ?? "not shown"]);
  const bySettings = stackOfSettings(parseConfig(Object.fromEntries(values), secret), controlPlane);
  const byState = stackOfState("local", (await asked("stack export")).deployment.resources);
  const spelled = ({ names, writes, replicas, ...rest }: Stack) => ({
    ...rest,
    names: names.map(({ kind, id }) => [kind, id]).sort(),
    replicas: replicas.map((one) => JSON.stringify(one)).sort(),
    groups: [...writes.keys()],
    namespaces: [...new Set([...writes.values()].flat().map((action) => action.split("/")[0]))].sort(),
  });
  expect(spelled(byState)).toEqual(spelled(bySettings));
  expect(await doctor("nowhere")).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(
      '"doctor-stack-unreadable","message":"The Pulumi engine cannot read the stack nowhere',
    ),
  });
});

test("the dead man's switch that is deployed with it may run, and hears the control plane", async () => {
  const job = `/subscriptions/${stack.cloud.cloud.subscription}/resourceGroups/ballast-local/providers/Microsoft.App/jobs/dead-mans-switch`;
  const { name } = (await stack.cloud.ask("POST", `${job}/start?api-version=2025-07-01`)).body;
  await expect
    .poll(
      async () =>
        (await stack.cloud.ask("GET", `${job}/executions/${name}?api-version=2025-07-01`)).body.properties.status,
      { timeout: 15_000 },
    )
    .toBe("Succeeded");
  const { lines } = (await stack.cloud.ask("GET", "/_standin/logs?app=dead-mans-switch")).body;
  expect(lines.filter(({ revision }: any) => revision === name).map(({ json }: any) => json?.what)).toEqual([
    "heartbeat",
  ]);
});

test("limits in the shadow judge a release beside and change nothing; a plan that promises little is warned of, and carried out", async () => {
  stack.configure({ "ballast:shadowLimits": { failurePointsMax: 0.01 } });
  release("1b");
  const { code, output } = await underLoad(stack.up);
  expect(output).toContain("canary-app-cautions");
  expect(output).toContain("other limits would hold: ");
  expect([code, output]).toEqual([0, expect.stringContaining("promoted")]);
  const { revision } = await stack.outputs();
  expect((await ask("GET", `/ballast-local/${app}/${revision}`)).body.evidence).toMatchObject({
    againstMax: 20,
    favour: null,
    favourMin: 20,
  });
  stack.configure({ "ballast:shadowLimits": {} });
}, 240_000);

test("an update gives its new revision no traffic, and after the promotion the unchanged program is clean again", async () => {
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

test("a 403 of the plan-time read stops the preview with canary-app-unreadable, naming the right, and nothing else is an absent app", async () => {
  const faults: readonly (readonly [fault: object, says: string])[] = [
    [{ status: 403, code: "AuthorizationFailed" }, "Microsoft.App/containerApps/read"],
    [{ status: 404, code: "SubscriptionNotFound" }, "SubscriptionNotFound"],
    [{ status: 500, code: "InternalServerError" }, "InternalServerError"],
    [{ status: 429, code: "TooManyRequests", retryAfterSeconds: 1 }, "TooManyRequests"],
    [{ loseAnswer: true }, "run the same command again"],
  ];
  for (const [fault, says] of faults) {
    await order({ method: "GET", path: `/containerApps/${app}$`, times: 20, ...fault });
    const { code: exit, output } = await stack.pulumi("preview", "--refresh=false"); // a refresh would fail before, in other words
    await order();
    expect(exit).not.toBe(0);
    expect(output).toContain("canary-app-unreadable");
    expect(output).toContain(says);
    expect(output).not.toContain("at absentOrThrow"); // no stack trace
  }
});

test("a wrong key stops the preview by its name", async () => {
  stack.configure({ "ballast:whenInflight": "supersede" });
  const { code, output } = await stack.pulumi("preview");
  stack.configure({ "ballast:whenInflight": undefined });
  expect(code).not.toBe(0);
  expect(output).toContain("config-key-unknown  The configuration sets ballast:whenInflight");
  expect(output).toContain("ballast:whenInFlight");
});

test("traffic that moves between plan and update stops the update with canary-app-traffic-moved, and stands", async () => {
  const now = (await trafficOf())[0]!.revisionName;
  const other = (await stack.live(app, "/revisions")).value
    .map(({ name }: { name: string }) => name)
    .find((name: string) => name !== now);
  const puts = (await sent()).length;
  // The control plane is updated first, and slowly: long after the plan-time read, long before the app is written.
  stack.configure({ "ballast:ingestionSeconds": 2 });
  release("3");
  await order({ method: "PUT", path: "/containerApps/control-plane$", times: 1, delaySeconds: 4 });
  const update = stack.up();
  await expect
    .poll(async () => (await stack.cloud.ask("GET", "/_standin/faults")).body.faults[0]?.times, {
      timeout: 30_000,
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
  expect((await underLoad(stack.up)).code).toBe(0); // the hold was given back, or this one would be refused
}, 120_000);

test("after a rollback by the judge an unchanged `up` gives the same sentence and moves nobody, and a preview shows the release alone", async () => {
  const before = await trafficOf();
  // One good answer is enough for the smoke test; every probe after it fails, and no user is needed to see that.
  stack.configure({
    "ballast:storefrontEnvironment": { RELEASE: "bad", FAULT: "errors", FAULT_PERCENT: 100, FAULT_AFTER: 1 },
  });
  const failed = await stack.up();
  const shown = (await ask("GET", `?resourceGroup=ballast-local&app=${app}`)).body.rollouts[0];
  expect(shown).toMatchObject({
    result: "rolled-back",
    sentence: expect.stringMatching(/^rolled back at 50 percent: .* failed 3 probes in a row/),
  });
  expect(failed.code).not.toBe(0);
  expect(failed.output).toContain("release-rolled-back");
  expect(failed.output).toContain(shown.sentence);
  expect(await trafficOf()).toEqual(before);

  const puts = await sent();
  const again = await stack.up();
  expect(again.code).not.toBe(0);
  expect(again.output).toContain(shown.sentence);
  expect(await sent()).toEqual(puts);
  expect(await trafficOf()).toEqual(before);
  expect((await ask("GET", `?resourceGroup=ballast-local&app=${app}`)).body.rollouts[0]).toEqual(shown); // nothing was judged again

  // The state keeps how the release ended, and one that did not end well is put to the control plane at every `up`, whatever the
  // program says: else the same program would be green as soon as its failure had been told once, and a revert, which the
  // state calls unchanged, would be passed over. So a preview shows the release, and nothing else: the app is as it was written.
  const { output } = await stack.pulumi("preview", "--json");
  const { steps } = JSON.parse(output) as { steps: { op: string; urn: string }[] };
  expect(
    steps.filter(({ op }) => op !== "same" && op !== "refresh").map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`),
  ).toEqual(["update storefront-release"]);
}, 120_000);

test("during a canary the unchanged program is clean and its `up` moves nobody, another release is refused, and neither that nor the revert after an abort moves anybody", async () => {
  const stable = (await trafficOf())[0]!.revisionName;
  stack.configure({ "ballast:wait": false, "ballast:pace": { ...pace, bakeSeconds: 600, maximumSeconds: 3_600 } });
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
  expect(refused.output).toContain("rollout-in-flight");
  expect(weights((await sent()).at(-1))).toEqual(half);
  expect(await trafficOf()).toEqual(half);

  expect((await signal(canary, "abort")).status).toBe(202);
  await expect.poll(trafficOf, { timeout: 30_000 }).toEqual([{ revisionName: stable, weight: 100 }]);

  stack.configure({ "ballast:wait": true, "ballast:pace": pace });
  release("3");
  const { code, output } = await stack.up();
  expect(output).toContain("equal");
  expect(code).toBe(0);
  expect(await trafficOf()).toEqual([{ revisionName: stable, weight: 100 }]);
  expect((await stack.pulumi("preview", "--expect-no-changes")).code).toBe(0);
}, 120_000);

test("without a control plane a preview works, and an update goes on with canary-app-unguarded as a warning, moves nobody and fails at its release within half a minute", async () => {
  const before = await trafficOf();
  const revision = (await stack.live("control-plane")).properties.latestRevisionName;
  const { subscription } = stack.cloud.cloud;
  const of = `/subscriptions/${subscription}/resourceGroups/ballast-local/providers/Microsoft.App/containerApps/control-plane/revisions/${revision}`;
  expect((await stack.cloud.ask("POST", `${of}/deactivate?api-version=2025-07-01`)).status).toBe(200);
  release("6");
  expect((await stack.pulumi("preview")).code).toBe(0);
  const { code, output } = await stack.up();
  expect(code).not.toBe(0);
  expect(output).toContain("canary-app-unguarded");
  expect(output).toContain("release-control-plane-unreachable");
  // The provider's patience is 15 s; the engine tells how long the release has taken beside the error.
  expect(Number(/storefront-release updating \((\d+)s\).*error:/.exec(output)?.[1])).toBeLessThan(30);
  expect(await trafficOf()).toEqual(before);
}, 180_000);

test("`destroy` with the control plane still down warns that nothing could be aborted, goes on and leaves nothing", async () => {
  const { code, output } = await stack.pulumi("destroy", "--yes", "--skip-preview");
  expect(output).toContain("Nothing could be aborted; deleting goes on.");
  expect(output).not.toContain("error:");
  expect(code).toBe(0);
  const { subscription } = stack.cloud.cloud;
  expect(
    (await stack.cloud.ask("GET", `/subscriptions/${subscription}/resourceGroups/ballast-local?api-version=2024-03-01`))
      .status,
  ).toBe(404);
  expect((await stack.cloud.ask("GET", "/_standin/processes")).body.processes).toEqual([]);
}, 120_000);
