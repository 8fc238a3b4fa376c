// Azure's published resource types (azure-specs) as they are in their files, and the list of the fields of a body.
// What a body may be is checked in schema.ts; what the emulator does with each field is said in the `fields` of a
// resource type.
import { readFileSync } from "node:fs";
import path from "node:path";
import { heldTo } from "../azure-specs/held-to.ts";

/** A reference to another type of the same file. */
export type Reference = { readonly $ref: string };

/** A property of an object. */
export interface Property {
  readonly type: Reference;
  /** 1 required, 2 read-only, 4 write-only. */
  readonly flags: number;
}

/** A published type. */
export interface Type {
  readonly $type:
    | "AnyType"
    | "BooleanType"
    | "IntegerType"
    | "StringType"
    | "StringLiteralType"
    | "ArrayType"
    | "UnionType"
    | "ObjectType"
    | "DiscriminatedObjectType"
    | "ResourceType"
    | "ResourceFunctionType";
  readonly name?: string;
  readonly body?: Reference;
  readonly value?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minValue?: number;
  readonly maxValue?: number;
  readonly itemType?: Reference;
  readonly properties?: { readonly [name: string]: Property };
  readonly baseProperties?: { readonly [name: string]: Property };
  readonly additionalProperties?: Reference;
  readonly discriminator?: string;
  readonly elements?: readonly Reference[] | { readonly [value: string]: Reference };
}

/** Finds the type that a reference names. */
export type Lookup = (reference: Reference) => Type;

export const required = 1;
export const readOnly = 2;
export const writeOnly = 4;
export const isFlagged = (property: Property | undefined, flag: number): boolean =>
  property !== undefined && (property.flags & flag) !== 0;

const folder = path.join(import.meta.dirname, "..", "azure-specs");
const loaded = new Map<string, readonly Type[]>();

const areaOf = (type: string): string => type.split("/")[0]!.split(".")[1]!.toLowerCase();

function load(area: string, apiVersion: string): readonly Type[] {
  const file = path.join(folder, area, `${apiVersion}.json`);
  const known = loaded.get(file) ?? (JSON.parse(readFileSync(file, "utf8")) as readonly Type[]);
  loaded.set(file, known);
  return known;
}

/** Gives the versions in which a type is served, given those whose schemas are at hand. */
export const versionsServed = (type: string, apiVersions: readonly string[]): readonly string[] => [
  ...apiVersions,
  ...Object.entries(heldTo[areaOf(type)] ?? {}).flatMap(([version, like]) =>
    apiVersions.includes(like) ? [version] : [],
  ),
];

/** Gives the type of a resource's body in an api-version, and how to find the types that it refers to. */
export function bodyOf(type: string, asked: string): { readonly body: Type; readonly at: Lookup } {
  const apiVersion = heldTo[areaOf(type)]?.[asked] ?? asked;
  const types = load(areaOf(type), apiVersion);
  const resource = types.find(
    (each) => each.$type === "ResourceType" && each.name?.toLowerCase() === `${type}@${apiVersion}`.toLowerCase(),
  );
  if (resource?.body === undefined) throw new Error(`azure-specs has no ${type} in ${apiVersion}`);
  const at: Lookup = (reference) => types[Number(reference.$ref.slice(2))]!;
  return { body: at(resource.body), at };
}

/** A field of a body that has no fields of its own: `properties.criteria.allOf[].query`. */
export interface PublishedField {
  readonly path: string;
  readonly type: Type["$type"];
  readonly isReadOnly: boolean;
  /** The published values of an enumeration. */
  readonly literals: readonly string[];
}

/** Lists the fields of a resource's body in an api-version. */
export function publishedFields(type: string, apiVersion: string): readonly PublishedField[] {
  const { body, at } = bodyOf(type, apiVersion);
  const walk = (each: Type, where: string): readonly PublishedField[] => {
    if (each.$type === "ArrayType") return walk(at(each.itemType!), `${where}[]`);
    const below = Object.entries({ ...each.properties, ...each.baseProperties });
    const variants = each.$type === "DiscriminatedObjectType" ? Object.values(each.elements ?? {}) : [];
    if (below.length === 0 && variants.length === 0)
      return [
        { path: where.replace(/\[\]$/, ""), type: each.$type, isReadOnly: false, literals: literalsOf(each, at) },
      ];
    return [
      ...below.flatMap(([name, property]) => {
        const path_ = where === "" ? name : `${where}.${name}`;
        return isFlagged(property, readOnly)
          ? [{ path: path_, type: at(property.type).$type, isReadOnly: true, literals: [] }]
          : walk(at(property.type), path_);
      }),
      ...variants.flatMap((variant) => walk(at(variant), where)),
    ];
  };
  return [...new Map(walk(body, "").map((field) => [field.path, field])).values()];
}

const literalsOf = ({ elements = [] }: Type, at: Lookup): readonly string[] =>
  (elements as readonly Reference[]).flatMap((each) => at(each).value ?? []);
