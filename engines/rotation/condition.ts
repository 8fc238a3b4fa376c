// A declared credential as it stands → what is wrong with it while no rotation runs: rights that a rotation would lack,
// a version that nobody replaces, and slots that others have moved.
import { dayMilliseconds, type Instant } from "../time.ts";
import { many } from "../wording.ts";
import { type Credential, type CredentialName, type Slot, slotSecret, slots, userSecret } from "./declaration.ts";
import type { DeclaredCredential } from "./declared.ts";
import { dueAt } from "./due.ts";
import { opensFrom } from "./opening.ts";
import { slotServed } from "./wording.ts";

/** How soon a rotation must begin once it may: it waits for an hour's look, and perhaps for others. */
const lateMilliseconds = dayMilliseconds;

/** Lists what is wrong with a credential; nothing if a rotation could begin whenever it is due. */
export function troublesOf(declared: DeclaredCredential, now: Instant): readonly string[] {
  const { published, missing, unread } = declared;
  if (unread !== null) return [`it cannot be read (${unread})`];
  if (published === null) return ["no version of it is published"];
  return [
    ...expiryTrouble(declared, published.expiresAt, now),
    ...(missing.length === 0 ? [] : [`the rights of its roles differ: one lacks ${missing.join(", ")}`]),
    ...declared.consumers
      .filter(({ slot }) => slot !== published.slot)
      .map(({ app, slot }) => `${slotServed(app, slot)}, but slot ${published.slot} is published`),
  ];
}

/** Says that a version was not replaced within a day of the first moment that its window and freezes allow. */
function expiryTrouble(declared: DeclaredCredential, expiresAt: Instant | null, now: Instant): readonly string[] {
  if (expiresAt === null) return ["its version has no expiry, so it is never replaced"];
  const due = dueAt(declared.declaration, expiresAt);
  const lateSince = opensFrom(declared.declaration, due) + lateMilliseconds;
  if (now < lateSince) return expiresAt <= now ? ["its version has expired"] : [];
  const days = Math.floor((expiresAt - now) / dayMilliseconds);
  const left = expiresAt <= now ? "has expired" : `expires in ${many(days, "day")}`;
  return [`its version ${left}, and no rotation has replaced it`];
}

/** What a consumer says of its secrets: where each one is, or null for a value, and which ones its containers name. */
export interface ConsumerSecrets {
  readonly urls: ReadonlyMap<string, string | null>;
  readonly named: readonly string[];
}

/** What of a declaration says which secrets an app must have. */
type Slotted = CredentialName & Pick<Credential, "form">;

/** Lists how an app differs from the two slots of a credential that it is declared to log in with. */
export function slotDrifts(credential: Slotted, { urls, named }: ConsumerSecrets): readonly string[] {
  const names = slots.map((slot) => slotSecret(credential.credential, slot));
  if (!names.some((name) => urls.has(name))) return [`it has neither ${names.join(" nor ")} among its secrets`];
  const elsewhere = slots
    .flatMap((slot) => secretsOfSlot(credential, slot))
    .filter((name) => urls.has(name))
    .flatMap((name) => {
      const url = urls.get(name) ?? null;
      if (url === null) return [`its secret ${name} is a value of its own`];
      return isOf(credential.vault, name, url) ? [] : [`its secret ${name} is a reference to another secret`];
    });
  const namesSlot = (slot: Slot): boolean => secretsOfSlot(credential, slot).some((name) => named.includes(name));
  const both = slots.every(namesSlot) ? ["its containers name both slots at once"] : [];
  return [...elsewhere, ...slots.flatMap((slot) => halves(credential, slot, { urls, named })), ...both];
}

/** Lists the secrets of a slot: with the role in a secret of its own, a cut-over moves two. */
const secretsOfSlot = ({ credential, form }: Slotted, slot: Slot): readonly string[] => {
  const password = slotSecret(credential, slot);
  return form === "apart" ? [password, userSecret(password)] : [password];
};

/** Says that an app has one of a slot's two secrets, or names one. A role fits no other password than its own. */
function halves(credential: Slotted, slot: Slot, { urls, named }: ConsumerSecrets): readonly string[] {
  const [password, user] = secretsOfSlot(credential, slot) as [string, string | undefined];
  if (user === undefined) return [];
  const apart = (what: string, has: (name: string) => boolean): readonly string[] => {
    if (has(password) === has(user)) return [];
    const [there, absent] = has(password) ? [password, user] : [user, password];
    return [`${what} ${there} without ${absent}`];
  };
  const held = apart("it has", (name) => urls.has(name));
  return held.length > 0 ? held : apart("its containers name", (name) => named.includes(name));
}

/** Whether a secret of a vault is one that rotations of a credential write, or its role's name. */
export const isRotatedBy = (
  credential: CredentialName,
  { vault, secret }: { readonly vault: string; readonly secret: string },
): boolean =>
  credential.vault.toLowerCase() === vault.toLowerCase() &&
  [
    credential.credential,
    ...slots.map((slot) => slotSecret(credential.credential, slot)).flatMap((name) => [name, userSecret(name)]),
  ].some((name) => name.toLowerCase() === secret.toLowerCase());

/** What a program says of the rights that a rotation needs. Undefined stands for what is not its own to say. */
export interface Grants {
  /** Whether an identity may write the secrets of the vault. */
  readonly isVaultWritten: boolean | undefined;
  /** Whether an identity may make the keys of the storage account anew. */
  readonly areKeysMade: boolean | undefined;
  /** The job that prepares the roles: which pairs, and who may change them. */
  readonly prepared:
    | {
        readonly job: string;
        readonly pairs: readonly Credential["roles"][];
        readonly rotator: string | undefined;
      }
    | undefined;
}

/** What of a declaration says which rights its rotation needs; the rotator is undefined while it is unknown. */
export interface Righted extends CredentialName, Pick<Credential, "roles" | "storage"> {
  readonly rotator: string | undefined;
}

/** Lists the rights that a rotation needs and that a program, by what it says itself, gives to nobody. */
export function rightsLacking(
  credential: Righted,
  { isVaultWritten, areKeysMade, prepared }: Grants,
): readonly string[] {
  const { vault, roles, storage, rotator } = credential;
  return [
    ...(isVaultWritten === false ? [`no identity may write secrets in the vault ${vault}`] : []),
    ...(areKeysMade === false ? [`no identity may make the keys of the storage account ${storage?.account} anew`] : []),
    ...(prepared === undefined ? [] : rolesLacking({ roles, rotator }, prepared)),
  ];
}

function rolesLacking(
  { roles: { a, b }, rotator }: Pick<Righted, "roles" | "rotator">,
  { job, pairs, rotator: grantee }: NonNullable<Grants["prepared"]>,
): readonly string[] {
  if (!pairs.some((pair) => pair.a === a && pair.b === b)) return [`the job ${job} does not prepare ${a} and ${b}`];
  return rotator === undefined || grantee === undefined || rotator === grantee
    ? []
    : [`the job ${job} lets ${grantee} change the roles, and the credential is rotated as ${rotator}`];
}

/** Whether a URL is that of a secret in a vault, with a version or without. Azure ignores case in both names. */
function isOf(vault: string, secret: string, url: string): boolean {
  const [, host, name] = /^https:\/\/([^./]+)\.[^/]+\/secrets\/([^/]+)(?:\/[^/]*)?$/.exec(url.toLowerCase()) ?? [];
  return host === vault.toLowerCase() && name === secret.toLowerCase();
}
