// Which credentials manage others: a managing credential and one that it manages are never rotated at once, and the
// managing one goes first. Each is named as `vault/credential`, in lower case.

/** What of a declaration says who manages it. */
interface Related {
  readonly vault: string;
  readonly credential: string;
  readonly managedBy?: string | undefined;
}

/** Whom a rotation of a credential must not meet. */
export interface Kin {
  readonly manager: string | undefined;
  readonly managed: readonly string[];
}

const nameOf = ({ vault, credential }: Related): string => `${vault}/${credential}`.toLowerCase();
const managingOf = ({ managedBy }: Related): string | undefined => managedBy?.toLowerCase();

/** Gives the kin of a credential. */
export const kinOf = (credential: Related, all: readonly Related[]): Kin => ({
  manager: managingOf(credential),
  managed: all.filter((one) => managingOf(one) === nameOf(credential)).map(nameOf),
});

/** Orders credentials so that each comes after the one that manages it. */
export const managersFirst = <One extends Related>(credentials: readonly One[]): readonly One[] =>
  credentials
    .map((one) => ({ one, depth: managersOf(one, credentials).length }))
    .toSorted((one, other) => one.depth - other.depth)
    .map(({ one }) => one);

/** Says which credentials manage themselves, by way of others or not. One would wait for itself for ever. */
export const objectionsToManagers = (credentials: readonly Related[]): readonly string[] =>
  credentials
    .filter((one) => managersOf(one, credentials).includes(nameOf(one)))
    .map((one) => `The credential ${nameOf(one)} manages itself by way of managedBy.`);

/** Lists who manages a credential, from the nearest on. A circle ends where it began. */
function managersOf(credential: Related, all: readonly Related[]): readonly string[] {
  const found: string[] = [];
  for (let name = managingOf(credential); name !== undefined && !found.includes(name); ) {
    found.push(name);
    const above = all.find((one) => nameOf(one) === name);
    name = above && managingOf(above);
  }
  return found;
}
