// Between the SDK's shape of a resource and the wire's: `properties` is flattened there and nested here, the path's parameters are
// inputs there and part of the id here, lists of identities there are objects here. Which is which comes from the schema.

import type { Body } from "../arm/resource.ts";
import { type Schema, schemaOf, unknownValue } from "../arm/schema.ts";
import { type NativeResource, parametersOf } from "./resources.ts";

/** How the engine writes a value that is not known yet. */
export const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const bookkeeping = ["azureApiVersion", "__createBeforeDelete", "__defaults"];

const schemaFor = (resource: NativeResource): Schema => schemaOf(resource.type, resource.apiVersion);

/** Gives the id that these inputs mean; undefined while a part of it is unknown. */
export function idOf(resource: NativeResource, inputs: Body, subscription: string): string | undefined {
  let known = true;
  const id = resource.path.replace(/\/?\{(\w+)\}/g, (whole, name: string) => {
    const value = String(name === "subscriptionId" ? subscription : inputs[name]);
    if (value === unknownText) known = false;
    return `${whole.startsWith("/") ? "/" : ""}${value.replace(/^\/+/, "")}`;
  });
  return known ? id : undefined;
}

/** Gives the path's parameters as they stand in an id. */
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

function atPath(body: Body, path: string, change: (value: any) => unknown): Body {
  const [first = "", ...rest] = path.split(".");
  if (body[first] === undefined || body[first] === null) return body;
  return { ...body, [first]: rest.length === 0 ? change(body[first]) : atPath(body[first], rest.join("."), change) };
}

/** Changes every item of the lists that the SDK flattens, where they are known. */
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

/** Gives the body to be sent for these inputs. */
export function toWire(resource: NativeResource, inputs: Body): Body {
  const schema = schemaFor(resource);
  const parameters = parametersOf(resource);
  const body: Body = {};
  const properties: Body = {};
  for (const [name, value] of Object.entries(inputs)) {
    // A parameter of the path may be a property too, as a server administrator's objectId is; then the path alone says it.
    if (bookkeeping.includes(name) || parameters.includes(name)) continue;
    if (schema.envelopeNames.includes(name)) body[name] = value;
    else properties[resource.renamed?.[name] ?? name] = value;
  }
  const whole: Body =
    Object.keys(properties).length > 0 || schema.propertyNames.length > 0
      ? { ...body, properties: inLists(resource, properties, nest) }
      : body;
  const toObjects = (value: unknown): unknown =>
    Array.isArray(value) ? Object.fromEntries(value.map((id) => [id, {}])) : value;
  return (resource.stringSets ?? []).reduce((each, path) => atPath(each, path, toObjects), whole);
}

/** Gives properties of the wire under the SDK's names. */
const sdkNamed = ({ renamed = {} }: NativeResource, properties: Body = {}): Body =>
  Object.fromEntries(
    Object.entries(properties).map(([wire, value]) => [
      Object.keys(renamed).find((name) => renamed[name] === wire) ?? wire,
      value,
    ]),
  );

/** Gives what the SDK shows of a body that Azure answered. */
export function toOutputs(resource: NativeResource, body: Body): Body {
  const { properties, apiVersion: _apiVersion, ...rest } = body;
  // Only the resource group keeps a nested `properties`, with nothing in it but its state.
  const flat =
    resource.type === "Microsoft.Resources/resourceGroups"
      ? { ...rest, properties }
      : { ...rest, ...sdkNamed(resource, inLists(resource, properties ?? {}, flatten)) };
  return { ...flat, azureApiVersion: resource.apiVersion };
}

/** Gives, of outputs, what could have been inputs. */
export function toInputs(resource: NativeResource, outputs: Body): Body {
  const { name: _name, azureApiVersion: _version, ...rest } = outputs;
  const accepted = schemaFor(resource).accept(onlyKnown(schemaFor(resource), toWire(resource, rest)), true);
  const { properties, ...envelope } = accepted;
  const toList = (value: unknown): unknown =>
    typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : value;
  return (resource.stringSets ?? []).reduce((each, path) => atPath(each, path, toList), {
    ...envelope,
    ...sdkNamed(resource, inLists(resource, properties ?? {}, flatten)),
  } as Body);
}

/** Answers may carry more than the schema lists; the projection onto inputs leaves it out rather than failing. */
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

/** Gives why the inputs do not fit, as Azure would say it; undefined if they do as far as they are known. */
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

/** Gives the outputs as a preview shows them: what the inputs say, and unknown wherever Azure may add something. */
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
