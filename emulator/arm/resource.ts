// The shapes that the emulator's parts share: a stored resource, what a resource type may do, a request and its reply.
// Resource Manager (resource-manager.ts) drives resource types through these shapes, so that a resource type needs
// neither HTTP nor tokens nor the schemas of api-versions.

import type { QuirkChoice } from "../controls/quirks.ts";
import type { PolicyName } from "../delivery/policies.ts";
import type { RowsFile } from "../persistence/lines-file.ts";
import type { FieldClasses } from "./field-classes.ts";
import type { ListOptions } from "./list-options.ts";

/** A body on the wire: any JSON object. Azure's schemas check it when it arrives, not TypeScript. */
// biome-ignore lint/suspicious/noExplicitAny: a body has any shape until a schema has checked it
export type Body = { [key: string]: any };

/** One stored resource, keyed by its lower-cased ARM id. */
export interface Resource {
  readonly id: string;
  readonly type: string;
  /** The body as stored: name, id, type, location, tags, properties, identity, systemData… */
  body: Body;
  /** The fields that a client set and that have no effect here. */
  inert?: readonly string[];
}

/** All resources of the emulator. Ids are compared without regard to case. */
export interface Store {
  readonly get: (id: string) => Resource | undefined;
  readonly put: (resource: Resource) => void;
  readonly remove: (id: string) => void;
  /** Gives every resource in the order of creation; with a prefix, those whose id lies below it. */
  readonly list: (below?: string) => readonly Resource[];
}

/** A refusal in Azure's words. Anything else that a resource type throws is answered as 500 InternalServerError. */
export class ArmError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: { readonly [name: string]: string };
  /** The whole answer, where a resource provider does not use Resource Manager's envelope. */
  body?: Body;

  constructor(status: number, code: string, message: string, headers: { readonly [name: string]: string } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** What a fault makes of an accepted operation: it fails with this error, or it succeeds and changes nothing. */
export type Twist = ArmError | "forgotten";

/**
 * Gives any thrown value as a refusal. A value that is no ArmError is a bug of the emulator; its message becomes a 500.
 */
export const toArmError = (error: unknown): ArmError =>
  error instanceof ArmError
    ? error
    : new ArmError(500, "InternalServerError", String((error as Error)?.message ?? error));

/** One request to Resource Manager. */
export interface ArmRequest {
  readonly method: string;
  /** Scheme and host as the client wrote them; every URL in an answer starts with it. */
  readonly origin: string;
  /** Decoded path without doubled slashes, in the client's casing. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly apiVersion: string;
  readonly body: Body | undefined;
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  /** What an injected fault makes of the operation that the request starts. */
  readonly twist?: Twist;
}

/** An answer. Without `body` only the status and the headers are sent. */
export interface ArmReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: { readonly [name: string]: string };
}

/** One resource type: which versions are served, and what it does beyond being stored. */
export interface ResourceType {
  /** As Azure spells it: `Microsoft.App/containerApps`. */
  readonly type: string;
  /**
   * Served versions; any other is answered with 400 and this list. The schema is `azure-specs/<area>/<version>.json`.
   */
  readonly apiVersions: readonly string[];
  /** What the emulator does with each field of a body. */
  readonly fields?: FieldClasses;
  /** Gives what a stored body asks for without effect although its field has one in other bodies. */
  readonly inertValues?: (body: Body) => readonly { readonly field: string; readonly why: string }[];
  /** True when the specification has conditional writes: `If-None-Match: *`, and ETags, which are refused by name. */
  readonly conditional?: true;
  /** True when the type has no PATCH. */
  readonly noPatch?: true;
  /**
   * True when the type extends other resources, and stands at any scope. Any other type stands in a resource group, or
   * below its parent.
   */
  readonly isExtension?: true;
  /**
   * What a PATCH may change: names, or `properties.<name>`. Azure ignores anything else in the body, so that it is
   * refused by name here.
   *
   * @default everything
   */
  readonly patches?: readonly string[];
  /**
   * How PUT answers: `sync` with the final body; `async-operation` with state InProgress and an azure-async-operation
   * URL, and then PATCH and DELETE answer 202 with a Location.
   *
   * @default "sync"
   */
  readonly put?: "sync" | "async-operation";
  /**
   * The status of a PUT that creates. Microsoft's clients take no other than the specification's.
   *
   * @default 201
   */
  readonly created?: 200;
  /** Gives the refusal of a body that names something absent, for example an unknown managedEnvironmentId. */
  readonly parentMustExist?: (body: Body, store: Store) => ArmError | undefined;
  /** Refuses a body as it was sent, before it is compared with the schema. @throws ArmError */
  readonly checkSent?: (body: Body) => void;
  /**
   * Carries out a PUT or PATCH.
   *
   * An ArmError thrown at once (synchronously, or by an async function before it first waits for I/O) refuses the
   * request, and nothing is stored. After that `wanted` is stored with `provisioningState` InProgress, and the promise
   * is the long-running operation: resolved means Succeeded, rejected means Failed with the ArmError's code and
   * message. `wanted` may be changed in place until the promise settles.
   */
  readonly onPut?: (context: PutContext) => Promise<void>;
  /** Refuses the deletion of the resource alone; that of its group is not asked. @throws ArmError */
  readonly checkDelete?: (resource: Resource, cloud: Cloud) => void;
  /** Takes down what a resource runs. The resource is removed from the store when this resolves. */
  readonly onDelete?: (resource: Resource, cloud: Cloud) => Promise<void>;
  /**
   * Gives the body that GET answers: with read-only, default and live fields, without write-only ones.
   *
   * @default the stored body
   */
  readonly present?: (resource: Resource, cloud: Cloud) => Body;
  /** What a list of the type honours beyond `$top`, and what is in it beside the stored resources. */
  readonly listed?: ListOptions & { readonly others: () => readonly Body[] };
  /**
   * Gives what exists below a parent although nobody has written it, such as the parameters of a server. It can be
   * changed, and not deleted.
   */
  readonly unwritten?: (parent: Resource) => readonly Body[];
  /** Refuses a name for which there is no such resource, or none with this method. @throws ArmError */
  readonly refuseName?: (parent: Resource | undefined, name: string, method: string) => void;
  /** Actions by lower-cased name: POST `<id>/<name>`. */
  readonly actions?: {
    readonly [name: string]: (resource: Resource, cloud: Cloud, request: ArmRequest) => Promise<ArmReply>;
  };
  /**
   * Answers routes below the id that are no stored resources (`/revisions`, `/revisions/{n}/replicas`, …). Undefined
   * becomes 404. `rest` are the segments after the id in the client's casing.
   */
  readonly children?: (
    resource: Resource,
    rest: readonly string[],
    request: ArmRequest,
    cloud: Cloud,
  ) => Promise<ArmReply | undefined>;
  /**
   * Gives the right that a request below the id needs, such as `stop/execution/action`, where Azure does not name it
   * after the path.
   *
   * @default the names in the path
   */
  readonly actionBelow?: (rest: readonly string[], method: string) => string | undefined;
  /** Reports whether something that is no stored resource exists below the id, so that it may be extended. */
  readonly hasChild?: (resource: Resource, rest: readonly string[], cloud: Cloud) => boolean;
}

/** One PUT or PATCH as `onPut` gets it. */
export interface PutContext {
  /** The id with the client's casing. */
  readonly id: string;
  /** The whole body to be stored; a PATCH is already merged into the previous body. */
  readonly wanted: Body;
  readonly previous: Resource | undefined;
  /** True for a PATCH. */
  readonly merge: boolean;
  /** The body as it was sent; absent when a write is repeated after a kill. */
  readonly sent?: Body;
  readonly cloud: Cloud;
}

/** What the emulator's parts share. */
export interface Cloud {
  readonly store: Store;
  /**
   * Milliseconds since 1970: real unless a test has set the clock. `at` gives what it showed at a real time; a clock
   * without it is real.
   */
  readonly clock: { now(): number; at?(realTime: number): number };
  /** `ballast.localhost`: every host name of the emulator ends in it. */
  readonly suffix: string;
  readonly port: number;
  readonly options: EmulatorOptions;
  /** Reports that a document was made, changed or removed; absent when the cloud is not kept. */
  readonly changed?: (word: string, id: string) => void;
  /** Writes what was reported; absent when the cloud is not kept. */
  readonly keep?: () => void;
  /** Stores request rows across restarts; absent when the cloud is not kept. */
  readonly rowsFile?: RowsFile<unknown>;
  /** The same for the rows of other tables. */
  readonly platformRowsFile?: RowsFile<unknown>;
  /**
   * Gives the variables with which a replica's process reaches this cloud and, if its app has an identity, gets tokens.
   * True allows every identity; a list allows only those with these ids.
   */
  replicaEnvironment(identity: boolean | readonly string[]): Record<string, string>;
  /** Gives a token by which one of Azure's services that deliver shows an application that it is that service. */
  serviceToken?(service: PolicyName, application: string): Promise<string>;
  log(line: string): void;
}

/** Gives the body of a stored resource as GET answers it. */
export const presented = (resourceType: ResourceType, stored: Resource, cloud: Cloud): Body =>
  resourceType.present?.(stored, cloud) ?? stored.body;

/** What an emulator cloud is started with. */
export interface EmulatorOptions {
  /** By the last path segment of an image's repository: `storefront` -> its folder and entry file. */
  readonly images: { readonly [imageNameWithoutTag: string]: { readonly folder: string; readonly entry: string } };
  /** The superuser of the real server behind flexible servers. */
  readonly postgres?: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
  };
  /** Holds the CA file and, with `keep`, the cloud's state. The caller removes it. */
  readonly folder: string;
  /**
   * Gets every answer of Resource Manager that violates Azure's schemas. For tests, which then fail
   * even if they do not look at that answer.
   */
  readonly onSchemaViolation?: (problem: string) => void;
  /**
   * Keeps everything in the folder, secrets included, so that the same cloud can start there again however it ended.
   *
   * @default false
   */
  readonly keep?: boolean;
  readonly port?: number;
  /** Quirks that are switched off or take another form. */
  readonly quirks?: QuirkChoice;
}
