// What the provider's frame must know of a resource and of a function. service.ts speaks Pulumi's protocol and looks
// them up by type token; main.ts lists them.
import type { Access } from "../client/requests.ts";
import type { BallastError } from "../errors/catalogue.ts";

/** Properties as the Pulumi CLI sends them, of any shape. */
export type Properties = Readonly<Record<string, unknown>>;

/** The Pulumi CLI's placeholder for a value that is not known in a preview. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Reports whether a value, or anything in it, is not known in a preview. */
export const isUnknown = (value: unknown): boolean =>
  value === unknownValue || (typeof value === "object" && value !== null && Object.values(value).some(isUnknown));

/**
 * Reports whether a name is another one: to Azure and to GitHub, letter case makes none. A name that a preview does not
 * know yet is not another one either: the update compares again, with the value.
 */
export const isOther = (before: unknown, after: unknown): boolean =>
  after !== unknownValue && String(before).toLowerCase() !== String(after).toLowerCase();

/** One problem with one property, which the Pulumi CLI shows beside the resource. */
export interface Failure {
  readonly property: string;
  readonly reason: string;
}

/** What Pulumi must do with a resource, and because of which properties. */
export type Change =
  | { readonly kind: "none" }
  | { readonly kind: "update" | "replace"; readonly because: readonly string[] };

/** What every resource uses: the output of `pulumi up`, and a signal that cancels. */
export interface Voiced {
  readonly report: (line: string) => void;
  readonly warn: (line: string) => void;
  readonly cancel: AbortSignal;
}

/** What a resource of the control plane uses beside that. */
export interface Around extends Voiced {
  readonly access: Access;
}

/** What a resource uses in a preview. It has no access as long as it does not know where the control plane is. */
export interface Planning extends Voiced {
  readonly access?: Access;
}

/** Outputs after a create or an update. With a failure, Pulumi keeps them all the same. */
export interface Settled<Outputs = Properties> {
  readonly outputs: Outputs;
  readonly failure?: BallastError;
}

/** A resource of the provider. */
export interface ResourceType {
  readonly token: string;
  /**
   * Whether its inputs have the control plane's `endpoint` and `audience`. Others know from the environment where what
   * they change is, and have no use for the access in what surrounds them.
   */
  readonly hasControlPlane: boolean;
  /** The types of the Pulumi schema that it uses, by token. */
  readonly types: Properties;
  readonly schema: Properties;
  /** Fills in defaults, and lists what is wrong. A placeholder fits anywhere. */
  readonly check: (given: Properties) => { readonly inputs: Properties; readonly failures: readonly Failure[] };
  /** May look at what there is, so that a preview shows an edit of others as well. */
  readonly diff: (
    oldInputs: Properties,
    oldOutputs: Properties,
    news: Properties,
    around: Voiced,
  ) => Change | Promise<Change>;
  /** Refuses a change of inputs that would harm what the resource belongs to; the URN names its parents' types. */
  readonly refuses?: (urn: string, oldInputs: Properties, news: Properties) => BallastError | undefined;
  /** Lists what a user should know about a change of inputs that needs no update; each is logged as a warning. */
  readonly cautions: (oldInputs: Properties, oldOutputs: Properties, news: Properties) => readonly string[];
  readonly idOf: (inputs: Properties) => string;
  /** Describes what an update would do, in one line, as far as a preview knows it. It throws what would be refused. */
  readonly planned: (inputs: Properties, around: Planning, oldOutputs?: Properties) => string | Promise<string>;
  /** The names of the outputs that only an update makes known. */
  readonly unknownOutputs: readonly string[];
  /** Creates, or updates what has these old outputs. */
  readonly settle: (inputs: Properties, around: Around, oldOutputs?: Properties) => Promise<Settled>;
  /** Reads the present outputs. It never fails: without a usable answer it gives the old ones. */
  readonly read: (inputs: Properties, outputs: Properties, around: Around) => Promise<Properties>;
  /** Whether a delete must reach the control plane, or may give up soon. */
  readonly isInFlight: (outputs: Properties) => boolean;
  readonly remove: (inputs: Properties, outputs: Properties, around: Around) => Promise<void>;
}

/** A function of the provider. */
export interface FunctionType {
  readonly token: string;
  readonly schema: Properties;
  readonly check: (args: Properties) => readonly Failure[];
  readonly invoke: (args: Properties, access: Access) => Promise<Properties>;
}
