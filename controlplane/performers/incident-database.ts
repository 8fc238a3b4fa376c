// The database of an incident: that of the credential which a rung names. Its declaration says where the server is, and
// as whom the control plane signs in there.
import type { Result } from "../../engines/engine.ts";
import { systemOf } from "../../engines/rotation/systems.ts";
import type { Credential } from "../../engines/rotation/vocabulary.ts";
import { appKey } from "../../engines/targets.ts";

/** Gives the credentials that are declared now. */
export type Declared = () => Promise<readonly Credential[]>;

/**
 * Finds the declared credential of a rung. The target must be an app that logs in with it, or its server: a ladder must
 * not reach a database that its target has nothing to do with.
 */
export async function credentialOf(declared: Declared, named: string, target: string): Promise<Result<Credential>> {
  const wanted = named.toLowerCase();
  const found = (await declared()).find((each) => `${each.vault}/${each.credential}`.toLowerCase() === wanted);
  if (found === undefined) return { ok: false, reason: `the credential ${named} is not declared` };
  const own = [...found.consumers.map(appKey), serverKey(found, target)].map((key) => key.toLowerCase());
  return own.includes(target.toLowerCase())
    ? { ok: true, value: found }
    : { ok: false, reason: `${target} does not use the credential ${named}` };
}

/** The same for a database: a key of a storage account or of a webhook has no sessions. */
export async function databaseOf(declared: Declared, named: string, target: string): Promise<Result<Credential>> {
  const found = await credentialOf(declared, named, target);
  return found.ok && systemOf(found.value) !== "database"
    ? { ok: false, reason: `the credential ${named} is not that of a database` }
    : found;
}

/** The declaration names a server by its host only, so its group is that of the target. */
const serverKey = ({ server }: Credential, target: string): string =>
  `server/${target.split("/")[1] ?? ""}/${server.split(".")[0] ?? ""}`;
