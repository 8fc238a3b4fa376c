// The provider's resources and functions as a Pulumi package schema, for `pulumi package` and for documentation.
import type { FunctionType, Properties, ResourceType } from "./resource-type.ts";

const byToken = (all: readonly { readonly token: string; readonly schema: Properties }[]): Properties =>
  Object.fromEntries(all.map(({ token, schema }) => [token, schema]));

/** Gives the schema as the protocol requires it: JSON in a string. */
export const schemaOf = (
  version: string,
  resources: readonly ResourceType[],
  functions: readonly FunctionType[],
): string =>
  JSON.stringify({
    name: "ballast",
    version,
    description: "Releases on Azure Container Apps that wait for the control plane's verdict.",
    types: Object.assign({}, ...resources.map(({ types }) => types)),
    resources: byToken(resources),
    functions: byToken(functions),
  });
