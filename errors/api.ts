// What the control plane answers to a call that it refuses, and what keeps it from starting. The same words go over the
// wire, with the id, to the provider and to the command line.
import { entry } from "./catalogue.ts";

/** The environment lacks settings or has ill-formed ones; all of them are named at once. */
export const settingsWrong = entry<{ complaints: readonly string[] }>("control-plane-settings-wrong", {
  title: "The control plane's settings are missing or ill-formed",
  message: ({ complaints }) => `The control plane cannot start with the settings that it has. ${complaints.join(" ")}`,
  fix: () =>
    "set these in the environment of the control plane's container; the ControlPlane component sets all of them",
  left: () => "nothing was started, and no rollout was touched.",
});

/** The call says nothing about who calls. */
export const tokenMissing = entry("call-token-missing", {
  title: "A call came without a token",
  message: () => "The call carries no bearer token, and everything but /health and /openapi.json needs one.",
  fix: () => "send `authorization: Bearer <token>` with an Entra token for the control plane's audience",
});

/** The token was read and does not count, for the reason given. */
export const tokenRefused = entry<{ why: string }>("call-token-refused", {
  title: "A token was not accepted",
  message: ({ why }) => `The token was not accepted: ${why}.`,
  fix: () => "get a fresh token for the control plane's own audience from its own tenant",
});

/** The token may be good; nobody can say so at the moment. */
export const issuerUnreachable = entry<{ issuer: string }>("call-issuer-unreachable", {
  title: "The token issuer's keys cannot be had",
  message: ({ issuer }) => `The keys of ${issuer} cannot be had, so no token can be checked.`,
  fix: () => "try again in a few seconds; if it stays so, look at the control plane's way to the issuer",
});

/** The caller is known and may not do this. */
export const roleMissing = entry<{ role: string; caller: string }>("call-role-missing", {
  title: "The caller does not have the role that a call needs",
  message: ({ role, caller }) => `The call needs the role ${role}, and ${caller} does not have it.`,
  fix: ({ role }) => `assign the app role ${role} of the control plane's application to the caller in Entra`,
});

/** The body is not read to its end, whatever its header says. */
export const callTooLarge = entry<{ bytesMax: number }>("call-too-large", {
  title: "The body of a call is too large",
  message: ({ bytesMax }) => `The body is larger than ${bytesMax / 1024} kB, and no call of ours needs that much.`,
  fix: () => "send the release's intent only",
});

/** The body says that it is something else than JSON; it is not guessed at. */
export const callNotJson = entry("call-not-json", {
  title: "The body of a call is not sent as JSON",
  message: () => "The body is not sent as application/json, and calls of ours have no other form.",
  fix: () => "send `content-type: application/json` with the body",
});

/** The call cannot be understood; all that is wrong with it is named at once. */
export const callMalformed = entry<{ complaints: readonly string[] }>("call-malformed", {
  title: "A call does not have the form that it must have",
  message: ({ complaints }) => complaints.join(" "),
  fix: () => "correct what is named above and send the call again",
});

/** No call has this method and path. */
export const routeUnknown = entry<{ call: string }>("call-route-unknown", {
  title: "There is no such call",
  message: ({ call }) => `There is no call ${call}.`,
  fix: () => "update the caller or the control plane, so that both are of one version",
});

/** The app is outside the inventory, and the control plane keeps its hands off it. */
export const targetUnknown = entry<{ resourceGroup: string; app: string }>("target-not-in-inventory", {
  title: "The control plane does not look after this app",
  message: ({ resourceGroup, app }) =>
    `The app ${app} in ${resourceGroup} is not in the control plane's inventory, so nothing is done about it.`,
  fix: () => "declare the app as a CanaryApp of the program that deploys this control plane, and run `pulumi up`",
});

/** No journal has this name. */
export const rolloutUnknown = entry<{ stream: string }>("rollout-unknown", {
  title: "There is no such rollout",
  message: ({ stream }) => `There is no ${stream}.`,
  fix: () => "list the rollouts with `ballast release list`",
});

/** The app's one rollout is another at the moment. */
export const rolloutInFlight = entry<{ stream: string; superseded: boolean }>("rollout-in-flight", {
  title: "Another rollout of the same app is in flight",
  message: ({ stream, superseded }) =>
    `${stream} is in flight${superseded ? ", has been told to abort, and must give the traffic back first" : ", and an app has one rollout at a time"}.`,
  fix: ({ superseded }) =>
    superseded
      ? "send the same call again until it is accepted"
      : "wait for its end, abort it, or release with whenInFlight: supersede",
  left: () => "the rollout in flight goes on; nothing of the new one was started.",
});

/** The rollout is not in a state in which the signal has a meaning. */
export const signalDisregarded = entry<{ why: string }>("signal-disregarded", {
  title: "A signal came to a rollout that cannot follow it",
  message: ({ why }) => `The signal was disregarded: ${why}.`,
  fix: () => "look at where the rollout stands with `ballast release show`",
  left: () => "the rollout goes on as it was; its journal shows that the signal came.",
});

/** A `pulumi up` is about to write the app, and another may not at the same time. */
export const targetHeld = entry<{ heldBy: string }>("target-held", {
  title: "The app is held by somebody else",
  message: ({ heldBy }) => `The app is held by ${heldBy}.`,
  fix: () => "try again when the hold has ended; a hold lasts two minutes at the most",
});

/** The control plane lives, and its database does not answer it. */
export const journalUnreachable = entry("journal-unreachable", {
  title: "The journal cannot be reached",
  message: () => "The control plane's database does not answer, and without its journal nothing is decided.",
  fix: () => "look at the database server; the control plane goes on by itself once it answers",
});

/** A mistake of ours: the log has it under the reference that the caller is given. */
export const callFailed = entry<{ reference: string }>("call-failed", {
  title: "A call failed for a reason of ours",
  message: ({ reference }) => `The call failed inside the control plane (${reference}).`,
  fix: ({ reference }) => `look for ${reference} in the control plane's log, and report it`,
});
