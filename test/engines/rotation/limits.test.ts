// What is refused before anything is written: what the vault's client cannot send, and a role that lacks a right.
import { expect, test } from "vitest";
import { intentOf } from "../../../engines/rotation/intent.ts";
import { rotation } from "../../../engines/rotation/rotation.ts";
import type { CredentialView, Slot } from "../../../engines/rotation/vocabulary.ts";
import { run } from "../../support/worlds/rotation-run.ts";
import { scenarioOf } from "../../support/worlds/rotation-scenario.ts";

test("a version that would expire after 2038-01-19 is refused before the first write", async () => {
  const plain = scenarioOf("replaces-a-version-that-is-due");
  // The scenario begins in 2026, more than ten years before that day.
  const scenario = { ...plain, credential: { ...plain.credential, validDays: 4_500 } };
  const { state, world } = await run(scenario);
  expect(state.ending).toMatchObject({
    result: "rejected",
    reason: "credential-unfit",
    message: expect.stringContaining("2038-01-19"),
  });
  expect([world.versions.a.length, world.versions.b.length]).toEqual([1, 1]);
});

test("a credential of which slot b serves is rejected like one of which slot a serves", () => {
  const { credential: declaration } = scenarioOf("rejects-a-role-that-lacks-a-right-before-the-first-write");
  const shown = (slot: Slot) => ({
    newest: { version: `${slot}1`, url: `https://kv.vault.azure.net/secrets/database-${slot}/${slot}1` },
    rotation: "",
    login: true,
  });
  const view: CredentialView = {
    declaration,
    published: { slot: "b", version: "p1", of: "b1", enabled: true, expiresAt: null },
    slots: { a: shown("a"), b: shown("b") },
    consumers: [{ resourceGroup: "shop", app: "storefront", slot: "b" }],
    idleLogins: [],
    idleSessions: 0,
    missing: ["SELECT on invoices"],
    ahead: [],
    atOnce: 0,
    kin: [],
  };
  const intent = intentOf({
    name: { vault: "kv", credential: "database", rotation: "r1" },
    body: { cause: "requested", message: "" },
    by: "ann",
    apps: [],
  });
  const requested = rotation.decide(rotation.initial, { kind: "Request", at: 1, intent });
  const state = requested.reduce(rotation.evolve, rotation.initial);
  const found = { ok: true as const, value: view };
  expect(rotation.decide(state, { kind: "Outcome", of: "Inspect", at: 2, found }).at(-1)).toMatchObject({
    result: "rejected",
    reason: "privileges-missing",
    message: "rejected: shop_a lacks SELECT on invoices; nothing was changed",
  });
});
