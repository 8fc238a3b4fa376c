// The control plane as it is deployed: its process, a real PostgreSQL and the emulator. It tests only that everything
// is connected, that a rollout runs by itself, and that the process ends in order.
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { defaultThresholds } from "../../engines/rollout/plan.ts";
import { runChild } from "../../toolchain/child.ts";
import { type PlaneProcess, startPlane } from "../support/controlplane/plane.ts";
import { quickStrategy } from "../support/controlplane/quick-strategy.ts";
import { openShop, type Shop, target } from "../support/emulator/azure-shop.ts";
import { eventually, postgresForTests } from "../support/postgres/postgres.ts";

const postgres = postgresForTests();
let shop: Shop;
let plane: PlaneProcess;
let stable = "";
let canary = "";

beforeAll(async () => {
  shop = await openShop();
  stable = await shop.release("1", [{ latestRevision: true, weight: 100 }]);
  canary = await shop.release("2", [{ revisionName: stable, weight: 100 }]);
  plane = await startPlane(shop, await postgres.fresh(), {
    name: "deployed",
    apps: [target.app],
    leaseSeconds: 6,
    requestSeconds: 4,
    variables: {
      BALLAST_NOTIFY: JSON.stringify({ slackUrl: "https://127.0.0.1:2/services/secret-part" }),
      CONTAINER_APP_REPLICA_NAME: "ballast--r1-0",
    },
  });
});
afterAll(async () => {
  plane?.child.kill("SIGKILL");
  await shop?.close();
});

test("a rollout runs from its request to its end by itself, and is followed meanwhile", async () => {
  const token = (await shop.connection.credential.getToken("api://ballast/.default"))!.token;
  const call = (method: string, to: string, body?: object) =>
    fetch(`${plane.endpoint}${to}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const path = `/rollouts/${target.resourceGroup}/${target.app}/${canary}`;
  const put = await call("PUT", path, {
    release: "2",
    strategy: quickStrategy,
    thresholds: defaultThresholds,
    probePath: "/health/ready",
  });
  expect([put.status, ((await put.json()) as any).phase]).toEqual([202, "inspecting"]);
  const followed = call("GET", `${path}/follow`).then((response) => response.text());
  const isMeasured = async () =>
    ((await (await call("GET", `${path}/journal`)).json()) as any).facts.some(
      ({ event }: any) => event.kind === "Measured" && event.buckets.length > 0,
    );
  await eventually(isMeasured, "a measurement");
  expect((await call("POST", `${path}/signals`, { signal: "promote", message: "it looks good" })).status).toBe(202);
  const lines = (await followed)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ result: "promoted" });
  expect(lines.filter(({ kind }) => kind === "StepReached").map(({ message }) => message)).toEqual([
    "canary has 50 percent",
    "canary has 100 percent",
  ]);
  expect((await shop.app()).properties.configuration.ingress.traffic).toEqual([
    { revisionName: canary, weight: 100, label: "stable" },
  ]);
  expect(
    (
      (await (
        await call("PUT", path, {
          release: "2",
          strategy: quickStrategy,
          thresholds: defaultThresholds,
          probePath: "/health/ready",
        })
      ).json()) as any
    ).result,
  ).toBe("promoted");
  expect(((await (await fetch(`${plane.endpoint}/health`)).json()) as any).lastWriteAt).toBeGreaterThan(0);
});

test("an unreachable notifier is retried, and nothing waits for it", async () => {
  const { message } = await eventually(() => plane.said().find(({ what }) => what === "trouble"), "trouble with Slack");
  expect(message).toMatch(
    /^Notification rollout\/\S+#2 to slack failed; will retry: it cannot be reached \(E[A-Z]+\)$/,
  );
});

test("the `ballast` command reads its list, a refusal, and a journal that replays", async () => {
  const token = (await shop.connection.credential.getToken("api://ballast/.default"))!.token;
  const release = async (...args: readonly string[]): Promise<any> => {
    const { code, output } = await runChild(
      process.execPath,
      ["cli/main.ts", "release", ...args, "--endpoint", plane.endpoint, "--json"],
      { environment: { PATH: process.env["PATH"], BALLAST_TOKEN: token } },
    );
    return { code, ...JSON.parse(output) };
  };
  expect(await release("list")).toMatchObject({
    code: 0,
    rollouts: [{ ...target, revision: canary, result: "promoted" }],
  });
  expect(await release("abort", target.app, "--message", "a second thought")).toMatchObject({
    code: 1,
    error: { id: "signal-disregarded", message: expect.stringContaining("too late") },
  });
  const explained = await release("explain", target.app, "--replay");
  expect(explained).toMatchObject({ code: 0, replay: { equal: true, facts: explained.facts } });
  expect(explained.journal.map(({ event }: any) => event.kind)).toEqual(
    expect.arrayContaining(["Planned", "Measured", "Finished"]),
  );
});

test("the process ends in order on a signal, and its log contains no secret", async () => {
  plane.child.kill("SIGTERM");
  expect(await once(plane.child, "exit")).toEqual([0, null]);
  expect(
    plane
      .said()
      .filter(({ what }) => what !== "call" && what !== "trouble")
      .map(({ what }) => what),
  ).toEqual(["started", "ending"]);
  const log = JSON.stringify(plane.said());
  expect(log).not.toContain("eyJ");
  expect(log).not.toContain("secret-part");
  expect(log).not.toContain(shop.settings.clientSecret);
});
