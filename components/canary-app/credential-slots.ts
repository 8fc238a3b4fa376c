// The slots of rotated credentials. A credential has two secrets, and the template names one of them; a rotation moves
// to the other. Which one is right is the rotation's to say, so an update names the slot that the live app names, and
// leaves each slot's place in Key Vault as it is.
import type * as pulumi from "@pulumi/pulumi";
import { mapInput } from "./known-parts.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The names of the two secrets of one credential. */
export type CredentialSlot = readonly [string, string];

/** What the live app has of the slots. */
export interface LiveSlots {
  /** For each secret of a slot, the one that the live template names; absent if it names none of the two, or both. */
  readonly named: Readonly<Record<string, string>>;
  /** For each secret of a slot, where it is in Key Vault. */
  readonly places: Readonly<Record<string, Fields>>;
}

const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? (value as readonly Fields[]) : []);

/** Lists every secret that a template names. */
function secretsNamed(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([field, each]) =>
    field === "secretRef" && typeof each === "string" ? [each] : secretsNamed(each),
  );
}

/** Reads the slots of a live app. */
export function liveSlots(
  slots: readonly CredentialSlot[],
  live: { readonly template?: unknown; readonly configuration?: unknown } | undefined,
): LiveSlots {
  const inUse = new Set(secretsNamed(live?.template));
  const named = slots.flatMap((slot) => {
    const [one, ...more] = slot.filter((secret) => inUse.has(secret));
    return one === undefined || more.length > 0 ? [] : slot.map((secret) => [secret, one] as const);
  });
  const all = new Set(slots.flat());
  const places = listOf((live?.configuration as Fields | undefined)?.["secrets"]).flatMap((secret) => {
    const { name, keyVaultUrl, identity } = secret;
    return all.has(String(name)) && keyVaultUrl ? [[String(name), { keyVaultUrl, identity }] as const] : [];
  });
  return { named: Object.fromEntries(named), places: Object.fromEntries(places) };
}

/** Gives the secret that is named in the place of another. */
export const slotOf = ({ named }: LiveSlots, secret: unknown): unknown => named[String(secret)] ?? secret;

/** Gives a secret as it is sent: where the live app has it. One that is given by value stays. */
export const placed = ({ places }: LiveSlots, secret: Fields): Fields =>
  secret["keyVaultUrl"] ? { ...secret, ...places[String(secret["name"])] } : secret;

/** Changes every name of a secret in a template, within outputs too. */
export function mapSecrets(value: pulumi.Input<unknown>, change: (secret: unknown) => unknown): pulumi.Input<unknown> {
  return mapInput(value, (given) => {
    if (Array.isArray(given)) return given.map((each) => mapSecrets(each, change));
    if (typeof given !== "object" || given === null || Object.getPrototypeOf(given) !== Object.prototype) return given;
    return Object.fromEntries(
      Object.entries(given).map(([field, each]) => [
        field,
        field === "secretRef" ? mapInput(each as pulumi.Input<unknown>, change) : mapSecrets(each, change),
      ]),
    );
  });
}
