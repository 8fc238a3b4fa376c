// Pulumi's provider protocol, over gRPC directly: the server in Pulumi's SDK hides configuration, previews and old
// inputs. It converts messages to plain values and back, and knows no package: what a provider serves and does is
// behind `ProviderBehaviour`. Providers here do not accept secrets, so that the Pulumi CLI sends plain values and
// marks the outputs itself.
import { createRequire } from "node:module";
import * as grpc from "@grpc/grpc-js";
import type { Body } from "../arm/resource.ts";
import {
  type Checked,
  type Compared,
  HalfWritten,
  type Naming,
  type ProviderBehaviour,
  type State,
} from "./provider-behaviour.ts";

// The stubs are CommonJS without types for services.
const require = createRequire(import.meta.url);
const messages = require("@pulumi/pulumi/proto/provider_pb.js");
const { ResourceProviderService } = require("@pulumi/pulumi/proto/provider_grpc_pb.js");
const { PluginInfo } = require("@pulumi/pulumi/proto/plugin_pb.js");
const { Status } = require("@pulumi/pulumi/proto/status_pb.js");
const { Any } = require("google-protobuf/google/protobuf/any_pb.js");
const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js");
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js");

/** A protobuf message. Its generated accessors have no types. */
// biome-ignore lint/suspicious/noExplicitAny: Pulumi's stubs have no types for these messages
type Message = { readonly [accessor: string]: any };
type Call = { readonly request: Message };

/** Serves a provider on a loopback port, by default a free one. */
export async function serveProvider(
  provider: ProviderBehaviour,
  wantedPort = 0,
): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const methods: Methods = { ...providerMethods(provider), ...resourceMethods(provider) };
  const unary = (name: string) => (call: Call, done: grpc.sendUnaryData<unknown>) => {
    const method = methods[name];
    if (method === undefined)
      return done({
        code: grpc.status.UNIMPLEMENTED,
        details: `the emulator for ${provider.name} does not implement ${name}`,
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
    server.bindAsync(`127.0.0.1:${wantedPort}`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
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

const modes = ["propose", "enforce", "disable"] as const;

function namingOf(request: Message): Naming {
  const options = request.getAutonaming();
  const proposed = options
    ? { proposed: { name: options.getProposedName(), mode: modes[options.getMode() as 0 | 1 | 2] } }
    : {};
  return { name: request.getUrn().split("::").at(-1), randomSeed: request.getRandomseed_asU8(), ...proposed };
}

function diffReply(compared: Compared): unknown {
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

/** Gives the token in a URN. */
const tokenOf = (request: Message): string => request.getUrn().split("::")[2]!.split("$").at(-1)!;

/** The calls about the provider itself. */
function providerMethods({ name, version, description, configure }: ProviderBehaviour): Methods {
  const nothing = (): unknown => new Empty();
  return {
    attach: nothing,
    cancel: nothing,
    handshake: () => make("ProviderHandshakeResponse", { SupportsAutonamingConfiguration: true }),
    getPluginInfo: () => {
      const about = new PluginInfo();
      about.setVersion(version);
      return about;
    },
    getSchema: () =>
      make("GetSchemaResponse", { Schema: JSON.stringify({ name, version, description, resources: {} }) }),
    checkConfig: (request) => make("CheckResponse", { Inputs: request.getNews() }),
    diffConfig: () => make("DiffResponse", {}),
    configure: (request) => {
      const prefix = `${name}:config:`;
      const variables: readonly (readonly [string, string])[] = [...request.getVariablesMap().entries()];
      configure(
        Object.fromEntries(
          variables.flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])),
        ),
      );
      return make("ConfigureResponse", { Supportspreview: true, SupportsAutonamingConfiguration: true });
    },
  };
}

const checkReply = ({ inputs, failures }: Checked): unknown =>
  make("CheckResponse", {
    Inputs: struct(inputs),
    FailuresList: failures.map((reason) => make("CheckFailure", { Reason: reason })),
  });

/** The calls about resources and their getters. */
function resourceMethods(provider: ProviderBehaviour): Methods {
  return {
    invoke: async (request) =>
      make("InvokeResponse", { Return: struct(await provider.invoke(request.getTok(), plain(request.getArgs()))) }),
    check: async (request) =>
      checkReply(
        await provider.check(tokenOf(request), plain(request.getOlds()), plain(request.getNews()), namingOf(request)),
      ),
    diff: (request) =>
      diffReply(provider.diff(tokenOf(request), plain(request.getOldInputs()), plain(request.getNews()))),
    create: async (request) => {
      const [token, inputs] = [tokenOf(request), plain(request.getProperties())];
      if (request.getPreview())
        return make("CreateResponse", { Properties: struct(provider.foreseeCreate(token, inputs)) });
      const { id, outputs }: State = await provider.create(token, inputs);
      return make("CreateResponse", { Id: id, Properties: struct(outputs) });
    },
    read: async (request) => {
      const [inputs, outputs] = [plain(request.getInputs()), plain(request.getProperties())];
      const found = await provider.read(tokenOf(request), request.getId(), inputs, outputs);
      return found
        ? make("ReadResponse", { Id: found.id, Properties: struct(found.outputs), Inputs: struct(found.inputs) })
        : make("ReadResponse", { Id: "" });
    },
    update: async (request) => {
      const [token, inputs] = [tokenOf(request), plain(request.getNews())];
      if (request.getPreview())
        return make("UpdateResponse", {
          Properties: struct(provider.foreseeUpdate(token, inputs, plain(request.getOlds()))),
        });
      const { outputs } = await provider.update(token, request.getId(), inputs, plain(request.getOlds()));
      return make("UpdateResponse", { Properties: struct(outputs) });
    },
    delete: async (request) => {
      await provider.remove(tokenOf(request), request.getId());
      return new Empty();
    },
  };
}
