// What the components of the program refuse, mostly at preview, before anything is changed.
import { entry } from "./catalogue.ts";

const unmoved = () => "nothing was changed: users are served as before.";

/** Azure has rules for names, and the program's break them. */
export const componentNameRefused = entry<{ readonly kind: string; readonly name: string; readonly rule: string }>(
  "component-name-refused",
  {
    title: "Azure would refuse a name",
    message: ({ kind, name, rule }) => `"${name}" cannot be the name of a ${kind}: it must be ${rule}.`,
    fix: () => "give the component that it is for a shorter or plainer name",
    left: unmoved,
  },
);

/** A network's addresses could not be shared out. */
export const networkRangeRefused = entry<{ readonly range: string; readonly why: string }>("network-range-refused", {
  title: "A network cannot have the range that it is given",
  message: ({ range, why }) => `A network of the range ${range} cannot be made: ${why}.`,
  fix: () => "choose another range of private addresses in ballast:network, such as 10.40.0.0/22",
  left: unmoved,
});

/** An internal environment answers inside a network, and this one is in none. */
export const environmentWithoutInside = entry<{ readonly name: string }>("environment-without-inside", {
  title: "An internal environment needs a subnet",
  message: ({ name }) =>
    `The environment ${name} is to be internal, and without a subnet of yours there is nothing inside which it could answer.`,
  fix: () => "give it a subnet, such as the one that a `Network` makes, or leave `internal` out",
  left: unmoved,
});

/** Azure never moves an environment or a database to another network. */
export const networkPlaceFixed = entry<{ readonly what: string; readonly live: string; readonly planned: string }>(
  "network-place-fixed",
  {
    title: "The network of something that is there already cannot be changed",
    message: ({ what, live, planned }) =>
      `The ${what} is ${live} and is to be ${planned}, which Azure refuses for one that is there already.`,
    fix: () =>
      "set ballast:network back; to change it for good, deploy a second stack beside this one and move over, as docs/guides/network.md says",
    left: unmoved,
  },
);

/** The engine itself says what is wrong with the pace or the limits. */
export const canaryAppPlan = entry<{ readonly app: string; readonly complaints: readonly string[] }>(
  "canary-app-plan",
  {
    title: "A release's plan cannot be carried out",
    message: ({ app, complaints }) => `The releases of "${app}" cannot go like that. ${complaints.join(" ")}`,
    fix: () => "correct ballast:pace, ballast:limits or ballast:shadowLimits of the stack",
    left: unmoved,
  },
);

/** A warning: the plan is good, and promises less than releases usually do. */
export const canaryAppCautions = entry<{ readonly app: string; readonly cautions: readonly string[] }>(
  "canary-app-cautions",
  {
    title: "A release's plan weakens what releases promise",
    message: ({ app, cautions }) => `The releases of "${app}" promise less than they could. ${cautions.join(" ")}`,
    fix: () =>
      "nothing, where that is meant; else correct ballast:pace or ballast:limits of the stack, where each has a default that needs no thought",
  },
);

/** A warning: what is promised takes more requests than come. */
export const canaryAppBlind = entry<{ readonly app: string; readonly shortfalls: readonly string[] }>(
  "canary-app-blind",
  {
    title: "A release's plan cannot see what it promises",
    message: ({ app, shortfalls }) => `The releases of "${app}" cannot see what they promise. ${shortfalls.join(" ")}`,
    fix: () =>
      "give releases more time (maximumSeconds) or greater weights in ballast:pace, or ask less of them in ballast:limits; `ballast power` tells what each takes",
  },
);

/** A canary that falls asleep between two probes would be judged on its cold starts. */
export const canaryAppNoReplica = entry<{
  readonly app: string;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly probeSeconds: number;
}>("canary-app-no-replica", {
  title: "An app's replicas would not stay awake during a release",
  message: ({ app, minReplicas, maxReplicas, probeSeconds }) =>
    `"${app}" is to have from ${minReplicas} to ${maxReplicas} replicas and is probed every ${probeSeconds} seconds, and a canary that falls asleep in between would be judged on its cold starts.`,
  fix: () =>
    "set minReplicas to 1 or more, or probeSeconds to 150 or less, and maxReplicas to no less than minReplicas and 1",
  left: unmoved,
});

/** A size that the Consumption profile does not have. */
export const canaryAppSizeUnfit = entry<{ readonly app: string; readonly cpu: number }>("canary-app-size-unfit", {
  title: "Replicas of an app are to have a size that Azure has not",
  message: ({ app, cpu }) =>
    `Each replica of "${app}" is to have ${cpu} vCPU, and the Consumption profile has sizes from 0.25 to 4, in steps of 0.25.`,
  fix: () => "set cpu to one of these; memory follows it, two GiB a vCPU",
  left: unmoved,
});

/** The live app is of a kind whose weights or requests would mean nothing. */
export const canaryAppUnfit = entry<{ readonly app: string; readonly why: string }>("canary-app-unfit", {
  title: "An app cannot be released by canary as it is",
  message: ({ app, why }) => `"${app}" cannot be released by canary: ${why}.`,
  fix: () => "change the app first, or deploy it with a plain ContainerApp instead of a CanaryApp",
  left: unmoved,
});

/** What is beyond revisions changes for stable too, at once, and stays when the traffic is given back. */
export const canaryAppScopeChanges = entry<{ readonly app: string; readonly changes: readonly string[] }>(
  "canary-app-scope-changes",
  {
    title: "A release changes what no rollback takes back",
    message: ({ app, changes }) =>
      `The update of "${app}" makes a new revision and changes beside it what all revisions share: ${changes.join("; ")}. The revision that serves now would run with it at once, and go on so after a rollback.`,
    fix: () =>
      "make two updates of it: first what revisions share, such that the revision that serves now can live with it, then the rest",
    left: unmoved,
  },
);

/** A warning: replicas read a secret when they start. */
export const canaryAppSecretWaits = entry<{ readonly app: string; readonly secrets: readonly string[] }>(
  "canary-app-secret-waits",
  {
    title: "A secret's new value waits for the next start of the replicas",
    message: ({ app, secrets }) =>
      `"${app}" gets new values of ${secrets.join(", ")}, and replicas that run keep the old ones until they start again.`,
    fix: ({ app }) => `release something, or \`az containerapp revision restart --name ${app} …\``,
  },
);

/** The plan needs the live weights, and Azure does not give them. */
export const canaryAppUnreadable = entry<{
  readonly app: string;
  readonly reason: string;
  readonly right: string | undefined;
}>("canary-app-unreadable", {
  title: "The live traffic of an app cannot be read",
  message: ({ app, reason }) =>
    `The live traffic of "${app}" cannot be read, and without it an update could send users back to an older release: ${reason}`,
  fix: ({ right }) =>
    right === undefined
      ? "run the same command again; if it stays so, look at what Azure answers above"
      : `give the identity that runs Pulumi the right ${right} on the app's resource group; the role Container Apps Contributor has it`,
  left: unmoved,
});

/** Somebody left the app with weights that mean nothing. */
export const canaryAppTrafficUneven = entry<{ readonly app: string; readonly sum: number; readonly traffic: string }>(
  "canary-app-traffic-uneven",
  {
    title: "The live weights of an app do not add up to 100",
    message: ({ app, sum, traffic }) =>
      `The live weights of "${app}" add up to ${sum} instead of 100 (${traffic}), so it cannot be said who should serve.`,
    fix: ({ app }) =>
      `set them right, \`az containerapp ingress traffic set --name ${app} …\`, then run the same command again`,
    left: unmoved,
  },
);

/** Between plan and update somebody shifted traffic, most likely a rollback. */
export const canaryAppTrafficMoved = entry<{ readonly app: string; readonly planned: string; readonly live: string }>(
  "canary-app-traffic-moved",
  {
    title: "Traffic moved between the plan and the update",
    message: ({ app, planned, live }) =>
      `The traffic of "${app}" was ${planned} when this update was planned and is ${live} now; to go on would undo what moved it.`,
    fix: () => "run the same command again: it plans with the traffic as it is then",
    left: () => "the app was not updated: its traffic is as the control plane put it.",
  },
);

/** Somebody else is writing the app just now. */
export const canaryAppHeld = entry<{ readonly app: string; readonly heldBy: string }>("canary-app-held", {
  title: "Another update holds the app",
  message: ({ app, heldBy }) =>
    `"${app}" is held by ${heldBy}, and two updates at once could each undo the other's traffic.`,
  fix: () => "wait for the other update to end, two minutes at the most, then run the same command again",
  left: unmoved,
});

/** A warning: the update goes on with what protection is left. */
export const canaryAppUnguarded = entry<{ readonly app: string; readonly reason: string }>("canary-app-unguarded", {
  title: "An app is updated without a hold, since the control plane cannot be reached",
  message: ({ app, reason }) => `"${app}" is updated without a hold on its traffic. ${reason}`,
  fix: () =>
    "nothing, if no rollout of the app is in flight; its traffic was compared with the plan just before the update",
});
