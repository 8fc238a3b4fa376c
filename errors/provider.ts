// Errors between a `pulumi up` or a `ballast` command and the control plane, and the ways in which a release can fail.
// Errors that the control plane itself answers arrive with their own ids; they are listed in errors/api.ts.
import { managedBy } from "./api.ts";
import { entry } from "./catalogue.ts";

/** Nothing answered at the control plane's address before the time limit. */
export const controlPlaneUnreachable = entry<{ endpoint: string; reason: string }>(
  "release-control-plane-unreachable",
  {
    exitCode: 3,
    title: "The control plane cannot be reached",
    message: ({ endpoint, reason }) => `The control plane at ${endpoint} cannot be reached: ${reason}.`,
    fix: () =>
      "check the control plane's Container App and its /health page, then run the same command again; " +
      "`ballast doctor` reports whether it is down or in a network that this machine cannot reach",
    left: () => "No traffic was moved. A rollout already in progress continues on the control plane.",
  },
);

/** The answer is not one of the control plane's API. */
export const controlPlaneUnclear = entry<{ endpoint: string; what: string }>("release-control-plane-unclear", {
  title: "The server at the control plane's address is not the control plane",
  message: ({ endpoint, what }) => `${endpoint} answered ${what}, which is not an answer of the control plane's API.`,
  fix: () =>
    "check that the endpoint is the address of the control plane's own Container App, " +
    "and that it runs the same version as this command",
});

/** A bearer token would cross the network unencrypted. */
export const endpointInsecure = entry<{ endpoint: string; has: "no https" | "a user" }>("release-endpoint-insecure", {
  exitCode: 2,
  title: "The control plane's address does not use https, or has a user in it",
  variants: [{ has: "no https" }, { has: "a user" }],
  message: ({ endpoint, has }) =>
    has === "no https"
      ? `The endpoint "${endpoint}" does not use https, so a token sent to it could be read on the way.`
      : `The endpoint "${endpoint}" was given with a user or a password, which every message about it would show.`,
  fix: () => "give the endpoint as https://<host>; plain http is accepted for 127.0.0.1 only",
});

/** No credential of the environment gave a token for the control plane. */
export const notSignedIn = entry<
  { by: "signing in"; audience: string; reason: string } | { by: "BALLAST_TOKEN"; reason: string }
>("release-not-signed-in", {
  title: "No token for the control plane",
  variants: [{ by: "signing in" }, { by: "BALLAST_TOKEN" }],
  message: (what) =>
    what.by === "signing in"
      ? `No token for ${what.audience} could be obtained: ${what.reason}.`
      : `BALLAST_TOKEN is no token: it ${what.reason}.`,
  fix: ({ by }) =>
    by === "signing in"
      ? "run `az login`, or set AZURE_TENANT_ID and AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or a federated token"
      : "set BALLAST_TOKEN to the token alone, or unset it and sign in",
  left: () => "No traffic was moved. The control plane was not called.",
});

/** How a command reaches the control plane, from whatever folder and stack. */
interface Reached {
  readonly endpoint: string;
  readonly audience: string;
}

/** Gives a command line for the control plane that was asked. The stack of the app may have no output that names it. */
export const ballast = ({ endpoint, audience }: Reached, command: string): string =>
  `\`ballast ${command} --endpoint ${endpoint} --audience ${audience}\``;

/** Names a release in a command. */
const named = ({ app, revision }: { readonly app: string; readonly revision: string }): string => `${app}/${revision}`;

interface Ended extends Reached {
  readonly app: string;
  readonly revision: string;
  readonly message: string;
}

/** The rollout gave all traffic back to stable; the message says why. */
export const releaseRolledBack = entry<Ended>("release-rolled-back", {
  title: "A release was rolled back",
  message: ({ message }) => message,
  fix: (release) =>
    "release a fixed version, or revert; " +
    `${ballast(release, `release explain ${named(release)}`)} shows each decision, ` +
    `${ballast(release, `release retry ${named(release)} --message …`)} releases the same revision again`,
  left: () => "Stable serves 100 percent of the traffic, as read back from Azure. The canary receives none.",
});

/** How an app is released was changed while nothing is to be released. */
export const releasePlanLater = entry<Reached & { app: string; changed: string; isInFlight: boolean }>(
  "release-plan-later",
  {
    severity: "warning",
    title: "A change of gate, strategy, thresholds or probe applies to the next release only",
    variants: [{ isInFlight: true }, { isInFlight: false }],
    message: ({ app, changed, isInFlight }) =>
      `The update changes ${changed} of ${app}. That applies to the next release: the present one ` +
      (isInFlight ? "is in flight as it was requested." : "has ended."),
    fix: (release) =>
      release.isInFlight
        ? "to hold the release in flight until then, pause it with " +
          ballast(release, `release pause ${release.app} --message …`)
        : "nothing has to be done",
    left: () => "No rollout was changed.",
  },
);

/** The control plane that would carry out the release does not manage its app. */
export const releaseUnmanaged = entry<{ endpoint: string; resourceGroup: string; app: string }>("release-unmanaged", {
  severity: "warning",
  title: "The control plane does not manage the app yet",
  message: ({ endpoint, resourceGroup, app }) =>
    `The control plane at ${endpoint} does not manage the app ${app} in ${resourceGroup}. ` +
    "An update refuses to write the app as long as that is so.",
  fix: (target) => `${managedBy(target)}; do nothing if this program deploys that ControlPlane and the entry is new`,
  left: () => "A preview changes nothing.",
});

/** The release was stopped before it received any traffic. */
export const releaseRejected = entry<Ended>("release-rejected", {
  title: "A release was rejected before it received any traffic",
  message: ({ message }) => message,
  fix: (release) =>
    "check the revision's own logs, then release again or revert; " +
    `${ballast(release, `release explain ${named(release)}`)} shows each decision`,
  left: () => "No user request reached the canary. Stable serves as before.",
});

/** Traffic could not be returned to stable, and a person must act. */
export const releaseDegraded = entry<Ended>("release-degraded", {
  title: "A rollout ended degraded",
  message: ({ message }) => message,
  fix: (release) =>
    `correct the app's traffic in Azure, then run ${ballast(release, `release retry ${named(release)} --message …`)}`,
  left: ({ app }) => `The traffic of ${app} is as the last confirmed write left it.`,
});

/** The state's endpoint is not the one through which the release was made, so it gets no token. */
export const releaseEndpointUnbound = entry<{ endpoint: string; audience: string }>("release-endpoint-unbound", {
  title: "The endpoint in the state is not the one that the audience is bound to",
  message: ({ endpoint, audience }) =>
    `The state names ${endpoint} for the audience ${audience}, but the release was not made through that endpoint. ` +
    "No token was sent there.",
  fix: () =>
    "if you moved the control plane, release again, which binds the new address; if you did not, find out who " +
    "changed the state",
  left: () => "Nothing was asked of any control plane.",
});

/** The command stopped following; the rollout continues. */
export const releaseLeftInFlight = entry<Omit<Ended, "message">>("release-left-in-flight", {
  title: "A release was left in flight",
  message: ({ revision }) =>
    `This command no longer follows the rollout of ${revision}. If it has begun, it continues on the control plane.`,
  fix: (release) =>
    `run ${ballast(release, `release follow ${named(release)}`)} to follow it, or ` +
    `${ballast(release, `release abort ${named(release)} --message …`)} to stop it; ` +
    "the next `pulumi up` follows it again",
  left: ({ app }) =>
    `The control plane continues to shift the traffic of ${app}, and returns it to stable if the release is bad.`,
});
