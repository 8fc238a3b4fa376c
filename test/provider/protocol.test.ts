// The provider over its protocol, against a control plane with canned answers: what it accepts, what it prints, and how
// it fails. release.pulumi.test.ts runs it under the real Pulumi CLI.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { controlPlane } from "../../client/control-plane.ts";
import type { Followed } from "../../client/follow.ts";
import { defaultThresholds } from "../../engines/rollout/plan.ts";
import { callMalformed, issuerUnreachable, roleMissing } from "../../errors/api.ts";
import { withdraw } from "../../provider/release/release.ts";
import { unknownValue } from "../../provider/resource-type.ts";
import { withoutTurn } from "../../provider/turn.ts";
import {
  envelope,
  type FakeControlPlane,
  startFakeControlPlane,
  token,
} from "../support/controlplane/fake-control-plane.ts";
import {
  checked,
  create,
  kept,
  type ProviderProcess,
  startProvider,
  struct,
  urn,
} from "../support/program/provider-process.ts";
import { goodFacts, releaseInputs, strategy } from "../support/program/release-inputs.ts";

let plane: FakeControlPlane;
let provider: ProviderProcess;
const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

beforeAll(async () => {
  provider = await startProvider({ BALLAST_TOKEN: token });
});
afterAll(async () => provider[Symbol.asyncDispose]());
beforeEach(async () => {
  plane = await startFakeControlPlane();
  provider.logged.length = 0;
});
afterEach(async () => plane.stop());

const invoke = async (name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> => {
  const request = new providerProto.InvokeRequest()
    .setTok(`ballast:index:${name}`)
    .setArgs(struct({ endpoint: plane.endpoint, resourceGroup: "rg", app: "storefront", ...args }));
  const response = await provider.call<unknown, providerProto.InvokeResponse>("invoke", request);
  const failures = response.getFailuresList().map((failure) => failure.getReason());
  return failures.length ? { failures } : response.getReturn()!.toJavaScript();
};
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("nothing failed"),
    (error: unknown) => error,
  );

test("reports the package's version, and describes its resource and functions in a schema", async () => {
  const plugin = await provider.call<unknown, PluginInfo>("getPluginInfo", new emptyProto.Empty());
  const answer = await provider.call<unknown, providerProto.GetSchemaResponse>(
    "getSchema",
    new providerProto.GetSchemaRequest(),
  );
  const schema = JSON.parse(answer.getSchema()) as Record<string, Record<string, { inputProperties?: object }>>;
  expect(plugin.getVersion()).toBe(manifest.version);
  expect(Object.keys(schema["functions"]!)).toEqual([
    "ballast:index:lock",
    "ballast:index:unlock",
    "ballast:index:managed",
    "ballast:index:releaseOf",
    "ballast:index:ready",
    "ballast:index:repositoryFacts",
  ]);
  expect(Object.keys(schema["resources"]!["ballast:index:Release"]!.inputProperties!).sort()).toEqual(
    Object.keys(
      withoutTurn(
        await checked(
          provider,
          releaseInputs(plane.endpoint, {
            dryRunThresholds: defaultThresholds,
            gate: { beforePercent: 100, expiresSeconds: 60 },
            credentialSlots: [["db-a", "db-b"]],
            serving: "r0",
            probe: { host: "www.example.org" },
          }),
        ),
      ),
    ).sort(),
  );
});

test.each([
  ["an unknown input", { wate: true }, 'the value has an unknown field "wate"; the known fields are endpoint,'],
  ["a misspelt strategy", { strategy: { ...strategy, bakeSecond: 3 } }, 'strategy has an unknown field "bakeSecond"'],
  [
    "a strategy without a field",
    { strategy: { ...strategy, intervalSeconds: undefined } },
    "strategy.intervalSeconds is missing.",
  ],
  ["a missing release", { release: undefined }, "release is missing."],
  [
    "a text for a number",
    { thresholds: { oddsTolerated: "1" } },
    'thresholds.oddsTolerated is "1", but must be a number from 1 to 10.',
  ],
  [
    "a dryRun that is not whole",
    { dryRunThresholds: { ...defaultThresholds, oddsTolerated: undefined } },
    "dryRunThresholds.oddsTolerated is missing.",
  ],
  [
    "a number beyond its range",
    { strategy: { ...strategy, weights: [5, 100] } },
    "strategy.weights[1] is 100, but must be a whole number from 1 to 99; 100 follows by itself.",
  ],
  ["a path with spaces", { probePath: "/a b" }, 'probePath is "/a b", but must be a path'],
  ["an address in the clear", { endpoint: "http://ballast.example" }, "must be an https address"],
  ["an address with a password", { endpoint: "https://u:p@ballast.example" }, "must be an https address"],
  ["a third way in flight", { whenInFlight: "queue" }, 'whenInFlight is "queue", but must be refuse or supersede.'],
  ["a gate without its time", { gate: { beforePercent: 100 } }, "gate.expiresSeconds is missing"],
  [
    "a third way with weights of others",
    { outsideWeights: "ignore" },
    'outsideWeights is "ignore", but must be restore or adopt.',
  ],
])("refuses %s by name", async (_what, other, reason) => {
  const inputs = JSON.parse(JSON.stringify(releaseInputs(plane.endpoint, other))) as Record<string, unknown>;
  expect(String(await failureOf(checked(provider, inputs)))).toContain(reason);
});

test("accepts inputs that a preview does not know yet", async () => {
  const inputs = releaseInputs(unknownValue, {
    revision: unknownValue,
    release: unknownValue,
    strategy: { ...strategy, weights: [5, unknownValue] },
    thresholds: unknownValue,
  });
  expect(await checked(provider, inputs)).toMatchObject({
    audience: "api://ballast",
    wait: true,
    whenInFlight: "refuse",
    outsideWeights: "restore",
  });
});

test("deleting a release whose rollout already returns its traffic waits for its end", async () => {
  plane.scripts.set("one", {
    facts: goodFacts,
    pausesAt: 3,
    result: "rolled-back",
    message: "rolled back at 25 percent",
  });
  const name = { resourceGroup: "rg", app: "storefront", revision: "r1" };
  const access = { endpoint: plane.endpoint, token: async () => token };
  await controlPlane(access).put(name, { release: "one" } as never);
  const reported: string[] = [];
  const real = controlPlane(access);
  const deciding = {
    ...real,
    signal: async (...asked: Parameters<typeof real.signal>) => {
      plane.goOn("rollout/rg/storefront/r1");
      return real.signal(...asked);
    },
  };
  await withdraw(
    { ...name, endpoint: plane.endpoint } as never,
    {
      controlPlane: deciding,
      report: (line: string) => reported.push(line),
      warn: () => {},
      cancel: new AbortController().signal,
    } as never,
  );
  expect(reported.at(-1)).toBe("rolled back at 25 percent");
});

test.each([
  [502, "", 1],
  [504, "", 1],
  [503, "upstream connect error. reset reason: connection termination", 1],
  [503, "no healthy upstream", 2],
])("a signal that may have arrived is not sent a second time after a %i %s", async (status, text, sent) => {
  let asked = 0;
  plane.answerInstead = (_request, response) => {
    if (++asked === 2) plane.answerInstead = undefined;
    response.writeHead(status).end(text);
  };
  await controlPlane({ endpoint: plane.endpoint, token: async () => token, patienceSeconds: 2 })
    .signal({ resourceGroup: "rg", app: "storefront", revision: "r1" }, "abort", "because")
    .catch(() => undefined);
  expect(asked).toBe(sent);
});

test("sends the whole intent and prints each fact worth a line, once and in order", async () => {
  plane.scripts.set("one", { facts: goodFacts, result: "promoted", message: "promoted: every step passed" });
  const outputs = await create(provider, releaseInputs(plane.endpoint));
  expect(outputs).toMatchObject({ revision: "r1", result: "promoted", message: "promoted: every step passed" });
  expect(provider.logged).toEqual(goodFacts.filter(({ kind }) => kind !== "Waited").map(({ message }) => message));
  const { strategy: _strategy, thresholds: _thresholds, ...rest } = [...plane.rollouts.values()][0]!.intent;
  expect(rest).toEqual({ release: "one", probePath: "/healthz", whenInFlight: "refuse", outsideWeights: "restore" });
});

test("sends dry-run thresholds if the program has some", async () => {
  await create(
    provider,
    releaseInputs(plane.endpoint, { dryRunThresholds: { ...defaultThresholds, oddsTolerated: 1 } }),
  );
  expect([...plane.rollouts.values()][0]!.intent).toMatchObject({
    thresholds: defaultThresholds,
    dryRun: { ...defaultThresholds, oddsTolerated: 1 },
  });
});

test.each([
  ["rejected", "release-rejected"],
  ["degraded", "release-degraded"],
  ["rolled-back", "release-rolled-back"],
])("a release that ends %s fails with its message and keeps its outputs", async (result, id) => {
  plane.scripts.set("one", { facts: goodFacts.slice(0, 1), result, message: "the canary answered 500" });
  const { outputs, reason } = kept(await failureOf(create(provider, releaseInputs(plane.endpoint))));
  expect(reason).toMatch(new RegExp(`^${id}  the canary answered 500\n  fix   .+\n  left  .+$`));
  expect(outputs).toMatchObject({ revision: "r1", result, message: "the canary answered 500" });
  // The stack of the app may have no output that says where the control plane is.
  expect(reason).toMatch(new RegExp(`\`ballast release .+ --endpoint ${plane.endpoint} --audience api://ballast\``));
});

test("without waiting it answers as soon as the control plane has started the rollout", async () => {
  plane.scripts.set("one", { facts: goodFacts, pausesAt: 2, result: "promoted", message: "promoted" });
  expect(await create(provider, releaseInputs(plane.endpoint, { wait: false }))).toMatchObject({ result: "in-flight" });
  expect(plane.followedFrom).toEqual([]);
});

test("a rollout in flight refuses another release, which supersedes it on request", async () => {
  plane.scripts.set("one", { facts: goodFacts, pausesAt: 2, result: "promoted", message: "promoted" });
  await create(provider, releaseInputs(plane.endpoint, { wait: false }));
  const second = releaseInputs(plane.endpoint, { release: "two", revision: "r2" });
  const { outputs, reason } = kept(await failureOf(create(provider, second)));
  expect(reason).toContain("stream-in-flight  rollout/rg/storefront/r1 is in flight, and a target has one at a time.");
  expect(outputs).toMatchObject({ result: "not-started" });
  expect(await create(provider, { ...second, whenInFlight: "supersede" })).toMatchObject({ result: "promoted" });
  expect(plane.rollouts.get("rollout/rg/storefront/r1")!.script.result).toBe("rolled-back");
});

test("a refusal is reported in the control plane's own words, and another server is reported as such", async () => {
  const refused = roleMissing({ role: "Rollout.Write", caller: "a-tester" });
  plane.answerInstead = (_request, response) =>
    response.writeHead(403, { "content-type": "application/json" }).end(JSON.stringify(envelope(refused)));
  expect(kept(await failureOf(create(provider, releaseInputs(plane.endpoint)))).reason).toBe(refused.toString());
  plane.answerInstead = (_request, response) => void response.end("<html>Welcome</html>");
  expect(kept(await failureOf(create(provider, releaseInputs(plane.endpoint)))).reason).toContain(
    "release-control-plane-unclear",
  );
});

test("a control plane that answers 503 is asked again, and its own error is reported if that lasts", async () => {
  const excuse = JSON.stringify(envelope(issuerUnreachable({ issuer: "https://issuer.example" })));
  let asked = 0;
  plane.answerInstead = (_request, response) => {
    if (++asked === 2) plane.answerInstead = undefined;
    response.writeHead(503, { "content-type": "application/json" }).end(excuse);
  };
  expect(await create(provider, releaseInputs(plane.endpoint))).toMatchObject({ result: "promoted" });
  plane.answerInstead = (_request, response) => void response.writeHead(503).end(excuse);
  expect(
    await failureOf(controlPlane({ endpoint: plane.endpoint, token: async () => token, patienceSeconds: 1 }).list()),
  ).toMatchObject({ id: "call-issuer-unreachable", severity: "error", exitCode: 3 });
});

test.each([
  ["promoted", { serving: "r1" }, []],
  ["unchanged", { serving: "" }, []],
  ["promoted", {}, ["GET /rollouts/rg/storefront/r1"]],
  ["rolled-back", { serving: "r1" }, ["GET /rollouts/rg/storefront/r1"]],
  ["in-flight", { serving: "r1" }, ["GET /rollouts/rg/storefront/r1"]],
])("a lookup of a release that ended as %s, with %o, asks the control plane %o", async (result, more, asked) => {
  const inputs = releaseInputs(plane.endpoint, more);
  const state = { ...(await create(provider, inputs)), result };
  plane.asked.length = 0;
  const request = new providerProto.ReadRequest().setUrn(urn).setId("rg/storefront").setInputs(struct(inputs));
  await provider.call<unknown, providerProto.ReadResponse>("read", request.setProperties(struct(state)));
  expect(plane.asked).toEqual(asked);
});

test("a lookup updates the result, and any failure leaves the state unchanged", async () => {
  const state = {
    ...(await create(provider, releaseInputs(plane.endpoint))),
    result: "in-flight",
    message: "watching",
  };
  const read = async (): Promise<object> => {
    const request = new providerProto.ReadRequest()
      .setUrn(urn)
      .setId("rg/storefront")
      .setInputs(struct(releaseInputs(plane.endpoint)))
      .setProperties(struct(state));
    return (await provider.call<unknown, providerProto.ReadResponse>("read", request)).getProperties()!.toJavaScript();
  };
  expect(await read()).toMatchObject({ result: "promoted" });
  plane.answerInstead = (_request, response) => void response.writeHead(500).end("{}");
  expect(await read()).toEqual(state);
  plane.answerInstead = undefined;
  plane.rollouts.clear();
  expect(await read()).toEqual(state);
  await plane.stop();
  expect(await read()).toEqual(state);
  expect(provider.logged.at(-1)).toMatch(/^warning: The rollout storefront\/r1 could not be read/);
  await plane.start();
});

test("a lock is taken and given back; another holder or an unreachable control plane is an answer", async () => {
  expect(await invoke("lock", { seconds: 60 })).toEqual({ id: "lock-1", until: 1_000 });
  expect(await invoke("unlock", { id: "lock-1" })).toEqual({});
  expect(plane.asked).toEqual(["POST /locks/rg/storefront", "DELETE /locks/rg/storefront/lock-1"]);
  expect(await invoke("lock", { seconds: 60, app: "taken" })).toEqual({ heldBy: "rollout/rg/taken/r1" });
  expect(await invoke("lock", { minutes: 1 })).toEqual({
    failures: [expect.stringContaining('unknown field "minutes"'), "seconds is missing."],
  });
  await plane.stop();
  expect(await invoke("lock", { seconds: 60 })).toEqual({
    unreachable: expect.stringContaining("the connection was refused"),
    id: expect.stringMatching(/^[0-9a-f-]{36}$/), // of a lock that may have been taken
  });
  await plane.start();
});

test("names the release of a revision; that there is none, or no control plane, is an answer", async () => {
  await create(provider, releaseInputs(plane.endpoint));
  expect(await invoke("releaseOf", { revision: "r1" })).toEqual({ release: "one" });
  expect(await invoke("releaseOf", { revision: "r2" })).toEqual({});
  await plane.stop();
  expect(await invoke("releaseOf", { revision: "r1" })).toMatchObject({ unreachable: expect.stringMatching(/./) });
  await plane.start();
});

test("a lock before a release asks whether that would be refused, with what the package would send", async () => {
  const { endpoint: _endpoint, revision: _revision, release: _release, ...asked } = releaseInputs(plane.endpoint);
  const bodies: any[] = [];
  plane.answerInstead = (request, response) => {
    request.setEncoding("utf8").on("data", (text: string) => {
      bodies.push(JSON.parse(text));
      const refused = callMalformed({ complaints: ['next has the unknown field "credentialSlots".'] });
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { id: refused.id, message: refused.message, fix: refused.fix } }));
    });
  };
  const failed = await failureOf(invoke("lock", { seconds: 60, release: { ...asked, dryRunThresholds: null } }));
  expect(String(failed)).toContain('call-malformed  next has the unknown field "credentialSlots".');
  const { id: _id, ...sent } = bodies[0];
  const { resourceGroup: _group, app: _app, ...body } = asked;
  expect(sent).toEqual({ seconds: 60, next: { kind: "rollout", body: { ...body, release: "the next revision" } } });
});

test("an answer that is cut off, as by Azure's ingress, continues at the next fact without a message", async () => {
  const access = { endpoint: plane.endpoint, token: async () => token };
  plane.scripts.set("one", { facts: goodFacts, pausesAt: 3, result: "promoted", message: "promoted" });
  const name = { resourceGroup: "rg", app: "storefront", revision: "r1" };
  await controlPlane(access).put(name, { release: "one" } as never);
  const heard: Followed[] = [];
  for await (const one of controlPlane(access).follow(name)) {
    heard.push(one);
    if (heard.length === 3) plane.cut();
    if (heard.length === 3) plane.goOn("rollout/rg/storefront/r1");
  }
  expect(heard.map((one) => (one.kind === "fact" ? one.fact.index : one.kind))).toEqual([0, 1, 2, 3, 4, "ended"]);
  expect(plane.followedFrom).toEqual([0, 3]);
});

test("a follower gives up after a silence, and names the address", async () => {
  const access = { endpoint: plane.endpoint, token: async () => token };
  plane.scripts.set("one", { facts: goodFacts, pausesAt: 3, result: "promoted", message: "promoted" });
  const name = { resourceGroup: "rg", app: "storefront", revision: "r1" };
  await controlPlane(access).put(name, { release: "one" } as never);
  const kinds: string[] = [];
  const following = (async () => {
    for await (const one of controlPlane(access).follow(name, { quietSeconds: 1 })) {
      kinds.push(one.kind);
      if (kinds.length === 3) await plane.stop();
    }
  })();
  expect(await failureOf(following)).toMatchObject({
    id: "release-control-plane-unreachable",
    message: expect.stringContaining(plane.endpoint),
  });
  expect(kinds).toEqual(["fact", "fact", "fact", "broken"]);
  await plane.start();
});

test("the provider ends with its Pulumi CLI, even if that is killed", async () => {
  await using orphan = await startProvider({ BALLAST_TOKEN: token });
  orphan.child.stdin!.end();
  expect(await once(orphan.child, "exit", { signal: AbortSignal.timeout(20_000) })).toEqual([0, null]);
});
