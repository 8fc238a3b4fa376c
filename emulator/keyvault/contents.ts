// What the vaults of one cloud hold: secrets with all their versions, the deleted ones included until they are purged.
// A secret is one document, so that a write and its version are on the disk together. Nothing here decides who may do
// what; that is in operations.ts and vault-host.ts.
import type { Cloud } from "../arm/resource.ts";
import { schedulerOf } from "../controls/scheduler.ts";

/** One version. Times are whole seconds since 1970, as on the wire. */
export interface SecretVersion {
  readonly id: string;
  readonly value: string;
  readonly enabled: boolean;
  readonly created: number;
  readonly updated: number;
  readonly nbf?: number;
  readonly exp?: number;
  readonly contentType?: string;
  readonly tags: { readonly [name: string]: string };
}

/** One secret of a vault. */
export interface Secret {
  readonly vault: string;
  readonly name: string;
  /** The oldest first. */
  readonly versions: readonly SecretVersion[];
  /** Set while the secret is deleted and may be recovered. Milliseconds since 1970. */
  readonly deleted?: { readonly at: number; readonly purgeAt: number };
}

/** The secrets of one cloud. Names are compared without regard to case. */
export interface Contents {
  readonly get: (vault: string, name: string) => Secret | undefined;
  readonly put: (secret: Secret) => void;
  readonly purge: (secret: Secret) => void;
  /** Gives the secrets of a vault by name, deleted ones included. */
  readonly of: (vault: string) => readonly Secret[];
  /** The keys under which secrets are kept. */
  readonly keys: () => Iterable<string>;
  readonly at: (key: string) => Secret | undefined;
  /** Takes the secrets of an emulator that was killed. */
  readonly revive: (kept: Iterable<Secret>) => void;
}

const documents = "secret";
const purging = "secret-purge";
const known = new WeakMap<Cloud, Contents>();

/** Gives the contents of a cloud's vaults; the first call makes them. */
export function contentsOf(cloud: Cloud): Contents {
  const found = known.get(cloud);
  if (found) return found;
  const made = makeContents(cloud);
  known.set(cloud, made);
  return made;
}

const keyOf = (vault: string, name: string): string => `${vault}/${name}`.toLowerCase();

function makeContents(cloud: Cloud): Contents {
  const secrets = new Map<string, Secret>();
  const scheduler = schedulerOf(cloud);
  const appointment = (key: string): string => `${purging} ${key}`;
  const remove = (key: string): void => {
    if (secrets.delete(key)) cloud.changed?.(documents, key);
  };
  scheduler.handle(purging, ({ key }) => {
    remove(key.slice(purging.length + 1));
    return undefined;
  });
  return {
    get: (vault, name) => secrets.get(keyOf(vault, name)),
    put: (secret) => {
      const key = keyOf(secret.vault, secret.name);
      secrets.set(key, secret);
      cloud.changed?.(documents, key);
      if (secret.deleted) scheduler.at(secret.deleted.purgeAt, appointment(key));
      else scheduler.cancel(appointment(key));
    },
    purge: ({ vault, name }) => {
      const key = keyOf(vault, name);
      scheduler.cancel(appointment(key));
      remove(key);
    },
    of: (vault) =>
      [...secrets.values()]
        .filter((each) => each.vault.toLowerCase() === vault.toLowerCase())
        .toSorted((one, other) => (one.name.toLowerCase() < other.name.toLowerCase() ? -1 : 1)),
    keys: () => secrets.keys(),
    at: (key) => secrets.get(key),
    revive: (kept) => {
      for (const secret of kept) secrets.set(keyOf(secret.vault, secret.name), secret);
    },
  };
}
