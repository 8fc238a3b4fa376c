// Credentials that programs declare through the API: what is kept, what is refused by name before anything is written,
// and the first versions of a new one. The loop is the shipped one, over the vault and the roles of a scenario.
import { expect, test } from "vitest";
import { credentialsIn, declarationsOf } from "../../../controlplane/declared-credentials.ts";
import { rotationPerformer } from "../../../controlplane/performers/rotation.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import { createOrchestrator, type Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { DeclarationStore } from "../../../controlplane/runtime/ports.ts";
import type { AnyEvent } from "../../../engines/kind.ts";
import { kinds } from "../../../engines/kinds.ts";
import type { DeclaredCredential } from "../../../engines/rotation/declared.ts";
import { type Service, servicesForTests } from "../../support/controlplane/service.ts";
import { eventually } from "../../support/postgres/postgres.ts";
import { memoryClaims, memoryJournal, memoryOrchestrations } from "../../support/worlds/memory.ts";
import { scenarioOf } from "../../support/worlds/rotation-scenario.ts";
import { consumersOf, createWorld, loginsIn, rolesOf, vaultOf } from "../../support/worlds/rotation-world.ts";

const { service } = servicesForTests();
const path = "/credentials/KV/database";
const body = {
  server: "shop.postgres.database.azure.com",
  database: "shop",
  roles: { a: "shop_a", b: "shop_b" },
  consumers: [{ resourceGroup: "shop", app: "storefront" }],
  preparedBy: { resourceGroup: "shop", job: "shop-roles" },
};

const memoryStore = (): DeclarationStore => {
  const kept = new Map<string, object>();
  return {
    all: async () => [...kept.values()],
    put: async (target, value) => void kept.set(target, value),
    remove: async (target) => kept.delete(target),
  };
};

interface Opened extends AsyncDisposable {
  readonly call: Service["call"];
  readonly world: ReturnType<typeof createWorld>;
  readonly store: DeclarationStore;
}

async function open(name = "fills-both-slots-of-a-new-credential", trouble: object = {}): Promise<Opened> {
  const scenario = scenarioOf(name);
  const world = createWorld(scenario);
  const clock = clockOf(Date.now);
  const ports = {
    vault: vaultOf(world, scenario),
    roles: rolesOf(world, scenario),
    logins: loginsIn(world, scenario),
    consumers: consumersOf(world),
    clock,
    ...trouble,
  };
  const declared = { settings: [], store: memoryStore() };
  const claims = memoryClaims(60, Date.now);
  const journal = memoryJournal(kinds, claims.stillOurs, Date.now);
  const loop: Orchestrator<AnyEvent> = createOrchestrator<AnyEvent>({
    ports: { journal, claims, clock },
    kinds,
    performers: (streams) => ({
      rotation: rotationPerformer({ ...ports, credentials: credentialsIn(declared), streams, requestSeconds: 5 }),
    }),
    orchestrations: memoryOrchestrations(),
    process: "test",
    leaseSeconds: 60,
    log: (message) => {
      throw new Error(message);
    },
  });
  await loop.launch();
  const managed = [{ resourceGroup: "shop", app: "storefront" }];
  const credentials = declarationsOf({ ...declared, managed, world: ports, streams: loop, journal });
  const opened = service({ journal, streams: loop, declarations: { credentials } });
  return { call: opened.call, world, store: declared.store, [Symbol.asyncDispose]: () => loop.close() };
}

const show = async ({ call }: Opened): Promise<DeclaredCredential> => (await call("GET", path)).body;
const ended = async ({ call }: Opened, rotation: string) => {
  const shown = async () => (await call("GET", `/rotations/kv/database/${rotation}`)).body;
  await eventually(async () => (await shown())?.result != null, "the rotation to end", 30);
  return shown();
};

test("a new credential gets its first versions once, and its URLs have no password", async () => {
  await using opened = await open();
  const { call, world } = opened;
  const put = await call("PUT", path, body);
  expect([put.status, put.body.rotation, put.body.published]).toEqual([200, "first1", null]);
  expect(await ended(opened, "first1")).toMatchObject({ result: "rotated", cause: "first", published: "a" });
  const again = await call("PUT", path, body);
  expect(again.body).toMatchObject({
    rotation: null,
    published: { slot: "a" },
    urls: { a: expect.stringContaining("/database-a/a0"), b: expect.stringContaining("/database-b/b0") },
    unread: null,
  });
  expect([world.versions.a.length, world.versions.b.length, world.published.length]).toEqual([1, 1, 2]);
  expect((await call("GET", "/credentials")).body.credentials).toMatchObject([{ vault: "kv", validDays: 60 }]);
});

test("it is shown although no app exists yet and the log of logins cannot be read", async () => {
  const absent = async () => ({ ok: false, reason: "404 ResourceNotFound" });
  await using opened = await open(undefined, { consumers: { slotOf: absent }, logins: { read: absent } });
  await opened.call("PUT", path, body);
  await ended(opened, "first1");
  expect(await show(opened)).toMatchObject({
    urls: { a: expect.stringContaining("/database-a/a0"), b: expect.stringContaining("/database-b/b0") },
    consumers: [{ app: "storefront", slot: null }],
    unread: null,
  });
});

test("its plan says what a rotation would do and wait for", async () => {
  await using opened = await open();
  await opened.call("PUT", path, body);
  await ended(opened, "first1");
  const { plan } = await show(opened);
  expect(plan.map(({ step, waitsFor }) => `${step}: ${waitsFor}`)).toEqual([
    "make a version of database-b, which nobody reads: nothing",
    "give shop_b its password: nothing",
    "log in as shop_b: a login, every right of shop_a",
    "cut storefront over to database-b as a canary: other rollouts of storefront, up to 2h; then / on the new " +
      "revision and the judge at 5, 25, 50, 95, 100 %, 5m each",
    "publish it as database, for readers that name no slot: nothing",
    "watch the logins with shop_a: 35m without one, up to 24h",
    "end the sessions of shop_a: the sessions to end by themselves, up to 5m",
    "close shop_a: 1h without a refused login; one opens the role again",
    "give shop_a a new password, and move database-a of each app to it: a login",
  ]);
});

test("a rotation of a declared credential is accepted, and of one that is not is refused", async () => {
  await using opened = await open();
  const rotate = (of: string) =>
    opened.call("PUT", `/rotations/kv/${of}/r1`, { cause: "due", dueVersion: "0", message: "it expires" });
  expect((await rotate("database")).body.error.id).toBe("target-not-managed");
  await opened.call("PUT", path, body);
  await ended(opened, "first1");
  expect((await rotate("database")).status).toBe(202);
  expect((await rotate("other")).body.error.id).toBe("target-not-managed");
});

test("a change of a declaration is kept, and removing it leaves the versions", async () => {
  await using opened = await open();
  const { call, world } = opened;
  await call("PUT", path, body);
  await ended(opened, "first1");
  expect((await call("PUT", path, { ...body, validDays: 90 })).body.declaration.validDays).toBe(90);
  expect((await call("DELETE", path)).status).toBe(204);
  for (const method of ["GET", "DELETE"])
    expect((await call(method, path)).body.error.id, method).toBe("target-not-declared");
  expect(world.versions.a).toHaveLength(1);
  expect((await call("PUT", path, body)).body, "an existing credential is taken over").toMatchObject({
    rotation: null,
    published: { slot: "a" },
  });
});

test.each([
  ["another form", { form: "dotnet" }, "form is uri and cannot become dotnet: declare another credential."],
  ["other roles", { roles: { a: "shop_a", b: "shop_c" } }, "roles.b is shop_b and cannot become shop_c: declare"],
])("%s is refused once there are versions, which apps read and log in with", async (_what, change, words) => {
  await using opened = await open();
  await opened.call("PUT", path, body);
  await ended(opened, "first1");
  const { status, body: refused } = await opened.call("PUT", path, { ...body, ...change });
  expect([status, refused.error.id, refused.error.message]).toEqual([
    400,
    "call-malformed",
    expect.stringContaining(words),
  ]);
  expect((await show(opened)).declaration).toMatchObject({ form: "uri", roles: body.roles });
});

test("a credential that shares a role or a secret with another one is refused, and that one stays", async () => {
  await using opened = await open();
  await opened.call("PUT", path, body);
  await ended(opened, "first1");
  const shared = async (name: string, roles: object) =>
    (await opened.call("PUT", `/credentials/KV/${name}`, { ...body, roles })).body.error.message;
  expect(await shared("other", { a: "shop_b", b: "other" })).toContain("share the role shop_b of shop.postgres");
  expect(await shared("database-b", { a: "x", b: "y" })).toContain("share the secret database-b of the vault kv");
  expect(await opened.store.all()).toHaveLength(1);
});

test("credential-unprepared names the command of the job, and nothing is kept", async () => {
  const look = async () => ({ ok: false, reason: "the role shop_b does not exist" });
  await using opened = await open(undefined, { roles: { look } });
  const { status, body: refused } = await opened.call("PUT", path, body);
  expect([status, refused.error.id]).toEqual([409, "credential-unprepared"]);
  expect(refused.error.message).toContain("the role shop_b does not exist");
  expect(refused.error.fix).toContain("`az containerapp job start --resource-group shop --name shop-roles`");
  expect([await opened.store.all(), opened.world.versions.a]).toEqual([[], []]);
});

test("roles of a server that fails over for a moment are asked for again", async () => {
  const look = async () => ({ ok: false, reason: "57P01: terminating connection", retryAfterSeconds: 5 });
  await using opened = await open(undefined, { roles: { look } });
  const { status, headers } = await opened.call("PUT", path, body);
  expect([status, headers.get("retry-after")]).toEqual([409, "5"]);
});

test("credential-vault-closed asks to try again, since a new right counts late", async () => {
  const look = async () => ({ ok: false, reason: "403 Forbidden" });
  await using opened = await open(undefined, { vault: { look } });
  const { status, body: refused, headers } = await opened.call("PUT", path, body);
  expect([status, refused.error.id, headers.get("retry-after")]).toEqual([409, "credential-vault-closed", "5"]);
  expect(await opened.store.all()).toEqual([]);
});

test.each([
  ["a consumer that is not managed", { consumers: [{ resourceGroup: "shop", app: "other" }] }, "not a managed target"],
  ["a period that is too short", { dueDays: 0.01 }, "dueDays (0.01) is too short"],
  ["a password in it", { password: "hunter2" }, 'unknown field "password"'],
])("%s is refused by name before anything is kept", async (_what, change, words) => {
  await using opened = await open();
  const { status, body: refused } = await opened.call("PUT", path, { ...body, ...change });
  expect([status, refused.error.id]).toEqual([400, "call-malformed"]);
  expect(refused.error.message).toContain(words);
  expect(JSON.stringify(refused)).not.toContain("hunter2");
  expect(await opened.store.all()).toEqual([]);
});

test("a version that would expire after 2038-01-19 is refused before anything is kept", async () => {
  const clock = { ...clockOf(Date.now), now: () => Date.parse("2030-01-01T00:00:00Z") };
  await using opened = await open(undefined, { clock });
  const { status, body: refused } = await opened.call("PUT", path, { ...body, validDays: 3_650 });
  expect([status, refused.error.id]).toEqual([400, "call-malformed"]);
  expect(refused.error.message).toContain("validDays is too long: a version that is valid for 3650 days would expire");
  expect(await opened.store.all()).toEqual([]);
});

test("a pair whose rights differ gets no version until they are alike and it is declared again", async () => {
  let missing = ["SELECT on orders"];
  const scenario = scenarioOf("fills-both-slots-of-a-new-credential");
  const world = createWorld(scenario);
  const roles = rolesOf(world, scenario);
  const look: typeof roles.look = async (...asked) => {
    const seen = await roles.look(...asked);
    return seen.ok ? { ok: true, value: { ...seen.value, missing } } : seen;
  };
  const vault = vaultOf(world, scenario);
  await using opened = await open(undefined, { vault, roles: { ...roles, look } });
  await opened.call("PUT", path, body);
  expect(await ended(opened, "first1")).toMatchObject({ result: "rejected", reason: "privileges-missing" });
  expect(world.versions.a).toEqual([]);
  missing = [];
  expect((await opened.call("PUT", path, body)).body.rotation).toBe("first1");
  await eventually(async () => (await show(opened)).published !== null, "a published version", 30);
});
