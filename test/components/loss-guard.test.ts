// What an update takes from a live app is compared as it is sent: after the transforms of the stack and ignoreChanges.
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test, vi } from "vitest";
import type { Planned } from "../../components/canary-app/adopt.ts";
import { hole } from "../../components/canary-app/known-parts.ts";
import { lossGuard } from "../../components/canary-app/loss-guard.ts";
import type { LiveApp } from "../../components/canary-app/traffic.ts";
import { nothingThere, record } from "../support/program/mocks.ts";

/** How Pulumi hands an unknown value to a hook. */
const unknown = { __pulumiUnknown: true };
const [web, otel] = ["web", "otel"].map((name) => ({ name, image: `${name}:1` }));
const ingress = { external: true, targetPort: 8080, transport: "Auto" };
const domain = { name: "www.example.org", bindingType: "Disabled" };
const live = {
  latestReadyRevisionName: "shop--a",
  tags: { owner: "team-a" },
  template: { containers: [web, otel] },
  configuration: { ingress: { ...ingress, customDomains: [domain] } },
} as LiveApp;
const said = { template: { containers: [web] }, configuration: { ingress } };
const all = { ...said, tags: live.tags, template: live.template, configuration: live.configuration };

class Somewhere extends pulumi.ComponentResource {
  constructor() {
    super("test:index:Somewhere", "somewhere");
  }
}
let warned: readonly string[] = [];
beforeEach(() => {
  warned = [];
  vi.spyOn(pulumi.log, "warn").mockImplementation(async (line) => {
    warned = [...warned, line];
  });
});

interface Sent {
  /** What the program says; what the hook gets is `sent`. */
  readonly planned?: Planned;
  readonly sent: object;
  readonly found?: LiveApp | undefined;
  readonly keepLive?: readonly "tags"[];
  readonly acceptLoss?: readonly "tags"[];
}

/** Gives what the hook refuses an update with; undefined if it lets the update pass. */
async function refusalOf({ planned = said, sent, keepLive = [], acceptLoss = [], ...of }: Sent) {
  const { made } = await record(async () => {
    const found = "found" in of ? of.found : live;
    const known = {
      traffic: [],
      kept: {},
      slots: { named: {}, places: {} },
      serving: "",
      found,
      planned: () => planned,
    };
    const { beforeUpdate } = lossGuard("shop", { keepLive, acceptLoss }, pulumi.output(known), new Somewhere());
    const hook = beforeUpdate![0] as pulumi.ResourceHook;
    expect(hook.opts).toEqual({ onDryRun: true });
    const args = { newInputs: { containerAppName: "shop-eu", ...sent } } as unknown as pulumi.ResourceHookArgs;
    return await Promise.resolve(hook.callback(args)).then(
      () => undefined,
      (error: Error) => error.message,
    );
  }, nothingThere);
  return made;
}

test.each<[string, Sent]>([
  ["what a transform adds", { sent: all }],
  ["what a transform adds as a secret", { sent: { ...all, configuration: pulumi.secret(live.configuration) } }],
  ["what is accepted", { sent: { ...all, tags: {} }, acceptLoss: ["tags"] }],
  ["what is kept", { sent: { ...all, tags: {} }, keepLive: ["tags"] }],
  ["an app that does not exist yet", { sent: said, found: undefined }],
])("%s is no loss", async (_what, sent) => {
  expect(await refusalOf(sent)).toBeUndefined();
  expect(warned).toEqual([]);
});

test.each<[string, object, string]>([
  ["nobody says", { ...all, tags: undefined }, "the tag owner"],
  ["a transform takes away", { ...all, template: said.template }, "the container otel"],
  ["is in a secret", { ...all, configuration: pulumi.secret(said.configuration) }, "the domain www.example.org"],
])("canary-app-losses refuses to take what %s", async (_what, sent, lost) =>
  // The program says it all: only what is sent counts.
  expect(await refusalOf({ planned: all, sent })).toMatch(
    new RegExp(`^canary-app-losses .*live app of "shop-eu".*remove them: ${lost}\\.`),
  ),
);

test("canary-app-scope-changes compares what is sent as well", async () => {
  const port = { ingress: { ...live.configuration!.ingress, targetPort: 9090 } };
  const next = { containers: [web, { ...otel, image: "otel:2" }] };
  expect(await refusalOf({ planned: all, sent: { ...all, template: next, configuration: port } })).toMatch(
    /^canary-app-scope-changes .*ingress.targetPort from 8080 to 9090/,
  );
});

test.each<[string, Sent, readonly string[]]>([
  ["the template", { sent: { ...all, template: unknown } }, ["the container otel"]],
  ["the configuration", { sent: { ...all, configuration: unknown } }, ["the domain www.example.org"]],
  ["both", { sent: { ...all, template: unknown, configuration: unknown } }, ["www.example.org, the container otel"]],
  [
    "a template of which the program knows nothing",
    { planned: { ...said, template: hole }, sent: { ...all, template: unknown } },
    [],
  ],
  ["a template in which the program says all", { planned: all, sent: { ...all, template: unknown } }, []],
])("canary-app-may-lose warns at preview if it hides %s", async (_what, sent, lost) => {
  expect(await refusalOf(sent)).toBeUndefined();
  expect(warned).toEqual(lost.map((each) => expect.stringMatching(new RegExp(`^canary-app-may-lose .*${each}\\.`))));
});
