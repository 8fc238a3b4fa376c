// How a program reaches a PostgreSQL database: the control plane its own, the jobs of a migration the app's. The
// components spell the fields out in their arguments, each with its own words.
import * as pulumi from "@pulumi/pulumi";

/** A database, and how to sign in to it. Without a login, tokens of an identity do. */
export interface DatabaseAccess {
  readonly host: pulumi.Input<string>;
  readonly name: pulumi.Input<string>;
  readonly port?: number;
  readonly tls?: "require" | "disable";
  readonly login?: { readonly user: string; readonly password: pulumi.Input<string> } | undefined;
}

/** Returns the access as the state of a component keeps it. */
export const accessInState = ({ login, ...database }: DatabaseAccess): object => ({
  ...database,
  ...(login && { login: { ...login, password: pulumi.secret(login.password) } }),
});
