// Converts a resource between the SDK's shape and the wire's. The SDK flattens `properties` of most types, has the
// path's parameters as inputs, and has lists of identities; on the wire `properties` is nested, the parameters are part
// of the id, and identities are an object. The schema decides which is which.
import type { Body } from "../arm/resource.ts";
import { type Schema, schemaOf, unknownValue } from "../arm/schema.ts";
import { type NativeResource, parametersOf } from "./resources.ts";

/** The Pulumi CLI's text for a value that is not known yet. */
export const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const bookkeeping = ["azureApiVersion", "__createBeforeDelete", "__defaults"];

const schemaFor = (resource: NativeResource): Schema => schemaOf(resource.type, resource.apiVersion);

/** Gives the id that inputs describe; undefined while a part of it is unknown. */
export function idOf(resource: NativeResource, inputs: Body, subscription: string): string | undefined {
  let known = true;
  const id = resource.path.replace(/\/?\{(\w+)\}/g, (whole, name: string) => {
    const value = String(name === "subscriptionId" ? subscription : inputs[name]);
    if (value === unknownText) known = false;
    return `${whole.startsWith("/") ? "/" : ""}${value.replace(/^\/+/, "")}`;
  });
  return known ? id : undefined;
}

/** Gives the path's parameters from an id. */
export function parametersIn(resource: NativeResource, id: string): Body {
  const names = [...resource.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const expression = resource.path.replace(/\/\{(resourceUri|scope)\}/g, "(/.+)").replace(/\{\w+\}/g, "([^/]+)");
  const [, ...values] = new RegExp(`^${expression}$`, "i").exec(id) ?? [];
  return Object.fromEntries(
    names.flatMap((name, index) =>
      name === "subscriptionId" || values[index] === undefined ? [] : [[name, values[index]]],
    ),
  );
}

/** Changes the value at a path, if there is one. */
function atPath(body: Body, path: string, change: (value: unknown) => unknown): Body {
  const [first = "", ...rest] = path.split(".");
  if (body[first] === undefined || body[first] === null) return body;
  return { ...body, [first]: rest.length === 0 ? change(body[first]) : atPath(body[first], rest.join("."), change) };
}

/** Changes every known object that the SDK flattens. */
const inObjects = ({ flattenedObjects = [] }: NativeResource, properties: Body, change: (value: Body) => Body): Body =>
  Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      name,
      flattenedObjects.includes(name) && typeof value === "object" && value !== null ? change(value as Body) : value,
    ]),
  );
/** Renames the fields of objects to the wire's names, or back. */
const inDotted = ({ dotted = {} }: NativeResource, properties: Body, isToWire: boolean): Body =>
  Object.fromEntries(
    Object.entries(properties).map(([name, value]) => {
      const fields = dotted[name];
      if (fields === undefined || typeof value !== "object" || value === null) return [name, value];
      const nameOf = (field: string): string | undefined =>
        isToWire ? fields[field] : Object.keys(fields).find((sdk) => fields[sdk] === field);
      return [name, Object.fromEntries(Object.entries(value).map(([field, inner]) => [nameOf(field) ?? field, inner]))];
    }),
  );
const nestObject = ({ endpointType, ...properties }: Body): Body => ({ endpointType, properties });

/** Changes every known item of the lists that the SDK flattens. */
const inLists = ({ flattened = [] }: NativeResource, properties: Body, change: (item: Body) => Body): Body =>
  Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      name,
      flattened.includes(name) && Array.isArray(value)
        ? value.map((item) => (typeof item === "object" ? change(item) : item))
        : value,
    ]),
  );
const nest = ({ name, ...properties }: Body): Body => ({ name, properties });
const flatten = ({ properties, ...item }: Body): Body => ({ ...item, ...properties });
const flat = (resource: NativeResource, properties: Body): Body =>
  inDotted(resource, inObjects(resource, inLists(resource, properties, flatten), flatten), false);

/** Gives the body to send for inputs. */
export function toWire(resource: NativeResource, inputs: Body): Body {
  const schema = schemaFor(resource);
  const parameters = parametersOf(resource);
  const body: Body = {};
  const properties: Body = {};
  for (const [name, value] of Object.entries(inputs)) {
    // A parameter may also be a property, such as a server administrator's objectId; it is sent in the path alone.
    if (bookkeeping.includes(name) || parameters.includes(name)) continue;
    if (resource.nested && name === "properties") Object.assign(properties, value === unknownText ? {} : value);
    else if (schema.envelopeNames.includes(name)) body[name] = value;
    else properties[resource.renamed?.[name] ?? name] = value;
  }
  const whole: Body =
    Object.keys(properties).length > 0 || schema.propertyNames.length > 0
      ? {
          ...body,
          properties: inDotted(resource, inObjects(resource, inLists(resource, properties, nest), nestObject), true),
        }
      : body;
  const toObjects = (value: unknown): unknown =>
    Array.isArray(value) ? Object.fromEntries(value.map((id) => [id, {}])) : value;
  return (resource.stringSets ?? []).reduce((each, path) => atPath(each, path, toObjects), whole);
}

/** Renames properties from the wire's names to the SDK's. */
const sdkNamed = ({ renamed = {} }: NativeResource, properties: Body = {}): Body =>
  Object.fromEntries(
    Object.entries(properties).map(([wire, value]) => [
      Object.keys(renamed).find((name) => renamed[name] === wire) ?? wire,
      value,
    ]),
  );

/** Gives the outputs of a resource from a body that Azure answered. */
export function toOutputs(resource: NativeResource, body: Body): Body {
  const { properties, apiVersion: _apiVersion, ...rest } = body;
  const outputs = resource.nested
    ? { ...rest, properties }
    : { ...rest, ...sdkNamed(resource, flat(resource, properties ?? {})) };
  return { ...outputs, azureApiVersion: resource.apiVersion };
}

/** Gives the outputs that could have been inputs. */
export function toInputs(resource: NativeResource, outputs: Body): Body {
  const { name: _name, azureApiVersion: _version, ...rest } = outputs;
  const accepted = schemaFor(resource).accept(onlyKnown(schemaFor(resource), toWire(resource, rest)), true);
  const { properties, ...envelope } = accepted;
  const toList = (value: unknown): unknown =>
    typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : value;
  const below = resource.nested
    ? Object.keys(properties ?? {}).length > 0 && { properties }
    : sdkNamed(resource, flat(resource, properties ?? {}));
  return (resource.stringSets ?? []).reduce((each, path) => atPath(each, path, toList), {
    ...envelope,
    ...below,
  } as Body);
}

/** Leaves out properties that the schema does not list, which an answer may have. */
function onlyKnown(schema: Schema, body: Body): Body {
  const { properties = {}, ...envelope } = body;
  const keep = (value: Body, names: readonly string[]): Body =>
    Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)));
  return { ...keep(envelope, schema.envelopeNames), properties: keep(properties, schema.propertyNames) };
}

const mapUnknown = (value: unknown, from: unknown, to: unknown): unknown => {
  if (value === from) return to;
  if (Array.isArray(value)) return value.map((each) => mapUnknown(each, from, to));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapUnknown(each, from, to)]));
  return value;
};

/** Gives why inputs violate the schema, in the words of Azure; undefined when the known ones do not. */
export function problemOf(resource: NativeResource, inputs: Body): string | undefined {
  const schema = schemaFor(resource);
  try {
    schema.accept(mapUnknown(toWire(resource, inputs), unknownText, unknownValue) as Body, false);
  } catch (error) {
    return (error as Error).message;
  }
  const name: unknown = inputs[parametersOf(resource).at(-1)!];
  return typeof name === "string" && name !== unknownText ? schema.refuseName(name) : undefined;
}

/** Gives the outputs for a preview: the inputs, and unknown values wherever Azure may add something. */
export function foreseenOutputs(resource: NativeResource, inputs: Body): Body {
  const schema = schemaFor(resource);
  const foreseen = mapUnknown(schema.foresee(toWire(resource, inputs)), unknownValue, unknownText) as Body;
  const properties =
    foreseen["properties"] === unknownText
      ? Object.fromEntries(schema.propertyNames.map((name) => [name, unknownText]))
      : foreseen["properties"];
  return toOutputs(resource, {
    ...foreseen,
    properties: resource.type === "Microsoft.Resources/resourceGroups" ? unknownText : properties,
    name: unknownText,
    type: unknownText,
  });
}
