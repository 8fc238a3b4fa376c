// The names of the revisions that a rotation makes. A program knows by them that nothing was released: the template is
// the one that served, and only names the other slot.
import { type Slot, slotSecret, slots } from "./declaration.ts";

/** Names the revision of a cut-over. Azure names a revision by its suffix. */
export const cutOverRevision = (app: string, slot: Slot, rotation: string, number: number): string =>
  `${app}--${slot}-${rotation}-${number}`.toLowerCase();

/** Names the release of a cut-over. The revision's name has no room for the credential. */
export const cutOverRelease = (credential: string, slot: Slot): string => `credential ${credential}, slot ${slot}`;

/** Gives the secret that a cut-over's revision names, by the name of its release; undefined if that is another one. */
export function secretOfCutOver(release: unknown): string | undefined {
  const [, credential, slot] = /^credential (\S+), slot (\S+)$/.exec(String(release)) ?? [];
  return credential === undefined ? undefined : slotSecret(credential, slot as Slot);
}

const suffix = new RegExp(`^(${slots.join("|")})-[a-z0-9]{1,16}-[1-9][0-9]*$`);

/** Gives the suffix of a revision if a rotation made it. */
export function cutOverSuffix(app: string, revision: unknown): string | undefined {
  const prefix = `${app}--`.toLowerCase();
  const name = String(revision ?? "").toLowerCase();
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : "";
  return suffix.test(rest) ? rest : undefined;
}
