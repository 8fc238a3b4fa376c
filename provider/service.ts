// The provider protocol, method by method: unpacks the request of the Pulumi CLI, finds the resource or the function by
// its type token, and packs the answer. Other methods are answered as unimplemented, which the Pulumi CLI expects.
import { type ServerUnaryCall, type sendUnaryData, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import { tokenFor } from "../client/credential.ts";
import type { Access } from "../client/requests.ts";
import { releaseEndpointUnbound } from "../errors/provider.ts";
import { boundPair, withBinding } from "./bound.ts";
import {
  type Around,
  type Change,
  type Failure,
  type FunctionType,
  isUnknown,
  type Properties,
  type ResourceType,
  unknownValue,
  type Voiced,
} from "./resource-type.ts";
import { schemaOf } from "./schema.ts";
import { isRefresh, withoutTurn, withTurn } from "./turn.ts";
import { failedButKept, fromStruct, refused, toStruct, type Voice, voiceAt } from "./wire.ts";

const { PropertyDiff, DiffResponse } = providerProto;

/** How long a lookup waits for an unreachable control plane, so that a refresh stays fast. */
const lookUpPatienceSeconds = 3;

/** How long a preview waits for one. The first call of a process also loads what gets a token. */
const previewPatienceSeconds = 8;

/** What the provider serves. */
export interface Offer {
  readonly version: string;
  readonly resources: readonly ResourceType[];
  readonly functions: readonly FunctionType[];
}

/** What the methods share: the log of the Pulumi CLI, the cancellation, and the sources of tokens. */
interface Shared extends Offer {
  voice: Voice;
  cancel: AbortController;
  readonly tokens: Map<string, () => Promise<string>>;
}

/** Implements every method of `pulumirpc.ResourceProvider` for the Pulumi CLI at an address. */
export function service(offer: Offer, engineAddress: string): UntypedServiceImplementation {
  const shared: Shared = {
    ...offer,
    voice: voiceAt(engineAddress),
    cancel: new AbortController(),
    tokens: new Map(),
  };
  const methods: Readonly<Record<string, Method>> = {
    ...identity(shared),
    ...planning(shared),
    ...changing(shared),
    invoke: answering(shared, async (request: providerProto.InvokeRequest) => invoked(shared, request)),
  };
  const unimplemented =
    (name: string): Method =>
    (_call, answer) =>
      answer({ code: status.UNIMPLEMENTED, message: name });
  return Object.fromEntries(
    Object.keys(providerService.ResourceProviderService).map((name) => [name, methods[name] ?? unimplemented(name)]),
  );
}

type Method = (call: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<unknown>) => void;

/** The methods that identify the provider and accept its configuration, which is empty. */
function identity(shared: Shared): Readonly<Record<string, Method>> {
  const plain =
    (make: (request: never) => unknown): Method =>
    (call, answer) =>
      answer(null, make(call.request as never));
  return {
    handshake: plain((request: providerProto.ProviderHandshakeRequest) => {
      shared.voice = voiceAt(request.getEngineAddress());
      return new providerProto.ProviderHandshakeResponse();
    }),
    attach: plain((request: pluginProto.PluginAttach) => {
      shared.voice = voiceAt(request.getAddress());
      shared.cancel = new AbortController(); // an attached provider outlives the Pulumi CLI that cancelled it
      return new emptyProto.Empty();
    }),
    getPluginInfo: plain(() => new pluginProto.PluginInfo().setVersion(shared.version)),
    getSchema: plain(() =>
      new providerProto.GetSchemaResponse().setSchema(schemaOf(shared.version, shared.resources, shared.functions)),
    ),
    checkConfig: plain((request: providerProto.CheckRequest) =>
      new providerProto.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: plain(() => new DiffResponse().setChanges(DiffResponse.DiffChanges.DIFF_NONE)),
    configure: plain(() => new providerProto.ConfigureResponse().setSupportspreview(true)),
    cancel: plain(() => {
      shared.cancel.abort(new Error("cancelled"));
      return new emptyProto.Empty();
    }),
  };
}

/** The methods that judge a resource's inputs without the control plane. */
function planning(shared: Shared): Readonly<Record<string, Method>> {
  return {
    check: answering(shared, async (request: providerProto.CheckRequest) => {
      const news = withoutTurn(fromStruct(request.getNews()));
      const { inputs, failures } = resourceOf(shared, request.getUrn()).check(news);
      return checked({ inputs: withTurn(inputs, fromStruct(request.getOlds())), failures });
    }),
    diff: answering(shared, async (request: providerProto.DiffRequest) => {
      const resource = resourceOf(shared, request.getUrn());
      const all = [request.getOldInputs(), request.getOlds(), request.getNews()].map(fromStruct);
      const [oldInputs, , newInputs] = all as [Properties, Properties, Properties];
      if (isRefresh(oldInputs, newInputs)) return differing({ kind: "none" });
      const [inputs, outputs, news] = all.map(withoutTurn) as [Properties, Properties, Properties];
      const refusal = resource.refuses?.(request.getUrn(), inputs, news);
      if (refusal !== undefined) throw refusal;
      for (const line of resource.cautions(inputs, outputs, news)) shared.voice.warn(request.getUrn(), line);
      return differing(await resource.diff(inputs, outputs, news, voicedOf(shared, request.getUrn())));
    }),
  };
}

/** The methods that create, change, read and delete a resource. A preview only says what would be done. */
function changing(shared: Shared): Readonly<Record<string, Method>> {
  return {
    create: answering(shared, async (request: providerProto.CreateRequest) => {
      const resource = resourceOf(shared, request.getUrn());
      const inputs = withoutTurn(fromStruct(request.getProperties()));
      const response = new providerProto.CreateResponse();
      if (request.getPreview())
        return response.setProperties(toStruct(await previewed(resource, shared, request.getUrn(), inputs)));
      const id = resource.idOf(inputs);
      return response.setId(id).setProperties(toStruct(await settled(resource, shared, request.getUrn(), id, inputs)));
    }),
    update: answering(shared, async (request: providerProto.UpdateRequest) => {
      const resource = resourceOf(shared, request.getUrn());
      const inputs = withoutTurn(fromStruct(request.getNews()));
      const properties = request.getPreview()
        ? await previewed(resource, shared, request.getUrn(), inputs, fromStruct(request.getOlds()))
        : await settled(resource, shared, request.getUrn(), request.getId(), inputs, fromStruct(request.getOlds()));
      return new providerProto.UpdateResponse().setProperties(toStruct(properties));
    }),
    read: answering(shared, async (request: providerProto.ReadRequest) => {
      const inputs = fromStruct(request.getInputs());
      const outputs = fromStruct(request.getProperties());
      const response = new providerProto.ReadResponse();
      const urn = request.getUrn();
      const resource = resourceOf(shared, urn);
      if (Object.keys(inputs).length === 0) return response; // nothing of ours can be imported
      const around = aroundState(shared, urn, inputs, outputs, lookUpPatienceSeconds);
      const found = await resource.read(withoutTurn(inputs), outputs, around);
      return response.setId(request.getId()).setInputs(toStruct(inputs)).setProperties(toStruct(found));
    }),
    delete: answering(shared, async (request: providerProto.DeleteRequest) => {
      const resource = resourceOf(shared, request.getUrn());
      const outputs = fromStruct(request.getProperties());
      const inputs = fromStruct(request.getOldInputs());
      const patienceSeconds = resource.isInFlight(outputs) ? undefined : lookUpPatienceSeconds;
      const around = aroundState(shared, request.getUrn(), inputs, outputs, patienceSeconds);
      await resource.remove(inputs, outputs, around);
      return new emptyProto.Empty();
    }),
  };
}

/** Finds the resource that a URN names by its type token. */
function resourceOf({ resources }: Shared, urn: string): ResourceType {
  const token = urn.split("::")[2]?.split("$").at(-1);
  const found = resources.find((resource) => resource.token === token);
  if (found === undefined) throw new Error(`ballast has no resource ${token}`);
  return found;
}

/** Makes a method that sends errors in full, and lets every log line arrive before the answer. */
function answering<Asked, Answered>(shared: Shared, method: (request: Asked) => Promise<Answered>): Method {
  return (call, answer) => {
    method(call.request as Asked)
      .then((response) => shared.voice.flushed().then(() => answer(null, response)))
      .catch((error: unknown) => shared.voice.flushed().then(() => answer(refused(error))));
  };
}

const voicedOf = ({ voice, cancel: { signal } }: Shared, urn: string): Voiced => ({
  report: (line) => voice.report(urn, line),
  warn: (line) => voice.warn(urn, line),
  cancel: signal,
});

const aroundOf = (shared: Shared, urn: string, inputs: Properties, patienceSeconds?: number): Around => ({
  ...voicedOf(shared, urn),
  access: accessOf(shared, inputs, patienceSeconds),
});

/**
 * Gives what a resource uses when only a state says where the control plane is, as in a refresh and a delete.
 *
 * An endpoint that is not the one to which the audience was bound gets no token, and so no request.
 */
function aroundState(
  shared: Shared,
  urn: string,
  inputs: Properties,
  outputs: Properties,
  patienceSeconds?: number,
): Around {
  const pair = boundPair(inputs, outputs);
  if (pair !== undefined) return aroundOf(shared, urn, pair, patienceSeconds);
  const found = { ...outputs, ...inputs };
  const { access, ...around } = aroundOf(shared, urn, found, patienceSeconds);
  const unbound = releaseEndpointUnbound({ endpoint: String(found["endpoint"]), audience: String(found["audience"]) });
  return { ...around, access: { ...access, token: () => Promise.reject(unbound) } };
}

/** Gives access to the control plane of these inputs. Tokens are cached by audience while this process lives. */
function accessOf({ tokens, cancel }: Shared, { endpoint, audience }: Properties, patienceSeconds?: number): Access {
  const key = String(audience);
  if (!tokens.has(key)) tokens.set(key, tokenFor(key));
  return {
    endpoint: String(endpoint),
    token: tokens.get(key)!,
    cancel: cancel.signal,
    ...(patienceSeconds ? { patienceSeconds } : {}),
  };
}

async function previewed(
  resource: ResourceType,
  shared: Shared,
  urn: string,
  inputs: Properties,
  oldOutputs?: Properties,
): Promise<Properties> {
  const isKnown = resource.hasControlPlane && !isUnknown([inputs["endpoint"], inputs["audience"]]);
  const around = isKnown ? aroundOf(shared, urn, inputs, previewPatienceSeconds) : voicedOf(shared, urn);
  shared.voice.report(urn, await resource.planned(inputs, around, oldOutputs));
  return { ...inputs, ...Object.fromEntries(resource.unknownOutputs.map((name) => [name, unknownValue])) };
}

async function settled(
  resource: ResourceType,
  shared: Shared,
  urn: string,
  id: string,
  inputs: Properties,
  oldOutputs?: Properties,
): Promise<Properties> {
  const { outputs, failure } = await resource.settle(inputs, aroundOf(shared, urn, inputs), oldOutputs);
  const bound = resource.hasControlPlane ? withBinding(inputs, outputs) : outputs;
  if (failure) throw failedButKept(id, inputs, bound, failure);
  return bound;
}

function checked({ inputs, failures }: ReturnType<ResourceType["check"]>): providerProto.CheckResponse {
  return new providerProto.CheckResponse().setInputs(toStruct(inputs)).setFailuresList(failures.map(failed));
}

const failed = ({ property, reason }: Failure): providerProto.CheckFailure =>
  new providerProto.CheckFailure().setProperty(property).setReason(reason);

function differing(change: Change): providerProto.DiffResponse {
  const response = new DiffResponse().setHasdetaileddiff(true);
  if (change.kind === "none") return response.setChanges(DiffResponse.DiffChanges.DIFF_NONE);
  const replaces = change.kind === "replace";
  for (const property of change.because) {
    response
      .getDetaileddiffMap()
      .set(
        property,
        new PropertyDiff()
          .setKind(replaces ? PropertyDiff.Kind.UPDATE_REPLACE : PropertyDiff.Kind.UPDATE)
          .setInputdiff(property !== "result"),
      );
  }
  return response
    .setChanges(DiffResponse.DiffChanges.DIFF_SOME)
    .setDiffsList([...change.because])
    .setReplacesList(replaces ? [...change.because] : []);
}

async function invoked(shared: Shared, request: providerProto.InvokeRequest): Promise<providerProto.InvokeResponse> {
  const args = { audience: "api://ballast", ...fromStruct(request.getArgs()) };
  const asked = shared.functions.find(({ token }) => token === request.getTok());
  if (!asked) throw new Error(`ballast has no function ${request.getTok()}`);
  const failures = asked.check(args);
  if (failures.length) return new providerProto.InvokeResponse().setFailuresList(failures.map(failed));
  const access = accessOf(shared, args, lookUpPatienceSeconds);
  return new providerProto.InvokeResponse().setReturn(toStruct(await asked.invoke(args, access)));
}
