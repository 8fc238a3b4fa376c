// What a Pulumi provider of the emulator does, apart from the protocol and from any package: the shapes that serve.ts
// (the protocol) and a provider such as azure-native.ts share.
import type { Body } from "../arm/resource.ts";
import type { Difference } from "./difference.ts";

/** One provider: its name and version, and what it does for each token of its package. */
export interface ProviderBehaviour {
  /** The package: `azure-native`. Its configuration has keys of this name. */
  readonly name: string;
  /** Shows everywhere that this is not the real provider. */
  readonly version: string;
  readonly description: string;
  /** Takes the stack's configuration of the package. @throws when the provider cannot serve it */
  readonly configure: (variables: { readonly [name: string]: string }) => void;
  readonly check: (token: string, olds: Body, news: Body, naming: Naming) => Promise<Checked>;
  readonly diff: (token: string, olds: Body, news: Body) => Compared;
  /** Gives the outputs of a creation, for a preview. */
  readonly foreseeCreate: (token: string, inputs: Body) => Body;
  /** Gives the outputs of an update, for a preview. */
  readonly foreseeUpdate: (token: string, inputs: Body, outputs: Body) => Body;
  /** @throws HalfWritten when the resource exists after a failure */
  readonly create: (token: string, inputs: Body) => Promise<State>;
  readonly update: (token: string, id: string, inputs: Body, outputs: Body) => Promise<State>;
  /** Gives undefined for a resource that does not exist. */
  readonly read: (
    token: string,
    id: string,
    inputs: Body,
    outputs: Body,
  ) => Promise<(State & { readonly inputs: Body }) | undefined>;
  readonly remove: (token: string, id: string) => Promise<void>;
  readonly invoke: (token: string, args: Body) => Promise<Body>;
}

/** How Check names a resource. */
export interface Naming {
  /** The last part of the URN. */
  readonly name: string;
  readonly randomSeed: Uint8Array;
  /** The Pulumi CLI's proposal, if the stack configures auto-naming. */
  readonly proposed?: { readonly name: string; readonly mode: "propose" | "enforce" | "disable" };
}

/** The result of Check. */
export interface Checked {
  readonly inputs: Body;
  /** One message for each failure. */
  readonly failures: readonly string[];
}

/** The result of Diff. */
export interface Compared {
  readonly differences: readonly (Difference & { readonly replace: boolean })[];
  readonly deleteBeforeReplace: boolean;
}

/** A resource as the Pulumi CLI stores it. */
export interface State {
  readonly id: string;
  readonly outputs: Body;
}

/**
 * A write that was accepted and then failed. The Pulumi CLI keeps its state and inputs, so that the
 * next update repairs or deletes the resource.
 */
export class HalfWritten extends Error {
  readonly state: State & { readonly inputs: Body };

  constructor(state: State & { readonly inputs: Body }, reason: string) {
    super(reason);
    this.state = state;
  }
}
