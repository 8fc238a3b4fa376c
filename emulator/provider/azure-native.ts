// The azure-native provider of the emulator: its configuration, and for each token the behaviour in translate.ts with
// the facts of resources.ts. It is stateless: its knowledge comes with the call or from Resource Manager.
import { type Connection, makeArmClient } from "./arm-client.ts";
import { credentialsOf } from "./credentials.ts";
import type { ProviderBehaviour } from "./provider-behaviour.ts";
import { azureNativeVersion } from "./replacements.ts";
import { type NativeResource, nativeResourceOf } from "./resources.ts";
import {
  check,
  compare,
  create,
  foreseeCreate,
  foreseeUpdate,
  invoke,
  read,
  remove,
  type Session,
  update,
} from "./translate.ts";

/** The version, which shows everywhere that this is not the real provider. */
const version = `${azureNativeVersion}+ballast-emulator`;

/** The cloud, and where a stack whose configuration names no credentials finds them. */
export interface AzureNativeOptions {
  readonly connection: Connection;
  readonly subscription: string;
  /** The variables of azure-native (`ARM_*`). */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Makes the provider. It answers no call about a resource before it is configured. */
export function azureNative(options: AzureNativeOptions): ProviderBehaviour {
  let session: Session | undefined;
  const configured = (): Session => {
    if (session === undefined) throw new Error("the emulator for azure-native was not configured");
    return session;
  };
  return {
    name: "azure-native",
    version,
    description: "An emulator for azure-native that serves an emulator cloud.",
    configure: (variables) => {
      session = sessionOf(options, variables);
    },
    check: (token, olds, news, naming) => check(configured(), resourceOf(token), olds, news, naming),
    diff: (token, olds, news) => compare(resourceOf(token), olds, news),
    foreseeCreate: (token, inputs) => foreseeCreate(resourceOf(token), inputs),
    foreseeUpdate: (token, inputs, outputs) => foreseeUpdate(resourceOf(token), inputs, outputs),
    create: (token, inputs) => create(configured(), resourceOf(token), inputs),
    update: (token, id, inputs) => update(configured(), resourceOf(token), id, inputs),
    read: (token, id, inputs, outputs) => read(configured(), resourceOf(token), id, inputs, outputs),
    remove: (token, id) => remove(configured(), resourceOf(token), id),
    invoke: (token, args) => invoke(configured(), token, args),
  };
}

function resourceOf(token: string): NativeResource {
  const resource = nativeResourceOf(token);
  if (resource === undefined) throw new Error(`the emulator for azure-native does not serve the resource ${token}`);
  return resource;
}

function sessionOf(options: AzureNativeOptions, variables: { readonly [name: string]: string }): Session {
  const config = (name: string): string | undefined => variables[name] || undefined;
  const subscription = config("subscriptionId") ?? options.subscription;
  if (subscription !== options.subscription) {
    throw new Error(
      `This is the emulator for azure-native (${version}). ` +
        `It serves only the subscription ${options.subscription} of an emulator cloud. ` +
        `The stack names the subscription ${subscription}; run it without PULUMI_DEBUG_PROVIDERS to reach Azure.`,
    );
  }
  const credentials = credentialsOf(variables, options.environment);
  const { tenantId, clientId } = credentials;
  const location = config("location");
  return {
    arm: makeArmClient(options.connection, credentials),
    subscription,
    config: { tenantId, clientId, ...(location === undefined ? {} : { location }) },
  };
}
