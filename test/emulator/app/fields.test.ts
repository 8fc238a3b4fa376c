// Walks Azure's schemas of container apps, in every served version, and compares them with what the emulator says of
// each field. A field that nobody thought of would be accepted in silence, which is what these tests prevent.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { containerAppType } from "../../../emulator/app/container-apps.ts";
import { containerAppFields } from "../../../emulator/app/contract/fields.ts";
import { decimals, enumerations, integers } from "../../../emulator/app/contract/types.ts";
import { covers } from "../../../emulator/arm/field-classes.ts";

const folder = join(import.meta.dirname, "../../../emulator/azure-specs/app");

interface Type {
  readonly $type: string;
  readonly name?: string;
  readonly value?: string;
  readonly body?: Reference;
  readonly itemType?: Reference;
  readonly elements?: readonly Reference[];
  readonly properties?: { readonly [name: string]: { readonly type: Reference; readonly flags: number } };
}
interface Reference {
  readonly $ref: string;
}
/** A field without fields of its own, with the literals of its enumeration. */
interface Field {
  readonly path: string;
  readonly type: string;
  readonly literals: readonly string[];
}

const readOnly = 2;

/** Lists the fields of container apps in one version. */
function fieldsOf(version: string): readonly Field[] {
  const types = JSON.parse(readFileSync(join(folder, `${version}.json`), "utf8")) as readonly Type[];
  const at = ({ $ref }: Reference): Type => types[Number($ref.slice(2))]!;
  const walk = (type: Type, path: string): readonly Field[] => {
    if (type.$type === "ArrayType") return walk(at(type.itemType!), `${path}[]`);
    const below = Object.entries(type.properties ?? {});
    if (type.$type !== "ObjectType" || below.length === 0) {
      const literals = (type.elements ?? []).map(at).flatMap(({ value }) => value ?? []);
      return [{ path: path.replace(/\[\]$/, ""), type: type.$type, literals }];
    }
    return below.flatMap(([name, property]) => {
      const where = path === "" ? name : `${path}.${name}`;
      return property.flags & readOnly
        ? [{ path: where, type: "ReadOnly", literals: [] }]
        : walk(at(property.type), where);
    });
  };
  const resource = types.find(({ name }) => name === `Microsoft.App/containerApps@${version}`);
  return walk(at(resource!.body!), "");
}

const versions = readdirSync(folder).map((file) => file.replace(".json", ""));
const all = [...new Map(versions.flatMap(fieldsOf).map((field) => [field.path, field])).values()];
const { modelled, validated, inert, unsupported } = containerAppFields;
const entries = [modelled, validated, inert, unsupported].flatMap((paths) => Object.keys(paths));

test("reads the schema of every served version", () => {
  expect([...containerAppType.apiVersions].sort()).toEqual([...versions].sort());
  expect(all.length).toBeGreaterThan(130);
});

test("every field is modelled, validated, without effect or refused, and in one of these only", () => {
  const classesOf = ({ path }: Field): readonly string[] => entries.filter((entry) => covers(entry, path));
  expect(all.filter((field) => classesOf(field).length !== 1).map((field) => [field.path, classesOf(field)])).toEqual(
    [],
  );
});

test("no class names a field that Azure does not have", () => {
  expect(entries.filter((entry) => !all.some(({ path }) => covers(entry, path)))).toEqual([]);
});

test("every enumeration has Azure's values, and every whole number is checked", () => {
  const literals = new Map<string, Set<string>>();
  for (const { path, literals: found } of versions.flatMap(fieldsOf))
    if (found.length > 0) literals.set(path, new Set([...(literals.get(path) ?? []), ...found]));
  // The published types leave out the kind that Azure shows of every app which has no other.
  literals.get("kind")?.add("containerapps");
  const sorted = (tables: Iterable<readonly [string, Iterable<string>]>): unknown =>
    Object.fromEntries([...tables].map(([path, values]) => [path, [...values].sort()]).sort());
  expect(sorted(Object.entries(enumerations))).toEqual(sorted(literals));
  const numbers = all.filter(({ type }) => type === "IntegerType").map(({ path }) => path);
  expect([...integers, ...decimals].sort()).toEqual(numbers.sort());
});
