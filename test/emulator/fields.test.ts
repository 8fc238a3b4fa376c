// Walks Azure's schemas of every served resource type, in every served version, and compares them with what the
// emulator says of each field. A field that nobody thought of would be accepted in silence, which is what these tests
// prevent. Container apps have further tests of their own (app/fields.test.ts).
import { describe, expect, test } from "vitest";
import { decimals } from "../../emulator/app/contract/types.ts";
import { covers } from "../../emulator/arm/field-classes.ts";
import { refuseOutOfRange, refuseUnsupportedFields, refuseWrongValues } from "../../emulator/arm/fields.ts";
import { publishedFields } from "../../emulator/arm/published-types.ts";
import type { Body, ResourceType } from "../../emulator/arm/resource.ts";
import { resourceTypes } from "../../emulator/resource-types.ts";
import { startCloudForTests } from "../support/emulator/cloud.ts";

const unlisted = resourceTypes.filter(({ fields }) => !fields).map(({ type }) => type);
const listed = resourceTypes.filter(({ fields }) => fields);

const fieldsOf = ({ type, apiVersions }: ResourceType) => [
  ...new Map(
    apiVersions.flatMap((version) => publishedFields(type, version)).map((field) => [field.path, field]),
  ).values(),
];
const entriesOf = ({ fields }: ResourceType): readonly string[] =>
  [fields!.modelled, fields!.validated, fields!.inert, fields!.unsupported].flatMap((paths) => Object.keys(paths));

test("no served type is without a list of its fields", () => {
  expect(unlisted).toEqual([]);
});

describe.each(listed.map((each) => [each.type, each] as const))("%s", (_, resourceType) => {
  const all = fieldsOf(resourceType);
  const isDecimal = (path: string): boolean =>
    [...(resourceType.fields!.decimals ?? []), ...(resourceType.fields!.checksValues ? decimals : [])].includes(path);
  const entries = entriesOf(resourceType);

  test("every field is modelled, validated, without effect or refused, and in one of these only", () => {
    const classesOf = (path: string): readonly string[] => entries.filter((entry) => covers(entry, path));
    expect(all.map(({ path }) => [path, classesOf(path)]).filter(([, found]) => found!.length !== 1)).toEqual([]);
  });

  test("no class names a field that Azure does not have", () => {
    expect(entries.filter((entry) => !all.some(({ path }) => covers(entry, path)))).toEqual([]);
  });

  test("numbers with decimals are numbers", () => {
    const numbers = all.filter(({ type }) => type === "IntegerType").map(({ path }) => path);
    expect((resourceType.fields!.decimals ?? []).filter((path) => !numbers.includes(path))).toEqual([]);
  });

  test("each unsupported field is refused by name, and each harmless value of it is accepted", () => {
    for (const [path, { harmless = [] }] of Object.entries(resourceType.fields!.unsupported)) {
      expect(() => refuseUnsupportedFields(resourceType.fields!, bodyWith(path, "something"))).toThrow(`(${path})`);
      for (const value of harmless) refuseUnsupportedFields(resourceType.fields!, bodyWith(path, value));
    }
  });

  test("every whole number has a range, and a number outside of it is refused", () => {
    const { unsupported, ranges = {} } = resourceType.fields!;
    const isServed = (path: string): boolean => !Object.keys(unsupported).some((entry) => covers(entry, path));
    const integers = all.filter(
      ({ type, isReadOnly, path }) => type === "IntegerType" && !isReadOnly && isServed(path),
    );
    expect(integers.map(({ path }) => path).filter((path) => !Object.hasOwn(ranges, path) && !isDecimal(path))).toEqual(
      [],
    );
    expect(Object.keys(ranges).filter((path) => !integers.some((each) => each.path === path))).toEqual([]);
    for (const [path, [least, greatest]] of Object.entries(ranges)) {
      const refused = (value: number) => () => refuseOutOfRange(resourceType.fields!, bodyWith(path, value));
      for (const value of [least - 1, greatest + 1]) expect(refused(value)).toThrow(`'${path}' must be ${least} to`);
      for (const value of [least, greatest]) expect(refused(value)).not.toThrow();
    }
  });

  test("an unpublished value of an enumeration and a broken whole number are refused", () => {
    const { type, apiVersions, fields } = resourceType;
    if (fields!.checksValues) return;
    const version = apiVersions.at(-1)!;
    for (const { path, literals, type: kind, isReadOnly } of publishedFields(type, version)) {
      if (isReadOnly) continue;
      const refused = (value: unknown) => () => refuseWrongValues(type, version, fields!, bodyWith(path, value));
      if (literals.length > 0) expect(refused("Bananas")).toThrow(`'${path}' must be one of`);
      for (const each of literals) expect(refused(each)).not.toThrow();
      if (kind === "IntegerType" && !fields!.decimals?.includes(path))
        expect(refused(1.5)).toThrow(`'${path}' must be a whole number`);
    }
  });
});

test("what a program sets without effect is listed with the reason", async () => {
  const at = await startCloudForTests();
  try {
    const group = `/subscriptions/${at.cloud.subscription}/resourceGroups/inert`;
    await at.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
    const workspace = `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`;
    await at.ask("PUT", `${workspace}?api-version=2023-09-01`, {
      location: "westeurope",
      properties: { publicNetworkAccessForQuery: "Disabled" },
    });
    await at.ask("PATCH", `${workspace}?api-version=2023-09-01`, { properties: { forceCmkForQuery: true } });
    expect((await at.ask("GET", "/_emulator/inert")).body.resources).toEqual([
      {
        id: workspace,
        fields: [
          { field: "properties.publicNetworkAccessForQuery", why: "the emulator is on loopback only" },
          { field: "properties.forceCmkForQuery", why: "there are no customer-managed keys" },
        ],
      },
    ]);
  } finally {
    await at.close();
  }
});

/** Gives a body with a value at a path. */
function bodyWith(path: string, value: unknown): Body {
  const [step = "", ...rest] = path.split(".");
  const below = rest.length === 0 ? value : bodyWith(rest.join("."), value);
  return { [step.replace("[]", "")]: step.endsWith("[]") ? [below] : below };
}
