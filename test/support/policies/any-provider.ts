// A provider for previews of programs in YAML: it has the resource types that a program uses, with inputs of any form,
// and keeps nothing. Pulumi's YAML host asks a provider for its schema, and the real one of Azure cannot be installed
// from the package registry. It is no emulator: it says yes to everything, so no test may rest on what it accepts.
import { Server, ServerCredentials, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import { parse } from "yaml";

const version = "3.28.0";

export interface AnyProvider {
  /** What PULUMI_DEBUG_PROVIDERS must be. */
  readonly attach: string;
  readonly close: () => void;
}

/** Gives the schema of the types that a program in YAML uses. */
function schemaOf(program: string): string {
  const { resources } = parse(program) as {
    resources: Record<string, { type: string; properties?: Record<string, unknown> }>;
  };
  const types = new Map<string, Set<string>>();
  for (const { type, properties = {} } of Object.values(resources))
    types.set(type, new Set([...(types.get(type) ?? []), ...Object.keys(properties)]));
  const any = { $ref: "pulumi.json#/Any" };
  return JSON.stringify({
    name: "azure-native",
    version,
    resources: Object.fromEntries(
      [...types].map(([type, names]) => {
        const inputs = Object.fromEntries([...names].map((name) => [name, any]));
        const outputs = { ...inputs, name: { type: "string" }, configuration: any, defaultDomain: { type: "string" } };
        return [type, { inputProperties: inputs, properties: outputs }];
      }),
    ),
  });
}

/** Starts the provider for a program. */
export async function startAnyProvider(program: string): Promise<AnyProvider> {
  const schema = schemaOf(program);
  const answers: Record<string, (request: any) => object> = {
    handshake: () => new providerProto.ProviderHandshakeResponse().setAcceptSecrets(true),
    attach: () => new emptyProto.Empty(),
    getPluginInfo: () => new pluginProto.PluginInfo().setVersion(version),
    getSchema: () => new providerProto.GetSchemaResponse().setSchema(schema),
    checkConfig: (request) => new providerProto.CheckResponse().setInputs(request.getNews()),
    diffConfig: () => new providerProto.DiffResponse(),
    configure: () => new providerProto.ConfigureResponse().setSupportspreview(true).setAcceptsecrets(true),
    check: (request) => new providerProto.CheckResponse().setInputs(request.getNews()),
    create: (request) => {
      const response = new providerProto.CreateResponse().setProperties(request.getProperties());
      return request.getPreview() ? response : response.setId(request.getUrn());
    },
    delete: () => new emptyProto.Empty(),
    cancel: () => new emptyProto.Empty(),
  };
  const methods: UntypedServiceImplementation = Object.fromEntries(
    Object.keys(providerService.ResourceProviderService).map((name) => [
      name,
      (call: any, done: any) => {
        const answer = answers[name];
        if (answer) done(null, answer(call.request));
        else done({ code: status.UNIMPLEMENTED, details: name });
      },
    ]),
  );
  const server = new Server();
  server.addService(providerService.ResourceProviderService, methods);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { attach: `azure-native:${port}`, close: () => server.forceShutdown() };
}
