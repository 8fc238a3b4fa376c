// The rotated credentials of an app: each becomes two secrets by reference, the identity that reads them, and a
// variable that names the first. Which of the two is in use is the rotation's to say afterwards.
import type { ContainerAppArgs } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";
import { slotSecret, userSecret } from "../../engines/rotation/declaration.ts";
import { canaryAppCredentialUnfit } from "../../errors/credentials.ts";
import { refusal } from "../conventions.ts";
import type { CredentialReference } from "../credentials/rotated-slots.ts";
import type { CredentialSlot } from "./credential-slots.ts";
import { mapInput } from "./known-parts.ts";

/** The credentials of an app, by the variable that gets the value. */
export type AppCredentials = Readonly<Record<string, CredentialReference>>;

type Fields = Readonly<Record<string, pulumi.Input<unknown>>>;
type Given = ContainerAppArgs & { readonly credentialSlots?: readonly CredentialSlot[] };

/** Adds what credentials need to the arguments of an app. */
export function withCredentials<Args extends Given>(app: string, args: Args, credentials: AppCredentials): Args {
  const references = [...new Map(Object.values(credentials).map((each) => [each.slots[0], each])).values()];
  if (references.length === 0) return args;
  const variables = Object.entries(credentials).map(([name, { slots }]) => ({ name, secretRef: slots[0] }));
  return {
    ...args,
    identity: mapInput(args.identity as pulumi.Input<Fields | undefined>, (given) => identityOf(given, references)),
    configuration: mapInput(args.configuration as pulumi.Input<Fields | undefined>, (given) => ({
      ...given,
      secrets: mapInput(given?.["secrets"], (secrets) => [...listOf(secrets), ...references.flatMap(secretsOf)]),
    })),
    template: mapInput(args.template as pulumi.Input<Fields | undefined>, (given) => ({
      ...given,
      containers: mapInput(given?.["containers"], (containers) => firstWith(app, listOf(containers), variables)),
    })),
    credentialSlots: [...(args.credentialSlots ?? []), ...references.map(({ slots }) => slots)],
  };
}

const listOf = (value: unknown): readonly pulumi.Input<unknown>[] => (Array.isArray(value) ? value : []);

const secretsOf = ({ slots, urls, identity }: CredentialReference): readonly Fields[] => {
  const found = pulumi.output(urls);
  return [
    { name: slots[0], keyVaultUrl: found.a, identity },
    { name: slots[1], keyVaultUrl: found.b, identity },
  ];
};

/** Adds the identities that read the vault. An app may have identities of its own already. */
function identityOf(given: Fields | undefined, references: readonly CredentialReference[]): Fields {
  const type = mapInput(given?.["type"], (found) =>
    String(found ?? "").includes("SystemAssigned") ? "SystemAssigned,UserAssigned" : "UserAssigned",
  );
  // A credential with its role apart is referred to twice, by one identity.
  const own = [...new Map(references.map(({ credential, identity }) => [credential, identity])).values()];
  const userAssignedIdentities = mapInput(given?.["userAssignedIdentities"], (found) => [
    ...(Array.isArray(found) ? found : Object.keys((found as object | undefined) ?? {})),
    ...own,
  ]);
  return { ...given, type, userAssignedIdentities };
}

/** Adds the variables to the first container: a sidecar gets no password. */
function firstWith(
  app: string,
  [first, ...more]: readonly pulumi.Input<unknown>[],
  variables: readonly { readonly name: string }[],
): readonly pulumi.Input<unknown>[] {
  const changed = mapInput(first as pulumi.Input<Fields | undefined>, (container) => ({
    ...container,
    env: mapInput(container?.["env"], (env) => {
      for (const { name } of variables)
        if (listOf(env).some((each) => (each as Fields | undefined)?.["name"] === name))
          throw unfit(app, [`the variable ${name} is set twice: in env and in credentials`]);
      return [...listOf(env), ...variables];
    }),
  }));
  return [changed, ...more];
}

/**
 * Refuses an app that a rotation could not cut over.
 *
 * @param given What is known of the app's arguments. A hole stands for what is not.
 * @throws canary-app-credential-unfit
 */
export function refuseUnfit(
  { app, resourceGroup }: { readonly app: unknown; readonly resourceGroup: unknown },
  credentials: AppCredentials,
  given: { readonly configuration?: unknown },
): void {
  const named = Object.values(credentials);
  if (named.length === 0) return;
  const isThis = (one: { readonly resourceGroup: string; readonly app: string }): boolean =>
    (typeof app !== "string" || one.app.toLowerCase() === app.toLowerCase()) &&
    (typeof resourceGroup !== "string" || one.resourceGroup.toLowerCase() === resourceGroup.toLowerCase());
  const undeclared = named.filter(({ consumers }) => !consumers.some(isThis));
  const complaints = [
    ...undeclared.map(({ credential }) => `it is not among the consumers of ${credential}`),
    ...named.flatMap(({ credential, form, slots: [first] }) => {
      const password = slotSecret(credential, "a");
      const [taken, missing, other] =
        first === password ? ["password", "role", userSecret(password)] : ["role", "password", password];
      return form !== "apart" || named.some(({ slots: [one] }) => one === other)
        ? []
        : [`it takes the ${taken} of ${credential} and not its ${missing}`];
    }),
    ...valuesIn(given.configuration as Fields | undefined),
  ];
  if (complaints.length > 0) throw unfit(String(app), complaints);
}

/** Names the secrets that an app holds by value. A rotation sends the whole list back, and may not read values. */
function valuesIn(configuration: Fields | undefined): readonly string[] {
  const fields = (name: string): readonly Fields[] =>
    listOf(configuration?.[name]).filter((each): each is Fields => typeof each === "object" && each !== null);
  const registries = fields("registries");
  return fields("secrets")
    .filter(({ value, keyVaultUrl }) => value !== undefined && !keyVaultUrl)
    .map(({ name }) => {
      const of = registries.find(({ passwordSecretRef }) => passwordSecretRef === name)?.["server"];
      return `it holds the secret ${name} by value${of === undefined ? "" : `, the password of the registry ${of}`}`;
    });
}

const unfit = (app: string, complaints: readonly string[]): unknown =>
  refusal(canaryAppCredentialUnfit({ app, complaints }));
