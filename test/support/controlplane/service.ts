// The control plane's API over a journal in memory, with our own token issuer on loopback. The control loop is a stub
// that decides with the real engine and never acts. Every exchange is checked against the API's description.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { afterAll, beforeAll } from "vitest";
import { fetchDispatcher } from "../../../connect-to.ts";
import { createApp, type Log } from "../../../controlplane/api/app.ts";
import { createAuthenticate } from "../../../controlplane/api/authenticate.ts";
import type { Parts, Streams } from "../../../controlplane/api/call.ts";
import type { Claims, Journal } from "../../../controlplane/runtime/ports.ts";
import { fold, type Request, type Signal } from "../../../engines/engine.ts";
import { kinds } from "../../../engines/kinds.ts";
import { rolloutKind } from "../../../engines/rollout/kind.ts";
import { defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import type { ReleaseIntent, RolloutEvent, SignalName } from "../../../engines/rollout/vocabulary.ts";
import { appKey } from "../../../engines/targets.ts";
import { memoryClaims, memoryJournal } from "../worlds/memory.ts";
import { memoryPauses } from "../worlds/memory-pauses.ts";
import { type CheckedApp, checked } from "./exchanges.ts";
import { appendAtEnd } from "./journals.ts";

const tenant = "00000000-0000-0000-0000-00000000beef";
const audience = "api://ballast";
export const path = "/rollouts/Shop/api/api--0000002",
  stream = "rollout/shop/api/api--0000002";
const target = { resourceGroup: "shop", app: "api" };
export const body = {
  release: "hash-of-2",
  strategy: defaultStrategy,
  thresholds: defaultThresholds,
  probePath: "/health/ready",
};
export const intent: ReleaseIntent = { ...body, target, revision: "api--0000002", requestedBy: "somebody" };

/** The facts of a rejected rollout. */
export const rejected: readonly RolloutEvent[] = [
  { at: 1000, kind: "Planned", intent, steps: [5, 25, 50, 100] },
  { at: 2000, kind: "Inspected", view: { weights: [{ revision: "api--0000001", percent: 100 }], revisions: [] } },
  { at: 2000, kind: "Aborted", reason: "revision-missing", message: "the revision does not exist", by: "the judge" },
  {
    at: 3000,
    kind: "Finished",
    result: "rejected",
    reason: "revision-missing",
    message: "rejected before any traffic: the revision does not exist",
  },
];

/** One valid call of every operation that needs a token. */
export const calls: readonly {
  readonly name: string;
  readonly method: string;
  readonly to: string;
  readonly sent?: object;
}[] = [
  { name: "putRollout", method: "PUT", to: path, sent: body },
  { name: "listRollouts", method: "GET", to: "/rollouts" },
  { name: "showRollout", method: "GET", to: path },
  { name: "showRolloutJournal", method: "GET", to: `${path}/journal` },
  { name: "followRollout", method: "GET", to: `${path}/follow` },
  { name: "signalRollout", method: "POST", to: `${path}/signals`, sent: { signal: "pause", message: "lunch" } },
  { name: "lockTarget", method: "POST", to: "/locks/shop/api", sent: { seconds: 30 } },
  { name: "unlockTarget", method: "DELETE", to: "/locks/shop/api/lock-1" },
  { name: "recover", method: "POST", to: "/recover" },
  { name: "showPause", method: "GET", to: "/remediations/pause" },
  { name: "pauseAll", method: "POST", to: "/remediations/pause", sent: { message: "lunch", seconds: 60 } },
  { name: "resumeAll", method: "POST", to: "/remediations/resume", sent: { message: "back" } },
];

/** An issuer of tokens, as Entra is for a tenant. */
interface Issuer {
  readonly authority: string;
  readonly name: string;
  readonly keys: Awaited<ReturnType<typeof generateKeyPair>>;
  /** The claims of a good token, with a test's changes. */
  readonly claims: (changes?: JWTPayload) => JWTPayload;
  /** A token as Entra would issue it, with a test's changes. */
  readonly token: (changes?: JWTPayload, key?: Parameters<SignJWT["sign"]>[0], header?: object) => Promise<string>;
  readonly close: () => void;
}

export const seconds = (fromNow: number): number => Math.floor(Date.now() / 1000) + fromNow;

/** Starts an issuer with one published key, whose id is `ours`. */
async function startIssuer(): Promise<Issuer> {
  const keys = await generateKeyPair("RS256", { extractable: true });
  const publicKey = { ...(await exportJWK(keys.publicKey)), kid: "ours", alg: "RS256", use: "sig" };
  const server = createServer((request, response) => {
    const page = request.url?.endsWith("/openid-configuration")
      ? { issuer: name, jwks_uri: `${authority}/${tenant}/discovery/v2.0/keys` }
      : { keys: [publicKey] };
    response.setHeader("content-type", "application/json").end(JSON.stringify(page));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const authority = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const name = `${authority}/${tenant}/v2.0`;
  const claims: Issuer["claims"] = (changes = {}) => ({
    iss: name,
    aud: audience,
    tid: tenant,
    oid: "somebody",
    roles: ["Rollout.Read", "Rollout.Write"],
    nbf: seconds(-300),
    exp: seconds(300),
    ...changes,
  });
  return {
    authority,
    name,
    keys,
    claims,
    token: (changes, key = keys.privateKey, header = {}) =>
      new SignJWT(claims(changes)).setProtectedHeader({ alg: "RS256", kid: "ours", ...header }).sign(key),
    close: () => void server.close(),
  };
}

export interface Service extends AsyncDisposable {
  readonly app: ReturnType<typeof checked>;
  /** Sends a call with a good token, or another one. A text is sent as it is, anything else as JSON. */
  readonly call: (
    method: string,
    to: string,
    sent?: unknown,
    bearer?: string,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<{ readonly status: number; readonly headers: Headers; readonly text: string; readonly body: any }>;
  /** What the loop was asked. */
  readonly asked: string[];
  readonly logged: unknown[];
  readonly append: (to: string, events: readonly RolloutEvent[]) => Promise<void>;
  readonly closing: AbortController;
  readonly parts: Parts & { readonly claims: ReturnType<typeof memoryClaims> };
  /** Gives what was started, written or locked since the service was opened. */
  readonly touched: () => Promise<readonly string[]>;
}

/** Appends to a stream, which holds its target from its request to its end, as on the real loop. */
async function append(
  { journal, claims }: { readonly journal: Journal; readonly claims: Claims },
  to: string,
  events: readonly RolloutEvent[],
): Promise<void> {
  await appendAtEnd(journal, to, events, { process: "test" });
  const written = (await journal.read(to)).map(({ event }) => event as RolloutEvent);
  const taken = await claims.take(rolloutKind.targetsOf(written[0]!), to, "test");
  if ("claim" in taken && rollout.react(fold(rollout, written)) === undefined) await claims.release(taken.claim);
}

/** Stands for the control loop: notes what it was asked, and writes what the engine decides at once. */
function loopOver(parts: { readonly journal: Journal; readonly claims: Claims }, asked: string[]): Streams {
  const { journal } = parts;
  return {
    start: async (to, request) => {
      asked.push(`start ${to}`);
      const written = (await journal.read(to)).map(({ event }) => event);
      const state = fold(rollout, written as readonly RolloutEvent[]);
      await append(parts, to, rollout.decide(state, request as Request<ReleaseIntent>));
      return "started";
    },
    signal: async (to, signal) => {
      asked.push(`${signal.signal} ${to} by ${signal.by}: ${signal.message}`);
      const written = (await journal.read(to)).map(({ event }) => event);
      const events = rollout.decide(fold(rollout, written as readonly RolloutEvent[]), signal as Signal<SignalName>);
      await append(parts, to, events);
      return events;
    },
    recover: async () => {
      asked.push("recover");
      return ["rollout/shop/api/left-behind"];
    },
  };
}

/** Sends calls to an app, with a good token unless the caller gives one. */
const callTo =
  (app: CheckedApp, issuer: Issuer): Service["call"] =>
  async (method, to, sent, bearer, headers = {}) => {
    const response = await app.request(to, {
      method,
      headers: {
        authorization: `Bearer ${bearer ?? (await issuer.token())}`,
        ...(sent === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(sent === undefined ? {} : { body: typeof sent === "string" ? sent : JSON.stringify(sent) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text.startsWith("{") && !text.includes("\n") ? JSON.parse(text) : undefined,
    };
  };

/** Parts of a service of which any use fails: for calls that must be refused before anything is touched. */
export const untouchable = {
  journal: broken("journal"),
  claims: broken("claims"),
  kinds,
  streams: broken("streams"),
  pauses: broken("pauses"),
} as unknown as Partial<Service["parts"]>;

function broken(what: string): object {
  return new Proxy(
    {},
    {
      get: () => () => {
        throw new Error(`the ${what} was touched`);
      },
    },
  );
}

/** Opens a service over memory, with everything that the loop was asked and everything that was logged. */
function openService(issuer: Issuer, changes: Partial<Parts> = {}): Service {
  const asked: string[] = [];
  const logged: unknown[] = [];
  const closing = new AbortController();
  const dispatcher = fetchDispatcher(undefined);
  const journal = memoryJournal(kinds);
  const claims = memoryClaims(60);
  const parts = {
    journal,
    claims,
    kinds,
    streams: loopOver({ journal, claims }, asked),
    pauses: memoryPauses(Date.now),
    managedApps: [target],
    managedTargets: [appKey(target)],
    now: Date.now,
    process: "test",
    closing: closing.signal,
    ...changes,
  } as Service["parts"];
  const log: Log = (line) => void logged.push(line);
  const app = checked(
    createApp(
      parts,
      createAuthenticate({ authority: issuer.authority, tenant, audiences: [audience], requestSeconds: 4 }, dispatcher),
      log,
    ),
  );
  const touched = async (): Promise<readonly string[]> => {
    const written = await Promise.all(
      (await journal.streams({})).map(async (name) => `${name} has ${(await journal.read(name)).length} facts`),
    );
    const lock = await claims.lockOn(appKey(target));
    return [
      ...asked,
      ...written,
      ...(lock === undefined ? [] : [`locked by ${lock.by}`]),
      ...(await claims.expired()).map(({ holder }) => `claimed by ${holder}`),
    ];
  };
  return {
    app,
    call: callTo(app, issuer),
    asked,
    logged,
    append: (to, events) => append(parts, to, events),
    closing,
    parts,
    touched,
    [Symbol.asyncDispose]: async () => dispatcher.close(),
  };
}

/** Services of one file of tests, which share an issuer. */
export interface ServicesForTests {
  /** The issuer, from the start of the first test on. */
  readonly issuer: Issuer;
  /** A token of the issuer. */
  readonly token: Issuer["token"];
  /** Opens a service that trusts the issuer. */
  readonly service: (changes?: Partial<Service["parts"]>) => Service;
  /** Opens a service that cannot fetch the issuer's keys. */
  readonly serviceWithoutKeys: () => Service;
}

/** Starts an issuer before the tests of a file, or of a group, and closes it after them. */
export function servicesForTests(): ServicesForTests {
  let issuer: Issuer;
  beforeAll(async () => {
    issuer = await startIssuer();
  });
  afterAll(() => issuer.close());
  return {
    get issuer() {
      return issuer;
    },
    token: (...how) => issuer.token(...how),
    service: (changes) => openService(issuer, changes),
    serviceWithoutKeys: () => openService({ ...issuer, authority: "http://127.0.0.1:9" }),
  };
}
