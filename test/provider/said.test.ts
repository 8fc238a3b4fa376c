// What the provider says of a release beside its result: in the preview of a first one, and while a canary starts.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { roleMissing, targetUnknown } from "../../errors/api.ts";
import { unknownValue } from "../../provider/resource-type.ts";
import {
  envelope,
  type FakeControlPlane,
  startFakeControlPlane,
  token,
} from "../support/controlplane/fake-control-plane.ts";
import { create, type ProviderProcess, startProvider } from "../support/program/provider-process.ts";
import { releaseInputs } from "../support/program/release-inputs.ts";

let plane: FakeControlPlane;
let provider: ProviderProcess;

beforeAll(async () => {
  provider = await startProvider({ BALLAST_TOKEN: token });
});
afterAll(async () => provider[Symbol.asyncDispose]());
beforeEach(async () => {
  plane = await startFakeControlPlane();
  provider.logged.length = 0;
});
afterEach(async () => plane.stop());

test("a preview shows the plan, leaves the result unknown and only asks whether a new app is managed", async () => {
  const outputs = await create(provider, releaseInputs(plane.endpoint), true);
  expect(outputs).toMatchObject({ result: unknownValue, message: unknownValue });
  expect(provider.logged).toEqual([expect.stringContaining("5 → 25 → 100 %, 5 s of bake each")]);
  expect(plane.asked).toEqual(["GET /rollouts"]);
});

const unmanaged = targetUnknown({ what: "the app storefront in rg", app: { resourceGroup: "rg", app: "storefront" } });
test.each([
  ["does not manage the app", 404, unmanaged, true],
  ["refuses the caller", 403, roleMissing({ role: "Rollout.Read", caller: "ci" }), false],
] as const)("a preview of a new release goes on if the control plane %s", async (_what, status, error, isTold) => {
  plane.answerInstead = (_request, response) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(envelope(error)));
  await create(provider, releaseInputs(plane.endpoint), true);
  const entry = 'add `{ resourceGroup: "rg", app: "storefront" }` to `managedTargets` of the ControlPlane';
  const told = provider.logged.filter((line) => line.includes("release-unmanaged") && line.includes(entry));
  expect([told.length, provider.logged.length]).toEqual(isTold ? [1, 2] : [0, 1]);
});

test("a preview of a new release needs no control plane", async () => {
  await plane.stop();
  await create(provider, releaseInputs(plane.endpoint), true);
  expect(provider.logged).toEqual([expect.stringContaining("5 → 25 → 100 %")]);
  await plane.start();
});

test("a failed probe of a canary that has not answered yet only says that it is not ready", async () => {
  const message = "probe of canary failed: answered 503";
  const kinds = ["Probed", "Probed", "SmokePassed", "Probed"] as const;
  const facts = kinds.map((kind) => ({ kind, message: kind === "Probed" ? message : "canary answers" }));
  plane.scripts.set("one", { facts, result: "promoted", message: "promoted" });
  await create(provider, releaseInputs(plane.endpoint));
  expect(provider.logged).toEqual([`not ready yet: ${message}`, "canary answers", message, "promoted"]);
});
