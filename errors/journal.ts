// Errors of the journal and of the database that stores it.
import { entry } from "./catalogue.ts";

/** A fact cannot be read, so nothing is decided on its journal. */
export const journalFactUnknown = entry<{ stream: string; index: number; why: string }>("journal-fact-unknown", {
  title: "This version does not know the shape of a fact in the journal",
  message: ({ stream, index, why }) =>
    `Fact ${index} of ${stream} cannot be read: ${why}. ` +
    "The control plane decides nothing on a journal that it understands only in part.",
  fix: () => "run the version of the control plane that wrote the fact, or a newer one; never edit a fact",
  left: ({ stream }) => `The rollout ${stream} stopped at its last readable fact, and its traffic is unchanged.`,
});

/** The chain of hashes is broken: the journal is not what was written, and nothing is decided on it. */
export const journalChainBroken = entry<{ stream: string; index: number; why: string }>("journal-chain-broken", {
  title: "A journal differs from what was written",
  message: ({ stream, index, why }) =>
    `The journal of ${stream} cannot be trusted from fact ${index} on: ${why}. ` +
    "The database was edited outside Ballast, or only partly restored from a backup.",
  fix: () => "restore the stream from a backup; do not correct facts by hand",
  left: ({ stream }) => `The traffic stays where it is, and the control plane no longer continues ${stream}.`,
});

/** The code that decides about a stream throws on its journal. Other streams go on. */
export const journalEngineFailed = entry<{ stream: string; why: string }>("journal-engine-failed", {
  title: "The engine fails on a journal",
  message: ({ stream, why }) =>
    `The engine of ${stream} fails on its journal: ${why.replace(/\.$/, "")}. ` +
    "That is a bug in this version. Nothing is decided for this stream until it is gone; all others go on.",
  fix: () =>
    "report the bug with the output of `ballast release explain <name> --json`, and run a version without it; until " +
    "then set the app's traffic by hand",
  left: ({ stream }) => `${stream} stands still and keeps its target, whose traffic is unchanged.`,
});

/** Without TLS the control plane connects to a database on this machine only. */
export const databaseTlsDisabled = entry<{ host: string }>("database-tls-disabled", {
  title: "The connection to the database must be encrypted",
  message: ({ host }) =>
    `TLS is disabled for the database at ${host}, which is not this machine. ` +
    "Passwords and the journal would cross the network unencrypted.",
  fix: () => "set BALLAST_DATABASE_TLS to `require`, or unset it",
  left: () => "The control plane did not start. Rollouts in flight wait for another replica.",
});

/**
 * The role may not sign in yet, or the tables are older than the control plane, which may not change them. The
 * administrator has to do both.
 */
export const databaseUnprepared = entry<{ role: string; why: string }>("database-unprepared", {
  title: "The database is not prepared for this control plane",
  message: ({ role, why }) =>
    `The control plane cannot use its database as ${role}: ${why}. ` +
    "Either the role may not sign in, or tables are missing that the role may not create.",
  fix: () =>
    "start the job `database-role` of this stack (`az containerapp job start`), which creates the role, the tables " +
    "and the grants; if the role signs in with a password, check the password",
  left: () => "This control plane did not start. A previous revision of it, if there is one, continues.",
});

/** The job that prepares the database found that the role already has more rights than it needs. */
export const databaseRoleMighty = entry<{ role: string }>("database-role-mighty", {
  title: "The control plane's database role has too many rights",
  message: ({ role }) =>
    `The role ${role} is an administrator, or a member of a role that may do more than use tables. ` +
    "Grants cannot limit what it may do.",
  fix: ({ role }) =>
    `remove ${role} from the server's administrators and from the roles that give it these rights, ` +
    "then start the job `database-role` again",
  left: () => "No right was granted or revoked.",
});
