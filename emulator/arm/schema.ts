// Checks bodies against Azure's published resource types (azure-specs), by api-version. Rules that those types cannot
// express, such as rules across fields, are in the resource types themselves.
import {
  bodyOf,
  isFlagged,
  type Lookup,
  type Property,
  type Reference,
  readOnly,
  required,
  type Type,
  writeOnly,
} from "./published-types.ts";
import { ArmError, type Body } from "./resource.ts";

/** A body's schema in one api-version. */
export interface Schema {
  /**
   * Gives the body without read-only properties, which Azure ignores too.
   *
   * A partial body (of a PATCH) may lack required properties and may set any to null, which deletes it.
   *
   * @throws ArmError 400 naming the first property that does not fit. Azure drops most unknown properties; the emulator
   * refuses them, so that a typo is found here.
   */
  readonly accept: (body: Body, partial: boolean) => Body;
  /**
   * Checks the result of a PATCH where the PATCH has touched it.
   *
   * @throws ArmError 400 naming a required property that it took away, or that something new lacks
   */
  readonly requireMerged: (merged: Body, sent: Body) => void;
  /**
   * Names the property that is unknown, write-only, of a wrong type, or missing in
   * an answer; undefined when the answer fits.
   */
  readonly refuseAnswer: (body: Body) => string | undefined;
  /** Gives why a name is invalid for such a resource; undefined when it is valid. */
  readonly refuseName: (name: string) => string | undefined;
  /** The names below `properties`. */
  readonly propertyNames: readonly string[];
  /** The names beside `properties`: location, tags, identity… */
  readonly envelopeNames: readonly string[];
  /**
   * Gives the answer as far as it is known before the body is sent, with `unknownValue` wherever Azure may add a value.
   */
  readonly foresee: (body: Body) => Body;
}

/** A value that is not known yet, in a body that is checked at preview. It fits every type. */
export const unknownValue = Symbol("unknown until applied");

/** How a body is checked: as a whole one that is sent, as part of one in a PATCH, or as an answer. */
type Role = "whole" | "part" | "answer";

/** Gives the schema of a resource type in a served api-version. */
export function schemaOf(type: string, apiVersion: string): Schema {
  const { body, at } = bodyOf(type, apiVersion);
  const { name, properties } = { ...body.properties, ...body.baseProperties };
  const below = properties ? at(properties.type) : undefined;
  return {
    accept: (value, partial) => {
      // The name travels in the URL; the schema repeats it as a property of the body.
      const { name: _name, ...rest } = value;
      return check(
        at,
        { ...body, properties: withoutName(body.properties) },
        rest,
        "",
        partial ? "part" : "whole",
      ) as Body;
    },
    requireMerged: (merged, sent) =>
      requireMerged(at, { ...body, properties: withoutName(body.properties) }, merged, sent, ""),
    refuseAnswer: (value) =>
      problemOf(() => check(at, body, value, "", "answer")) ??
      ["id", "name", "type"].filter((each) => value[each] === undefined).map((each) => `'${each}' is missing`)[0],
    refuseName: (value) =>
      name === undefined ? undefined : problemOf(() => check(at, at(name.type), value, "name", "whole")),
    propertyNames: Object.keys({ ...below?.properties, ...below?.baseProperties }),
    envelopeNames: Object.keys({ ...body.properties, ...body.baseProperties }).filter((each) => each !== "properties"),
    foresee: (value) => foresee(at, body, value) as Body,
  };
}

function foresee(at: Lookup, type: Type, value: unknown): unknown {
  if (type.$type === "ArrayType" && Array.isArray(value))
    return value.map((each) => foresee(at, at(type.itemType!), each));
  if (type.$type !== "ObjectType" || typeof value !== "object" || value === null) return value;
  const known: Body = { ...value };
  for (const [name, property] of Object.entries(type.properties ?? {}))
    known[name] = known[name] === undefined ? unknownValue : foresee(at, at(property.type), known[name]);
  return known;
}

const withoutName = ({
  name: _name,
  ...rest
}: {
  readonly [name: string]: Property;
} = {}): { readonly [name: string]: Property } => rest;

function problemOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof ArmError) return error.message;
    throw error;
  }
}

const refuse = (where: string, problem: string): never => {
  throw new ArmError(
    400,
    "InvalidRequestContent",
    `The request content was invalid: ${where === "" ? "the body" : `'${where}'`} ${problem}.`,
  );
};

function check(at: Lookup, type: Type, value: unknown, where: string, role: Role): unknown {
  if (value === unknownValue || (value === null && role !== "whole")) return value;
  switch (type.$type) {
    case "AnyType":
      return value;
    case "BooleanType":
      return typeof value === "boolean" ? value : refuse(where, "must be true or false");
    case "IntegerType":
      return checkInteger(type, value, where);
    case "StringType":
      return checkString(type, value, where);
    case "StringLiteralType":
      return String(value).toLowerCase() === type.value!.toLowerCase()
        ? value
        : refuse(where, `must be '${type.value}'`);
    case "ArrayType":
      return Array.isArray(value)
        ? value.map((each, index) =>
            check(at, at(type.itemType!), each, `${where}[${index}]`, role === "part" ? "whole" : role),
          )
        : refuse(where, "must be an array");
    case "UnionType":
      return checkUnion(at, type, value, where, role);
    case "ObjectType":
      return checkObject(at, type, value, where, role);
    case "DiscriminatedObjectType":
      return checkDiscriminated(at, type, value, where, role);
    default:
      throw new Error(`azure-specs: a ${type.$type} cannot stand in a body`);
  }
}

function checkInteger(type: Type, value: unknown, where: string): unknown {
  // The published types say integer for every number, halves of a CPU included.
  if (typeof value !== "number" || !Number.isFinite(value)) return refuse(where, "must be a number");
  if (type.minValue !== undefined && value < type.minValue)
    return refuse(where, `must not be less than ${type.minValue}`);
  if (type.maxValue !== undefined && value > type.maxValue)
    return refuse(where, `must not be more than ${type.maxValue}`);
  return value;
}

function checkString(type: Type, value: unknown, where: string): unknown {
  if (typeof value !== "string") return refuse(where, "must be a string");
  if (type.minLength !== undefined && value.length < type.minLength)
    return refuse(where, `must have at least ${type.minLength} characters`);
  if (type.maxLength !== undefined && value.length > type.maxLength)
    return refuse(where, `must have at most ${type.maxLength} characters`);
  if (type.pattern !== undefined && !new RegExp(type.pattern).test(value))
    return refuse(where, `must match ${type.pattern}`);
  return value;
}

function checkUnion(at: Lookup, type: Type, value: unknown, where: string, role: Role): unknown {
  const options = (type.elements as readonly Reference[]).map(at);
  const literals = options.flatMap((each) => (each.value === undefined ? [] : [each.value]));
  // A union may allow any string. Azure may answer with unpublished values there;
  // the emulator answers with published ones.
  const isOpen = options.some(({ $type }) => $type === "StringType") && literals.length > 0;
  if (role === "answer" && isOpen && !literals.some((each) => each.toLowerCase() === String(value).toLowerCase()))
    refuse(where, `is '${String(value)}', which is none of the published ${literals.join(", ")}`);
  const fitting = options.find((each) => problemOf(() => check(at, each, value, where, role)) === undefined);
  if (fitting) return check(at, fitting, value, where, role);
  return refuse(
    where,
    literals.length > 0
      ? `must be one of ${literals.map((each) => `'${each}'`).join(", ")}`
      : "has none of the shapes it may have",
  );
}

const isRequired = ({ flags }: Property): boolean => (flags & (required | readOnly | writeOnly)) === required;

/** Gives a property's name as Azure spells it. Azure reads names without regard to case, and its CLI relies on it. */
function spelled(sent: string, properties: { readonly [name: string]: Property }): string {
  if (Object.hasOwn(properties, sent)) return sent;
  return Object.keys(properties).find((each) => each.toLowerCase() === sent.toLowerCase()) ?? sent;
}

/**
 * Reports whether a property of a body means nothing: a read-only one that is sent, and a null in a whole body, as
 * clients that serialise everything send it. Azure takes such a null even of a property that its type does not have:
 * each job that the Azure CLI makes has `dapr: null`. Values of names that the client chooses, such as tags, are none.
 */
const isIgnored = (property: Property | undefined, type: Type, value: unknown, role: Role): boolean =>
  value === undefined ||
  (role !== "answer" && isFlagged(property, readOnly)) ||
  (role === "whole" && value === null && (property !== undefined || type.additionalProperties === undefined));

function requireMerged(at: Lookup, type: Type, merged: Body, sent: Body, where: string): void {
  const variants = type.$type === "DiscriminatedObjectType" ? (type.elements as { [name: string]: Reference }) : {};
  const variant = variants[merged[type.discriminator ?? ""]];
  const properties = { ...type.baseProperties, ...type.properties, ...(variant && at(variant).properties) };
  const below = (name: string): string => (where === "" ? name : `${where}.${name}`);
  const missing = Object.keys(properties).find((name) => isRequired(properties[name]!) && merged[name] == null);
  if (missing !== undefined) refuse(below(missing), "is required");
  for (const [name, each] of Object.entries(sent)) {
    const property = properties[name];
    if (property && isBody(each) && isBody(merged[name]))
      requireMerged(at, at(property.type), merged[name], each, below(name));
  }
}

const isBody = (value: unknown): value is Body => typeof value === "object" && value !== null && !Array.isArray(value);

function checkObject(at: Lookup, type: Type, value: unknown, where: string, role: Role): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse(where, "must be an object");
  const properties = type.properties ?? {};
  const below = (name: string): string => (where === "" ? name : `${where}.${name}`);
  const accepted: Body = {};
  for (const [sent, each] of Object.entries(value)) {
    const name = role === "answer" ? sent : spelled(sent, properties);
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (isIgnored(property, type, each, role)) continue;
    const expected = property?.type ?? type.additionalProperties;
    if (expected === undefined) return refuse(below(name), "is not a property of this resource in this api-version");
    if (role === "answer" && isFlagged(property, writeOnly)) refuse(below(name), "is write-only");
    accepted[name] = check(at, at(expected), each, below(name), role);
  }
  if (role === "part") return accepted;
  const missing = Object.keys(properties).find((name) => isRequired(properties[name]!) && accepted[name] == null);
  return missing === undefined ? accepted : refuse(below(missing), "is required");
}

function checkDiscriminated(at: Lookup, type: Type, value: unknown, where: string, role: Role): unknown {
  const variants = type.elements as { readonly [discriminator: string]: Reference };
  const name = type.discriminator!;
  const wanted = (value as Body | null)?.[name];
  const variant = typeof wanted === "string" ? variants[wanted] : undefined;
  if (variant === undefined)
    return refuse(where === "" ? name : `${where}.${name}`, `must be one of ${Object.keys(variants).join(", ")}`);
  const { properties } = at(variant);
  return checkObject(
    at,
    { $type: "ObjectType", properties: { ...type.baseProperties, ...properties } },
    value,
    where,
    role,
  );
}
