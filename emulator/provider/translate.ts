// The behaviour of the azure-native provider without its protocol: how it checks, compares, creates, reads, updates and
// deletes resources. It is stateless: its knowledge comes with the call or from Resource Manager.
import { createHash } from "node:crypto";
import type { Body } from "../arm/resource.ts";
import { type ArmClient, OperationFailed, ServiceError } from "./arm-client.ts";
import { carryOver, differences } from "./difference.ts";
import { type Checked, type Compared, HalfWritten, type Naming, type State } from "./provider-behaviour.ts";
import { type NativeResource, nativeResourceOfGetter, parametersOf } from "./resources.ts";
import { foreseenOutputs, idOf, parametersIn, problemOf, toInputs, toOutputs, toWire, unknownText } from "./shape.ts";

/** The client, the subscription and the configuration of a provider. */
export interface Session {
  readonly arm: ArmClient;
  readonly subscription: string;
  readonly config: { readonly tenantId: string; readonly clientId: string; readonly location?: string };
}

const randomFlag = "__createBeforeDelete";
const hex = (seed: Uint8Array, salt: string, digits: number): string =>
  createHash("sha256").update(seed).update(salt).digest("hex").slice(0, digits);

function nameFor(
  { how }: NonNullable<NativeResource["named"]>,
  { name, randomSeed, proposed }: Naming,
): { readonly value: string; readonly random: boolean } | undefined {
  if (proposed?.mode === "disable") return undefined;
  if (proposed?.mode === "enforce" || (proposed && how !== "uuid")) return { value: proposed.name, random: true };
  if (how === "copy") return { value: name, random: false };
  if (how === "random") return { value: `${name}${hex(randomSeed, name, 8)}`, random: true };
  const digits = hex(randomSeed, name, 32);
  return { value: digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"), random: true };
}

/** Fills in name and location as azure-native does, and checks the result against the schema. */
export async function check(
  session: Session,
  resource: NativeResource,
  olds: Body,
  news: Body,
  naming: Naming,
): Promise<Checked> {
  const inputs: Body = { ...news };
  const { named } = resource;
  if (named && inputs[named.parameter] === undefined) {
    const kept = olds[named.parameter];
    const made = kept === undefined ? nameFor(named, naming) : { value: kept, random: olds[randomFlag] === true };
    if (made) inputs[named.parameter] = made.value;
    if (made?.random) inputs[randomFlag] = true;
  }
  const tracked = resource.forceNew.includes("location");
  if (tracked && inputs["location"] === undefined) {
    const location =
      olds["location"] ?? session.config.location ?? (await groupLocation(session, inputs["resourceGroupName"]));
    if (location !== undefined) inputs["location"] = location;
  }
  const missing = parametersOf(resource).filter((name) => inputs[name] === undefined);
  if (missing.length > 0) return { inputs, failures: missing.map((name) => `missing required property '${name}'`) };
  const problem = problemOf(resource, inputs);
  return { inputs, failures: problem === undefined ? [] : [problem] };
}

async function groupLocation({ arm, subscription }: Session, group: unknown): Promise<unknown> {
  if (group === undefined) return undefined;
  if (group === unknownText) return unknownText;
  const found = await arm
    .get(`/subscriptions/${subscription}/resourceGroups/${String(group)}`, "2024-03-01")
    .catch(() => ({}) as Body);
  return found["location"];
}

const sameLocation = (one: unknown, other: unknown): boolean =>
  String(one).toLowerCase().replaceAll(" ", "") === String(other).toLowerCase().replaceAll(" ", "");

/**
 * Compares old and new inputs. A changed path parameter, or a property that
 * cannot change in place, replaces the resource.
 */
export function compare(resource: NativeResource, olds: Body, news: Body): Compared {
  const rules = [...parametersOf(resource), ...resource.forceNew];
  const found = differences(olds, news)
    .filter(
      ({ path }) => path !== randomFlag && !(path === "location" && sameLocation(olds["location"], news["location"])),
    )
    .map((each) => ({
      ...each,
      replace: rules.some((rule) => each.rule === rule || each.rule.startsWith(`${rule}.`)),
    }));
  return { differences: found, deleteBeforeReplace: found.some(({ replace }) => replace) && olds[randomFlag] !== true };
}

/** Gives the outputs of a creation, for a preview. */
export const foreseeCreate = (resource: NativeResource, inputs: Body): Body => foreseenOutputs(resource, inputs);

/** Gives the outputs of an update, for a preview. Of the old outputs only name and location are assumed to stay. */
export function foreseeUpdate(resource: NativeResource, inputs: Body, outputs: Body): Body {
  const kept = Object.fromEntries(
    ["name", "location"].flatMap((name) => (outputs[name] === undefined ? [] : [[name, outputs[name]]])),
  );
  return { ...foreseenOutputs(resource, inputs), ...kept };
}

/** Creates a resource. @throws when it already exists; HalfWritten when it exists after a failure */
export async function create({ arm, subscription }: Session, resource: NativeResource, inputs: Body): Promise<State> {
  const id = idOf(resource, inputs, subscription)!;
  if (resource.resets) return write(arm, resource, id, inputs);
  const there = await arm.get(id, resource.apiVersion).catch((error: unknown) => {
    if (error instanceof ServiceError && error.status === 404) return undefined;
    if (error instanceof ServiceError) throw new Error(`cannot check existence of resource '${id}': ${error.message}`);
    throw error;
  });
  if (there) throw new Error(`cannot create already existing resource '${id}'`);
  return write(arm, resource, id, inputs);
}

/** Updates a resource by sending the whole body, as azure-native does. @throws HalfWritten when the operation failed */
export const update = ({ arm }: Session, resource: NativeResource, id: string, inputs: Body): Promise<State> =>
  write(arm, resource, id, inputs);

async function write(arm: ArmClient, resource: NativeResource, id: string, inputs: Body): Promise<State> {
  try {
    await arm.put(id, resource.apiVersion, toWire(resource, inputs));
  } catch (error) {
    const left =
      error instanceof OperationFailed ? await arm.get(id, resource.apiVersion).catch(() => undefined) : undefined;
    throw left ? new HalfWritten({ ...stateOf(resource, id, left), inputs }, (error as Error).message) : error;
  }
  return stateOf(resource, id, await arm.get(id, resource.apiVersion));
}

const stateOf = (resource: NativeResource, id: string, body: Body): State => ({
  id: body["id"] ?? id,
  outputs: toOutputs(resource, body),
});

/** Deletes a resource. One that always exists gets its default back, with the source that it has. */
export async function remove({ arm }: Session, { apiVersion, resets }: NativeResource, id: string): Promise<void> {
  if (!resets) return arm.remove(id, apiVersion);
  const { properties } = await arm.get(id, apiVersion);
  const { source } = properties;
  const byDefault: unknown = properties[`default${resets[0]!.toUpperCase()}${resets.slice(1)}`];
  await arm.put(id, apiVersion, { properties: { [resets]: byDefault, source } });
}

/**
 * Reads a resource; undefined when it does not exist. Inputs get only the changes since
 * `outputs`, so that a refresh shows drift alone.
 */
export async function read(
  { arm }: Session,
  resource: NativeResource,
  id: string,
  inputs: Body,
  outputs: Body,
): Promise<(State & { readonly inputs: Body }) | undefined> {
  const body = await arm.get(id, resource.apiVersion).catch((error: unknown) => {
    if (error instanceof ServiceError && error.status === 404) return undefined;
    throw error;
  });
  if (body === undefined) return undefined;
  const live = toOutputs(resource, body);
  const inputsIn = (answered: Body): Body =>
    Object.fromEntries(
      Object.entries(toInputs(resource, answered)).filter(
        ([name]) => inputs[name] !== undefined || !resource.maintained?.includes(name),
      ),
    );
  const imported = Object.keys(inputs).length === 0;
  const refreshed = imported
    ? { ...parametersIn(resource, id), ...toInputs(resource, live) }
    : carryOver(inputs, inputsIn(outputs), inputsIn(live));
  return { id: body["id"] ?? id, outputs: live, inputs: refreshed };
}

/** Answers the getters of the served resources, getSharedKeys and getClientConfig. */
export async function invoke({ arm, subscription, config }: Session, token: string, args: Body): Promise<Body> {
  if (token === "azure-native:authorization:getClientConfig") {
    const { oid } = await arm.claims();
    return { clientId: config.clientId, objectId: oid, subscriptionId: subscription, tenantId: config.tenantId };
  }
  if (token === "azure-native:operationalinsights:getSharedKeys") {
    const { resourceGroupName, workspaceName } = args;
    const group = `/subscriptions/${subscription}/resourceGroups/${resourceGroupName}`;
    const workspace = `${group}/providers/Microsoft.OperationalInsights/workspaces/${workspaceName}`;
    return arm.post(`${workspace}/sharedKeys`, "2023-09-01");
  }
  const resource = nativeResourceOfGetter(token);
  if (resource === undefined) throw new Error(`the emulator for azure-native has no function ${token}`);
  const body = await arm.get(idOf(resource, args, subscription)!, resource.apiVersion);
  return { id: body["id"], ...toOutputs(resource, body) };
}
