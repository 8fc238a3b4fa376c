// Translates the Pulumi CLI's protocol: protobuf structs to plain values, our errors to gRPC errors, lines to the
// Pulumi CLI's log. Secrets arrive as plain values: we do not announce support for them, so the Pulumi CLI unwraps and
// marks them itself.
import { credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engineProto from "@pulumi/pulumi/proto/engine_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import statusProto from "@pulumi/pulumi/proto/status_pb.js";
import anyProto from "google-protobuf/google/protobuf/any_pb.js";
import structProto, { type JavaScriptValue, type Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { BallastError } from "../errors/catalogue.ts";
import type { Properties } from "./resource-type.ts";

/** Gives the properties in a struct; none if there is no struct. */
export const fromStruct = (struct: Struct | undefined): Properties => struct?.toJavaScript() ?? {};

/** Gives a struct without undefined properties, which protobuf cannot represent. */
export const toStruct = (properties: Properties): Struct =>
  structProto.Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as Record<string, JavaScriptValue>);

/** Gives an error for gRPC: packed ones as they are, ours in full, others by their message. */
export function refused(error: unknown): Partial<ServiceError> {
  if (error instanceof Error && "metadata" in error) return error as ServiceError;
  if (error instanceof BallastError) return { code: status.UNKNOWN, message: error.toString() };
  return { code: status.UNKNOWN, message: error instanceof Error ? error.message : String(error) };
}

/**
 * Gives the error that fails a resource and nevertheless stores its outputs.
 *
 * The Pulumi CLI stores these outputs beside the inputs of the last success (a create has none) and shows the reason.
 * Without them the state would be that of the previous release, and a revert to it would look like no change.
 */
export function failedButKept(id: string, inputs: Properties, outputs: Properties, reason: BallastError): Error {
  const detail = new providerProto.ErrorResourceInitFailed();
  detail.setId(id).setInputs(toStruct(inputs)).setProperties(toStruct(outputs)).setReasonsList([reason.toString()]);
  const packed = new anyProto.Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const whole = new statusProto.Status();
  whole.setCode(status.UNKNOWN).setMessage(reason.message).addDetails(packed);
  const metadata = new Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(whole.serializeBinary()));
  return Object.assign(new Error(reason.message), { code: status.UNKNOWN, metadata });
}

/** The output of `pulumi up`. Lines arrive in the order in which they were sent. */
export interface Voice {
  readonly report: (urn: string, line: string) => void;
  readonly warn: (urn: string, line: string) => void;
  /** Resolves when the Pulumi CLI has every line. Await it before an answer, so that no line arrives after it. */
  readonly flushed: () => Promise<void>;
}

/** Opens the output at a Pulumi CLI's address. If the Pulumi CLI is gone, lines are dropped without an error. */
export function voiceAt(address: string): Voice {
  const pulumiCli = new engineService.EngineClient(address, credentials.createInsecure());
  let flushed = Promise.resolve();
  const log =
    (severity: 1 | 2) =>
    (urn: string, line: string): void => {
      const request = new engineProto.LogRequest();
      request.setSeverity(severity).setUrn(urn).setMessage(line);
      flushed = flushed.then(() => new Promise((resolve) => pulumiCli.log(request, () => resolve())));
    };
  return {
    report: log(engineProto.LogSeverity.INFO),
    warn: log(engineProto.LogSeverity.WARNING),
    flushed: () => flushed,
  };
}
