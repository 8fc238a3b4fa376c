// Pulumi's provider protocol for azure-native's tokens, over gRPC directly: the server in Pulumi's
// SDK hides configuration, previews and old inputs. It converts messages to plain values and back;
// the behaviour is in translate.ts. The provider does not accept secrets, so the Pulumi CLI sends
// plain values and marks the outputs itself.
import { createRequire } from "node:module";
import * as grpc from "@grpc/grpc-js";
import type { Body } from "../arm/resource.ts";
import { type Connection, type Credentials, makeArmClient } from "./arm-client.ts";
import { type NativeResource, nativeResourceOf } from "./resources.ts";
import {
  check,
  compare,
  create,
  foreseeCreate,
  foreseeUpdate,
  HalfWritten,
  invoke,
  type Naming,
  read,
  remove,
  type Session,
  update,
} from "./translate.ts";

// The stubs are CommonJS without types for services.
const require = createRequire(import.meta.url);
const messages = require("@pulumi/pulumi/proto/provider_pb.js");
const { ResourceProviderService } = require("@pulumi/pulumi/proto/provider_grpc_pb.js");
const { PluginInfo } = require("@pulumi/pulumi/proto/plugin_pb.js");
const { Status } = require("@pulumi/pulumi/proto/status_pb.js");
const { Any } = require("google-protobuf/google/protobuf/any_pb.js");
const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js");
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js");

/** The version, which shows everywhere that this is not the real provider. */
const providerVersion = "3.28.0+ballast-emulator";

/** The cloud, and the credentials for a stack whose configuration names none. */
export interface ProviderOptions {
  readonly connection: Connection;
  readonly subscription: string;
  readonly credentials: Credentials;
  /** @default a free port */
  readonly port?: number;
}

/** A protobuf message. Its generated accessors have no types. */
// biome-ignore lint/suspicious/noExplicitAny: Pulumi's stubs have no types for these messages
type Message = { readonly [accessor: string]: any };
type Call = { readonly request: Message };

/** Serves the provider on a loopback port. */
export async function serveProvider(
  options: ProviderOptions,
): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  let session: Session | undefined;
  const methods: Methods = {
    ...providerMethods(options, (configured) => {
      session = configured;
    }),
    ...resourceMethods(() => {
      if (session === undefined) throw new Error("the emulator for azure-native was not configured");
      return session;
    }),
  };
  const unary = (name: string) => (call: Call, done: grpc.sendUnaryData<unknown>) => {
    const method = methods[name];
    if (method === undefined)
      return done({
        code: grpc.status.UNIMPLEMENTED,
        details: `the emulator for azure-native does not implement ${name}`,
      });
    Promise.resolve(call.request)
      .then(method)
      .then(
        (reply) => done(null, reply),
        (error: Error) => done(failure(error)),
      );
  };
  const server = new grpc.Server();
  server.addService(
    ResourceProviderService,
    Object.fromEntries(Object.keys(ResourceProviderService).map((name) => [name, unary(name)])),
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${options.port ?? 0}`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { port, close: async () => server.forceShutdown() };
}

/**
 * Gives an error as a gRPC status. A half-written resource needs details, which gRPC
 * for Node sends only through this header.
 */
function failure(error: Error): Partial<grpc.StatusObject> {
  const metadata = new grpc.Metadata();
  if (error instanceof HalfWritten) {
    const { id, outputs, inputs } = error.state;
    const detail = new Any();
    detail.pack(
      make("ErrorResourceInitFailed", {
        Id: id,
        Properties: struct(outputs),
        Inputs: struct(inputs),
        ReasonsList: [error.message],
      }).serializeBinary(),
      "pulumirpc.ErrorResourceInitFailed",
    );
    const status = new Status();
    status.setCode(grpc.status.UNKNOWN);
    status.setMessage(error.message);
    status.addDetails(detail);
    metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  }
  return { code: grpc.status.UNKNOWN, details: error.message, metadata };
}

const plain = (message: Message | undefined): Body => withoutNulls(message?.["toJavaScript"]() ?? {}) as Body;
const struct = (body: Body): unknown => Struct.fromJavaScript(withoutNulls(body));

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) =>
      each === null || each === undefined ? [] : [[name, withoutNulls(each)]],
    ),
  );
}

function make(message: string, fields: { readonly [setter: string]: unknown }): Message {
  const made = new messages[message]();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) made[`set${name}`](value);
  return made;
}

function resourceOf(urn: string): NativeResource {
  const token = urn.split("::")[2]!.split("$").at(-1)!;
  const resource = nativeResourceOf(token);
  if (resource === undefined) throw new Error(`the emulator for azure-native does not serve the resource ${token}`);
  return resource;
}

function configure(options: ProviderOptions, variables: { readonly [name: string]: string }): Session {
  const config = (name: string): string | undefined => variables[`azure-native:config:${name}`] || undefined;
  const subscription = config("subscriptionId") ?? options.subscription;
  if (subscription !== options.subscription) {
    throw new Error(
      `This is the emulator for azure-native (${providerVersion}). ` +
        `It serves only the subscription ${options.subscription} of an emulator cloud. ` +
        `The stack names the subscription ${subscription}; run it without PULUMI_DEBUG_PROVIDERS to reach Azure.`,
    );
  }
  const credentials = {
    tenantId: config("tenantId") ?? options.credentials.tenantId,
    clientId: config("clientId") ?? options.credentials.clientId,
    clientSecret: config("clientSecret") ?? options.credentials.clientSecret,
  };
  const location = config("location");
  return {
    arm: makeArmClient(options.connection, credentials),
    subscription,
    config: { ...credentials, ...(location === undefined ? {} : { location }) },
  };
}

const modes = ["propose", "enforce", "disable"] as const;

function namingOf(request: Message): Naming {
  const options = request.getAutonaming();
  const proposed = options
    ? { proposed: { name: options.getProposedName(), mode: modes[options.getMode() as 0 | 1 | 2] } }
    : {};
  return { name: request.getUrn().split("::").at(-1), randomSeed: request.getRandomseed_asU8(), ...proposed };
}

function diffReply(resource: NativeResource, olds: Body, news: Body): unknown {
  const compared = compare(resource, olds, news);
  const { Kind } = messages.PropertyDiff;
  const reply = make("DiffResponse", {
    Changes: messages.DiffResponse.DiffChanges[compared.differences.length > 0 ? "DIFF_SOME" : "DIFF_NONE"],
    DiffsList: [...new Set(compared.differences.map(({ path }) => path.split(/[.[]/)[0]))],
    ReplacesList: [
      ...new Set(compared.differences.filter(({ replace }) => replace).map(({ path }) => path.split(/[.[]/)[0])),
    ],
    Deletebeforereplace: compared.deleteBeforeReplace,
    Hasdetaileddiff: true,
  });
  for (const { path, kind, replace } of compared.differences) {
    reply
      .getDetaileddiffMap()
      .set(
        path,
        make("PropertyDiff", { Kind: Kind[`${kind.toUpperCase()}${replace ? "_REPLACE" : ""}`], Inputdiff: true }),
      );
  }
  return reply;
}

type Methods = { readonly [name: string]: (request: Message) => unknown };

/** The calls about the provider itself. */
function providerMethods(options: ProviderOptions, configured: (session: Session) => void): Methods {
  const nothing = (): unknown => new Empty();
  return {
    attach: nothing,
    cancel: nothing,
    handshake: () => make("ProviderHandshakeResponse", { SupportsAutonamingConfiguration: true }),
    getPluginInfo: () => {
      const about = new PluginInfo();
      about.setVersion(providerVersion);
      return about;
    },
    getSchema: () =>
      make("GetSchemaResponse", {
        Schema: JSON.stringify({
          name: "azure-native",
          version: providerVersion,
          description: "An emulator for azure-native that serves an emulator cloud.",
          resources: {},
        }),
      }),
    checkConfig: (request) => make("CheckResponse", { Inputs: request.getNews() }),
    diffConfig: () => make("DiffResponse", {}),
    configure: (request) => {
      configured(configure(options, Object.fromEntries(request.getVariablesMap().entries())));
      return make("ConfigureResponse", { Supportspreview: true, SupportsAutonamingConfiguration: true });
    },
  };
}

/** The calls about resources and their getters. */
function resourceMethods(session: () => Session): Methods {
  return {
    invoke: async (request) =>
      make("InvokeResponse", { Return: struct(await invoke(session(), request.getTok(), plain(request.getArgs()))) }),
    check: async (request) => {
      const { inputs, failures } = await check(
        session(),
        resourceOf(request.getUrn()),
        plain(request.getOlds()),
        plain(request.getNews()),
        namingOf(request),
      );
      return make("CheckResponse", {
        Inputs: struct(inputs),
        FailuresList: failures.map((reason) => make("CheckFailure", { Reason: reason })),
      });
    },
    diff: (request) => diffReply(resourceOf(request.getUrn()), plain(request.getOldInputs()), plain(request.getNews())),
    create: async (request) => {
      const resource = resourceOf(request.getUrn());
      const inputs = plain(request.getProperties());
      if (request.getPreview()) return make("CreateResponse", { Properties: struct(foreseeCreate(resource, inputs)) });
      const { id, outputs } = await create(session(), resource, inputs);
      return make("CreateResponse", { Id: id, Properties: struct(outputs) });
    },
    read: async (request) => {
      const found = await read(
        session(),
        resourceOf(request.getUrn()),
        request.getId(),
        plain(request.getInputs()),
        plain(request.getProperties()),
      );
      return found
        ? make("ReadResponse", { Id: found.id, Properties: struct(found.outputs), Inputs: struct(found.inputs) })
        : make("ReadResponse", { Id: "" });
    },
    update: async (request) => {
      const resource = resourceOf(request.getUrn());
      const inputs = plain(request.getNews());
      if (request.getPreview())
        return make("UpdateResponse", {
          Properties: struct(foreseeUpdate(resource, inputs, plain(request.getOlds()))),
        });
      const { outputs } = await update(session(), resource, request.getId(), inputs);
      return make("UpdateResponse", { Properties: struct(outputs) });
    },
    delete: async (request) => {
      await remove(session(), resourceOf(request.getUrn()), request.getId());
      return new Empty();
    },
  };
}
