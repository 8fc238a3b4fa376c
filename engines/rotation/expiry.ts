// How late a version may expire. It follows from the client of Key Vault, and is known as soon as a period is declared.
import { dayMilliseconds, type Instant } from "../time.ts";
import type { Credential } from "./declaration.ts";

/** Key Vault's client sends an expiry as a signed number of 32 bits, so a later one would lie in the past. */
const lastExpiry = 2 ** 31 * 1000 - 1000;

/** Says why a version made now would expire too late; undefined if it would not. */
export const whyExpiresTooLate = ({ validDays }: Pick<Credential, "validDays">, now: Instant): string | undefined =>
  now + validDays * dayMilliseconds > lastExpiry
    ? `a version that is valid for ${validDays} days would expire after 2038-01-19, which Key Vault cannot be sent`
    : undefined;
