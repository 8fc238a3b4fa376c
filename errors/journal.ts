// What can go wrong with the journal and with the database that keeps it.
import { entry } from "./catalogue.ts";

/** A fact cannot be read, so nothing is decided on its journal. */
export const journalFactUnknown = entry<{ stream: string; index: number; why: string }>("journal-fact-unknown", {
  title: "A fact in the journal has a shape that this version does not know",
  message: ({ stream, index, why }) =>
    `Fact ${index} of ${stream} cannot be read: ${why}. Nothing is decided on a journal that is understood in part.`,
  fix: () => "run the version of the control plane that wrote it, or a newer one; a fact is never edited",
  left: ({ stream }) => `${stream} stays where its last fact left it, with its traffic unchanged.`,
});

/** The chain of hashes does not hold, so the journal is not what was written, and nothing is decided on it. */
export const journalChainBroken = entry<{ stream: string; index: number; why: string }>("journal-chain-broken", {
  title: "A journal is not what was written",
  message: ({ stream, index, why }) =>
    `The journal of ${stream} cannot be believed from fact ${index} on: ${why}. Somebody has changed its database by hand, or it was put back from a copy in part.`,
  fix: () => "compare the stream with a backup of the database and put back what differs; a fact is never edited",
  left: ({ stream }) => `the traffic stays where it is, and ${stream} is not driven any further.`,
});

/** The control plane does not start with a database in the clear beyond this machine. */
export const databaseTlsDisabled = entry<{ host: string }>("database-tls-disabled", {
  title: "The database may not be spoken to in the clear",
  message: ({ host }) =>
    `TLS is switched off for the database at ${host}, which is not this machine, so passwords and journal would cross the network unencrypted.`,
  fix: () => "set BALLAST_DATABASE_TLS to `require`, or leave it out",
  left: () => "the control plane did not start; rollouts under way wait for another replica.",
});

/** The role may not sign in yet, or the tables are older than the control plane and it may not change them: both are the administrator's work. */
export const databaseUnprepared = entry<{ role: string; why: string }>("database-unprepared", {
  title: "The database is not prepared for this control plane",
  message: ({ role, why }) =>
    `The control plane cannot begin on its database as ${role}: ${why}. Either nobody has let it in, or tables are missing that it may not make.`,
  fix: () =>
    "start the job `database-role` of this stack (`az containerapp job start`), which makes role, tables and rights; where there is a password, see that it is the right one",
  left: () => "this control plane did not start; the one before, where there is one, carries on.",
});

/** The job that prepares the database finds that the role may do more than it is to be given. */
export const databaseRoleMighty = entry<{ role: string }>("database-role-mighty", {
  title: "The control plane's role may do more than it needs",
  message: ({ role }) =>
    `The role ${role} is an administrator, or a member of a role that may do more than use tables, so that giving it rights would not bound what it may do.`,
  fix: ({ role }) =>
    `take ${role} out of the server's administrators and out of the roles that make it mighty, then start the job again`,
  left: () => "no right was given or taken.",
});
