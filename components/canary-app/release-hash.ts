// The hash that names a release.
import { createHash } from "node:crypto";
import { canonical } from "../../engines/canonical.ts";

/** Returns the hash of a template; the order of its keys does not matter. */
export function releaseHash(template: unknown): string {
  return createHash("sha256").update(canonical(template)).digest("hex").slice(0, 16);
}
