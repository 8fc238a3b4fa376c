// The azure-native provider of the emulator: its configuration, and for each token the behaviour in translate.ts with
// the facts of resources.ts. It is stateless: its knowledge comes with the call or from Resource Manager.
import { type Connection, type Credentials, makeArmClient } from "./arm-client.ts";
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

/** The cloud, and the credentials for a stack whose configuration names none. */
export interface AzureNativeOptions {
  readonly connection: Connection;
  readonly subscription: string;
  readonly credentials: Credentials;
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
  const credentials = {
    tenantId: config("tenantId") ?? options.credentials.tenantId,
    clientId: config("clientId") ?? options.credentials.clientId,
    clientSecret: config("clientSecret") ?? options.credentials.clientSecret,
  };
  const location = config("location");
  return {
    arm: makeArmClient(options.connection, credentials),
    subscription,
    config: { ...credentials, ...(location === undefined ? {} : { location }) },
  };
}
