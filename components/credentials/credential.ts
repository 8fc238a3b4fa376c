// A declared credential as a Pulumi resource. This is only the class: Ballast's provider, a process of its own,
// declares it to the control plane. No value is ever among its inputs or outputs.
import * as pulumi from "@pulumi/pulumi";
import type { CredentialBody } from "../../engines/rotation/declaration.ts";

/** What a declaration takes, and how to reach the control plane. */
export interface CredentialArgs extends pulumi.Inputs {
  /** The control plane's address. */
  readonly endpoint: pulumi.Input<string>;
  /** The audience of the tokens that the control plane accepts. */
  readonly audience: string;
  readonly vault: pulumi.Input<string>;
  readonly credential: string;
  /** What else is declared; fields with a default may be left out. */
  readonly roles: CredentialBody["roles"];
}

/**
 * One declared credential. Its creation gives both slots a version and publishes one; it never rotates. Deleting it
 * removes the declaration, and no secret or role.
 */
export class Credential extends pulumi.CustomResource {
  /** The URL of the version that each slot had when the resource was last written. */
  declare readonly urls: pulumi.Output<{ readonly a: string; readonly b: string }>;

  constructor(name: string, args: CredentialArgs, opts?: pulumi.CustomResourceOptions) {
    super("ballast:index:Credential", name, { ...args, urls: undefined }, opts);
  }
}
