// What the plan of a runbook says of an app or a job that Azure does not show: an answer that passes by itself is no
// reason to leave a rung, and a definite one is.
import { RestError } from "@azure/core-rest-pipeline";
import { expect, test } from "vitest";
import { restartRevision, startJob } from "../../../controlplane/adapters/azure/runbooks.ts";
import type { RunbookPort } from "../../../controlplane/performers/remediation-ports.ts";
import { readSituation, type SituationWorld } from "../../../controlplane/performers/remediation-situation.ts";
import { systemTime } from "../../../controlplane/runtime/clock.ts";
import type { Rung } from "../../../engines/remediation/vocabulary.ts";
import { incidentOn } from "../../support/worlds/incident-scenario.ts";

const target = "app/shop/web";
const incident = incidentOn(target);
const uncut = new AbortController().signal;
const restart: Rung = { runbook: "restart-revision", approval: "none" };
const job: Rung = { runbook: "start-job", approval: "none", job: "warm" };

/** Gives the readiness of a rung whose reads all get one answer. */
const readinessOf = async (...given: Parameters<typeof situationOf>) => (await situationOf(...given)).readiness;

async function situationOf(
  rung: Rung,
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
  stopped: SituationWorld["declarations"]["stopped"] = async () => null,
) {
  const get = async (): Promise<never> => {
    throw Object.assign(new RestError("no", { statusCode: status, code }), {
      response: { headers: new Map(Object.entries(headers)) },
    });
  };
  const apps = { containerApps: { get }, jobs: { get }, containerAppsRevisionReplicas: { listReplicas: get } };
  const patience = { requestSeconds: 1, operationSeconds: 1, attemptsMax: 1 };
  const cloud = { apps, ready: async () => undefined, patience } as unknown as Parameters<typeof restartRevision>[0];
  const runbooks: Partial<Record<string, RunbookPort>> = {
    "restart-revision": restartRevision(cloud),
    "start-job": startJob(cloud, systemTime, () => 0),
  };
  const world = {
    runbooks,
    alerts: { list: async () => ({ ok: true, value: { alerts: [], leftOut: 0 } }) },
    actions: { list: async () => ({ ok: true, value: [] }) },
    work: { list: async () => ({ ok: true, value: [] }) },
    symptoms: { budgetLeftPercent: async () => ({ ok: true, value: 100 }) },
    declarations: { stopped },
  } as unknown as SituationWorld;
  const assess = { kind: "Assess", incident, rung, since: 0 } as const;
  return readSituation(assess, world, "remediation/app/shop/web/1", 0, uncut);
}

test.each([
  [503, "ServerBusy"],
  [500, "InternalServerError"],
  [429, "TooManyRequests"],
  [409, "ContainerAppOperationInProgress"],
])("%i %s is read again", async (status, code) => {
  for (const rung of [restart, job])
    expect(await readinessOf(rung, status, code)).toMatchObject({ fits: false, unread: true });
});

test.each([
  [404, "ResourceNotFound"],
  [403, "AuthorizationFailed"],
  [400, "BadRequest"],
])("%i %s leaves the rung", async (status, code) => {
  for (const rung of [restart, job])
    expect(await readinessOf(rung, status, code)).toEqual({
      fits: false,
      message: expect.stringContaining(code),
      plan: "",
    });
});

test("the rest that Azure asks for is kept", async () =>
  expect(await readinessOf(restart, 429, "TooManyRequests", { "retry-after": "45" })).toMatchObject({
    unread: true,
    retryAfterSeconds: 45,
  }));

test("a pause that cannot be read is unknown, which is no reason to act and none to hide the rest", async () => {
  const lost = async (): Promise<never> => {
    throw new Error("the connection broke");
  };
  expect(await situationOf(restart, 404, "ResourceNotFound", {}, lost)).toMatchObject({
    stopped: null,
    stopUnknown: true,
    budgetLeftPercent: 100,
  });
  const known = await situationOf(restart, 404, "ResourceNotFound");
  expect(known).not.toHaveProperty("stopUnknown");
});
