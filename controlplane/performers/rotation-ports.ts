// What a rotation needs from the world, implemented by the adapters. A value passes between the vault and the system
// that accepts it within one call of the performer; it is in no effect, no outcome and no message.
import type { Result } from "../../engines/engine.ts";
import type {
  Consumer,
  Credential,
  CredentialView,
  ProofView,
  ReadersView,
  Slot,
  Version,
} from "../../engines/rotation/vocabulary.ts";
import type { Instant } from "../../engines/time.ts";
import type { Fence } from "../runtime/ports.ts";

/** What the vault shows of a credential. */
export interface VaultView extends Pick<CredentialView, "published"> {
  readonly slots: Readonly<Record<Slot, { readonly newest: Version | null; readonly rotation: string }>>;
}

/** Which rotation makes a version, and the number that it has there. */
export interface Making {
  readonly rotation: string;
  readonly generation: number;
  readonly expiresAt: Instant;
  /** Gives the value. It is asked for only if the version is not there yet. */
  readonly value: () => Promise<Result<string>>;
}

/** The vault of a credential. There is no conditional write, so every write reads first whether it was made before. */
export interface Vault {
  readonly look: (credential: Credential, cancel: AbortSignal) => Promise<Result<VaultView>>;
  /** Makes a version of a slot's secret, unless this rotation has made that number before. */
  readonly make: (credential: Credential, slot: Slot, making: Making, fence: Fence) => Promise<Result<Version>>;
  /** Gives the value of a version, or of the newest one; null if there is none, and empty if it is disabled. */
  readonly read: (
    credential: Credential,
    slot: Slot,
    version: string | undefined,
    cancel: AbortSignal,
  ) => Promise<Result<string | null>>;
  /** Publishes a version of a slot for readers that name no slot, unless it is published, and gives the new version. */
  readonly publish: (
    credential: Credential,
    slot: Slot,
    version: string,
    rotation: string,
    fence: Fence,
  ) => Promise<Result<string>>;
}

/** What a system shows of the two halves of a credential. A half is called its role, whatever the system calls it. */
export interface RolesView {
  readonly login: Readonly<Record<Slot, boolean>>;
  /** Rights that the first role has and the other one lacks. */
  readonly missing: readonly string[];
  readonly otherSessions: number;
}

/** A version that a system must accept. */
export interface Accepted {
  /** The version's id. A system may know by it that it has accepted this one before. */
  readonly version: string;
  /** The address of the version in the vault, without its value. */
  readonly url: string;
  readonly value: string;
}

/**
 * The roles of a credential in the system that accepts them: two login roles of a server, two keys of a storage
 * account, two accounts of a system behind a webhook.
 */
export interface Roles {
  /** Reads both roles; `live` is the one that the other is compared with. */
  readonly look: (credential: Credential, live: Slot, cancel: AbortSignal) => Promise<Result<RolesView>>;
  /**
   * Gives the value of a new version: one that is made here and set later, or the one that the system has made itself.
   * If a process died before the vault had the latter, it is found again, and no other one is made.
   *
   * @param newest gives the value of the slot's newest version; null if what the system has shall be kept
   */
  readonly newValue: (
    credential: Credential,
    slot: Slot,
    newest: () => Promise<Result<string | null>>,
    fence: Fence,
  ) => Promise<Result<string>>;
  /** Makes a role accept a value, and lets it log in. */
  readonly accept: (credential: Credential, slot: Slot, version: Accepted, fence: Fence) => Promise<Result<null>>;
  /** Logs in as a role and asks for its rights. A refused login is an answer. */
  readonly prove: (
    credential: Credential,
    slot: Slot,
    version: Accepted,
    cancel: AbortSignal,
  ) => Promise<Result<ProofView>>;
  readonly setLogin: (credential: Credential, slot: Slot, login: boolean, fence: Fence) => Promise<Result<null>>;
  /** Counts the open sessions of a role. */
  readonly sessions: (credential: Credential, slot: Slot, cancel: AbortSignal) => Promise<Result<number>>;
  /** Gives the time by the clock of the system that writes the log of logins; null if the system does not show it. */
  readonly clock: (credential: Credential, cancel: AbortSignal) => Promise<Result<Instant | null>>;
  /** Ends the sessions of a role, and gives how many there were. */
  readonly endSessions: (credential: Credential, slot: Slot, fence: Fence) => Promise<Result<number>>;
}

/** A system's log of logins. */
export interface Logins {
  /** Gives who logged in with a role after a moment, or was refused because the role may not log in. */
  readonly read: (
    credential: Credential,
    slot: Slot,
    from: Instant,
    cancel: AbortSignal,
  ) => Promise<Result<Omit<ReadersView, "sessions">>>;
}

/** A system that accepts a credential, as a rotation sees it. */
export interface System extends Roles, Logins {}

/** The apps that name a slot. */
export interface Consumers {
  /** Gives the slot that the serving revision names; null if it names none or both. */
  readonly slotOf: (consumer: Consumer, credential: string, cancel: AbortSignal) => Promise<Result<Slot | null>>;
  /** Moves the app's secret to another version. It makes no revision. */
  readonly moveSecret: (consumer: Consumer, secret: string, url: string, fence: Fence) => Promise<Result<null>>;
}
