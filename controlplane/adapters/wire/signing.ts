// Signs what is sent to a webhook in the format of Standard Webhooks, for which libraries exist. The signature covers
// the id, the time of sending and the body, so that a receiver detects a changed body and a copy that is replayed.
import { Webhook } from "standardwebhooks";

/** The least length of a signing key, as Standard Webhooks asks; a shorter one can be guessed. */
export const signingKeyBytesMin = 24;

/**
 * Gives the key of a secret: `whsec_` with the key in base64, the form of receivers' libraries, or any text.
 *
 * @returns undefined if that is no base64, or the key is too short to sign with, or is nothing but blanks or zeros
 */
export function signingKeyOf(secret: string): Uint8Array | undefined {
  const [, encoded] = /^whsec_(.*)$/s.exec(secret) ?? [];
  const key = Buffer.from(encoded ?? secret, encoded === undefined ? "utf8" : "base64");
  // Node skips what is no base64, so a key that does not give its text again was never one.
  const isWhole = encoded === undefined || key.toString("base64").replace(/=+$/, "") === encoded.replace(/=+$/, "");
  const isBlank = key.every((byte) => byte <= 0x20);
  return isWhole && !isBlank && key.length >= signingKeyBytesMin ? key : undefined;
}

/** Gives the headers of a message: its id, when it is sent, and the signature. */
export type Signer = (id: string, body: string) => Readonly<Record<string, string>>;

/**
 * Makes the signer of a secret.
 *
 * @throws if the secret gives no key to sign with: a signature that anyone can make is worse than none
 */
export function signerOf(secret: string): Signer {
  const key = signingKeyOf(secret);
  if (key === undefined) throw new Error(`the webhook's secret gives no key of ${signingKeyBytesMin} bytes or more`);
  const signer = new Webhook(key, { format: "raw" });
  return (id, body) => {
    const now = new Date();
    return {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
      "webhook-signature": signer.sign(id, now, body),
    };
  };
}
