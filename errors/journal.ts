// What can go wrong with the journal and with the database that keeps it.
import { entry } from "./catalogue.ts";

export const journalFactUnknown = entry<{ stream: string; index: number; why: string }>("journal-fact-unknown", {
  title: "A fact in the journal has a shape that this version does not know.",
  message: ({ stream, index, why }) => `Fact ${index} of ${stream} cannot be read: ${why}. Nothing is decided on a journal that is understood in part.`,
  fix: () => "run the version of the control plane that wrote it, or a newer one; a fact is never edited.",
  left: ({ stream }) => `${stream} stays where its last fact left it, with its traffic unchanged.`,
});

export const journalStreamUnknown = entry<{ stream: string }>("journal-stream-unknown", {
  title: "There is no such rollout.",
  message: ({ stream }) => `The journal has no facts of ${stream}, so there is nothing to signal.`,
  fix: () => "look the id up with `ballast release list`.",
  left: () => "nothing was changed.",
});

export const databaseTlsDisabled = entry<{ host: string }>("database-tls-disabled", {
  title: "The database may not be spoken to in the clear.",
  message: ({ host }) => `TLS is switched off for the database at ${host}, which is not this machine, so passwords and journal would cross the network unencrypted.`,
  fix: () => "set BALLAST_DATABASE_TLS to `require`, or leave it out.",
  left: () => "the control plane did not start; rollouts under way wait for another replica.",
});
