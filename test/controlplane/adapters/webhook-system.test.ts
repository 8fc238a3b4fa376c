// A system of one's own behind a webhook, as a rotation sees it: calls are signed, name the version and hold no value,
// are sent once, and an answer that is late, long, wrong or absent is a failure with a reason.
import { Webhook } from "standardwebhooks";
import { Agent } from "undici";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createWebhookSystem } from "../../../controlplane/adapters/credentials/webhook.ts";
import { signerOf } from "../../../controlplane/adapters/wire/signing.ts";
import { read } from "../../../engines/form.ts";
import { completedCredential } from "../../../engines/rotation/declaration.ts";
import type { Credential } from "../../../engines/rotation/vocabulary.ts";
import { type Receiver, startReceiver } from "../../support/controlplane/receiver.ts";

const secret = "a key of more than twenty-four bytes";
const uncut = new AbortController().signal;
const ours = async () => true;
const dispatcher = new Agent();
const version = { version: "v7", url: "https://kv.vault.azure.net/secrets/partner-b/v7", value: "not-to-be-sent" };
let receiver: Receiver;
let credential: Credential;
const systemWith = (signed: ReturnType<typeof signerOf> | undefined, patienceSeconds = 60) =>
  createWebhookSystem({ wire: { dispatcher, patienceSeconds }, signed });
const system = systemWith(signerOf(secret));

beforeAll(async () => {
  receiver = await startReceiver("rotate");
  const parsed = read(completedCredential, {
    vault: "kv",
    credential: "partner",
    webhook: { url: receiver.url },
    roles: { a: "shop-1", b: "shop-2" },
    consumers: [{ resourceGroup: "shop", app: "storefront" }],
  });
  if ("complaints" in parsed) throw new Error(parsed.complaints.join(" "));
  credential = parsed.value;
});
afterEach(() => receiver.received.splice(0));
afterAll(async () => {
  await receiver.stop();
  await dispatcher.close();
});

const sent = () => receiver.received.at(-1)!;

test("a call is signed over its id, its time and its body, and another key does not verify it", async () => {
  receiver.answers.push({ status: 204 });
  expect(await system.accept(credential, "b", version, ours)).toEqual({ ok: true, value: null });
  const { headers, text } = sent();
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  expect(new Webhook(Buffer.from(secret), { format: "raw" }).verify(text, given)).toBeDefined();
  const other = new Webhook(Buffer.from("another key of twenty-four bytes"), { format: "raw" });
  expect(() => other.verify(text, given)).toThrow();
});

test("a call to accept names the version and its address, repeats under one id, and holds no value", async () => {
  receiver.answers.push({ status: 204 }, { status: 204 });
  for (let times = 0; times < 2; times++) await system.accept(credential, "b", version, ours);
  expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual(
    Array(2).fill("kv/partner/b/v7/accept"),
  );
  expect(sent().headers["idempotency-key"]).toBe("kv/partner/b/v7/accept");
  expect(sent().body).toMatchObject({
    type: "credential.accept",
    data: { vault: "kv", credential: "partner", role: "shop-2", slot: "b", version: "v7", url: version.url },
  });
  expect(JSON.stringify(receiver.received)).not.toContain(version.value);
});

test.each([
  ["prove", () => system.prove(credential, "b", version, uncut)],
  ["close", () => system.setLogin(credential, "a", false, ours)],
  ["readers", () => system.sessions(credential, "a", uncut)],
] as const)("each call to %s has an id of its own, since what it asks for changes", async (name, call) => {
  for (let times = 0; times < 2; times++) await call();
  const ids = receiver.received.map(({ headers, body }) => {
    expect(headers["idempotency-key"]).toBe(headers["webhook-id"]);
    expect(body.data.id).toBe(headers["webhook-id"]);
    return String(headers["webhook-id"]);
  });
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect(id).toMatch(new RegExp(`^kv/partner/[ab]/[0-9a-f-]{36}/${name}$`));
});

test("a value is made here, another one each time, and nothing is sent for it", async () => {
  const make = () => system.newValue(credential, "b", async () => ({ ok: true, value: null }), ours);
  const values = await Promise.all([make(), make()]);
  expect(new Set(values.map((made) => made.ok && made.value)).size).toBe(2);
  expect(receiver.received).toEqual([]);
});

describe("the answer to", () => {
  const look = { login: { a: true, b: false }, missing: ["orders"], sessions: 2 };
  const readers = { logins: [{ who: "erp", at: 5, refused: true }], to: 9, alive: true, sessions: 3 };
  test.each([
    [
      "look",
      () => system.look(credential, "a", uncut),
      look,
      { login: look.login, missing: ["orders"], otherSessions: 2 },
    ],
    [
      "prove",
      () => system.prove(credential, "b", version, uncut),
      { login: true },
      { login: true, missing: [], detail: "" },
    ],
    ["close", () => system.setLogin(credential, "a", false, ours), {}, null],
    ["open", () => system.setLogin(credential, "a", true, ours), {}, null],
    ["readers", () => system.read(credential, "a", 4, uncut), readers, { logins: readers.logins, to: 9, alive: true }],
    ["readers", () => system.sessions(credential, "a", uncut), readers, 3],
    ["end-sessions", () => system.endSessions(credential, "a", ours), { ended: 3 }, 3],
  ] as const)("%s is read", async (name, call, body, value) => {
    receiver.answers.push({ status: 200, body });
    expect(await call()).toEqual({ ok: true, value });
    expect(sent().body.type).toBe(`credential.${name}`);
  });

  test.each([
    ["asks for a rest", { status: 503, headers: { "retry-after": "7" } }, { retryAfterSeconds: 7 }],
    ["is a redirection", { status: 307, headers: { location: "/x" } }, { reason: expect.stringContaining("307") }],
    ["is a refusal", { status: 400 }, { reason: expect.stringContaining("it answered 400") }],
    [
      "is not as documented",
      { status: 200, body: { login: "yes" } },
      { reason: expect.stringContaining("login must be") },
    ],
    [
      "has no end",
      { status: 200, body: "x".repeat(300_000) },
      { reason: expect.stringContaining("its answer has more") },
    ],
  ] as const)("prove that %s is a failure with its reason", async (_what, answer, failure) => {
    receiver.answers.push(answer);
    expect(await system.prove(credential, "b", version, uncut)).toMatchObject({ ok: false, ...failure });
  });

  test("prove that is late is a failure with its reason", async () => {
    receiver.answers.push("hang");
    expect(await systemWith(signerOf(secret), 1).prove(credential, "b", version, uncut)).toMatchObject({
      reason: "the webhook could not be asked to prove: it did not answer in 1 s",
    });
  });
});

test("nothing is sent by a process that lost the rotation, nor without a key to sign with", async () => {
  expect(await system.accept(credential, "b", version, async () => false)).toMatchObject({ ok: false });
  expect(await systemWith(undefined).look(credential, "a", uncut)).toMatchObject({
    reason: "BALLAST_CREDENTIAL_WEBHOOK_SECRET is not set, so no webhook is called",
  });
  expect(receiver.received).toEqual([]);
});
