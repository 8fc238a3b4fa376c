// The provider as the Pulumi CLI runs it: a process, started by its launcher and called over gRPC. The other end stands
// in for the Pulumi CLI and keeps the lines that the provider logs.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { credentials, Server, ServerCredentials, type ServiceError } from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type engineProto from "@pulumi/pulumi/proto/engine_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import statusProto from "@pulumi/pulumi/proto/status_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import structProto from "google-protobuf/google/protobuf/struct_pb.js";

type Plain = Record<string, any>;
type Client = InstanceType<typeof providerService.ResourceProviderClient>;

export interface ProviderProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** The lines that the provider logged, in order; warnings begin with `warning: `. */
  readonly logged: string[];
  /** Calls a method that takes one request. */
  readonly call: <Request, Response>(name: keyof Client, request: Request) => Promise<Response>;
}

const launcher = join(import.meta.dirname, "..", "..", "..", "provider", "pulumi-resource-ballast");

/** Starts the provider. Disposing of it stops both ends. */
export async function startProvider(environment: NodeJS.ProcessEnv): Promise<ProviderProcess> {
  const logged: string[] = [];
  const pulumiCli = new Server();
  pulumiCli.addService(engineService.EngineService, {
    log: ({ request }: { request: engineProto.LogRequest }, answer: (error: null, response: unknown) => void) => {
      logged.push(`${request.getSeverity() === 2 ? "warning: " : ""}${request.getMessage()}`);
      answer(null, new emptyProto.Empty());
    },
  });
  const pulumiPort = await new Promise<number>((resolve, reject) =>
    pulumiCli.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const child = spawn(launcher, [`127.0.0.1:${pulumiPort}`], {
    env: { ...process.env, ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [port] = (await once(child.stdout!, "data")) as [Buffer];
  const client = new providerService.ResourceProviderClient(
    `127.0.0.1:${Number(String(port))}`,
    credentials.createInsecure(),
  );
  const call = <Request, Response>(name: keyof Client, request: Request): Promise<Response> =>
    new Promise((resolve, reject) => {
      type Method = (request: Request, done: (error: ServiceError | null, response: Response) => void) => void;
      const method = client[name] as unknown as Method;
      method.call(client, request, (error, response) => (error ? reject(error) : resolve(response)));
    });
  return {
    child,
    logged,
    call,
    [Symbol.asyncDispose]: async () => {
      client.close();
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      pulumiCli.forceShutdown();
    },
  };
}

export const struct = (values: Plain) => structProto.Struct.fromJavaScript(values);
export const urn = "urn:pulumi:dev::releases::ballast:index:Release::storefront";

/** Creates a release as the Pulumi CLI would, and returns its outputs. */
export async function create(provider: ProviderProcess, inputs: Plain, preview = false): Promise<Plain> {
  const request = new providerProto.CreateRequest()
    .setUrn(urn)
    .setPreview(preview)
    .setProperties(struct(await checked(provider, inputs)));
  const response = await provider.call<unknown, providerProto.CreateResponse>("create", request);
  return response.getProperties()!.toJavaScript();
}

/** Returns the inputs as Check returns them; throws if Check reports failures. */
export async function checked(provider: ProviderProcess, inputs: Plain, olds: Plain = {}): Promise<Plain> {
  const response = await provider.call<unknown, providerProto.CheckResponse>(
    "check",
    new providerProto.CheckRequest().setUrn(urn).setOlds(struct(olds)).setNews(struct(inputs)),
  );
  const failures = response.getFailuresList().map((failure) => failure.getReason());
  if (failures.length) throw new Error(failures.join(" "));
  return response.getInputs()!.toJavaScript();
}

/** Returns the state and the reason that a failed create or update asks the Pulumi CLI to keep. */
export function kept(error: unknown): { readonly outputs: Plain; readonly reason: string } {
  const [bytes] = (error as ServiceError).metadata.get("grpc-status-details-bin");
  const [detail] = statusProto.Status.deserializeBinary(bytes as Buffer).getDetailsList();
  const failed = providerProto.ErrorResourceInitFailed.deserializeBinary(detail!.getValue_asU8());
  return { outputs: failed.getProperties()!.toJavaScript(), reason: failed.getReasonsList().join("\n") };
}
