// The shapes on which the stand-in's parts agree: a stored resource, what a kind of resource may do, a request and its reply.
// Resource Manager (resource-manager.ts) drives kinds through these; a kind never sees HTTP, tokens or api-versions' schemas.
// Nothing here knows a single kind of Azure.

import type { TruthChoice } from "../controls/quirks.ts";
import type { RowsFile } from "../persistence/lines-file.ts";

/** A body on the wire: any JSON object, validated against Azure's schemas at the door rather than by TypeScript. */
export type Body = { [key: string]: any };

/** One stored resource, keyed by its lower-cased ARM id; `body` is the wire body as GET answers it (name, id, type, location, tags, properties, identity, systemData…). */
export interface Resource {
  readonly id: string;
  readonly type: string;
  body: Body;
}

/** All resources of the stand-in, found by id without regard to case. */
export interface Store {
  readonly get: (id: string) => Resource | undefined;
  readonly put: (resource: Resource) => void;
  readonly remove: (id: string) => void;
  /** Gives every resource in the order of creation; with a prefix, those whose id lies below it. */
  readonly list: (below?: string) => readonly Resource[];
}

/** A refusal in Azure's words. Whatever else a kind throws is answered as 500 InternalServerError. */
export class ArmError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: { readonly [name: string]: string };

  constructor(status: number, code: string, message: string, headers: { readonly [name: string]: string } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** What becomes of an operation that is accepted and not carried out: it fails with this error, or succeeds in doing nothing. */
export type Twist = ArmError | "forgotten";

/** Gives what was thrown as a refusal. What is no ArmError is a mistake of ours, said by its message alone. */
export const toArmError = (error: unknown): ArmError =>
  error instanceof ArmError
    ? error
    : new ArmError(500, "InternalServerError", String((error as Error)?.message ?? error));

/** One request to Resource Manager, after its token and its api-version were accepted. */
export interface ArmRequest {
  readonly method: string;
  /** Scheme and host as the client said them; every URL of an answer starts with it. */
  readonly origin: string;
  /** Decoded path, with `//subscriptions` set right, casing as the client sent it. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly apiVersion: string;
  readonly body: Body | undefined;
  readonly ifMatch?: string;
  /** What a fault on order makes of the operation that the request starts. */
  readonly twist?: Twist;
}

/** An answer; without a body nothing is sent but the status and headers. */
export interface ArmReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: { readonly [name: string]: string };
}

/** What a kind may do beyond being stored. */
export interface ResourceKind {
  /** As Azure spells it: `Microsoft.App/containerApps`. */
  readonly type: string;
  /** Versions that are served; any other is 400 and names these. The schema is `azure-specs/<area>/<version>.json`. */
  readonly apiVersions: readonly string[];
  /** How PUT answers: with the final body, or with 201/200, state InProgress and an azure-async-operation URL. PATCH and DELETE of the latter answer 202 with a Location. */
  readonly put?: "sync" | "async-operation";
  /** Refuses where something that the body names is absent, e.g. an unknown managedEnvironmentId. */
  readonly parentMustExist?: (body: Body, store: Store) => ArmError | undefined;
  /**
   * Makes real what a PUT or PATCH asks for.
   *
   * An ArmError thrown at once (synchronously, or by an async function before it first waits for I/O) refuses the request and nothing is stored.
   * After that the body `wanted` is stored with `provisioningState` InProgress, and the promise is the long-running operation:
   * resolved is Succeeded, rejected is Failed with the ArmError's code and message. `wanted` may be changed in place until it resolves.
   */
  readonly onPut?: (context: PutContext) => Promise<void>;
  /** Takes down what stands behind a resource; it is removed from the store when this resolves. */
  readonly onDelete?: (resource: Resource, cloud: Cloud) => Promise<void>;
  /** Gives the body that GET answers: with read-only, default and live fields, without what is write-only. */
  readonly present?: (resource: Resource, cloud: Cloud) => Body;
  /** Actions by lower-cased name: POST `<id>/<name>`. */
  readonly actions?: {
    readonly [name: string]: (resource: Resource, cloud: Cloud, request: ArmRequest) => Promise<ArmReply>;
  };
  /** Answers routes below the id that are not stored resources (`/revisions`, `/revisions/{n}/replicas`, …); undefined is 404. `rest` are the segments after the id, casing kept. */
  readonly children?: (
    resource: Resource,
    rest: readonly string[],
    request: ArmRequest,
    cloud: Cloud,
  ) => Promise<ArmReply | undefined>;
}

/** What a kind is told of one PUT or PATCH. */
export interface PutContext {
  /** The id with the client's casing. */
  readonly id: string;
  /** The whole body to be stored; after a PATCH, already merged deeply into the previous one. */
  readonly wanted: Body;
  readonly previous: Resource | undefined;
  /** Whether it was a PATCH. */
  readonly merge: boolean;
  readonly cloud: Cloud;
}

/** What parts of the stand-in share. */
export interface Cloud {
  readonly store: Store;
  /** Milliseconds since 1970: real unless a test has set the clock. */
  readonly clock: { now(): number };
  /** `ballast.localhost`, in which every host name of the stand-in ends. */
  readonly suffix: string;
  readonly port: number;
  readonly options: LocalCloudOptions;
  /** Where request rows are kept over the cloud's death; absent where nothing is. */
  readonly rowsFile?: RowsFile<unknown>;
  /** Gives what a replica's process needs to reach this cloud and, where its app has an identity, to get tokens: for any identity, or for those with these ids only. */
  replicaEnvironment(identity: boolean | readonly string[]): Record<string, string>;
  log(line: string): void;
}

/** What a stand-in cloud is started with. */
export interface LocalCloudOptions {
  /** By the last path segment of an image's repository: `storefront` -> its folder and entry file. */
  readonly images: { readonly [imageNameWithoutTag: string]: { readonly folder: string; readonly entry: string } };
  /** The superuser of the real server that stands for flexible servers. */
  readonly postgres?: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
  };
  /** For the CA file and, where it is wanted, all that is kept; removed by whoever made it. */
  readonly folder: string;
  /** Is told of every answer of Resource Manager that is not Azure's by its schemas; for tests, which fail by it even where they do not look at that answer. */
  readonly untrueAnswer?: (problem: string) => void;
  /** Keeps everything in the folder, secrets included, so that the same cloud comes up there again however it ended. @default false */
  readonly keep?: boolean;
  readonly port?: number;
  /** Truths of the platform that are switched off, or take another form. */
  readonly truths?: TruthChoice;
}
