// Refusals of the control plane's API, and what keeps the control plane from starting. Each error travels over HTTP
// with its id, so that the provider and the command line show the same text.
import { entry } from "./catalogue.ts";

/** Settings are missing or malformed; the message names all of them. */
export const settingsWrong = entry<{ complaints: readonly string[] }>("control-plane-settings-wrong", {
  title: "The control plane's settings are missing or malformed",
  message: ({ complaints }) => `The control plane cannot start: its settings are not valid. ${complaints.join(" ")}`,
  fix: () =>
    "correct these environment variables of the control plane's container; the ControlPlane component sets all of them",
  left: () => "The control plane did not start. No rollout was changed.",
});

/** The call carries no credentials. */
export const tokenMissing = entry("call-token-missing", {
  title: "A call has no bearer token",
  message: () => "The call has no bearer token. Every endpoint except /health and /openapi.json requires one.",
  fix: () => "send `authorization: Bearer <token>` with an Entra token for the control plane's audience",
});

/** The token was read and rejected, for the reason given. */
export const tokenRefused = entry<{ why: string }>("call-token-refused", {
  title: "A token was rejected",
  message: ({ why }) => `The token was rejected: ${why}.`,
  fix: () => "get a new token from the control plane's own tenant, for the control plane's audience",
});

/** The token may be valid, but it cannot be checked now. */
export const issuerUnreachable = entry<{ issuer: string }>("call-issuer-unreachable", {
  exitCode: 3,
  title: "The token issuer's keys cannot be fetched",
  message: ({ issuer }) => `The signing keys of ${issuer} cannot be fetched, so no token can be checked.`,
  fix: () => "try again in a few seconds; if it keeps failing, check the control plane's network access to the issuer",
});

/** The caller is known but lacks the app role. */
export const roleMissing = entry<{ role: string; caller: string }>("call-role-missing", {
  title: "The caller lacks the app role that the call requires",
  message: ({ role, caller }) => `The call requires the app role ${role}, which ${caller} does not have.`,
  fix: ({ role }) => `assign the app role ${role} of the control plane's application to the caller in Entra`,
});

/** The body exceeds the limit. It is not read to its end, whatever its header says. */
export const callTooLarge = entry<{ bytesMax: number }>("call-too-large", {
  title: "The body of a call is too large",
  message: ({ bytesMax }) => `The body is larger than ${bytesMax / 1024} kB, the limit for this call.`,
  fix: () => "send only the fields that the API description lists for this call",
});

/** Whoever delivers alerts must be Azure Monitor: others may have the role by mistake. */
export const senderUnknown = entry<{ application: string }>("alert-sender-unknown", {
  title: "An alert was not delivered by Azure Monitor",
  message: ({ application }) =>
    `Alerts are delivered by the application ${application} (Azure Monitor), and the token is of another one.`,
  fix: () =>
    "deliver alerts by an action group's secure webhook, and take the app role ActionGroupsSecureWebhook from " +
    "whoever else has it; to try a policy out, use `ballast remediation drill`",
  left: () => "The delivery had no effect. Alerts are still polled.",
});

/** What was delivered is no alert that is known. Nobody acts on an alert that was guessed. */
export const alertRefused = entry<{ why: string }>("alert-malformed", {
  title: "A delivered alert cannot be read",
  message: ({ why }) => why,
  fix: () => "turn the common alert schema on for the receiver in the action group",
  left: () => "The delivery had no effect. Alerts are still polled.",
});

/** Whoever delivers events must be Event Grid: whoever creates the subscription has the role too. */
export const eventSenderUnknown = entry<{ application: string }>("event-sender-unknown", {
  title: "Events were not delivered by Event Grid",
  message: ({ application }) =>
    `Only the application ${application} (Event Grid) delivers events, and the token is from another one.`,
  fix: () => "deliver events by an Event Grid subscription; to rotate now, use `ballast credential rotate`",
  left: () => "The delivery had no effect. Credentials that are due are found within the hour.",
});

/** What was delivered is no event that is known. */
export const eventRefused = entry<{ why: string }>("event-malformed", {
  title: "Delivered events cannot be read",
  message: ({ why }) => why,
  fix: () => "let the subscription deliver in the schema of Event Grid or in CloudEvents 1.0",
  left: () => "The delivery had no effect. Credentials that are due are found within the hour.",
});

/** The content type is not JSON. The body's format is never guessed. */
export const callNotJson = entry<{ mediaTypes: readonly string[] }>("call-not-json", {
  title: "The body of a call is not sent as JSON",
  message: ({ mediaTypes }) =>
    `The body does not have a content type that this call accepts: ${mediaTypes.join(", ")}.`,
  fix: ({ mediaTypes: [first] }) => `send \`content-type: ${first}\` with the body`,
});

/** The call is malformed; the message names everything that is wrong with it. */
export const callMalformed = entry<{ complaints: readonly string[] }>("call-malformed", {
  title: "A call is malformed",
  message: ({ complaints }) => complaints.join(" "),
  fix: () => "correct what is named above and send the call again",
});

/** No endpoint has this method and path. */
export const routeUnknown = entry<{ call: string }>("call-route-unknown", {
  title: "An endpoint does not exist",
  message: ({ call }) => `The API has no endpoint ${call}.`,
  fix: () => "update the caller or the control plane, so that both have the same version",
});

/** The target is not among the managed targets, so the control plane does not touch it. */
export const targetUnknown = entry<{ what: string; app?: ManagedEntry }>("target-not-managed", {
  title: "The control plane does not manage this target",
  message: ({ what }) => `The control plane does not manage ${what}, so the call has no effect.`,
  fix: ({ app }) =>
    app === undefined
      ? "check the name; the program that deploys the control plane says what it manages, and may not be deployed yet"
      : `check the name; to have the control plane manage it, ${managedBy(app)}`,
  variants: [{}, { app: { resourceGroup: "shop", app: "other" } }],
});

/** An entry of `managedTargets`. */
interface ManagedEntry {
  readonly resourceGroup: string;
  readonly app: string;
}

/** Says how an app becomes one that a control plane manages. */
export const managedBy = ({ resourceGroup, app }: ManagedEntry): string =>
  `add \`{ resourceGroup: "${resourceGroup}", app: "${app}" }\` to \`managedTargets\` of the ControlPlane and run ` +
  "`pulumi up` there";

/** No program has declared it. */
export const undeclared = entry<{ what: string }>("target-not-declared", {
  title: "Nothing has declared this target",
  message: ({ what }) => `No program has declared ${what}.`,
  fix: () => "check the name, or declare it in the program, such as by a `DatabaseCredential`",
});

/** The roles of a credential, or the rotator's access to them, are missing. */
export const credentialUnprepared = entry<{ credential: string; server: string; why: string; command?: string }>(
  "credential-unprepared",
  {
    title: "The roles of a credential are not prepared",
    message: ({ credential, server, why }) =>
      `The control plane cannot use the roles of the credential ${credential} on ${server}: ${why}.`,
    fix: ({ command }) =>
      command === undefined
        ? "make the roles by a `DatabaseRole` job, or give the rights of docs/guides/credentials.md, and run this again"
        : `start the job that makes them, \`${command}\`, and run the same command again when it has ended`,
    left: () => "Nothing was written to the vault or the database.",
    variants: [{}, { command: "az containerapp job start --resource-group shop --name shop-roles" }],
  },
);

/** The vault of a credential cannot be read yet. */
export const credentialVaultClosed = entry<{ credential: string; vault: string; why: string }>(
  "credential-vault-closed",
  {
    title: "The vault of a credential cannot be read",
    message: ({ credential, vault, why }) =>
      `The control plane cannot read the credential ${credential} in the vault ${vault}: ${why}.`,
    fix: () =>
      "give the control plane's identity the role Key Vault Secrets Officer on the vault (`officer` of `SecretVault` " +
      "does that); a new right counts after a minute or two",
    left: () => "Nothing was written to the vault or the database.",
  },
);

/** No journal has this name. */
export const streamUnknown = entry<{ kind: string; stream: string }>("stream-unknown", {
  title: "A rollout, or another stream of the journal, does not exist",
  message: ({ kind, stream }) => `There is no ${kind} ${stream}.`,
  fix: () => "list what exists, as with `ballast release list` for rollouts",
});

/** A target has one stream at a time, and another one of the same kind is in flight. */
export const streamInFlight = entry<{ stream: string; answer: "refused" | "ending" | "pending" }>("stream-in-flight", {
  title: "Another rollout of the same app is in flight",
  variants: [{ answer: "refused" }, { answer: "ending" }, { answer: "pending" }],
  message: ({ stream, answer }) =>
    ({
      refused: `${stream} is in flight, and a target has one at a time.`,
      ending: `${stream} is in flight. It is ending and must first put everything back.`,
      pending: `${stream} is in flight. It is being checked whether the new one takes it back.`,
    })[answer],
  fix: ({ answer }) =>
    answer === "refused"
      ? "wait until it has ended, abort it, or, for a release, set whenInFlight to supersede"
      : "send the same call again until it is accepted or refused for good",
  left: ({ stream, answer }) =>
    answer === "refused"
      ? `${stream} continues. The new one was not started; the journal of ${stream} says what became of its revision.`
      : "The new one was not started.",
});

/** What the stream did was undone, and doing it again would undo that. */
export const streamOvertaken = entry<{ stream: string; why: string }>("stream-overtaken", {
  title: "A release was undone after its end",
  message: ({ stream, why }) => `${stream} has ended, but it no longer serves: ${why}.`,
  fix: () =>
    "release a changed template; to release this one again, give one revision all traffic first " +
    "(az containerapp ingress traffic set …)",
  left: () => "The traffic was not moved.",
});

/** The signal has no meaning in the present state. */
export const signalDisregarded = entry<{ kind: string; why: string }>("signal-disregarded", {
  title: "A signal does not apply in the present state",
  message: ({ why }) => `The signal was disregarded: ${why}.`,
  fix: () => "check the present state, as with `ballast release show` for a rollout",
  left: ({ kind }) => `Nothing was changed. The ${kind}'s journal records the signal.`,
});

/** A `pulumi up` is about to write the app, and two may not write it at the same time. */
export const targetLocked = entry<{ heldBy: string }>("target-locked", {
  title: "The app is locked by another client",
  message: ({ heldBy }) => `The app is locked by ${heldBy}.`,
  fix: () => "try again when the lock has expired; a lock lasts two minutes at most",
});

/** The control plane runs, but its database does not answer. */
export const journalUnreachable = entry("journal-unreachable", {
  exitCode: 3,
  title: "The journal cannot be reached",
  message: () =>
    "The control plane's database does not answer. Without its journal, the control plane decides nothing.",
  fix: () => "check the database server; the control plane continues by itself once the database answers",
});

/** A replica that ends starts nothing. What it had accepted before, another one carries on. */
export const replicaEnding = entry("call-replica-ending", {
  exitCode: 3,
  title: "This replica of the control plane is ending",
  message: () => "This replica of the control plane is ending, as in an update of it, and starts nothing new.",
  fix: () => "send the call again in a few seconds; another replica answers it",
  left: () => "Nothing was started. What is in flight continues on another replica.",
});

/** A mistake of ours. The log has the details under the reference that the caller receives. */
export const callFailed = entry<{ reference: string }>("call-failed", {
  title: "A call failed inside the control plane",
  message: ({ reference }) => `The call failed inside the control plane (${reference}).`,
  fix: ({ reference }) => `look for ${reference} in the control plane's log, and report it as a bug`,
});
