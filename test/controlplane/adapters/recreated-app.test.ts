// An app that was deleted and made again under its name: Azure gives its revisions the names of before, so only their
// age tells them apart.
import { expect, test } from "vitest";
import { openSight } from "../../../controlplane/adapters/azure/container-apps.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import {
  connection,
  patchTraffic,
  put,
  ready,
  resourceGroup,
  usePlatform,
} from "../../support/controlplane/platform.ts";

usePlatform();

const target = { resourceGroup, app: "again" };
const uncut = new AbortController().signal;

/** Gives what the control plane sees of a revision. */
async function seen(revision: string) {
  const found = await openSight(connection, patienceOf(5))(target, revision, uncut);
  if (!found.ok) throw new Error(found.reason);
  return found.value;
}

test("a revision of the same name is a later one", async () => {
  // The first name of an app is drawn; the others are numbers.
  await put("again", "1");
  const { latestRevisionName: name } = await put("again", "2");
  const before = await seen(name!);
  await connection.apps.containerApps.delete(resourceGroup, "again");
  await put("again", "1");
  const { latestRevisionName: same } = await put("again", "2");
  expect(same).toBe(name);
  const { madeAt } = await seen(name!);
  expect(madeAt).toBeGreaterThan(before.madeAt!);
}, 30_000);

test("who serves is read by name, and a revision that is not there has no age", async () => {
  const one = await ready("again", "1");
  const two = await ready("again", "2", {
    configuration: { ingress: { traffic: [{ revisionName: one, weight: 100 }] } },
  });
  expect(await seen(two)).toMatchObject({ weights: [{ revision: one, percent: 100 }], madeAt: expect.any(Number) });
  await patchTraffic("again", [{ revisionName: two, weight: 100 }]);
  expect((await seen(two)).weights).toEqual([{ revision: two, percent: 100 }]);
  expect((await seen("again--gone")).madeAt).toBeUndefined();
}, 30_000);

test("an app that is not there says so", async () =>
  expect(await openSight(connection, patienceOf(5))({ ...target, app: "nowhere" }, "nowhere--1", uncut)).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/^404 /),
  }));
