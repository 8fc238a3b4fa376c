// What a rotation needs from the world, implemented by the adapters. A password passes from the vault to the database
// within one call of the performer; it is in no effect, no outcome and no message.
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
}

/** The vault of a credential. There is no conditional write, so every write reads first whether it was made before. */
export interface Vault {
  readonly look: (credential: Credential, cancel: AbortSignal) => Promise<Result<VaultView>>;
  /** Makes a version of a slot's secret with a random password, unless this rotation has made that number before. */
  readonly make: (credential: Credential, slot: Slot, making: Making, fence: Fence) => Promise<Result<Version>>;
  /** Gives the password of a version. */
  readonly passwordOf: (
    credential: Credential,
    slot: Slot,
    version: string,
    cancel: AbortSignal,
  ) => Promise<Result<string>>;
  /** Publishes a version of a slot for readers that name no slot, unless it is published, and gives the new version. */
  readonly publish: (
    credential: Credential,
    slot: Slot,
    version: string,
    rotation: string,
    fence: Fence,
  ) => Promise<Result<string>>;
}

/** What the database shows of a credential's roles. */
export interface RolesView {
  readonly login: Readonly<Record<Slot, boolean>>;
  /** Rights that the first role has and the other one lacks. */
  readonly missing: readonly string[];
  readonly otherSessions: number;
}

/** The roles of a credential. */
export interface Roles {
  /** Reads both roles; `live` is the one that the other is compared with. */
  readonly look: (credential: Credential, live: Slot, cancel: AbortSignal) => Promise<Result<RolesView>>;
  /** Gives a role a password, and login. The server gets a verifier, from which the password cannot be computed. */
  readonly setPassword: (credential: Credential, slot: Slot, password: string, fence: Fence) => Promise<Result<null>>;
  /** Logs in as a role and asks for its rights. A refused login is an answer. */
  readonly prove: (
    credential: Credential,
    slot: Slot,
    password: string,
    cancel: AbortSignal,
  ) => Promise<Result<ProofView>>;
  readonly setLogin: (credential: Credential, slot: Slot, login: boolean, fence: Fence) => Promise<Result<null>>;
  /** Counts the open sessions of a role. */
  readonly sessions: (credential: Credential, slot: Slot, cancel: AbortSignal) => Promise<Result<number>>;
  /** Ends the sessions of a role, and gives how many there were. */
  readonly endSessions: (credential: Credential, slot: Slot, fence: Fence) => Promise<Result<number>>;
}

/** The server's log of logins. */
export interface Logins {
  /** Gives who logged in with a role after a moment, or was refused because the role may not log in. */
  readonly read: (
    credential: Credential,
    slot: Slot,
    from: Instant,
    cancel: AbortSignal,
  ) => Promise<Result<Omit<ReadersView, "sessions">>>;
}

/** The apps that name a slot. */
export interface Consumers {
  /** Gives the slot that the serving revision names; null if it names none or both. */
  readonly slotOf: (consumer: Consumer, credential: string, cancel: AbortSignal) => Promise<Result<Slot | null>>;
  /** Moves the app's secret to another version. It makes no revision. */
  readonly moveSecret: (consumer: Consumer, secret: string, url: string, fence: Fence) => Promise<Result<null>>;
}
