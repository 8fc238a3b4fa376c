// Checks the declared credentials: as the control plane sees them, whether each could be rotated, is replaced in time,
// and has its apps on the published slot; in Azure, whether the apps have the slots, and the identity its rights.
import { type CredentialCalls, credentialCalls, type DeclaredCredential } from "../../client/credentials.ts";
import { storageKeyActions, vaultSecretActions } from "../../components/platform/control-plane-rights.ts";
import { sameName } from "../../engines/rollout/weights.ts";
import { isRotatedBy, slotDrifts, troublesOf } from "../../engines/rotation/condition.ts";
import { type Credential, secretKey } from "../../engines/rotation/declaration.ts";
import { dayMilliseconds } from "../../engines/time.ts";
import { utcOf } from "../../engines/utc.ts";
import { many } from "../../engines/wording.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { doctorCredentialsUnwell } from "../../errors/doctor.ts";
import { messageOf } from "./azure-answer.ts";
import { boundPlane } from "./bound-plane.ts";
import type { Context } from "./context.ts";
import { type Check, type CheckResult, failed, ok, unknown } from "./finding.ts";
import { dutiesFulfilled } from "./identity-checks.ts";
import { idIn } from "./stack.ts";

const patienceSeconds = 15;
/** A secret that expires later than this may yet be replaced by a person in time. */
const soonDays = 30;
const appsVersion = "2025-07-01";
const vaultType = "Microsoft.KeyVault/vaults";
const vaultsVersion = "2024-11-01";
/** How many credentials are asked for at once. */
const atOnce = 4;

async function credentials({ stack }: Context): Promise<CheckResult> {
  const plane = boundPlane(stack, patienceSeconds);
  if (plane === undefined) return unknown("there is no control plane that may be asked for them");
  const calls = credentialCalls(plane);
  const declared = await shownBy(calls).catch((error: unknown) => {
    // What is wrong with the control plane itself is the finding of another check.
    if (error instanceof BallastError) return error;
    throw error;
  });
  if (declared instanceof BallastError) return unknown(`they cannot be read: ${declared.message}`);
  if (declared.length === 0) return ok("none is declared");
  const unwell = declared.flatMap((one) =>
    troublesOf(one, Date.now()).map((trouble) => `${one.vault}/${one.credential}: ${trouble}`),
  );
  if (unwell.length > 0) return failed(doctorCredentialsUnwell({ unwell }));
  return ok(`${declared.length} declared, each published and in time`);
}

/** The declared credentials; or why nothing can be said of them. What is wrong with the plane is another finding. */
async function declaredIn({ stack }: Context): Promise<readonly Credential[] | CheckResult> {
  const plane = boundPlane(stack, patienceSeconds);
  if (plane === undefined) return unknown("there is no control plane that may be asked for them");
  try {
    const declared = await credentialCalls(plane).list();
    return declared.length === 0 ? ok("no credential is declared") : declared;
  } catch (error) {
    if (error instanceof BallastError) return unknown(`they cannot be read: ${error.message}`);
    throw error;
  }
}

/** Makes a check of the declared credentials. */
const ofDeclared =
  (check: (declared: readonly Credential[], context: Context) => Promise<CheckResult>): Check<Context>["run"] =>
  async (context) => {
    const declared = await declaredIn(context);
    return "state" in declared ? declared : check(declared, context);
  };

/** What is read of an app. */
interface LiveConsumer {
  readonly properties: {
    readonly configuration?: {
      readonly secrets?: readonly { readonly name: string; readonly keyVaultUrl?: string }[] | null;
    } | null;
    readonly template?: {
      readonly containers?: readonly { readonly env?: readonly { readonly secretRef?: string }[] | null }[] | null;
    } | null;
  };
}

/** Compares the apps in Azure with the slots of their credentials. */
async function consumers(declared: readonly Credential[], { stack, ask }: Context): Promise<CheckResult> {
  const asked = declared.flatMap((credential) => credential.consumers.map((consumer) => ({ credential, consumer })));
  const found = await Promise.all(
    asked.map(async ({ credential, consumer: { resourceGroup, app } }) => {
      const group = `/subscriptions/${stack.subscription}/resourceGroups/${resourceGroup}`;
      const answer = await ask("GET", idIn(group, "Microsoft.App/containerApps", app), appsVersion);
      if (answer.status === 404) return [`${app}, which logs in with ${credential.credential}, does not exist`];
      if (answer.status !== 200) return unknown(messageOf(answer));
      const { configuration, template } = (answer.body as LiveConsumer).properties;
      const urls = new Map((configuration?.secrets ?? []).map(({ name, keyVaultUrl }) => [name, keyVaultUrl ?? null]));
      const named = (template?.containers ?? []).flatMap(({ env }) =>
        (env ?? []).flatMap(({ secretRef }) => secretRef ?? []),
      );
      return slotDrifts(credential, { urls, named }).map(
        (drift) => `${app}, which logs in with ${credential.credential}, drifted: ${drift}`,
      );
    }),
  );
  const unwell = found.flatMap((one) => ("state" in one ? [] : one));
  if (unwell.length > 0) return failed(doctorCredentialsUnwell({ unwell }));
  return found.find((one) => "state" in one) ?? ok(`${many(asked.length, "app")} with the slots that a rotation moves`);
}

/** Checks what the control plane's identity may do in the vaults and at the storage accounts. */
async function rights(declared: readonly Credential[], context: Context): Promise<CheckResult> {
  const { stack } = context;
  const { plane } = stack.identities;
  if (plane === undefined) return unknown("the stack has no ControlPlane");
  const vaults = await vaultsOf(declared, context);
  if ("state" in vaults) return vaults;
  const accounts = declared.flatMap(({ storage }) => (storage === undefined ? [] : [storage]));
  const found = await dutiesFulfilled(context, plane, [
    ...vaults.seen.map(({ id }) => ({ at: id, actions: [], dataActions: vaultSecretActions })),
    ...accounts.map(({ resourceGroup, account }) => {
      const group = `/subscriptions/${stack.subscription}/resourceGroups/${resourceGroup}`;
      return { at: idIn(group, "Microsoft.Storage/storageAccounts", account), actions: storageKeyActions };
    }),
  ]);
  return found.state === "failed" ? found : (vaults.unseen ?? found);
}

/** Looks for secrets beside the declared ones that expire soon: nothing here replaces them. */
async function expiries(declared: readonly Credential[], context: Context): Promise<CheckResult> {
  const vaults = await vaultsOf(declared, context);
  if ("state" in vaults) return vaults;
  const soon = (Date.now() + soonDays * dayMilliseconds) / 1000;
  const found = await Promise.all(
    vaults.seen.map(async ({ id, name: vault }) => {
      const answer = await context.ask("GET", `${id}/secrets`, vaultsVersion);
      if (answer.status !== 200) return unknown(messageOf(answer));
      return (answer.body.value as readonly ListedSecret[])
        .filter(({ properties: { attributes } }) => attributes?.enabled !== false && (attributes?.exp ?? soon) < soon)
        .filter(({ name: secret }) => !declared.some((credential) => isRotatedBy(credential, { vault, secret })))
        .map(({ name, properties }) => {
          const day = utcOf(properties.attributes!.exp! * 1000).slice(0, 10);
          return `${vault}/${name} expires on ${day}, and no declared credential rotates it`;
        });
    }),
  );
  const unwell = found.flatMap((one) => ("state" in one ? [] : one));
  if (unwell.length > 0) return failed(doctorCredentialsUnwell({ unwell }));
  return found.find((one) => "state" in one) ?? vaults.unseen ?? ok("every other secret is valid for a while");
}

/** A secret as Resource Manager lists it, without its value. */
interface ListedSecret {
  readonly name: string;
  readonly properties: { readonly attributes?: { readonly enabled?: boolean; readonly exp?: number } };
}

/** Finds the vaults of declared credentials in the subscription. */
async function vaultsOf(
  declared: readonly Credential[],
  { stack, ask }: Context,
): Promise<{ readonly seen: readonly { id: string; name: string }[]; readonly unseen?: CheckResult } | CheckResult> {
  const listed = await ask("GET", `/subscriptions/${stack.subscription}/providers/${vaultType}`, vaultsVersion);
  if (listed.status !== 200) return unknown(messageOf(listed));
  const known = listed.body.value as readonly { readonly id: string; readonly name: string }[];
  const wanted = [...new Set(declared.map(({ vault }) => vault.toLowerCase()))];
  const unseen = wanted.filter((vault) => !known.some(({ name }) => sameName(name, vault)));
  return {
    seen: known.filter(({ name }) => wanted.includes(name.toLowerCase())),
    ...(unseen.length > 0 && {
      unseen: unknown(`you have no access to the vault ${unseen.join(", ")} in this subscription`),
    }),
  };
}

/** Gives every declared credential as it stands, a few at a time: each makes the control plane ask vault and server. */
async function shownBy({ list, show }: CredentialCalls): Promise<readonly DeclaredCredential[]> {
  const left = [...(await list())];
  const shown: DeclaredCredential[] = [];
  const work = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const one = await show(name);
      if (one !== undefined) shown.push(one);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return shown.toSorted((one, other) => secretKey(one).localeCompare(secretKey(other)));
}

/** The checks of declared credentials. */
export const credentialChecks: readonly Check<Context>[] = [
  { name: "credentials", run: credentials },
  { name: "credential apps", run: ofDeclared(consumers) },
  { name: "credential rights", run: ofDeclared(rights) },
  { name: "vault expiries", run: ofDeclared(expiries) },
];
