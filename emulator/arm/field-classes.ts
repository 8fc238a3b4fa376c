// What the emulator does with each field of a resource type, as data beside the type: a field is modelled, checked
// only, accepted without effect, or refused by name. A test walks Azure's schemas and fails for a field that is in
// none of the four, so that nothing is accepted by oversight. The same data make docs/reference/emulator.md and the
// list of what was accepted without effect in `ballast emulator status`.

/** A field that the emulator refuses, with the values that mean nothing and so are accepted. */
export interface UnsupportedField {
  readonly why: string;
  readonly harmless?: readonly unknown[];
}

/**
 * What the emulator does with the fields of a resource type. An entry stands for everything below it, and `[]` for each
 * element of a list.
 */
export interface FieldClasses {
  /** Has its effect; a wrong value is refused. */
  readonly modelled: { readonly [path: string]: string };
  /** Is checked as Azure checks it, is kept and shown, and has no further effect. */
  readonly validated: { readonly [path: string]: string };
  /** Is kept, shown and compared, and has no effect. */
  readonly inert: { readonly [path: string]: string };
  /** Is refused by name, or, if it is read-only, never shown. */
  readonly unsupported: { readonly [path: string]: UnsupportedField };
  /** Numbers that may have decimals. The published types call every number an integer. */
  readonly decimals?: readonly string[];
  /**
   * The least and the greatest value of each whole number that is not refused, and of numbers with decimals that have
   * limits. A greatest value of 2147483647 is that of Azure's 32-bit numbers, where no other is public.
   */
  readonly ranges?: { readonly [path: string]: readonly [least: number, greatest: number] };
  /** The type itself refuses wrong numbers and unpublished values, with a code of its own. */
  readonly checksValues?: true;
}

/** The greatest value of a 32-bit number. */
export const numberMax = 2_147_483_647;

/** The fields that every resource has, in the class of modelled ones. */
export const commonFields = {
  id: "read-only",
  name: "Azure's rule of names",
  type: "read-only",
  apiVersion: "the version in which a body is sent",
  systemData: "read-only",
} as const;

const { apiVersion, id, name, type } = commonFields;

/** Those of a resource with a location and tags whose answers show no systemData. */
export const trackedFields = {
  apiVersion,
  id,
  name,
  type,
  location: "never changes",
  tags: "kept and shown",
} as const;

/** Gives entries for fields that are alike. */
export const alike = <Entry>(entry: Entry, ...paths: readonly string[]): { readonly [path: string]: Entry } =>
  Object.fromEntries(paths.map((path) => [path, entry]));

/** A read-only field that no answer shows. */
export const neverShown: UnsupportedField = { why: "is never shown" };

/** Reports whether an entry of the classes covers a field: it is the field, or an ancestor of it. */
export const covers = (entry: string, path: string): boolean =>
  path === entry || path.startsWith(`${entry}.`) || path.startsWith(`${entry}[]`);
