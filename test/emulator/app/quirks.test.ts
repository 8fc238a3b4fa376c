// The quirks of container apps that concern writes, names, states, secrets and time, each in force and switched
// off, by raw requests on the smallest cloud. Quirks of traffic are in traffic-quirks.test.ts; those of
// Resource Manager are in arm/quirks.test.ts.
import { expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { quirks } from "../../../emulator/controls/quirks.ts";
import { containerCloud, domain, eventually, storefrontApp } from "../../support/emulator/container-cloud.ts";
import {
  answers,
  bothWays,
  brokenApp,
  clock,
  code,
  entriesOf,
  host,
  latest,
  names,
  ready,
  release,
  shift,
} from "../../support/emulator/quirk-cloud.ts";

test("a second use of a suffix fails the operation; a naive cloud replaces the revision", async () => {
  const seen = await bothWays("suffix-taken-for-life", async (c) => {
    await release(c, { RELEASE: "1" }, { template: { revisionSuffix: "one" } });
    const { operation } = await c.put("shop", storefrontApp({ RELEASE: "2" }, { template: { revisionSuffix: "one" } }));
    return [(await operation)?.code ?? "succeeded", await names(c)];
  });
  expect(seen).toEqual({ azure: ["ContainerAppOperationError", ["shop--one"]], naive: ["succeeded", ["shop--one"]] });
});

test("in its silent form a second use of an inactive revision's suffix succeeds and deploys nothing", async () => {
  await using c = await containerCloud({}, Date.now, { "suffix-taken-for-life": "silent" });
  await release(c, { RELEASE: "1" }, { template: { revisionSuffix: "one" } });
  await release(c, { RELEASE: "2" }, { template: { revisionSuffix: "two" } });
  const again = () =>
    c
      .put("shop", storefrontApp({ RELEASE: "3" }, { template: { revisionSuffix: "one" } }))
      .then(({ operation }) => operation);
  expect(await again()).toMatchObject({ code: "ContainerAppOperationError" });
  await c.child("shop", "POST", "revisions", "shop--one", "deactivate");
  expect(await again()).toBeUndefined();
  expect(await names(c)).toEqual(["shop--one", "shop--two"]);
  expect(await c.revision("shop", "shop--one")).toMatchObject({
    active: false,
    template: { containers: [{ env: expect.arrayContaining([{ name: "RELEASE", value: "1" }]) }] },
  });
});

test("an earlier template gets a new revision; a naive cloud returns to the old one", async () => {
  const seen = await bothWays("names-by-counter", async (c) => {
    const made = [
      await release(c, { RELEASE: "1" }),
      await release(c, { RELEASE: "2" }),
      await release(c, { RELEASE: "1" }),
    ];
    return new Set(made).size;
  });
  expect(seen).toEqual({ azure: 3, naive: 2 });
});

test("the last active revision may be deactivated; a naive cloud refuses that", async () => {
  const seen = await bothWays("last-active-may-be-deactivated", async (c) =>
    code(c.child("shop", "POST", "revisions", await release(c, { RELEASE: "1" }), "deactivate")),
  );
  expect(seen).toEqual({ azure: "accepted", naive: "ContainerAppOperationError" });
});

test("a write succeeds although its container never starts; a naive cloud's operation fails", async () => {
  const seen = await bothWays(
    "succeeds-unstarted",
    async (c) => (await (await c.put("shop", brokenApp())).operation)?.code ?? "succeeded",
  );
  expect(seen).toEqual({ azure: "succeeded", naive: "ContainerAppOperationError" });
});

test("activation is answered before a replica is ready; a naive cloud waits", async () => {
  const seen = await bothWays("actions-do-not-wait", async (c) => {
    const first = await release(c, { RELEASE: "1" });
    await ready(c, first);
    await c.child("shop", "POST", "revisions", first, "deactivate");
    await c.child("shop", "POST", "revisions", first, "activate");
    const { provisioningState, runningState, healthState } = await c.revision("shop", first);
    return [provisioningState, runningState, healthState];
  });
  expect(seen).toEqual({ azure: ["Provisioning", "Activating", "None"], naive: ["Provisioned", "Running", "Healthy"] });
});

test("a write during a write is refused; a naive cloud carries out both", async () => {
  const seen = await bothWays("one-write-at-a-time", async (c) => {
    const { operation } = await c.put("shop", storefrontApp({ RELEASE: "1" }));
    const second = await code(c.put("shop", storefrontApp({ RELEASE: "2" })).then((put) => put.operation));
    await operation;
    return second;
  });
  expect(seen).toEqual({ azure: "ContainerAppOperationInProgress", naive: "accepted" });
});

test("a changed secret reaches a replica only when it is restarted; a naive cloud restarts every replica", async () => {
  const seen = await bothWays("secret-makes-no-revision", async (c) => {
    const withKey = (value: string) =>
      storefrontApp({ RELEASE: "1" }, { configuration: { secrets: [{ name: "key", value }] } });
    const first = latest(await c.apply("shop", withKey("old")));
    await ready(c, first);
    const again = latest(await c.apply("shop", withKey("new")));
    const restarts = async () => (await c.emulator("GET", "processes")).processes.map((each: Body) => each["restarts"]);
    if ((await code(eventually(restarts, ([count]) => count === 1, 0.5))) === "accepted")
      return [again === first, "restarted"];
    await c.child("shop", "POST", "revisions", first, "restart");
    await eventually(restarts, ([count]) => count === 1);
    return [again === first, "restarted when asked"];
  });
  expect(seen).toEqual({ azure: [true, "restarted when asked"], naive: [true, "restarted"] });
});

test("a read never shows a secret, and a PUT must repeat it; naive clouds show it and keep it", async () => {
  const put = (value?: string) =>
    storefrontApp({ RELEASE: "1" }, { configuration: { secrets: [{ name: "key", ...(value ? { value } : {}) }] } });
  expect(
    await bothWays(
      "secrets-are-write-only",
      async (c) => (await c.apply("shop", put("hush")))["properties"].configuration.secrets,
    ),
  ).toEqual({ azure: [{ name: "key" }], naive: [{ name: "key", value: "hush" }] });
  expect(
    await bothWays("put-repeats-secrets", async (c) => {
      await c.apply("shop", put("hush"));
      return code(c.apply("shop", put()));
    }),
  ).toEqual({ azure: "ContainerAppSecretInvalid", naive: "accepted" });
});

test("a read shows the server's defaults; a naive cloud's shows what was sent", async () => {
  const seen = await bothWays("defaults-on-read", async (c) => {
    const { configuration, template } = (await c.apply("shop", storefrontApp({})))["properties"];
    return [configuration.ingress.transport, template.scale.maxReplicas, configuration.ingress.fqdn];
  });
  expect(seen).toEqual({ azure: ["Auto", 10, host], naive: [undefined, undefined, host] });
});

test("states on the wire go beyond the specification; a naive cloud's do not", async () => {
  const seen = await bothWays(
    "open-enums",
    async (c) =>
      (await ready(c, await release(c, { RELEASE: "1" }, { template: { scale: { minReplicas: 1, maxReplicas: 1 } } })))[
        "runningState"
      ],
  );
  expect(seen).toEqual({ azure: "RunningAtMaxScale", naive: "Running" });
});

test("a container on a wrong port is never healthy and exceeds its deadline; a naive cloud ignores it", async () => {
  const seen = await bothWays("wrong-port-never-healthy", async (c, time) => {
    const first = await release(c, { PORT: "3000" });
    const look = () => c.revision("shop", first);
    const isJudged = (revision: Body): boolean => revision["healthState"] !== "None";
    const judged = await eventually(look, isJudged, 2).catch(() => undefined);
    if (judged?.["healthState"] === "Healthy") return "Healthy";
    time.skip(262);
    const { runningState, healthState, provisioningError } = await look();
    return [runningState, healthState, provisioningError, await answers(c)];
  });
  expect(seen).toEqual({
    azure: ["Failed", "Unhealthy", expect.stringContaining("Deployment Progress Deadline Exceeded"), "503"],
    naive: "Healthy",
  });
});

test("an idle revision goes to zero, and the next request starts it and waits; a naive cloud keeps it", async () => {
  const seen = await bothWays("scales-to-zero", async (c, time) => {
    const first = await release(c, { RELEASE: "1" }, { template: { scale: { minReplicas: 0, cooldownPeriod: 60 } } });
    await ready(c, first);
    time.skip(59);
    expect(await answers(c)).toBe("1");
    time.skip(59);
    expect((await c.revision("shop", first))["replicas"]).toBe(1);
    time.skip(2);
    const asleep = await eventually(
      () => c.revision("shop", first),
      ({ runningState }) => runningState === "ScaledToZero",
      1,
    ).catch(() => ({ replicas: 1 }) as Body);
    return [
      asleep["replicas"],
      asleep["healthState"],
      await answers(c),
      await answers(c, `${first}.${domain}`),
      (await c.revision("shop", first))["replicas"],
    ];
  });
  expect(seen).toEqual({ azure: [0, "None", "1", "1", 1], naive: [1, undefined, "1", "1", 1] });
});

test("a request that gives up during a cold start leaves a row, and one cold start answers all that wait", async () => {
  const time = clock();
  await using c = await containerCloud({}, time.now);
  c.wireLogs();
  const first = await release(c, { RELEASE: "1" }, { template: { scale: { minReplicas: 0 } } });
  await ready(c, first);
  time.skip(301);
  await eventually(
    () => c.revision("shop", first),
    ({ runningState }) => runningState === "ScaledToZero",
  );
  const all = Promise.all(Array.from({ length: 5 }, () => answers(c)));
  await c
    .request(host, "/", { headers: { "x-request-id": "impatient" }, signal: AbortSignal.timeout(20) })
    .catch(() => undefined);
  expect(await all).toEqual(["1", "1", "1", "1", "1"]);
  expect((await c.emulator("GET", "processes")).processes).toHaveLength(1);
  const { rows } = await eventually(
    () => c.emulator("GET", "rows?app=shop"),
    (found) => found.rows.length === 6,
  );
  expect(rows.find(({ RequestId }: Body) => RequestId === "impatient")).toMatchObject({
    StatusCode: 0,
    ResponseFlags: "DC",
  });
});

test("excess inactive revisions are purged late, and their entries stay; a naive cloud keeps them", async () => {
  const seen = await bothWays("inactive-are-purged", async (c, time) => {
    const limit = { maxInactiveRevisions: 1 };
    const [first, second] = [
      await release(c, { RELEASE: "1" }, { configuration: limit }),
      await release(c, { RELEASE: "2" }, { configuration: limit }),
    ];
    const third = await release(c, { RELEASE: "3" }, { configuration: limit });
    await shift(c, { revisionName: first, weight: 0 }, { revisionName: third, weight: 100 });
    for (const name of [first, second]) await c.child("shop", "POST", "revisions", name, "deactivate");
    time.skip(890);
    expect(
      await code(
        eventually(
          () => names(c),
          (left) => left.length < 3,
          0.3,
        ),
      ),
    ).not.toBe("accepted");
    time.skip(20);
    const gone = await code(
      eventually(
        () => names(c),
        (left) => !left.includes(first),
        1,
      ),
    );
    return [
      gone === "accepted",
      await code(c.child("shop", "GET", "revisions", first)),
      entriesOf(c)[0]!["revisionName"] === first,
      (await names(c)).length,
    ];
  });
  expect(seen).toEqual({ azure: [true, "ResourceNotFound", true, 2], naive: [false, "accepted", true, 3] });
});

test("a minimum of replicas above the maximum is refused", async () => {
  await using c = await containerCloud();
  expect(await code(release(c, {}, { template: { scale: { minReplicas: 3, maxReplicas: 2 } } }))).toBe(
    "ContainerAppInvalidScaleSpec",
  );
});

test("a quirk is switched by its name while apps run, and an unknown name or form is refused", async () => {
  await using c = await containerCloud();
  const settings = async (): Promise<Body> =>
    Object.fromEntries((await c.emulator("GET", "quirks")).quirks.map(({ name, setting }: Body) => [name, setting]));
  const isOn = (quirk: object): boolean => !("offAtStart" in quirk);
  expect(await settings()).toEqual(
    Object.fromEntries(Object.entries(quirks).map(([name, quirk]) => [name, isOn(quirk)])),
  );
  await c.emulator("POST", "quirks", { "lists-are-paged": false, "suffix-taken-for-life": "silent" });
  expect(await settings()).toMatchObject({
    "lists-are-paged": false,
    "suffix-taken-for-life": "silent",
    "open-enums": true,
  });
  expect(await code(c.emulator("POST", "quirks", { "list-are-paged": false }))).toBe("InvalidRequestContent");
  expect(await code(c.emulator("POST", "quirks", { "open-enums": false, "lists-are-paged": "silent" }))).toBe(
    "InvalidRequestContent",
  );
  expect(await settings()).toMatchObject({ "lists-are-paged": false, "open-enums": true });
});
