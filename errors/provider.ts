// What can go wrong between a `pulumi up` or a `ballast` command and the control plane, and how a release can end badly.
// Errors that the control plane itself answers come over the wire with their own ids; they are listed where they are raised.
import { entry } from "./catalogue.ts";

/** Nobody answered at the control plane's address for as long as the caller was ready to wait. */
export const controlPlaneUnreachable = entry<{ endpoint: string; reason: string }>(
  "release-control-plane-unreachable",
  {
    title: "The control plane cannot be reached",
    message: ({ endpoint, reason }) => `The control plane at ${endpoint} cannot be reached: ${reason}.`,
    fix: () =>
      "look at the control plane's Container App and its /health page, then run the same command again; `ballast doctor` tells one that is down from one in a network that this machine is not in",
    left: () =>
      "users unmoved: no traffic was shifted by this command; a rollout that is in flight carries on where the control plane runs.",
  },
);

/** Somebody answered, but not in the control plane's words. */
export const controlPlaneUnclear = entry<{ endpoint: string; what: string }>("release-control-plane-unclear", {
  title: "What answers at the control plane's address is not the control plane",
  message: ({ endpoint, what }) => `${endpoint} answered ${what}, which is not an answer of the control plane.`,
  fix: () =>
    "check that the endpoint is the address of the control plane's own Container App, and of the same version as this command",
});

/** A bearer token would travel in the clear. */
export const endpointInsecure = entry<{ endpoint: string }>("release-endpoint-insecure", {
  title: "The control plane's address is not an https address",
  message: ({ endpoint }) =>
    `The endpoint "${endpoint}" is not an https address, and a token sent to it could be read on the way.`,
  fix: () => "give the endpoint as https://<host>; plain http is for 127.0.0.1 alone",
});

/** There is no token for the control plane. */
export const notSignedIn = entry<{ audience: string; reason: string }>("release-not-signed-in", {
  title: "No token for the control plane could be had",
  message: ({ audience, reason }) => `No token for ${audience} could be had: ${reason}.`,
  fix: () => "run `az login`, or set AZURE_TENANT_ID and AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or a federated token",
  left: () => "users unmoved: nothing was asked of the control plane.",
});

interface Ended {
  readonly app: string;
  readonly revision: string;
  readonly sentence: string;
}

/** The judge took the release back. */
export const releaseRolledBack = entry<Ended>("release-rolled-back", {
  title: "A release was rolled back",
  message: ({ sentence }) => sentence,
  fix: ({ app, revision }) =>
    `release something better, or revert; \`ballast release explain ${app}/${revision}\` gives each decision, \`retry\` tries the same again`,
  left: () => "the revision before it serves 100 percent, read back; the canary takes no traffic.",
});

/** The release was stopped before any user met it. */
export const releaseRejected = entry<Ended>("release-rejected", {
  title: "A release was rejected before any user met it",
  message: ({ sentence }) => sentence,
  fix: ({ app, revision }) =>
    `look at the revision's own logs, then release again or revert; \`ballast release explain ${app}/${revision}\` gives each decision`,
  left: () => "no user request reached it; the revision before it serves as it did.",
});

/** Traffic could not be given back, and a person must look. */
export const releaseStranded = entry<Ended>("release-stranded", {
  title: "A rollout was stranded",
  message: ({ sentence }) => sentence,
  fix: ({ app, revision }) =>
    `look at the app's traffic in Azure and put it right, then \`ballast release retry ${app}/${revision} --reason …\``,
  left: ({ app }) => `the traffic of ${app} stands where the last write that was read back put it.`,
});

/** The follower left, the rollout did not. */
export const releaseLeftInFlight = entry<{ app: string; revision: string }>("release-left-in-flight", {
  title: "A release was left in flight",
  message: ({ revision }) =>
    `Following the rollout of ${revision} was stopped; what has begun of it is in the control plane's hands and goes on there.`,
  fix: ({ app, revision }) =>
    `\`ballast release follow ${app}/${revision}\` shows it, \`abort\` with a --reason stops it; the next \`pulumi up\` takes it up again`,
  left: ({ app }) => `the traffic of ${app} moves on step by step, and back to stable by itself if the release is bad.`,
});
