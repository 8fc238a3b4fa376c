// The password in the value of a slot, also in one that a person wrote.
import type { Credential } from "../../../engines/rotation/vocabulary.ts";

type Form = Credential["form"];

/** Gives the password in a value; undefined if it has none in this form. */
export function passwordIn(form: Form, value: string): string | undefined {
  switch (form) {
    case "uri":
      return URL.canParse(value) ? decodeURIComponent(new URL(value).password) || undefined : undefined;
    case "key-value":
      return pairsOfLibpq(value).get("password") || undefined;
    case "dotnet":
      return pairsOfDotnet(value).get("password") || undefined;
    case "apart":
      return value || undefined;
  }
}

/** Reads `key = value` pairs, of which a value may be quoted by `'` and escaped by a backslash, as libpq does. */
const pairsOfLibpq = (value: string): ReadonlyMap<string, string> =>
  new Map(
    [...value.matchAll(/(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\]|\\.)*))/gs)].map(
      ([, key = "", quoted, plain = ""]) => [key, (quoted ?? plain).replaceAll(/\\(.)/gs, "$1")] as const,
    ),
  );

/** Reads `Key=value` pairs between semicolons, of which a value may be quoted by `"` or `'`, as .NET does. */
const pairsOfDotnet = (value: string): ReadonlyMap<string, string> =>
  new Map(
    [...value.matchAll(/([^=;]+)=(?:\s*"((?:[^"]|"")*)"|\s*'((?:[^']|'')*)'|([^;]*))\s*(?:;|$)/g)].map(
      ([, key = "", double, single, plain = ""]) =>
        [
          key.trim().toLowerCase(),
          double?.replaceAll('""', '"') ?? single?.replaceAll("''", "'") ?? plain.trim(),
        ] as const,
    ),
  );
