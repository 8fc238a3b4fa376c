// Reads property values as Pulumi writes them to JSON and to its plugins: with signatures for secrets and outputs, and
// with fixed texts for what is unknown until the update. Everything in a secret object is sealed, because the SDK
// marks a whole object if one of its parts is secret.
import { Sealed, unknown, type Value } from "./value.ts";

/** The key under which Pulumi writes the signature of a special value. */
export const signatureKey = "4dabf18193072939515e22adb298388d";
export const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
export const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** What stands for a value that is not known yet, one text for each type of value. */
export const unknownTexts: ReadonlySet<string> = new Set([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** What stands for a secret in the output of `pulumi preview --json`, which has no signatures. */
const previewSecret = "[secret]";

/** Gives a value from JSON. Assets and references to resources have no text to judge, and become null. */
export function valueOf(json: unknown): Value {
  if (json === null || json === undefined) return null;
  if (json === previewSecret) return new Sealed();
  if (typeof json === "string") return unknownTexts.has(json) ? unknown : json;
  if (typeof json === "number" || typeof json === "boolean") return json;
  if (Array.isArray(json)) return json.map(valueOf);
  const record = json as Readonly<Record<string, unknown>>;
  const signature = record[signatureKey];
  if (signature === undefined) return mapped(record, valueOf);
  if (signature === secretSignature) return secretOf(record);
  if (signature === outputSignature) {
    const value = "value" in record ? valueOf(record["value"]) : unknown;
    return record["secret"] === true ? sealed(value) : value;
  }
  return null;
}

/** A secret comes with its value on the wire, encrypted in a state, and as JSON text in a state with secrets shown. */
function secretOf(record: Readonly<Record<string, unknown>>): Value {
  if ("value" in record) return sealed(valueOf(record["value"]));
  const { plaintext } = record;
  return typeof plaintext === "string" ? sealed(valueOf(parsed(plaintext))) : new Sealed();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Seals a value. Of an object, nobody knows which part is the secret, so every text in it is sealed, and none is sure
 * to be the secret; its structure, numbers and switches stay readable, because rules need them and no text is in them.
 */
export function sealed(value: Value): Value {
  return typeof value === "number" ? new Sealed(String(value)) : sealedPart(value, true);
}

function sealedPart(value: Value, isSure: boolean): Value {
  if (typeof value === "string") return new Sealed(value, isSure);
  const part = (each: Value): Value => sealedPart(each, false);
  if (Array.isArray(value)) return value.map(part);
  if (value === null || typeof value !== "object" || value instanceof Sealed || value === unknown) return value;
  return mapped(value as Readonly<Record<string, Value>>, part);
}

/** Leaves out the SDK's own keys, which are no properties. */
function mapped<From>(record: Readonly<Record<string, From>>, by: (value: From) => Value): Value {
  return Object.fromEntries(
    Object.entries(record)
      .filter(([key]) => !key.startsWith("__"))
      .map(([key, value]) => [key, by(value)]),
  );
}
