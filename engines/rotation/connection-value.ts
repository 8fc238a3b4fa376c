// The value of a slot: how a program connects as the slot's role, in the form that its driver reads. The password is
// read back from it, also from a value that a person wrote.
import type { Credential, Slot } from "./declaration.ts";

type Form = Credential["form"];

/** Gives the value of a version. */
export function valueFor(
  { form, roles, server, port, database, tls }: Credential,
  slot: Slot,
  password: string,
): string {
  const user = roles[slot];
  switch (form) {
    case "uri":
      return (
        `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${server}:${port}/` +
        `${encodeURIComponent(database)}?sslmode=${tls}`
      );
    case "key-value":
      return Object.entries({ host: server, port, dbname: database, user, password, sslmode: tls })
        .map(([key, value]) => `${key}=${quotedForLibpq(String(value))}`)
        .join(" ");
    case "dotnet":
      return Object.entries({
        Host: server,
        Port: port,
        Database: database,
        Username: user,
        Password: password,
        "SSL Mode": tls === "require" ? "Require" : "Disable",
      })
        .map(([key, value]) => `${key}=${quotedForDotnet(String(value))}`)
        .join(";");
    case "apart":
      return password;
  }
}

/**
 * Gives what is published of a slot's value. Readers of the published secret need its role too, and two secrets could
 * not change at once, so that a password apart is published as a URI.
 */
export const publishedValue = (credential: Credential, slot: Slot, value: string): string =>
  credential.form === "apart" ? valueFor({ ...credential, form: "uri" }, slot, value) : value;

const quotedForLibpq = (value: string): string =>
  /^[\w.:-]+$/.test(value) ? value : `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

const quotedForDotnet = (value: string): string =>
  /^[\w.:-]+$/.test(value) ? value : `"${value.replaceAll('"', '""')}"`;

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
