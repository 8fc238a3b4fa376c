// The engine's protocol in our terms: protobuf structs as plain values, our errors as gRPC errors, lines as engine logs.
// Secrets do not pass here: we tell the engine that we do not take them, and it unwraps them before and marks them after.
import { credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engineProto from "@pulumi/pulumi/proto/engine_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import statusProto from "@pulumi/pulumi/proto/status_pb.js";
import anyProto from "google-protobuf/google/protobuf/any_pb.js";
import structProto, { type JavaScriptValue, type Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { BallastError } from "../errors/catalogue.ts";
import type { Properties } from "./release-inputs.ts";

/** Gives the properties in a struct; none where there is no struct. */
export const fromStruct = (struct: Struct | undefined): Properties => struct?.toJavaScript() ?? {};

/** Gives a struct without the properties that are undefined, which protobuf cannot say. */
export const toStruct = (properties: Properties): Struct =>
  structProto.Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as Record<string, JavaScriptValue>);

/** Gives what gRPC wants of an error: packed ones as they are, ours in full, anything else by its message. */
export function refused(error: unknown): Partial<ServiceError> {
  if (error instanceof Error && "metadata" in error) return error as ServiceError;
  return {
    code: status.UNKNOWN,
    message: error instanceof BallastError ? error.toString() : error instanceof Error ? error.message : String(error),
  };
}

/**
 * Gives the error that fails a resource and keeps its state all the same.
 *
 * The engine stores these outputs beside the inputs of the last success (of an update; a create has none), and shows the
 * reason. Without them the state would be that of the release before, and a revert to it would look like no change at all.
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

/** A voice in `pulumi up`. Lines arrive in the order in which they were told. */
export interface Voice {
  readonly tell: (urn: string, line: string) => void;
  readonly warn: (urn: string, line: string) => void;
  /** Resolves when the engine has every line; to be awaited before an answer, so that none comes after it. */
  readonly told: () => Promise<void>;
}

/** Gives the voice at an engine's address. An engine that is gone hears nothing, which is no error. */
export function voiceAt(address: string): Voice {
  const engine = new engineService.EngineClient(address, credentials.createInsecure());
  let told = Promise.resolve();
  const log =
    (severity: 1 | 2) =>
    (urn: string, line: string): void => {
      const request = new engineProto.LogRequest();
      request.setSeverity(severity).setUrn(urn).setMessage(line);
      told = told.then(() => new Promise((resolve) => engine.log(request, () => resolve())));
    };
  return { tell: log(engineProto.LogSeverity.INFO), warn: log(engineProto.LogSeverity.WARNING), told: () => told };
}
