// The value of a slot: how a program connects as the slot's role, in the form that its driver reads.
import type { Credential, Slot } from "./declaration.ts";

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
        `${inPath(database)}?sslmode=${tls}`
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

/** Encodes no more of a name than a path must: node-postgres leaves these characters as they are. */
const inPath = (name: string): string =>
  encodeURIComponent(name).replaceAll(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent);

const quotedForLibpq = (value: string): string =>
  /^[\w.:-]+$/.test(value) ? value : `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

const quotedForDotnet = (value: string): string =>
  /^[\w.:-]+$/.test(value) ? value : `"${value.replaceAll('"', '""')}"`;
