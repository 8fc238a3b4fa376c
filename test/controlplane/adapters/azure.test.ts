// Container Apps through the real SDK clients against the emulator: what the adapter reads and writes, and how it
// handles conflicts, throttling, failures and answers that are lost on the way.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../../controlplane/adapters/azure/connection.ts";
import { createContainerApps } from "../../../controlplane/adapters/azure/container-apps.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import type { Apps } from "../../../controlplane/performers/rollout-ports.ts";
import { openShop, requestSeconds, type Shop, target } from "../../support/emulator/azure-shop.ts";
import { eventually } from "../../support/postgres/postgres.ts";
import { shiftBetween, splitBetween } from "../../support/worlds/split.ts";

const patience = patienceOf(requestSeconds);
const uncut = new AbortController().signal;
const ours = async () => true;
let shop: Shop;
let apps: Apps;
let stable = "";
let canary = "";

beforeAll(async () => {
  shop = await openShop();
  apps = createContainerApps(shop.connection, patience);
  stable = await shop.release("1", [{ latestRevision: true, weight: 100 }]);
  canary = await shop.release("2", [{ revisionName: stable, weight: 100, label: "stable" }]);
});
afterEach(() => shop.fault());
afterAll(() => shop?.close());

const split = (percent: number) => splitBetween({ stable, canary }, percent);
const shiftTo = (percent: number) => shiftBetween(target, { stable, canary }, percent);
/** Shifts with a fence that counts how often it is asked. */
async function shift(percent: number, allowed = Infinity) {
  let asked = 0;
  await shop.writes();
  const result = await apps.shift(shiftTo(percent), async () => ++asked <= allowed);
  return { result, asked, writes: await shop.writes() };
}
const patch = { method: "PATCH", path: "/containerApps/storefront$" };

describe("an app", () => {
  test("is read with its weights by revision name and every revision's state", async () => {
    const view = await apps.inspect({ target }, uncut);
    expect(view).toMatchObject({
      ok: true,
      value: {
        weights: [{ revision: stable, percent: 100 }],
        revisions: [
          { name: stable, active: true, running: "RunningAtMaxScale", health: "Healthy" },
          { name: canary, active: true },
        ],
      },
    });
  });

  test("that does not exist, or that we may not read, gives a reason with Azure's code", async () => {
    expect(await apps.inspect({ target: { ...target, app: "nowhere" } }, uncut)).toEqual({
      ok: false,
      definite: true,
      reason: expect.stringMatching(/^404 ResourceNotFound: /),
    });
    await shop.fault({
      path: "/containerApps/",
      status: 403,
      code: "AuthorizationFailed",
      message: "No right. Bearer eyJhbGciOi.eyJzdWIiOi.c2ln was seen.",
      times: 2,
    });
    const refused = await apps.inspect({ target }, uncut);
    expect(refused).toEqual({
      ok: false,
      definite: true,
      reason: expect.stringMatching(/^403 AuthorizationFailed: No right\./),
    });
    expect(JSON.stringify(refused)).not.toContain("eyJ");
  });

  test("is read despite throttling, failures and a lost answer", async () => {
    await shop.fault(
      { path: "/containerApps/storefront$", status: 429, code: "TooManyRequests", retryAfterSeconds: 0 },
      { path: "/containerApps/storefront$", status: 503, code: "ServerBusy" },
      { path: "/containerApps/storefront$", loseAnswer: true },
    );
    expect(await apps.readTraffic(target, uncut)).toEqual({
      ok: true,
      value: { weights: [{ revision: stable, percent: 100 }] },
    });
  });

  test("whose reads are throttled for longer than a request may rest tells so at once", async () => {
    const throttled = { status: 429, code: "TooManyRequests", retryAfterSeconds: 40, times: 9 };
    await shop.fault({ path: "/containerApps/storefront", method: "GET", ...throttled });
    const told = { ok: false, reason: expect.stringContaining("429 TooManyRequests"), retryAfterSeconds: 40 };
    expect(await apps.inspect({ target }, uncut)).toEqual(told);
    expect(await apps.readTraffic(target, uncut)).toEqual(told);
    expect(await apps.activate({ kind: "Activate", target, revision: canary }, ours)).toEqual(told);
    expect(await apps.deactivate({ kind: "Deactivate", target, revision: canary }, ours)).toEqual(told);
    expect((await shift(20)).result).toEqual(told);
  });

  test("that does not answer is given up in bounded time, and at once when cancelled", async () => {
    await shop.fault({ path: "/containerApps/storefront$", status: 500, code: "InternalServerError", times: 50 });
    expect(await apps.readTraffic(target, uncut)).toEqual({
      ok: false,
      reason: expect.stringMatching(/^500 InternalServerError: .* \(4 attempts\)$/),
    });
    await shop.fault({ path: "/containerApps/storefront$", delaySeconds: 30, times: 50 });
    expect(await apps.readTraffic(target, AbortSignal.abort())).toEqual({ ok: false, reason: "cancelled" });
  });

  test("cannot be read with a wrong secret, and the reason does not contain the secret", async () => {
    const connection = connect(
      { ...shop.settings, clientSecret: "a-wrong-secret" },
      shop.cloud.environment["BALLAST_CONNECT_TO"],
    );
    const refused = await createContainerApps(connection, patience).readTraffic(target, uncut);
    expect(refused).toEqual({ ok: false, definite: true, reason: expect.stringContaining("AADSTS7000215") });
    expect(JSON.stringify(refused)).not.toContain("a-wrong-secret");
    connection.close();
  });
});

describe("shifting traffic", () => {
  test("changes the weights and our labels and nothing else", async () => {
    const { properties: before } = await shop.app();
    const { result, writes } = await shift(10);
    expect(result).toEqual({ ok: true, value: { weights: split(10) } });
    const { properties: after } = await shop.app();
    expect(after.configuration.ingress.traffic).toEqual([
      { revisionName: stable, weight: 90, label: "stable" },
      { revisionName: canary, weight: 10, label: "canary" },
    ]);
    const withoutTraffic = ({
      configuration: {
        ingress: { traffic: _traffic, ...ingress },
        ...configuration
      },
      template,
    }: typeof before) => ({ configuration, ingress, template });
    expect(withoutTraffic(after)).toEqual(withoutTraffic(before));
    expect(writes).toEqual(["PATCH storefront 202"]);
  });

  test("to weights that are already set sends nothing", async () => {
    await shift(10);
    expect(await shift(10)).toEqual({ result: { ok: true, value: { weights: split(10) } }, asked: 0, writes: [] });
  });

  test("sends nothing once another process owns the app, not even a retry", async () => {
    expect(await shift(20, 0)).toEqual({
      result: { ok: false, reason: "another process now owns the app, so nothing was sent" },
      asked: 1,
      writes: [],
    });
    await shop.fault({ ...patch, status: 503, code: "ServerBusy" });
    const lost = await shift(20, 1);
    expect([lost.result.ok, lost.asked, lost.writes]).toEqual([false, 2, ["PATCH storefront 503"]]);
  });

  test("waits for other operations on the app, however many there are", async () => {
    await shop.fault({ ...patch, status: 409, code: "ContainerAppOperationInProgress", times: 6 });
    const { result, asked, writes } = await shift(25);
    expect(result).toEqual({ ok: true, value: { weights: split(25) } });
    expect([asked, writes.length]).toEqual([7, 7]);
  });

  test("is retried after throttling and failures, and asks the fence before each attempt", async () => {
    await shop.fault(
      { ...patch, status: 429, code: "TooManyRequests", retryAfterSeconds: 0 },
      { ...patch, status: 500, code: "InternalServerError" },
      { ...patch, status: 504, code: "GatewayTimeout" },
    );
    const { result, asked, writes } = await shift(30);
    expect(result.ok).toBe(true);
    expect([asked, writes]).toEqual([
      4,
      ["PATCH storefront 429", "PATCH storefront 500", "PATCH storefront 504", "PATCH storefront 202"],
    ]);
  });

  test("is given up after four failures, and the reason names them", async () => {
    await shop.fault({ ...patch, status: 500, code: "InternalServerError", times: 50 });
    const { result, asked } = await shift(35);
    expect(result).toEqual({ ok: false, reason: expect.stringMatching(/^500 InternalServerError: .*\(4 attempts\)$/) });
    expect(asked).toBe(4);
  });

  test("is not retried when Azure refuses it", async () => {
    await shop.fault({ ...patch, status: 400, code: "ContainerAppInvalidTraffic", times: 50 });
    const { result, asked } = await shift(35);
    expect([result, asked]).toEqual([
      { ok: false, definite: true, reason: expect.stringMatching(/^400 ContainerAppInvalidTraffic/) },
      1,
    ]);
  });

  test("whose answer is lost is found to have landed, and is not sent twice", async () => {
    await shop.fault({ ...patch, loseAnswer: true });
    const { result, writes } = await shift(40);
    expect(result).toEqual({ ok: true, value: { weights: split(40) } });
    expect(writes).toHaveLength(1);
  });

  test("that is lost before it reaches Azure is sent again", async () => {
    await shop.fault({ ...patch, status: 503, loseAnswer: true });
    const { result, writes } = await shift(45);
    expect(result).toEqual({ ok: true, value: { weights: split(45) } });
    expect(writes).toHaveLength(2);
  });

  test("whose answer takes too long is sent again only after a read", async () => {
    await shop.fault({ ...patch, delaySeconds: requestSeconds * 1.5 });
    const { result, writes } = await shift(50);
    expect(result).toEqual({ ok: true, value: { weights: split(50) } });
    expect(writes.length).toBeLessThanOrEqual(2);
  });

  test("succeeds although a poll of its operation fails", async () => {
    await shop.fault({ path: "/operationResults/", status: 500, code: "InternalServerError", times: 2 });
    const { result, writes } = await shift(55);
    expect([result, writes]).toEqual([{ ok: true, value: { weights: split(55) } }, ["PATCH storefront 202"]]);
  });

  test("never sends traffic to a deactivated revision: it is activated first", async () => {
    await shift(0);
    expect(await apps.deactivate({ kind: "Deactivate", target, revision: canary }, ours)).toEqual({
      ok: true,
      value: null,
    });
    const { result, writes } = await shift(5);
    expect(result).toEqual({ ok: true, value: { weights: split(5) } });
    expect(writes).toEqual([`POST ${canary}/activate 200`, "PATCH storefront 202"]);
    expect(await apps.inspect({ target }, uncut)).toMatchObject({
      value: { revisions: [{ name: stable }, { name: canary, active: true, health: "Healthy" }] },
    });
  });

  test("to a revision that no longer exists is refused", async () => {
    await shop.writes();
    expect(
      await apps.shift({ ...shiftTo(0), weights: [{ revision: "storefront--gone", percent: 100 }] }, ours),
    ).toEqual({ ok: false, reason: "revision storefront--gone no longer exists, so it cannot receive traffic" });
    expect(await shop.writes()).toEqual([]);
  });

  test("whose weights do not add up to 100 throws", async () => {
    await expect(apps.shift({ ...shiftTo(0), weights: [{ revision: stable, percent: 99 }] }, ours)).rejects.toThrow(
      "weights add up to 99",
    );
  });
});

describe("a revision", () => {
  test("is deactivated only when it has no traffic, and deactivating it again is harmless", async () => {
    await shift(10);
    const deactivate = () => apps.deactivate({ kind: "Deactivate", target, revision: canary }, ours);
    await shop.writes();
    expect(await deactivate()).toEqual({ ok: false, reason: `revision ${canary} still has 10 percent of the traffic` });
    expect(await shop.writes()).toEqual([]);
    await shift(0);
    await shop.fault(
      { method: "POST", path: "/deactivate$", status: 409, code: "ContainerAppOperationInProgress" },
      { method: "POST", path: "/deactivate$", loseAnswer: true },
    );
    expect(await deactivate()).toEqual({ ok: true, value: null });
    expect(await deactivate()).toEqual({ ok: true, value: null });
    expect((await shop.writes()).filter((write) => write.startsWith("POST"))).toEqual([
      `POST ${canary}/deactivate 409`,
      `POST ${canary}/deactivate 200`,
    ]);
    expect(await apps.deactivate({ kind: "Deactivate", target, revision: "storefront--gone" }, ours)).toEqual({
      ok: true,
      value: null,
    });
  });

  test("is activated once, and only by the process that owns the app", async () => {
    await shop.writes();
    expect((await apps.activate({ kind: "Activate", target, revision: canary }, async () => false)).ok).toBe(false);
    expect(await shop.writes()).toEqual([]);
    await shop.fault({ method: "POST", path: "/activate$", loseAnswer: true });
    expect(await apps.activate({ kind: "Activate", target, revision: canary }, ours)).toEqual({
      ok: true,
      value: null,
    });
    expect(await apps.activate({ kind: "Activate", target, revision: canary }, ours)).toEqual({
      ok: true,
      value: null,
    });
    expect(await shop.writes()).toEqual([`POST ${canary}/activate 200`]);
    expect(await apps.activate({ kind: "Activate", target, revision: "storefront--gone" }, ours)).toEqual({
      ok: false,
      reason: expect.stringMatching(/^404 /),
    });
  });

  test("is probed on its own address, at weight 0 too, and a bad answer is an observation", async () => {
    const probe = (path: string, revision = canary, timeoutSeconds = 5) =>
      apps.probe({ kind: "Probe", target, revision, path, timeoutSeconds }, uncut);
    const good = await eventually(async () => {
      const answered = await probe("/health/ready");
      return answered.ok && answered.value.good && answered.value;
    }, "a good answer of a revision that has just been activated");
    expect(good).toEqual({ good: true, detail: "answered 200", running: "RunningAtMaxScale", restarts: [] });
    expect(await probe("/nowhere")).toEqual({
      ok: true,
      value: { good: false, detail: "answered 404", running: "RunningAtMaxScale", restarts: [] },
    });
    expect(await probe("/", "storefront--gone")).toEqual({
      ok: false,
      definite: true,
      reason: expect.stringMatching(/^404 /),
    });
    const hanging = await shop.release("hangs", [{ revisionName: stable, weight: 100, label: "stable" }]);
    expect(await probe("/", hanging, 0.5)).toEqual({
      ok: true,
      value: { good: false, detail: "no answer in 0.5 s", running: expect.any(String), restarts: [] },
    });
    await apps.deactivate({ kind: "Deactivate", target, revision: hanging }, ours);
  });

  test("shows the restarts of its replicas with a probe, and its answer alone if they cannot be read", async () => {
    const probe = () => apps.probe({ kind: "Probe", target, revision: canary, path: "/", timeoutSeconds: 5 }, uncut);
    await shop.arm("POST", "/_emulator/kill", { app: target.app, revision: canary });
    const restarted = await eventually(async () => {
      const answered = await probe();
      return answered.ok && answered.value.good && answered.value.restarts?.length === 1 && answered.value;
    }, "a good answer after a crash");
    expect(restarted).toMatchObject({ restarts: [{ replica: expect.stringContaining(canary), times: 1 }] });
    await shop.fault({ path: "/replicas$", status: 403, code: "AuthorizationFailed", message: "No right." });
    expect(await probe()).toEqual({
      ok: true,
      value: { good: true, detail: "answered 200", running: "RunningAtMaxScale" },
    });
  });

  test("has the same template hash as another revision of the same template, whatever its name", async () => {
    const twin = await shop.release("1", [{ revisionName: stable, weight: 100, label: "stable" }]);
    const view = await apps.inspect({ target }, uncut);
    if (!view.ok) throw new Error(view.reason);
    const hash = (name: string) => view.value.revisions.find((revision) => revision.name === name)?.templateHash;
    expect(twin).not.toBe(stable);
    expect(hash(twin)).toBe(hash(stable));
    expect(hash(canary)).not.toBe(hash(stable));
  });
});

describe("an identity", () => {
  test("of the container is requested at its plain loopback endpoint, even if names are redirected", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(
        `${request.headers["x-identity-header"]} ${new URL(request.url!, "http://x").searchParams.get("client_id")}`,
      );
      response.setHeader("content-type", "application/json").end(
        JSON.stringify({
          access_token: "token",
          expires_on: String(Math.floor(Date.now() / 1000) + 3600),
          resource: "r",
          token_type: "Bearer",
        }),
      );
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    process.env["IDENTITY_ENDPOINT"] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/msi/token`;
    process.env["IDENTITY_HEADER"] = "header";
    try {
      const connection = connect(
        { ...shop.settings, clientId: "the-identity", clientSecret: undefined },
        shop.cloud.environment["BALLAST_CONNECT_TO"],
      );
      expect((await connection.credential.getToken("https://management.ballast.localhost/.default"))?.token).toBe(
        "token",
      );
      expect(asked).toEqual(["header the-identity"]);
      connection.close();
    } finally {
      delete process.env["IDENTITY_ENDPOINT"];
      delete process.env["IDENTITY_HEADER"];
      server.close();
    }
  });
});
