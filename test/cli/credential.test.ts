// `ballast credential …` over the real API and a journal in memory: what is asked for, listed, shown and refused.
import { serve } from "@hono/node-server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { credential } from "../../cli/credential/credential.ts";
import { createApp } from "../../controlplane/api/app.ts";
import type { Streams } from "../../controlplane/api/call.ts";
import { appRoles } from "../../controlplane/api/roles.ts";
import type { Declarations } from "../../controlplane/runtime/declarations.ts";
import type { Journal } from "../../controlplane/runtime/ports.ts";
import { fold, type Request, type Signal } from "../../engines/engine.ts";
import { kinds } from "../../engines/kinds.ts";
import { secretKey } from "../../engines/rotation/declaration.ts";
import { declaredCredential } from "../../engines/rotation/declared.ts";
import { rotation } from "../../engines/rotation/rotation.ts";
import type { RotationEvent, RotationIntent, SignalName } from "../../engines/rotation/vocabulary.ts";
import { appendAtEnd } from "../support/controlplane/journals.ts";
import { streamCommand } from "../support/ferry/command.ts";
import { memoryClaims, memoryJournal } from "../support/worlds/memory.ts";
import { run as runScenario } from "../support/worlds/rotation-run.ts";
import { scenarioOf } from "../support/worlds/rotation-scenario.ts";

let journal: Journal;
let server: ReturnType<typeof serve>;
let endpoint: string;

/** Stands for the control loop: writes what the engine decides, and changes nothing. */
const loop: Streams = {
  start: async (stream, request) => {
    await append(stream, rotation.decide(rotation.initial, request as Request<RotationIntent>));
    return "started";
  },
  signal: async (stream, signal) => {
    const written = (await journal.read(stream)).map(({ event }) => event as RotationEvent);
    const events = rotation.decide(fold(rotation, written), signal as Signal<SignalName>);
    await append(stream, events);
    return events;
  },
  recover: async () => [],
};
const append = (stream: string, events: readonly RotationEvent[]) =>
  appendAtEnd(journal, stream, events, { process: "p1" });
/** A declared credential as it was inspected. */
const declared = declaredCredential({
  declaration: scenarioOf("replaces-a-version-that-is-due").credential,
  published: { slot: "a", version: "p0", of: "a0", enabled: true, expiresAt: null },
  slots: {
    a: { newest: { version: "a0", url: "https://kv/a0" }, rotation: "", login: true },
    b: { newest: { version: "b0", url: "https://kv/b0" }, rotation: "", login: true },
  },
  consumers: [{ resourceGroup: "shop", app: "storefront", slot: "a" }],
  idleLogins: [],
  idleSessions: 0,
  missing: ["SELECT on orders"],
  ahead: [],
  atOnce: 0,
  kin: [],
});
const declarations: Declarations = {
  put: async () => ({ value: declared }),
  show: async ({ credential: name }) => (name === "database" ? declared : undefined),
  list: async () => [],
  remove: async () => true,
  targets: async () => [],
};
const ballast = (...args: readonly string[]) => streamCommand(credential, endpoint, args);

beforeEach(async () => {
  vi.stubEnv("BALLAST_TOKEN", "a-token-for-tests");
  journal = memoryJournal(kinds);
  const app = createApp(
    {
      journal,
      claims: memoryClaims(60),
      kinds,
      streams: loop,
      managedApps: [],
      managedTargets: [secretKey({ vault: "kv", credential: "database" })],
      now: Date.now,
      declarations: { credentials: declarations },
      process: "p1",
      closing: new AbortController().signal,
    },
    async () => ({ name: "ann", id: "1", roles: appRoles }) as never,
    () => undefined,
  );
  await new Promise<void>((resolve) => {
    server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
      endpoint = `http://127.0.0.1:${port}`;
      resolve();
    });
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  server.close();
});

test("a rotation is asked for once under a name, with its cause and the words of whoever asked", async () => {
  const args = ["rotate", "kv/database", "--name", "r1", "--leaked", "--message", "it was in a log"];
  expect((await ballast(...args)).out).toBe(
    "rotation/kv/database/r1 is inspecting. Follow it with: ballast credential follow r1\n",
  );
  const shown = JSON.parse((await ballast(...args, "--json")).out);
  expect(shown).toMatchObject({ id: "rotation/kv/database/r1", cause: "leaked", facts: 1, result: null });
  const [first] = await journal.read("rotation/kv/database/r1");
  expect(first?.event).toMatchObject({ intent: { cause: "leaked", message: "it was in a log" } });
});

test("a rotation without a name gets one that the API accepts", async () => {
  const { out } = await ballast("rotate", "kv/database", "--message", "a colleague left", "--json");
  expect(JSON.parse(out)).toMatchObject({ cause: "requested", rotation: expect.stringMatching(/^[a-z0-9]{1,16}$/) });
});

test("a dry run prints the plan, the consumers and what each step would wait for, and starts nothing", async () => {
  const { out } = await ballast("rotate", "kv/database", "--dry-run");
  const lines = out.split("\n");
  expect(lines.slice(0, 4)).toEqual([
    "kv/database: slot a is published",
    "  storefront names slot a",
    "  a role lacks SELECT on orders, so that the rotation would be rejected",
    " 1. make a version of database-b, which nobody reads",
  ]);
  expect(out).toContain("    waits for other rollouts of storefront, up to 2h; then / on the new revision");
  expect(lines.at(-2)).toBe("Nothing was started.");
  expect(JSON.parse((await ballast("rotate", "kv/database", "--dry-run", "--json")).out)).toEqual(
    JSON.parse(JSON.stringify(declared)),
  );
  expect(await journal.streams({})).toEqual([]);
  await expect(ballast("rotate", "kv/other", "--dry-run")).rejects.toMatchObject({ id: "target-not-declared" });
  await expect(ballast("rotate", "kv/database")).rejects.toThrow("required option '-m, --message <text>'");
});

test("the first versions of a credential are asked for by name, and are no leaked ones", async () => {
  const args = ["rotate", "kv/database", "--first", "--message", "the keys of shopdata"];
  expect(JSON.parse((await ballast(...args, "--json")).out)).toMatchObject({ cause: "first" });
  await expect(ballast(...args, "--leaked")).rejects.toThrow("cannot be used with option '--leaked'");
});

test("a credential that is not declared is refused", async () => {
  await expect(ballast("rotate", "kv/other", "--message", "x")).rejects.toMatchObject({ id: "target-not-managed" });
});

test.each([
  ["an address without a vault", ["rotate", "database", "--message", "x"], "Expected <vault>/<credential>"],
  ["a name with a hyphen", ["rotate", "kv/database", "--name", "a-b", "--message", "x"], "Expected 1 to 16"],
  ["no message", ["rotate", "kv/database"], "required option '-m, --message <text>' not specified"],
])("%s is refused before anything is asked", async (_what, args, why) => expect(ballast(...args)).rejects.toThrow(why));

test("a rotation that was stopped is listed, shown and explained, and returns when it is told to", async () => {
  const { journal: facts } = await runScenario({
    ...scenarioOf("returns-after-the-second-of-three-consumers-rolled-back"),
    ...{ world: { ...scenarioOf("returns-after-the-second-of-three-consumers-rolled-back").world, signals: [] } },
  });
  await append("rotation/kv/database/r1", facts);
  expect((await ballast("list")).out).toMatch(/kv\/database +r1 +due +stopped/);
  await expect(ballast("list", "--credential", "other")).rejects.toMatchObject({ id: "target-not-managed" });
  const shown = (await ballast("show", "r1")).out;
  expect(shown).toMatch(/storefront +slot b/);
  expect(shown).toMatch(/checkout +slot a/);
  expect(shown).toContain("continue with retry, or return to the old version with back");
  const explained = (await ballast("explain", "r1")).out;
  expect(explained).toContain("checkout does not use the version");
  expect((await ballast("back", "r1", "--message", "not today")).out).toBe("return requested by ann: not today\n");
  await expect(ballast("pause", "r1", "--message", "x")).resolves.toMatchObject({ out: "paused by ann: x\n" });
  await expect(ballast("back", "r1", "--message", "x")).rejects.toMatchObject({ id: "signal-disregarded" });
});
