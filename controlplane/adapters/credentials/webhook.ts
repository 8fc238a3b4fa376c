// A system of one's own, behind a webhook, as the roles of a credential. Each call is signed and bounded. No call holds
// a value: whoever answers reads the version from the vault.
import { randomInt, randomUUID } from "node:crypto";
import type { Result } from "../../../engines/engine.ts";
import { type Form, flag, list, number, object, optional, read, text } from "../../../engines/form.ts";
import { makePassword } from "../../../engines/rotation/password-policy.ts";
import type { Credential, Slot } from "../../../engines/rotation/vocabulary.ts";
import type { Instant } from "../../../engines/time.ts";
import type { Accepted, System } from "../../performers/rotation-ports.ts";
import type { Fence } from "../../runtime/ports.ts";
import { resultOf, send, type Wire } from "../wire/post.ts";
import type { Signer } from "../wire/signing.ts";

/** How webhooks are called; without a signer none is. */
export interface WebhookSetting {
  readonly wire: Wire;
  readonly signed: Signer | undefined;
}

/** Any text, also an empty one. */
const words = text("a text", { least: 0, most: 1_000 });

/** What each call answers. Fields that are not known are ignored. */
const answers = {
  look: object({
    login: object({ a: flag(), b: flag() }),
    missing: optional(list(words, { most: 100 }), []),
    sessions: optional(number({ least: 0 }), 0),
  }),
  accept: object({}),
  prove: object({ login: flag(), missing: optional(list(words, { most: 100 }), []), detail: optional(words, "") }),
  open: object({}),
  close: object({}),
  readers: object({
    logins: list(object({ who: words, at: number(), refused: optional(flag(), false) }), { most: 100 }),
    to: number(),
    alive: flag(),
    sessions: optional(number({ least: 0 }), 0),
  }),
  "end-sessions": object({ ended: optional(number({ least: 0 }), 0) }),
};
type Answers = typeof answers;
type AnswerOf<Name extends keyof Answers> = Answers[Name] extends Form<infer Value> ? Value : never;

/** What a call is about beside the credential. */
interface Call {
  readonly slot: Slot;
  readonly version?: string;
  readonly url?: string;
  readonly from?: Instant;
}

/** Opens the systems behind webhooks. */
export function createWebhookSystem(setting: WebhookSetting): System {
  const call = <Name extends keyof Answers>(name: Name, credential: Credential, about: Call, cancel: AbortSignal) =>
    callWebhook(name, credential, about, setting, cancel);
  const write = async <Name extends keyof Answers>(
    name: Name,
    credential: Credential,
    about: Call,
    fence: Fence,
  ): Promise<Result<AnswerOf<Name>>> =>
    (await fence())
      ? call(name, credential, about, new AbortController().signal)
      : { ok: false, reason: "another process now owns the rotation, so nothing was sent" };
  return {
    look: async (credential, live, cancel) => {
      const seen = await call("look", credential, { slot: live }, cancel);
      if (!seen.ok) return seen;
      const { login, missing, sessions } = seen.value;
      return { ok: true, value: { login, missing, otherSessions: sessions } };
    },
    newValue: async ({ passwordPolicy }) => ({ ok: true, value: makePassword(passwordPolicy, randomInt) }),
    accept: async (credential, slot, version, fence) =>
      done(await write("accept", credential, { slot, ...named(version) }, fence)),
    prove: (credential, slot, version, cancel) => call("prove", credential, { slot, ...named(version) }, cancel),
    setLogin: async (credential, slot, login, fence) =>
      done(await write(login ? "open" : "close", credential, { slot }, fence)),
    sessions: async (credential, slot, cancel) => {
      const seen = await call("readers", credential, { slot }, cancel);
      return seen.ok ? { ok: true, value: seen.value.sessions } : seen;
    },
    clock: async () => ({ ok: true, value: null }),
    endSessions: async (credential, slot, fence) => {
      const ended = await write("end-sessions", credential, { slot }, fence);
      return ended.ok ? { ok: true, value: ended.value.ended } : ended;
    },
    read: async (credential, slot, from, cancel) => {
      const seen = await call("readers", credential, { slot, from }, cancel);
      if (!seen.ok) return seen;
      const { logins, to, alive } = seen.value;
      return { ok: true, value: { logins: logins.slice(0, readersMax), to, alive } };
    },
  };
}

/** The most readers of one look, so that a fact stays small. */
const readersMax = 20;

/** What names a version without its value. */
const named = ({ version, url }: Accepted): Pick<Call, "version" | "url"> => ({ version, url });

const done = (result: Result<unknown>): Result<null> => (result.ok ? { ok: true, value: null } : result);

/**
 * Names a call. To accept a version twice is to accept it once, so that call has the version's name. Any other one asks
 * for the present, or changes it, and a receiver that answers an id from memory would be wrong.
 */
const idOf = (name: keyof Answers, { vault, credential }: Credential, { slot, version }: Call): string =>
  [vault, credential, slot, name === "accept" ? version : randomUUID(), name].join("/");

/** Sends one call, once. The engine asks again for what could not be done now. */
async function callWebhook<Name extends keyof Answers>(
  name: Name,
  declared: Credential,
  about: Call,
  { wire, signed }: WebhookSetting,
  cancel: AbortSignal,
): Promise<Result<AnswerOf<Name>>> {
  const { vault, credential, roles, webhook } = declared;
  if (webhook === undefined || signed === undefined)
    return { ok: false, reason: "BALLAST_CREDENTIAL_WEBHOOK_SECRET is not set, so no webhook is called" };
  const id = idOf(name, declared, about);
  const subject = { vault, credential, role: roles[about.slot], ...about };
  const body = JSON.stringify({
    type: `credential.${name}`,
    timestamp: new Date().toISOString(),
    data: { id, ...subject },
  });
  const sent = { url: webhook.url, body, headers: { ...signed(id, body), "idempotency-key": id } };
  const answered = resultOf(`the webhook could not be asked to ${name}`, await send(sent, wire, cancel));
  if (!answered.ok) return answered;
  const parsed = read(answers[name] as unknown as Form<AnswerOf<Name>>, answered.value ?? {}, "stored");
  return "value" in parsed
    ? { ok: true, value: parsed.value }
    : { ok: false, reason: `the webhook's answer to ${name} is not as documented: ${parsed.complaints.join(" ")}` };
}
