// The provider protocol, method by method: unpacks the request of the Pulumi CLI, calls release.ts or lock.ts, and
// packs the answer. Other methods are answered as unimplemented, which the Pulumi CLI expects.
import { type ServerUnaryCall, type sendUnaryData, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import { type ControlPlane, controlPlane } from "../client/control-plane.ts";
import { tokenFor } from "../client/credential.ts";
import { checkInvoke, invoke } from "./lock.ts";
import { type CarriedOut, carryOut, lookUp, planned, type Surroundings, withdraw } from "./release.ts";
import { check, diff, type Failure, type Properties, type ReleaseInputs, unknownValue } from "./release-inputs.ts";
import { schema } from "./schema.ts";
import { failedButKept, fromStruct, refused, toStruct, type Voice, voiceAt } from "./wire.ts";

const { PropertyDiff, DiffResponse } = providerProto;

/** How long a lookup waits for an unreachable control plane, so that a refresh stays fast. */
const lookUpPatienceSeconds = 3;

/** What the methods share: the log of the Pulumi CLI, the cancellation, and the sources of tokens. */
interface Around {
  voice: Voice;
  cancel: AbortController;
  readonly version: string;
  readonly tokens: Map<string, () => Promise<string>>;
}

/** Implements every method of `pulumirpc.ResourceProvider` for the Pulumi CLI at an address. */
export function service(version: string, engineAddress: string): UntypedServiceImplementation {
  const around: Around = { voice: voiceAt(engineAddress), version, cancel: new AbortController(), tokens: new Map() };
  const methods: Record<string, Method> = {
    ...identity(around),
    check: answering(async (request: providerProto.CheckRequest) => checked(check(fromStruct(request.getNews())))),
    diff: answering(async (request: providerProto.DiffRequest) => differing(request)),
    create: answering(async (request: providerProto.CreateRequest) => {
      const inputs = fromStruct(request.getProperties());
      const response = new providerProto.CreateResponse();
      if (request.getPreview()) return response.setProperties(toStruct(previewed(around, request.getUrn(), inputs)));
      const id = `${inputs["resourceGroup"]}/${inputs["app"]}`.toLowerCase();
      return response.setId(id).setProperties(toStruct(await carriedOut(around, request.getUrn(), id, inputs)));
    }),
    update: answering(async (request: providerProto.UpdateRequest) => {
      const inputs = fromStruct(request.getNews());
      const properties = request.getPreview()
        ? previewed(around, request.getUrn(), inputs)
        : await carriedOut(around, request.getUrn(), request.getId(), inputs);
      return new providerProto.UpdateResponse().setProperties(toStruct(properties));
    }),
    read: answering(async (request: providerProto.ReadRequest) => {
      const inputs = fromStruct(request.getInputs());
      const outputs = fromStruct(request.getProperties());
      const response = new providerProto.ReadResponse();
      if (!outputs["endpoint"]) return response; // a release cannot be imported
      const found = await lookUp(
        inputs,
        outputs,
        surroundings(around, request.getUrn(), { ...outputs, ...inputs }, lookUpPatienceSeconds),
      );
      return response.setId(request.getId()).setInputs(toStruct(inputs)).setProperties(toStruct(found));
    }),
    delete: answering(async (request: providerProto.DeleteRequest) => {
      const { revision, ...outputs } = fromStruct(request.getProperties());
      const name = { ...outputs, ...fromStruct(request.getOldInputs()), revision };
      const patienceSeconds = outputs["result"] === "in-flight" ? undefined : lookUpPatienceSeconds;
      await withdraw(name as unknown as ReleaseInputs, surroundings(around, request.getUrn(), name, patienceSeconds));
      return new emptyProto.Empty();
    }),
    invoke: answering(async (request: providerProto.InvokeRequest) => invoked(around, request)),
  };
  const unimplemented =
    (name: string): Method =>
    (_call, answer) =>
      answer({ code: status.UNIMPLEMENTED, message: name });
  return Object.fromEntries(
    Object.keys(providerService.ResourceProviderService).map((name) => [name, methods[name] ?? unimplemented(name)]),
  );

  /** Sends errors in full, and lets every log line arrive before the answer. */
  function answering<Asked, Answered>(method: (request: Asked) => Promise<Answered>): Method {
    return (call, answer) => {
      method(call.request as Asked)
        .then((response) => around.voice.flushed().then(() => answer(null, response)))
        .catch((error: unknown) => around.voice.flushed().then(() => answer(refused(error))));
    };
  }
}

type Method = (call: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<unknown>) => void;

/** The methods that identify the provider and accept its configuration, which is empty. */
function identity(around: Around): Record<string, Method> {
  const plain =
    (make: (request: never) => unknown): Method =>
    (call, answer) =>
      answer(null, make(call.request as never));
  return {
    handshake: plain((request: providerProto.ProviderHandshakeRequest) => {
      around.voice = voiceAt(request.getEngineAddress());
      return new providerProto.ProviderHandshakeResponse();
    }),
    attach: plain((request: pluginProto.PluginAttach) => {
      around.voice = voiceAt(request.getAddress());
      around.cancel = new AbortController(); // an attached provider outlives the Pulumi CLI that cancelled it
      return new emptyProto.Empty();
    }),
    getPluginInfo: plain(() => new pluginProto.PluginInfo().setVersion(around.version)),
    getSchema: plain(() => new providerProto.GetSchemaResponse().setSchema(schema(around.version))),
    checkConfig: plain((request: providerProto.CheckRequest) =>
      new providerProto.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: plain(() => new DiffResponse().setChanges(DiffResponse.DiffChanges.DIFF_NONE)),
    configure: plain(() => new providerProto.ConfigureResponse().setSupportspreview(true)),
    cancel: plain(() => {
      around.cancel.abort(new Error("cancelled"));
      return new emptyProto.Empty();
    }),
  };
}

function surroundings(around: Around, urn: string, inputs: Properties, patienceSeconds?: number): Surroundings {
  const {
    voice,
    cancel: { signal },
  } = around;
  return {
    controlPlane: reached(around, inputs, patienceSeconds),
    report: (line) => voice.report(urn, line),
    warn: (line) => voice.warn(urn, line),
    cancel: signal,
  };
}

/** Gives the control plane of these inputs. Tokens are cached by audience while this process lives. */
function reached(
  { tokens, cancel }: Around,
  { endpoint, audience }: Properties,
  patienceSeconds?: number,
): ControlPlane {
  const key = String(audience);
  if (!tokens.has(key)) tokens.set(key, tokenFor(key));
  return controlPlane({
    endpoint: String(endpoint),
    token: tokens.get(key)!,
    cancel: cancel.signal,
    ...(patienceSeconds ? { patienceSeconds } : {}),
  });
}

function previewed({ voice }: Around, urn: string, inputs: Properties): Properties {
  voice.report(urn, planned(inputs));
  return { ...inputs, result: unknownValue, reason: unknownValue, message: unknownValue };
}

async function carriedOut(around: Around, urn: string, id: string, inputs: Properties): Promise<Properties> {
  const { outputs, failure }: CarriedOut = await carryOut(
    inputs as unknown as ReleaseInputs,
    surroundings(around, urn, inputs),
  );
  if (failure) throw failedButKept(id, inputs, { ...outputs }, failure);
  return { ...outputs };
}

function checked({ inputs, failures }: ReturnType<typeof check>): providerProto.CheckResponse {
  return new providerProto.CheckResponse().setInputs(toStruct(inputs)).setFailuresList(failures.map(failed));
}

const failed = ({ property, reason }: Failure): providerProto.CheckFailure =>
  new providerProto.CheckFailure().setProperty(property).setReason(reason);

function differing(request: providerProto.DiffRequest): providerProto.DiffResponse {
  const change = diff(fromStruct(request.getOldInputs()), fromStruct(request.getOlds()), fromStruct(request.getNews()));
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

async function invoked(around: Around, request: providerProto.InvokeRequest): Promise<providerProto.InvokeResponse> {
  const args = { audience: "api://ballast", ...fromStruct(request.getArgs()) };
  const failures = checkInvoke(request.getTok(), args);
  if (!failures) throw new Error(`ballast has no function ${request.getTok()}`);
  if (failures.length) return new providerProto.InvokeResponse().setFailuresList(failures.map(failed));
  return new providerProto.InvokeResponse().setReturn(
    toStruct(await invoke(request.getTok(), args, reached(around, args, lookUpPatienceSeconds))),
  );
}
