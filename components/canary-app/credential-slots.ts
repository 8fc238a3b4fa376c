// The slots of rotated credentials. A credential has two secrets, and the template names one of them; a rotation moves
// to the other. Which one is right is the rotation's to say, so an update names the slot that the live app names, and
// leaves each slot's place in Key Vault as it is.
import type * as pulumi from "@pulumi/pulumi";
import { cutOverSuffix } from "../../engines/rotation/cut-over-names.ts";
import { userSecret } from "../../engines/rotation/declaration.ts";
import { asksForAll, hasAll } from "./app-scope.ts";
import { mapInput } from "./known-parts.ts";
import type { Moved } from "./moved-secret.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The names of the two secrets of one credential. */
export type CredentialSlot = readonly [string, string];

/** For each secret of a slot, the one that a template names; absent if it names none of the two, or both. */
type Named = Readonly<Record<string, string>>;

/** What the live app has of the slots. */
export interface LiveSlots {
  /** What the revision names that serves. */
  readonly named: Named;
  /** For each secret of a slot, where it is in Key Vault. */
  readonly places: Readonly<Record<string, Fields>>;
  /** The latest revision, if a rotation made it; what it names is not in use if the rotation was rolled back. */
  readonly cutOver?: { readonly suffix: string; readonly template: unknown; readonly named: Named };
  /** The rotation's revision of which it is not known what it moved, though what serves depends on it; and why. */
  readonly inDoubt?: { readonly revision: string; readonly reason: string };
}

/** The parts of a live app that say which slots are in use. */
interface SlottedApp {
  readonly latestRevisionName?: string;
  readonly template?: unknown;
  readonly configuration?: unknown;
}

const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? (value as readonly Fields[]) : []);

/** Lists every secret that a template names. */
function secretsNamed(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([field, each]) =>
    field === "secretRef" && typeof each === "string" ? [each] : secretsNamed(each),
  );
}

/** Which app it is, and the revision that has all its traffic; empty if several share it. */
interface Whose {
  readonly app: string;
  readonly serving: string;
}

/**
 * Gives the revision of a rotation whose name does not tell which of several credentials it moved, though what serves
 * depends on it; undefined if the names tell enough.
 */
export function revisionInDoubt(
  slots: readonly CredentialSlot[],
  { app, serving }: Whose,
  live: SlottedApp | undefined,
): string | undefined {
  const pairs = pairsIn(slots, live);
  if (servesLatest(serving, live) || credentialsOf(pairs) < 2) return undefined;
  const suffix = cutOverSuffix(app, live?.latestRevisionName);
  if (suffix !== undefined) return credentialsOf(inSlot(pairs, suffix)) > 1 ? live?.latestRevisionName : undefined;
  const other = cutOverSuffix(app, serving);
  return other !== undefined && inSlot(pairs, other).length < pairs.length ? serving : undefined;
}

/**
 * Reads the slots of a live app.
 *
 * @param moved The secret to which the revision in doubt has moved, or why it is not known.
 */
export function liveSlots(
  slots: readonly CredentialSlot[],
  { app, serving, moved = { reason: "" } }: Whose & { readonly moved?: Moved },
  live: SlottedApp | undefined,
): LiveSlots {
  const pairs = pairsIn(slots, live);
  const all = new Set(slots.flat());
  const places = listOf((live?.configuration as Fields | undefined)?.["secrets"]).flatMap((secret) => {
    const { name, keyVaultUrl, identity } = secret;
    return all.has(String(name)) && keyVaultUrl ? [[String(name), { keyVaultUrl, identity }] as const] : [];
  });
  const suffix = cutOverSuffix(app, live?.latestRevisionName);
  const named = namedIn(pairs);
  const to = "secret" in moved ? moved.secret : undefined;
  const revision = to === undefined ? revisionInDoubt(slots, { app, serving }, live) : undefined;
  const serve = suffix === undefined ? movedOn(pairs, cutOverSuffix(app, serving), to) : movedBack(pairs, suffix, to);
  return {
    named: servesLatest(serving, live) ? named : namedIn(serve),
    places: Object.fromEntries(places),
    ...(suffix !== undefined && { cutOver: { suffix, template: live?.template, named } }),
    ...(revision !== undefined && "reason" in moved && { inDoubt: { revision, reason: moved.reason } }),
  };
}

/** A pair of secrets, and the one that is named. */
interface Pair {
  readonly slot: CredentialSlot;
  readonly one: string;
}

/** Gives the pairs of which the latest revision names one secret. */
function pairsIn(slots: readonly CredentialSlot[], live: SlottedApp | undefined): readonly Pair[] {
  const inUse = new Set(secretsNamed(live?.template));
  return slots.flatMap((slot) => {
    const [one, ...more] = slot.filter((secret) => inUse.has(secret));
    return one === undefined || more.length > 0 ? [] : [{ slot, one }];
  });
}

/** Reports whether what the latest revision names is in use. If several share the traffic, it is one of them. */
const servesLatest = (serving: string, live: SlottedApp | undefined): boolean =>
  serving === "" || serving.toLowerCase() === live?.latestRevisionName?.toLowerCase();

/** Gives the letter of the slot that a rotation's revision names. */
const letterIn = (suffix: string): string => suffix.slice(0, suffix.indexOf("-"));

/** Reports whether a secret is one of a slot: its password, or its role where the two are apart. */
const isOf = (letter: string, secret: string): boolean =>
  secret.endsWith(`-${letter}`) || secret.endsWith(userSecret(`-${letter}`));

/** Gives the pairs that name the slot of a rotation's revision. */
const inSlot = (pairs: readonly Pair[], suffix: string): readonly Pair[] =>
  pairs.filter(({ one }) => isOf(letterIn(suffix), one));

/** Counts the credentials of which pairs are. A credential has a second pair where role and password are apart. */
const credentialsOf = (pairs: readonly Pair[]): number =>
  pairs.filter(({ slot: [first] }) => !pairs.some(({ slot: [other] }) => first === userSecret(other))).length;

/** Gives the pairs of the credential that a rotation moved: of the only one, or of the one that has a secret. */
const movedOf = (pairs: readonly Pair[], moved: string | undefined): readonly Pair[] =>
  credentialsOf(pairs) === 1
    ? pairs
    : pairs.filter(({ slot }) => moved !== undefined && (slot.includes(moved) || slot.includes(userSecret(moved))));

const namedIn = (pairs: readonly Pair[]): Named =>
  Object.fromEntries(pairs.flatMap(({ slot, one }) => slot.map((secret) => [secret, one] as const)));

/** Gives what serves beside a rotation's revision that does not: the other slot of the credential that it moved. */
function movedBack(pairs: readonly Pair[], suffix: string, moved: string | undefined): readonly Pair[] {
  const back = movedOf(inSlot(pairs, suffix), moved);
  return pairs.map((pair) =>
    back.includes(pair) ? { ...pair, one: pair.slot.find((secret) => secret !== pair.one) ?? pair.one } : pair,
  );
}

/**
 * Gives what serves beside a latest revision that was made during a cut-over and refused: the slot of the rotation's
 * revision that serves.
 */
function movedOn(pairs: readonly Pair[], serving: string | undefined, moved: string | undefined): readonly Pair[] {
  if (serving === undefined) return pairs;
  const on = movedOf(pairs, moved);
  return pairs.map((pair) =>
    on.includes(pair)
      ? { ...pair, one: pair.slot.find((secret) => isOf(letterIn(serving), secret)) ?? pair.one }
      : pair,
  );
}

/** What an update sends of the slots. */
export interface SentSlots {
  readonly named: Named;
  /** The suffix by which a rotation named its revision. With it, the update makes no revision. */
  readonly revisionSuffix?: string;
}

/**
 * Says what an update sends of the slots: what serves names, or all that a rotation's revision has, as long as the
 * program says nothing else of the template. Without that, each update after a rotation would make a revision.
 */
export function slotsToSend({ named, cutOver }: LiveSlots, template: unknown): SentSlots {
  const asked = cutOver && mapSecrets(template, (secret) => slotOf(cutOver.named, secret));
  const isAsLatest = cutOver && hasAll(cutOver.template, asked) && asksForAll(cutOver.template, asked);
  return isAsLatest ? { named: cutOver.named, revisionSuffix: cutOver.suffix } : { named };
}

/** Gives the secret that is named in the place of another. */
export const slotOf = (named: Named, secret: unknown): unknown => named[String(secret)] ?? secret;

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
