// The nodes that the reading of Pulumi adds to the graph: stacks with their configuration, the resources of a stack,
// and the services that stand behind resources. They come from a program in YAML, a state, a preview, or from the
// Pulumi CLI itself while a policy pack runs; rules do not see the difference.
import type { Evidence, Place } from "../../place.ts";
import type { Inputs, Value } from "./value.ts";

interface Base<Kind extends string> {
  readonly kind: Kind;
  readonly system: "pulumi";
  readonly id: string;
  readonly name: string;
  readonly evidence: Evidence;
}

/** How the resources of a stack are known. */
export type Origin = "program" | "settings" | "state" | "preview" | "wire";

/** One value of a stack's configuration, as its file has it. */
export interface Setting {
  readonly key: string;
  readonly place: Place;
  /** Whether the file holds it encrypted. */
  readonly isSecret: boolean;
  /** The texts in it, with their places; none if it is encrypted. JSON does not show them. */
  readonly texts: () => readonly { readonly text: string; readonly place: Place }[];
}

/** A stack, or a program whose stack is not known (`name` is then empty). */
export interface StackNode extends Base<"stack"> {
  readonly project: string;
  readonly file: string;
  readonly origin: Origin;
  readonly settings: readonly Setting[];
}

/** A resource of a stack. */
export interface ResourceNode extends Base<"resource"> {
  readonly stack: string;
  readonly urn: string;
  /** As Pulumi writes it, such as `azure-native:app/v20250701:ContainerApp`. */
  readonly token: string;
  /** Without provider and version, such as `app:ContainerApp`. */
  readonly type: string;
  /** Whether a provider manages it; a component and a stack are not. */
  readonly isCustom: boolean;
  /** The provider's id, once it exists. */
  readonly physicalId: string | undefined;
  readonly parent: string | undefined;
  /** URNs by the property that needs them; what comes from `dependsOn` is under the empty key. */
  readonly needs: Readonly<Record<string, readonly string[]>>;
  readonly ignoreChanges: readonly string[];
  readonly inputs: Inputs;
  /** Places of single properties, if the source has them. */
  readonly places: Readonly<Record<string, Place>>;
  /** How long the last operation on it took; undefined if no event log says so. */
  readonly seconds: number | undefined;
}

/** A service behind resources: an app or a job that runs code and calls others. */
export interface ServiceNode extends Base<"service"> {
  readonly resource: string;
  readonly stack: string;
}

export type PulumiNode = StackNode | ResourceNode | ServiceNode;

/** A resource as a source declares it, before it becomes a node. */
export interface Declared {
  readonly urn: string;
  readonly token: string;
  readonly isCustom: boolean;
  readonly physicalId?: string | undefined;
  readonly parent?: string | undefined;
  readonly dependencies: readonly string[];
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  readonly ignoreChanges: readonly string[];
  readonly inputs: Readonly<Record<string, Value>>;
  readonly evidence: Evidence;
  readonly places?: Readonly<Record<string, Place>>;
  readonly seconds?: number | undefined;
}

/** A stack as a source declares it. */
export interface DeclaredStack {
  readonly name: string;
  readonly project: string;
  readonly file: string;
  readonly origin: Origin;
  readonly evidence: Evidence;
  readonly settings?: readonly Setting[];
  readonly resources: readonly Declared[];
}
