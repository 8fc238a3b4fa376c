// A SCRAM-SHA-256 verifier, made here, so that the server never sees a password (RFC 5803, as PostgreSQL stores it).
import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";

/** PostgreSQL's own default. */
const iterations = 4_096;

/** Makes the verifier of a password of ASCII characters, which need no preparation. */
export async function verifierOf(password: string, salt: Buffer = randomBytes(16)): Promise<string> {
  const salted = await promisify(pbkdf2)(password, salt, iterations, 32, "sha256");
  const keyed = (words: string): Buffer => createHmac("sha256", salted).update(words).digest();
  const stored = createHash("sha256").update(keyed("Client Key")).digest();
  const [salt64, stored64, server64] = [salt, stored, keyed("Server Key")].map((each) => each.toString("base64"));
  return `SCRAM-SHA-256$${iterations}:${salt64}$${stored64}:${server64}`;
}
