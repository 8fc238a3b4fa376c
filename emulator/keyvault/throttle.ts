// The limits of a vault, as Learn's page on Key Vault's limits has them: so many requests in ten seconds, and fewer
// that make a secret. A refused request does not count.

import type { Cloud } from "../arm/resource.ts";
import { quirksOf } from "../controls/quirks-in-force.ts";
import { vaultError } from "./errors.ts";

const windowMilliseconds = 10_000;
const limits = { create: 300, other: 4_000 } as const;

const seen = new WeakMap<Cloud, Map<string, number[]>>();

/** Counts a request to a vault. @throws ArmError 429 with the seconds to wait */
export function countRequest(cloud: Cloud, vault: string, kind: keyof typeof limits): void {
  if (!quirksOf(cloud)["vault-throttles"]) return;
  const all = seen.get(cloud) ?? new Map<string, number[]>();
  seen.set(cloud, all);
  const now = cloud.clock.now();
  const key = `${vault} ${kind}`;
  // A clock that was set back makes times of the future, which count no more.
  const recent = (all.get(key) ?? []).filter((at) => at > now - windowMilliseconds && at <= now);
  all.set(key, recent);
  if (recent.length < limits[kind]) {
    recent.push(now);
    return;
  }
  throw vaultError(
    429,
    "Throttled",
    "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached",
    undefined,
    { "retry-after": String(Math.max(1, Math.ceil((recent[0]! + windowMilliseconds - now) / 1000))) },
  );
}
