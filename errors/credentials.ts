// What stands in the way of a rotated credential in a program: an app that cannot use it, and one that has no versions.
import { entry } from "./catalogue.ts";
import { ballast } from "./provider.ts";

/** A rotation could not cut the app over to another version of the credential. */
export const canaryAppCredentialUnfit = entry<{ readonly app: string; readonly complaints: readonly string[] }>(
  "canary-app-credential-unfit",
  {
    title: "An app cannot use a rotated credential as it is declared",
    message: ({ app, complaints }) => `"${app}" cannot use a rotated credential: ${complaints.join("; ")}.`,
    fix: () =>
      "list the app in `consumers` of the credential; make each secret a reference to a vault " +
      "(`keyVaultUrl`); pull from a registry by an identity instead of a password",
    left: () => "Nothing was changed. Traffic is as before.",
  },
);

/** A reference asks for a form in which the values are not written. */
export const credentialFormOther = entry<{ readonly name: string; readonly form: string; readonly asked: string }>(
  "credential-form-other",
  {
    title: "A credential is written in another form",
    message: ({ name, form, asked }) => `The values of "${name}" are written as ${form}, and not as ${asked}.`,
    fix: ({ asked }) => `set \`form: "${asked}"\`, or refer to the form that it has`,
    left: () => "Nothing was changed. Traffic is as before.",
  },
);

/** A new credential did not get its first versions. */
export const credentialUnseeded = entry<{
  credential: string;
  rotation: string;
  message: string;
  endpoint: string;
  audience: string;
}>("credential-unseeded", {
  title: "A new credential did not get its first versions",
  message: ({ credential, message }) => `The credential ${credential} has no first versions: ${message}.`,
  fix: (unseeded) =>
    "correct what is named above and run `pulumi up` again; " +
    `${ballast(unseeded, `credential explain ${unseeded.rotation}`)} shows each decision`,
  left: () => "The credential is declared. Nothing is published unless the message says so.",
});

/** The slots of a declared credential cannot be read, so that no app could name them. */
export const credentialUnread = entry<{ credential: string; why: string }>("credential-unread", {
  title: "The slots of a credential cannot be read",
  message: ({ credential, why }) => `The credential ${credential} is declared, but its slots cannot be read: ${why}.`,
  fix: () => "correct what is named above and run `pulumi up` again",
  left: () => "The credential is declared. No version was made by this update.",
});
