// The checks of the control plane, against one with canned answers: what they report of one that is well, stuck,
// refusing, down or out of reach.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { AppContext, Context } from "../../../cli/doctor/context.ts";
import { examine } from "../../../cli/doctor/finding.ts";
import { judgePulse, planeChecks } from "../../../cli/doctor/plane-checks.ts";
import type { Settings } from "../../../config.ts";
import { callFailed, journalUnreachable } from "../../../errors/api.ts";
import {
  envelope,
  type FakeControlPlane,
  startFakeControlPlane,
  token,
} from "../../support/controlplane/fake-control-plane.ts";
import { checkRunner, contextAt, failure } from "../../support/emulator/doctor-shop.ts";

let plane: FakeControlPlane;
const { run, neverFailed } = checkRunner(planeChecks);

beforeAll(async () => {
  vi.stubEnv("BALLAST_TOKEN", token);
  plane = await startFakeControlPlane();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await plane.stop();
});

/** Serves a control plane that answers everything in one way. */
async function withAnswer(
  status: number,
  body: object | string,
  act: (context: Context) => Promise<void>,
): Promise<void> {
  const server = createServer(
    (_, response) =>
      void response
        .writeHead(status, { "content-type": "application/json" })
        .end(typeof body === "string" ? body : JSON.stringify(body)),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  await act(contextAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  server.close();
  server.closeAllConnections();
}

async function addressOfStopped(): Promise<string> {
  const gone = await startFakeControlPlane();
  await gone.stop();
  return gone.endpoint;
}

test("the checks pass on a control plane that answers, advances and accepts the token", async () => {
  await withAnswer(200, { status: "ok", inFlight: 1, overdueSeconds: 3.2 }, async (context) => {
    expect(await run("control plane", context)).toMatchObject({
      state: "ok",
      message: "the database answers, 1 rollout in progress, none overdue by more than 3 s",
    });
  });
  await withAnswer(200, { status: "ok", inFlight: 0, overdueSeconds: 0 }, async (context) => {
    expect(await run("control plane", context)).toMatchObject({
      message: "the database answers, no rollout is in progress",
    });
  });
  expect(await run("token", contextAt(plane.endpoint))).toMatchObject({
    state: "ok",
    message: "accepted with read permission; 0 rollouts of storefront",
  });
});

test("the heartbeat is lost only when rollouts are in progress and do not advance", async () => {
  await withAnswer(200, { status: "ok", inFlight: 2, overdueSeconds: 26 }, async (context) => {
    expect(await run("control plane", context)).toMatchObject(
      failure(
        "doctor-heartbeat-lost",
        "2 rollouts are in progress, but the control loop has left one that was due alone for 26 s; after 25 s",
      ),
    );
  });
  expect(judgePulse({ inFlight: 2, overdueSeconds: 24 }, 25).state).toBe("ok");
  expect(judgePulse({ inFlight: 0, overdueSeconds: 0 }, 25).state).toBe("ok");
});

test("rollouts that cannot go on are reported, while the others do", async () => {
  await withAnswer(200, { status: "ok", inFlight: 3, overdueSeconds: 1, stuck: 1 }, async (context) => {
    expect(await run("control plane", context)).toMatchObject(
      failure("doctor-rollouts-stuck", "1 of 3 rollouts in progress cannot go on: its journal cannot be read, or"),
    );
  });
});

test("the control plane's own errors are given: unreachable database, internal error, refused token", async () => {
  await withAnswer(503, envelope(journalUnreachable()), async (context) => {
    expect(await run("control plane", context)).toMatchObject(failure("journal-unreachable"));
  });
  await withAnswer(500, envelope(callFailed({ reference: "x" })), async (context) => {
    expect(await run("control plane", context)).toMatchObject(failure("call-failed"));
  });
  vi.stubEnv("BALLAST_TOKEN", "another-token");
  expect(await run("token", contextAt(plane.endpoint))).toMatchObject(failure("call-token-refused"));
  vi.stubEnv("BALLAST_TOKEN", token);
});

test("an address to which the stack's outputs do not bind the audience receives no token", async () => {
  const asked = plane.asked.length;
  const changed = contextAt(plane.endpoint, {}, "other");
  expect(await run("token", changed)).toMatchObject(failure("cli-endpoint-unbound", "do not bind the audience"));
  const unbound = { ...changed, stack: { ...changed.stack, binding: undefined } };
  expect(await run("token", unbound)).toMatchObject(failure("cli-endpoint-unbound", "controlPlaneBinding"));
  expect(plane.asked.length).toBe(asked);
});

test("a control plane inside a network is not reported as down", async () => {
  const endpoint = await addressOfStopped();
  const network = { internal: true, callers: [] } as unknown as Settings["network"];
  const resolvingTo = (addresses: readonly string[], changes: Partial<Settings> = { network }): AppContext => ({
    ...contextAt(endpoint, changes),
    resolve: async () => addresses,
  });
  const publicAddresses = ["203.0.113.9", "172.32.0.1", "127.0.0.1"];
  // Each waits until its patience is used up, so they wait together.
  const findings = await Promise.all([
    run("control plane", resolvingTo([])),
    run("control plane", resolvingTo(["10.40.0.12"], {})),
    run("token", resolvingTo([])),
    ...publicAddresses.map((address) => run("control plane", resolvingTo([address]))),
    run("control plane", resolvingTo([], {})),
  ]);
  expect(findings).toMatchObject([
    failure(
      "doctor-plane-internal",
      "127.0.0.1 is only reachable from inside its network: its name does not resolve on this machine",
    ),
    failure("doctor-plane-internal", "the private address 10.40.0.12, which does not answer this machine"),
    failure("doctor-plane-internal"),
    ...publicAddresses.map(() => failure("release-control-plane-unreachable")),
    failure("release-control-plane-unreachable"),
  ]);
  expect(await contextAt().resolve("localhost")).toEqual(expect.arrayContaining(["127.0.0.1"]));
});

test("an ingress that refuses this machine's address is not reported as an unclear answer", async () => {
  await withAnswer(403, "RBAC: access denied", async (context) => {
    const restricted = { ...context, stack: { ...context.stack, callers: ["203.0.113.0/24"] } };
    expect(await run("control plane", restricted)).toMatchObject(
      failure("doctor-plane-caller-refused", "accepts 203.0.113.0/24"),
    );
    expect(await run("control plane", context)).toMatchObject(failure("release-control-plane-unclear"));
  });
});

test("a control plane that is down is reported, and one that has no address", async () => {
  expect(await run("control plane", contextAt(await addressOfStopped()))).toMatchObject(
    failure("release-control-plane-unreachable"),
  );
  expect((await examine(planeChecks, contextAt())).map(({ state }) => state)).toEqual(["failed", "unknown", "unknown"]);
  expect(await run("control plane", contextAt())).toMatchObject(
    failure("cli-endpoint-unknown", "not been deployed yet"),
  );
});

test("a pause of all remediations is told with who and why, and none is told too", async () => {
  const paused = { by: "Ann (1f)", message: "migration", until: Date.parse("2026-01-05T11:00:00Z") };
  const told = async (status: number, body: object, expected: object) =>
    withAnswer(status, body, async (context) => {
      expect(await run("remediations", context)).toMatchObject(expected);
    });
  await told(200, { paused: null }, { state: "ok" });
  await told(200, { paused }, { state: "unknown", message: expect.stringMatching(/by Ann \(1f\): migration/) });
  await told(200, {}, failure("release-control-plane-unclear"));
});

test("every check has failed in one of these tests", () => expect(neverFailed()).toEqual([]));
