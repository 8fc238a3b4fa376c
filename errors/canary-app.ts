// What `CanaryApp` and `httpApp` refuse or warn of, mostly at preview, before anything is changed.
import { entry } from "./catalogue.ts";

const unchanged = () => "Nothing was changed. Traffic is as before.";

/** The rollout engine lists what is wrong with the strategy, the thresholds or the gate. */
export const canaryAppPlan = entry<{
  readonly app: string;
  readonly complaints: readonly string[];
  readonly settings: readonly string[];
}>("canary-app-plan", {
  title: "A release plan is not valid",
  message: ({ app, complaints }) => `Invalid release plan for "${app}": ${complaints.join(" ")}`,
  fix: ({ app, settings }) => `correct ${settings.join(" or ")} of "${app}"`,
  left: unchanged,
});

/** The plan is valid, but its releases are less safe than with the defaults. */
export const canaryAppCautions = entry<{
  readonly app: string;
  readonly cautions: readonly string[];
  readonly settings: readonly string[];
}>("canary-app-cautions", {
  severity: "warning",
  title: "A release plan is less safe than the defaults",
  message: ({ app, cautions }) => `The release plan of "${app}" is less safe than the defaults. ${cautions.join(" ")}`,
  fix: ({ settings }) =>
    `do nothing if this is intended; otherwise correct ${settings.join(" or ")}, or remove a value to get its default`,
});

/** A canary consumes messages whatever its weight, and they are not judged. */
export const canaryAppConsumes = entry<{ readonly app: string; readonly sources: readonly string[] }>(
  "canary-app-consumes",
  {
    severity: "warning",
    title: "A canary takes messages before it gets any traffic",
    message: ({ app, sources }) =>
      `"${app}" may get messages: ${sources.join("; ")}. A canary takes its share of them from its start, ` +
      "whatever its weight. Only requests are judged.",
    fix: () =>
      "do nothing if a bad release may fail on messages; otherwise consume them in an app of its own, as " +
      "docs/guides/container-app.md says",
  },
);

/** Azure would refuse the template in the middle of the update. */
export const canaryAppProbes = entry<{ readonly app: string; readonly complaints: readonly string[] }>(
  "canary-app-probes",
  {
    title: "Azure does not accept a health probe of an app",
    message: ({ app, complaints }) =>
      `The health probes of "${app}" are beyond Azure's limits: ${complaints.join("; ")}.`,
    fix: () => "correct them in the template; a slow start needs a longer period rather than more failures",
    left: unchanged,
  },
);

/** The plan needs more requests than the app gets. */
export const canaryAppBlind = entry<{
  readonly app: string;
  readonly shortfalls: readonly string[];
  readonly strategy: string;
  readonly thresholds: string;
}>("canary-app-blind", {
  severity: "warning",
  title: "A release plan needs more requests than the app gets",
  message: ({ app, shortfalls }) => `"${app}" gets too few requests for its release plan. ${shortfalls.join(" ")}`,
  fix: ({ strategy, thresholds }) =>
    `give releases more time (maximumSeconds) or greater weights in ${strategy}, or loosen ${thresholds}; ` +
    "`ballast power` shows the effect of each",
});

/** A canary that is scaled to zero between two probes would be judged on its cold starts. */
export const canaryAppNoReplica = entry<{
  readonly app: string;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly probeSeconds: number;
  readonly coolDownSeconds: number;
}>("canary-app-no-replica", {
  title: "An app's replicas could be scaled to zero during a release",
  variants: [{}, { minReplicas: 3, maxReplicas: 2 }],
  message: ({ app, minReplicas, maxReplicas, probeSeconds, coolDownSeconds }) =>
    `"${app}" scales from ${minReplicas} to ${maxReplicas} replicas` +
    (hasRange(minReplicas, maxReplicas)
      ? `, to zero after ${coolDownSeconds} seconds without a request, and is probed every ${probeSeconds} seconds. ` +
        "A canary that is scaled to zero between two probes would be judged on its cold starts."
      : ", which no app can."),
  fix: ({ minReplicas, maxReplicas, coolDownSeconds }) =>
    hasRange(minReplicas, maxReplicas)
      ? `set minReplicas to 1 or more, or probeSeconds to no more than half of these ${coolDownSeconds} seconds`
      : "set maxReplicas to at least 1, and to at least minReplicas",
  left: unchanged,
});

const hasRange = (least: number, most: number): boolean => !(least < 0 || most < Math.max(1, least));

/** The Consumption profile does not have the size. */
export const httpAppSizeUnfit = entry<{ readonly cpu: number; readonly app: string | undefined }>(
  "http-app-size-unfit",
  {
    title: "Azure does not have the size of an app's replicas",
    variants: [{}, { app: undefined }],
    message: ({ cpu, app }) =>
      `${app === undefined ? "An app" : `The app "${app}"`} sets cpu to ${cpu}, but the Consumption profile has ` +
      "sizes from 0.25 to 4 vCPUs in steps of 0.25.",
    fix: () => "set cpu of httpApp(…) to one of these sizes; memory follows it, 2 GiB per vCPU",
    left: unchanged,
  },
);

/** The live app is of a kind whose weights or requests mean nothing. */
export const canaryAppUnfit = entry<{ readonly app: string; readonly why: string }>("canary-app-unfit", {
  title: "An app cannot be released by canary as it is",
  message: ({ app, why }) => `"${app}" cannot be released by canary: ${why}.`,
  fix: () => "change the app first, or deploy it with a plain ContainerApp instead of a CanaryApp",
  left: unchanged,
});

/** Azure cannot move an app, so Pulumi would delete it and create another one. */
export const canaryAppMoved = entry<{ readonly app: string; readonly moves: readonly string[] }>("canary-app-moved", {
  title: "An update would delete and recreate an app that serves",
  message: ({ app, moves }) =>
    `"${app}" would be deleted and created again, since Azure can neither rename nor move an app: ` +
    `${moves.join("; ")}.`,
  fix: () =>
    "set in the program what the app has now; to move it, deploy a second app, move the users, then delete the first",
  left: unchanged,
});

/** A creation of an app that exists is a replacement, or the state does not have the app. */
export const canaryAppExists = entry<{ readonly app: string }>("canary-app-exists", {
  title: "Pulumi would create an app that exists already",
  message: ({ app }) =>
    `Pulumi would create the app of "${app}", which already exists and may serve users. Either a change makes Pulumi ` +
    "delete it first, or the state does not contain it.",
  fix: () =>
    "undo the change that replaces the app (`pulumi preview --diff` shows the property; it may be the letter case " +
    "of an id, or one that replaceOnChanges names); if the state does not contain the app, import it as " +
    "docs/start/adopting.md says",
  left: unchanged,
});

/** The live app has settings that were made outside the program. */
export const canaryAppLosses = entry<{
  readonly app: string;
  readonly losses: readonly string[];
  /** The settings by the names that `acceptLoss` takes. */
  readonly lost: readonly string[];
  /** Those of them that `keepLive` takes too. */
  readonly keepable: readonly string[];
}>("canary-app-losses", {
  title: "An update would take settings from a live app",
  variants: [{}, { keepable: [] }],
  message: ({ app, losses }) =>
    `The live app of "${app}" has settings that the program does not, so the update would remove them: ` +
    `${losses.join(", ")}.`,
  fix: ({ lost, keepable }) => {
    const orKeep = keepable.length === 0 ? "" : `, or keep them as they are with keepLive: ${quoted(keepable)}`;
    return `set them in the program${orKeep}; to drop them, set acceptLoss: ${quoted(lost)}`;
  },
  left: unchanged,
});

/** A preview hides an argument of which a value is not known, also from the hook that compares. */
export const canaryAppMayLose = entry<{ readonly app: string; readonly losses: readonly string[] }>(
  "canary-app-may-lose",
  {
    severity: "warning",
    title: "An update may take settings from a live app",
    message: ({ app, losses }) =>
      `The live app of "${app}" has settings that the program does not: ${losses.join(", ")}. This preview cannot ` +
      "see whether a transform of the stack adds them, since a value beside them is not known yet.",
    fix: () =>
      "do nothing if a transform adds them; otherwise set them in the program, or in keepLive or acceptLoss: the " +
      "update refuses to remove them (canary-app-losses)",
  },
);

const quoted = (names: readonly string[]): string => `[${names.map((name) => `"${name}"`).join(", ")}]`;

/** What revisions share changes for stable too, at once, and stays changed after a rollback. */
export const canaryAppScopeChanges = entry<{ readonly app: string; readonly changes: readonly string[] }>(
  "canary-app-scope-changes",
  {
    title: "A release also changes what a rollback cannot undo",
    message: ({ app, changes }) =>
      `The update of "${app}" makes a new revision and also changes what all revisions share: ` +
      `${changes.join("; ")}. The revision that serves now would get these changes at once and keep them after a ` +
      "rollback.",
    fix: () =>
      "split it into two updates: first change what revisions share, in a way that works for the revision that " +
      "serves now, then the rest",
    left: unchanged,
  },
);

/** Replicas read a secret when they start. */
export const canaryAppSecretWaits = entry<{ readonly app: string; readonly secrets: readonly string[] }>(
  "canary-app-secret-waits",
  {
    severity: "warning",
    title: "Running replicas keep a secret's old value",
    message: ({ app, secrets }) =>
      `"${app}" gets new values for ${secrets.join(", ")}. Running replicas keep the old ones until they restart.`,
    fix: ({ app }) => `release the app, or restart it: az containerapp revision restart --name ${app} …`,
  },
);

/** The plan needs the live weights, but Azure did not return them. */
export const canaryAppUnreadable = entry<{
  readonly app: string;
  readonly reason: string;
  readonly right: string | undefined;
}>("canary-app-unreadable", {
  title: "The live traffic of an app cannot be read",
  variants: [{ right: undefined }, {}],
  message: ({ app, reason }) =>
    `The live traffic of "${app}" cannot be read. Without it, an update could move users back to an older ` +
    `release. Azure answered: ${reason}`,
  fix: ({ right }) =>
    right === undefined
      ? "run the same command again; if it keeps failing, check Azure's answer above"
      : `grant the identity that runs Pulumi the permission ${right} on the app's resource group; ` +
        "the role Container Apps Contributor has it",
  left: unchanged,
});

/** The live weights are inconsistent. */
export const canaryAppTrafficUneven = entry<{ readonly app: string; readonly sum: number; readonly traffic: string }>(
  "canary-app-traffic-uneven",
  {
    title: "The live weights of an app do not add up to 100",
    message: ({ app, sum, traffic }) =>
      `The live weights of "${app}" add up to ${sum} instead of 100 (${traffic}), so it is unclear which ` +
      "revision should serve.",
    fix: ({ app }) =>
      `correct them (az containerapp ingress traffic set --name ${app} …), then run the same command again`,
    left: unchanged,
  },
);

/** The live app is read before any resource is registered, so its name cannot be one that Pulumi makes up. */
export const canaryAppUnnamed = entry<{ readonly name: string }>("canary-app-unnamed", {
  title: "A CanaryApp has no containerAppName",
  message: ({ name }) =>
    `CanaryApp "${name}" does not set containerAppName. The live app is read before the update, by its name in Azure.`,
  fix: ({ name }) =>
    `set containerAppName in new CanaryApp("${name}", …); the name of an app that Pulumi named is in the state: ` +
    "pulumi stack export",
  left: unchanged,
});

/** A program sets what the control plane moves. */
export const canaryAppOwnedField = entry<{ readonly name: string; readonly lines: readonly string[] }>(
  "canary-app-owned-field",
  {
    title: "A program sets what a CanaryApp sets itself",
    message: ({ name, lines }) =>
      `CanaryApp "${name}" sets ${lines.join(" and ")}. Releases move the traffic, and Azure names the revisions.`,
    fix: ({ lines }) => `delete ${lines.join(" and ")}`,
    left: unchanged,
  },
);

/** A pipeline sets the image, so the program would never have a new template. */
export const canaryAppIgnoredTemplate = entry<{ readonly name: string; readonly paths: readonly string[] }>(
  "canary-app-ignored-template",
  {
    title: "A program ignores changes of the template that it releases",
    message: ({ name, paths }) =>
      `CanaryApp "${name}" has ${paths.map((path) => `"${path}"`).join(", ")} in ignoreChanges. ` +
      "A change of the template is a release, so there would be nothing to release.",
    fix: ({ paths }) =>
      `delete ${paths.map((path) => `"${path}"`).join(", ")} from ignoreChanges, and set the image in the program: ` +
      "a pipeline passes it with `pulumi config set`",
    left: unchanged,
  },
);

/** The state says that nothing changed, while another client made a revision. */
export const canaryAppOutdated = entry<{ readonly name: string; readonly known: string; readonly live: string }>(
  "canary-app-outdated",
  {
    title: "The state does not know an app's latest revision",
    message: ({ name, known, live }) =>
      `The latest revision of "${name}" is ${live}, but the state has ${known}. Another client made it, such as a ` +
      "hot fix by hand, and users may be on it.",
    fix: () =>
      "run `pulumi up --refresh`, or set `options: { refresh: always }` in Pulumi.yaml; the program's template is " +
      "then released with the revision that serves now as stable",
    left: unchanged,
  },
);

/** What serves names one of two slots, and only the control plane knows which. */
export const canaryAppSlotInDoubt = entry<{
  readonly name: string;
  readonly revision: string;
  readonly reason: string;
}>("canary-app-slot-in-doubt", {
  title: "It is not known which slot of a credential an app uses",
  message: ({ name, revision, reason }) =>
    `A rotation made the revision ${revision} of "${name}", several credentials fit its name, and the control plane ` +
    `did not say which of them it moved: ${reason}. A release might name a slot that the next rotation changes.`,
  fix: () =>
    "run the same command again when `ballast doctor` finds the control plane well; if that does not help, rotate " +
    "the credential again (`ballast credential rotate`)",
  left: unchanged,
});
