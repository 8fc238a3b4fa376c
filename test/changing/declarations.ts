// What one-declaration.test.ts checks in a clone to which a limit, a field and a signal were added: everything that
// reads declarations has them. It is no test of this repository, which has none of the three; the clone runs it as one.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readThresholds } from "../../cli/release/plan-file.ts";
import { parseConfig } from "../../config.ts";
import { facts } from "../../engines/rollout/facts.ts";
import { rolloutKind } from "../../engines/rollout/kind.ts";
import { cautions, checkIntent, defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { bodyOf } from "../../provider/release/fields.ts";
import { check } from "../../provider/release/inputs.ts";
import { schema, types } from "../../provider/release/schema.ts";
import { unknownValue } from "../../provider/resource-type.ts";
import { withFields } from "../../toolchain/package/form-members.ts";
import { referencePages } from "../../toolchain/package/reference.ts";
import { runBallast } from "../support/controlplane/ballast-command.ts";
import { description, operations } from "../support/controlplane/exchanges.ts";
import { body, path, servicesForTests, stream } from "../support/controlplane/service.ts";
import { azure } from "../support/program/configurations.ts";
import { releaseInputs } from "../support/program/release-inputs.ts";
import { healthy } from "../support/worlds/meddling.ts";
import { run } from "../support/worlds/pure-world.ts";

const { service } = servicesForTests();
const pages = await referencePages();
const said = {
  limit: "The least number of failed answers for the ceiling to count.",
  field: "What people should know about the release.",
  signal: "let a rollout rest",
};
const defaults: Readonly<Record<string, unknown>> = { ...defaultThresholds };
const withLimit = <Value>(value: Value) => ({ ...defaultThresholds, ceilingFailuresMin: value });

/** The schema of the body of a call. */
function bodySchema(name: string): Record<string, any> {
  const { path: to, method } = operations[name]!;
  const paths = description.paths as Record<string, any>;
  return paths[to][method.toLowerCase()].requestBody.content["application/json"].schema;
}

/** The schema of a fact of a kind. */
const factSchema = (kind: string): Record<string, any> =>
  (rolloutKind.facts.schema["oneOf"] as Record<string, any>[]).find(
    ({ properties }) => properties.kind.const === kind,
  )!["properties"];

const checkInputs = (other: Readonly<Record<string, unknown>>) =>
  check(JSON.parse(JSON.stringify(releaseInputs("https://plane.example", other))));

/** The first fact of a journal that was written before all this. */
function oldFact(): Record<string, any> {
  const file = join("test", "engines", "rollout", "journals", "rollout-v1-aborted.jsonl");
  const [first] = readFileSync(file, "utf8").split("\n");
  const stored = JSON.parse(first!) as Record<string, unknown>;
  return facts.read(stored["event"] ?? stored);
}

const configured = (changes: Readonly<Record<string, string>>) =>
  parseConfig(
    {
      ...azure,
      ...changes,
    },
    [],
  );

describe("a new limit of the judge", () => {
  test("is taken by the API within its range, required, and refused outside with its range", async () => {
    const { call } = service();
    const sent = (value: unknown) => ({ ...body, thresholds: withLimit(value) });
    for (const [value, words] of [
      [1001, "thresholds.ceilingFailuresMin must be a whole number from 1 to 1000."],
      [0.5, "thresholds.ceilingFailuresMin must be a whole number from 1 to 1000."],
      [undefined, "thresholds.ceilingFailuresMin is missing."],
    ]) {
      const { status, body: answer } = await call("PUT", path, sent(value));
      expect([status, answer.error.message]).toEqual([400, words]);
    }
    expect((await call("PUT", path, sent(1000))).status).toBe(202);
  });

  test("is in the API's description, without its range in facts, which may be older", () => {
    expect(bodySchema("putRollout")["properties"].thresholds.properties.ceilingFailuresMin).toEqual({
      type: "integer",
      minimum: 1,
      maximum: 1000,
      description: said.limit,
    });
    const stored = factSchema("Planned")["intent"].properties.thresholds;
    expect(stored.properties.ceilingFailuresMin).toEqual({ type: "number", description: said.limit });
  });

  test("is in the provider's schema, and its check refuses a wrong shape and takes an unknown value", () => {
    const thresholds = types["ballast:index:Thresholds"] as Record<string, any>;
    expect(thresholds["properties"].ceilingFailuresMin).toEqual({ type: "number", description: said.limit });
    expect(thresholds["required"]).toContain("ceilingFailuresMin");
    expect(checkInputs({ thresholds: withLimit("3") }).failures).toEqual([
      {
        property: "thresholds.ceilingFailuresMin",
        reason: 'thresholds.ceilingFailuresMin is "3", but must be a whole number from 1 to 1000.',
      },
    ]);
    expect(checkInputs({ thresholds: withLimit(unknownValue) }).failures).toEqual([]);
  });

  test("is read from the configuration, with its default, and refused there with a wrong type", () => {
    const read = (json: string) => configured({ "ballast:thresholds": json }).thresholds;
    expect(read("{}")).toMatchObject({ ceilingFailuresMin: 3 });
    expect(read('{"ceilingFailuresMin":8}')).toEqual(withLimit(8));
    expect(configured({ "ballast:dryRunThresholds": '{"ceilingFailuresMin":8}' }).dryRunThresholds).toEqual({
      ceilingFailuresMin: 8,
    });
    expect(() => read('{"ceilingFailuresMin":"8"}')).toThrow(
      'ballast:thresholds.ceilingFailuresMin is "8", but must be a whole number from 1 to 1000.',
    );
  });

  test("may be in a plan file, and is refused there beyond its range", () => {
    const folder = mkdtempSync(join(tmpdir(), "ballast-plan-"));
    try {
      const file = join(folder, "thresholds.yaml");
      writeFileSync(file, "ceilingFailuresMin: 8\n");
      expect(readThresholds(file)).toEqual(withLimit(8));
      writeFileSync(file, "ceilingFailuresMin: 0\n");
      expect(() => readThresholds(file)).toThrow(BallastError);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("has its default in a journal that was written before it", () => {
    const { intent } = oldFact();
    expect([intent.thresholds.ceilingFailuresMin, defaults["ceilingFailuresMin"]]).toEqual([3, 3]);
  });

  test("has its caution and its check at preview", () => {
    const plan = (value: number) => ({ strategy: defaultStrategy, thresholds: withLimit(value) });
    expect(cautions(plan(901))).toEqual(["ceilingFailuresMin is 901: an outage of few requests is not aborted."]);
    expect(cautions(plan(900))).toEqual([]);
    expect(checkIntent(plan(0))).toEqual(["ceilingFailuresMin is 0, but must be a whole number from 1 to 1000."]);
  });

  test("has its description in the reference and in the declarations of the package", () => {
    for (const page of ["api.md", "configuration.md", "components/README.md"])
      expect([page, pages.get(page)]).toEqual([
        page,
        expect.stringMatching(new RegExp(`\`(thresholds\\.)?ceilingFailuresMin\`.*${said.limit}`)),
      ]);
    const empty = ["Strategy", "Thresholds", "Gate"]
      .map((name) => `export interface ${name} extends X {\n}\n`)
      .join("");
    expect(withFields(empty)).toContain(
      `     * ${said.limit}\n     *\n     * @default 3\n     */\n    readonly ceilingFailuresMin: number;`,
    );
  });

  test("decides", async () => {
    const down = { ...healthy, canary: [{ fromMinutes: 0, failedPercent: 100, slowPercent: 0 }] };
    const endOf = async (value: number) => (await run({ ...down, thresholds: withLimit(value) })).state.ending?.message;
    expect(await endOf(3)).toContain("above the ceiling");
    expect(await endOf(1000)).not.toContain("above the ceiling");
  });
});

describe("a new field of a release", () => {
  test("is taken by the API, kept in the journal, and refused beyond its length", async () => {
    const { call, parts } = service();
    expect((await call("PUT", path, { ...body, note: "x".repeat(81) })).body.error.message).toBe(
      "note must be a text of 1 to 80 characters in one line.",
    );
    expect((await call("PUT", path, { ...body, note: "before the sale" })).status).toBe(202);
    expect((await parts.journal.read(stream))[0]!.event).toMatchObject({ intent: { note: "before the sale" } });
    expect(bodySchema("putRollout")["properties"].note).toMatchObject({ maxLength: 80, description: said.field });
    expect(bodySchema("putRollout")["required"]).not.toContain("note");
  });

  test("is an input of the provider's resource, and reaches the control plane", () => {
    expect(schema.inputProperties["note"]).toEqual({ type: "string", description: said.field });
    const { inputs, failures } = checkInputs({ note: "before the sale" });
    expect([failures, bodyOf(inputs as never)]).toEqual([[], expect.objectContaining({ note: "before the sale" })]);
    expect(checkInputs({ note: 5 }).failures).toHaveLength(1);
  });

  test("is absent from a journal that was written before it, and on the reference page", () => {
    expect(oldFact()["intent"]).not.toHaveProperty("note");
    expect(pages.get("api.md")).toMatch(new RegExp(`\`note\`.*Optional. ${said.field}`));
  });
});

describe("a new signal", () => {
  test("is taken by the API and read from the journal", async () => {
    const { call, asked } = service();
    await call("PUT", path, body);
    expect((await call("POST", `${path}/signals`, { signal: "rest", message: "lunch" })).status).toBe(202);
    expect(asked.at(-1)).toBe(`rest ${stream} by somebody: lunch`);
    expect(bodySchema("signalRollout")["properties"].signal.enum).toContain("rest");
    const stored = { kind: "Signalled", at: 1, signal: "rest", by: "ann", message: "lunch" };
    expect(facts.read(stored)).toEqual(stored);
  });

  test("is a command with its help, on the reference page too", async () => {
    expect((await runBallast(["release", "--help"], ".")).out).toMatch(new RegExp(`rest .*${said.signal}`));
    expect(pages.get("commands.md")).toContain("ballast release rest");
  });
});
