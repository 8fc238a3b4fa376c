// A run of the pack without the Pulumi CLI: resources come one by one in the bytes of the protocol, then the stack.
// What was reported is not reported again, secrets are cut out of every message, and files of the program's folder
// count.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import analyzerProto from "@pulumi/pulumi/proto/analyzer_pb.js";
import structProto from "google-protobuf/google/protobuf/struct_pb.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Sealed, unknown } from "../../analysis/systems/pulumi/value.ts";
import { analyzedOf, declaredOf } from "../../policies/pack/decode.ts";
import { Redactor } from "../../policies/pack/redact.ts";
import { Session, type Violation } from "../../policies/pack/session.ts";
import { readResource, readResources } from "../../policies/pack/wire.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "ballast-session-"));
  writeFileSync(join(cwd, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const secret = (value: unknown) => ({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value });
const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const app = "azure-native:app:ContainerApp";
const urnOf = (name: string): string => `urn:pulumi:prod::shop::${app}::${name}`;
const structOf = (inputs: object) => structProto.Struct.fromJavaScript(inputs as never);

const analyzeBytes = (name: string, inputs: object): Uint8Array =>
  new analyzerProto.AnalyzeRequest()
    .setUrn(urnOf(name))
    .setType(app)
    .setName(name)
    .setProperties(structOf(inputs))
    .setProvider(new analyzerProto.AnalyzerProviderResource())
    .setOptions(new analyzerProto.AnalyzerResourceOptions().setIgnorechangesList(["tags"]).setParent("urn:parent"))
    .serializeBinary();
const stackBytes = (...resources: readonly (readonly [name: string, outputs: object])[]): Uint8Array =>
  new analyzerProto.AnalyzeStackRequest()
    .setResourcesList(
      resources.map(([name, outputs]) => {
        const resource = new analyzerProto.AnalyzerResource().setUrn(urnOf(name)).setType(app).setName(name);
        const urns = new analyzerProto.AnalyzerPropertyDependencies().setUrnsList([urnOf("other")]);
        resource.getPropertydependenciesMap().set("template", urns);
        return resource
          .setProperties(structOf(outputs))
          .setDependenciesList([urnOf("other")])
          .setParent("urn:parent");
      }),
    )
    .serializeBinary();

/** Sends a stack through a session, and gives what was said for each resource and for the stack. */
function run(inputs: Readonly<Record<string, object>>): {
  readonly alone: readonly Violation[];
  readonly whole: readonly Violation[];
} {
  const session = new Session({ cwd, now: Date.UTC(2026, 10, 28) });
  const alone = Object.entries(inputs).flatMap(([name, each]) =>
    session.analyze(analyzedOf(readResource(analyzeBytes(name, each)), session.otherwise)),
  );
  const stack = stackBytes(...Object.keys(inputs).map((name) => [name, {}] as const));
  const declared = readResources(stack).map((each) => declaredOf(each, session.otherwise, session.knows(each.urn)));
  return { alone, whole: session.analyzeStack(declared) };
}
const said = (violations: readonly Violation[]): readonly string[] =>
  violations.map(({ level, policy }) => `${level} ${policy}`);

test("the wire is read as the SDK writes it: values, secrets, unknowns, options and dependencies", () => {
  const inputs = {
    text: "ä€",
    number: 1.5,
    yes: true,
    none: null,
    list: [1, "a", {}],
    hidden: secret("s"),
    later: unknownText,
    __defaults: [],
  };
  const resource = readResource(analyzeBytes("shop", inputs));
  expect(resource).toMatchObject({
    urn: urnOf("shop"),
    token: app,
    isCustom: true,
    parent: "urn:parent",
    ignoreChanges: ["tags"],
  });
  const { hidden, ...rest } = resource.properties();
  expect(rest).toEqual({ text: "ä€", number: 1.5, yes: true, none: null, list: [1, "a", {}], later: unknown });
  expect((hidden as Sealed).passes((text) => text === "s")).toBe(true);
  expect(readResources(stackBytes(["shop", { a: 1 }]))[0]).toMatchObject({
    urn: urnOf("shop"),
    parent: "urn:parent",
    dependencies: [urnOf("other")],
    propertyDependencies: { template: [urnOf("other")] },
  });
});

test("what one resource decides is said before it is created, and not again for the stack", () => {
  const { alone, whole } = run({
    shop: { template: { containers: [{ name: "shop", image: "shop.azurecr.io/shop:1" }] } },
  });
  expect(said(alone)).toEqual(["mandatory image-by-digest"]);
  expect(alone[0]!.urn).toBe(urnOf("shop"));
  expect(said(whole)).toEqual([]);
});

test("what is unknown is said once, with the number of values and the resource", () => {
  const { alone, whole } = run({ shop: { template: unknownText } });
  expect(said(alone)).toEqual([]);
  expect(said(whole)).toEqual(["advisory not-judged"]);
  expect(whole[0]!.message).toContain("image-by-digest (1 value: shop)");
});

test("a message that would quote a secret says [secret]", () => {
  const redactor = new Redactor();
  redactor.learn({
    inputs: {
      password: new Sealed("Tr0ub4dor-and-3"),
      whole: { part: new Sealed("westeurope", false) },
      short: new Sealed("a"),
    },
  });
  expect(redactor.clean("Tr0ub4dor-and-3 in westeurope, a")).toBe("[secret] in westeurope, a");
  const image = "Tr0ub4dor-and-3/shop:1";
  const { alone } = run({
    one: { password: secret("Tr0ub4dor-and-3") },
    two: { template: { containers: [{ name: "shop", image }] } },
  });
  expect(alone.map(({ message }) => message)).toEqual([expect.stringContaining("The image [secret]/shop:1 of two")]);
});

test("settings that are wrong stop the pack, because a pack that cannot judge must not look green", () => {
  writeFileSync(join(cwd, "ballast.policies.yaml"), "version: 1\nwaiver: []\n");
  expect(() => new Session({ cwd, now: 0 })).toThrow("ballast.policies.yaml:2 waiver is not a field of this file");
  rmSync(join(cwd, "ballast.policies.yaml"));
  writeFileSync(join(cwd, "ballast.policies.baseline.json"), "[]");
  expect(() => new Session({ cwd, now: 0 })).toThrow("ballast.policies.baseline.json was not written by");
});
