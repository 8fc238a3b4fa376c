// What `ballast doctor` reports as wrong with a stack, or with the cloud that it is deployed to. Errors of the control
// plane and of the tools keep their own ids.
import { entry } from "./catalogue.ts";
import { remedyFor } from "./cli.ts";

/** The Pulumi CLI cannot read the stack. */
export const doctorStackUnreadable = entry<{ stack: string; reason: string }>("doctor-stack-unreadable", {
  exitCode: 2,
  title: "Stack unreadable",
  message: ({ stack, reason }) => `The Pulumi CLI cannot read the stack ${stack}: ${reason}.`,
  variants: [{}, { reason: "no Pulumi.yaml project file found" }, { reason: "no stack named" }],
  fix: ({ reason }) => remedyFor(reason),
});

/** The folder has no selected stack, and several or none to choose from. */
export const doctorStackUnnamed = entry<{ stacks: readonly string[] }>("doctor-stack-unnamed", {
  exitCode: 2,
  title: "No stack to check",
  variants: [{}, { stacks: [] }],
  message: ({ stacks }) =>
    `No stack is selected in this folder. Its backend has ${stacks.length > 0 ? stacks.join(", ") : "none"}.`,
  fix: ({ stacks }) =>
    stacks.length > 0
      ? "name one with --stack <name>"
      : "run `pulumi login` for the backend that has the stack, or create one with `pulumi stack init <name>`",
});

/** The stack belongs to another program, and its state has no control plane to check. */
export const doctorPlaneUndeployed = entry<{ stack: string }>("doctor-plane-undeployed", {
  exitCode: 2,
  title: "Stack without a control plane",
  message: ({ stack }) =>
    `The stack ${stack} sets no ballast: configuration key, and its state has no deployed ControlPlane.`,
  fix: () =>
    "check the stack that deploys the ControlPlane, after its first `pulumi up`; for what must exist before that, " +
    "see docs/start/adopting.md",
});

/** This Node is older than the package supports. */
export const doctorNodeOld = entry<{ version: string; least: string }>("doctor-node-old", {
  title: "Node too old",
  message: ({ version, least }) => `This is Node ${version}. Ballast needs ${least} or newer.`,
  fix: ({ least }) => `install Node ${least} or newer, from nodejs.org or your package manager`,
});

/** A host of Azure, or of an app, did not answer. */
export const doctorAzureUnreachable = entry<{ host: string; reason: string }>("doctor-azure-unreachable", {
  title: "Cloud host unreachable",
  message: ({ host, reason }) => `${host} cannot be reached: ${reason}.`,
  fix: () =>
    "check the network, the proxy, and ballast:endpoints of the stack; for the emulator, check BALLAST_CONNECT_TO " +
    "and `ballast emulator status`",
});

/** The subscription does not exist, or the caller has no access to it. */
export const doctorSubscriptionUnseen = entry<{ subscription: string; reason: string }>("doctor-subscription-unseen", {
  title: "Subscription not accessible",
  message: ({ subscription, reason }) => `You have no access to the subscription ${subscription}: ${reason}`,
  fix: () => "sign in to its tenant with `az login --tenant <id>`, and check azure-native:subscriptionId of the stack",
});

/** A resource provider is not registered. */
export const doctorProvidersUnregistered = entry<{ namespaces: readonly string[] }>("doctor-providers-unregistered", {
  title: "Resource provider not registered",
  message: ({ namespaces }) =>
    `The subscription has not registered ${namespaces.join(", ")}. ` +
    "Azure refuses to create resources of an unregistered provider.",
  fix: ({ namespaces }) =>
    namespaces.map((namespace) => `az provider register --namespace ${namespace} --wait`).join(" && "),
});

/** The caller lacks permissions that `pulumi up` needs. */
export const doctorRightsMissing = entry<{ group: string; actions: readonly string[] }>("doctor-rights-missing", {
  title: "Missing permissions to deploy",
  message: ({ group, actions }) =>
    `You lack permissions in the resource group ${group} that \`pulumi up\` needs: ${actions.join(", ")}.`,
  fix: ({ group }) =>
    `ask an owner for the roles Contributor and User Access Administrator in the resource group ${group}, ` +
    "or run the command as the account that deploys",
});

/** An identity of the stack lacks permissions that its work needs. */
export const doctorIdentityRightsMissing = entry<{ identity: string; at: string; actions: readonly string[] }>(
  "doctor-identity-rights-missing",
  {
    title: "Identity without the permissions it needs",
    message: ({ identity, at, actions }) =>
      `The identity ${identity} has no role on ${at} that permits what it does: ${actions.join(", ")}.`,
    fix: () =>
      "run `pulumi up`, which assigns the role; if the role was removed outside Pulumi, run `pulumi refresh` first",
    left: () => "Nothing was changed. Operations that need the permission fail until it is granted.",
  },
);

/** The environment has no room for a canary's replicas. */
export const doctorCoresFew = entry<{ environment: string; used: number; limit: number; needed: number }>(
  "doctor-cores-few",
  {
    title: "Too few cores left in the environment",
    message: ({ environment, used, limit, needed }) =>
      `The environment ${environment} uses ${used} of its ${limit} cores. ` +
      `A canary of the service needs ${needed} more.`,
    fix: () =>
      "request a higher quota of Managed Environment Consumption Cores for this environment " +
      "(`az containerapp env list-usages` shows it), or lower the minimum replicas of the app " +
      "(template.scale.minReplicas of CanaryApp, ballast:replicas.storefrontMin)",
    left: () => "Running replicas keep running. Replicas of a canary would not start.",
  },
);

/** The region has no room for another environment. */
export const doctorQuotaFull = entry<{ location: string; used: number; limit: number }>("doctor-quota-full", {
  title: "Quota of environments used up",
  message: ({ location, used, limit }) =>
    `The subscription uses ${used} of the ${limit} managed environments it may have in ${location}, ` +
    "so the stack's environment cannot be created.",
  fix: () =>
    "request a higher quota of Managed Environment Count in the portal under Quotas, delete an unused environment, " +
    "or choose another ballast:location",
  left: () => "Nothing was created.",
});

/** A globally unique name belongs to another customer. */
export const doctorNameTaken = entry<{ name: string; kind: string; key: string }>("doctor-name-taken", {
  title: "Name already taken",
  message: ({ name, kind }) =>
    `The name ${name} of the ${kind} is already taken. These names are unique across all of Azure.`,
  fix: ({ key }) => `change ${key}`,
  left: () => "Nothing was created.",
});

/** The control plane could not sign in to its database. */
export const doctorDatabaseRoleMissing = entry<{ server: string; what: string }>("doctor-database-role-missing", {
  title: "Database role of the control plane missing",
  message: ({ server, what }) =>
    `The database server ${server} has no ${what}. The control plane needs it to sign in to its database.`,
  fix: () => "run `pulumi up`, then the job `database-role`; see docs/guides/environments.md",
  left: () => "The journals are unchanged. Connections that are already open keep working.",
});

/** The control plane answers, but its rollouts do not advance. */
export const doctorHeartbeatLost = entry<{ inFlight: number; seconds: number; silenceSeconds: number }>(
  "doctor-heartbeat-lost",
  {
    title: "Rollouts in progress are stuck",
    variants: [{ inFlight: 1 }, {}],
    message: ({ inFlight, seconds, silenceSeconds }) =>
      `${inFlight} rollout${inFlight === 1 ? " is" : "s are"} in progress, but the control loop has left one that ` +
      `was due alone for ${seconds} s; after ${silenceSeconds} s the heartbeat counts as lost.`,
    fix: () => "read the control plane's log, then follow Stuck rollout in docs/guides/runbooks.md",
    left: () => "The dead man's switch gives every app on a split back to stable.",
  },
);

/** The control plane works, but not on all of its rollouts. */
export const doctorRolloutsStuck = entry<{ stuck: number; inFlight: number }>("doctor-rollouts-stuck", {
  title: "Rollouts in progress stand still for good",
  variants: [{ stuck: 1 }, {}],
  message: ({ stuck, inFlight }) =>
    `${stuck} of ${inFlight} rollout${inFlight === 1 ? "" : "s"} in progress cannot go on: ` +
    `${stuck === 1 ? "its journal" : "their journals"} cannot be read, or the engine fails on ` +
    `${stuck === 1 ? "it" : "them"}.`,
  fix: () => "run `ballast release list`, which says why, then follow Stuck rollout in docs/guides/runbooks.md",
  left: () => "All other rollouts go on. The traffic of the stuck ones stays where it is.",
});

/** A declared credential could not be rotated, is not replaced in time, or was changed by others. */
export const doctorCredentialsUnwell = entry<{ unwell: readonly string[] }>("doctor-credentials-unwell", {
  title: "Declared credentials need attention",
  message: ({ unwell }) => `${unwell.join("; ")}.`,
  fix: () =>
    "`ballast credential rotate` with the credential and `--dry-run` says what a rotation would meet; " +
    "docs/guides/credentials.md has the rights and the waits",
  left: () => "Nothing was changed: the published version goes on.",
});

/** The control plane is only reachable from inside its network. */
export const doctorPlaneInternal = entry<{ host: string; why: string }>("doctor-plane-internal", {
  title: "Control plane not reachable from this network",
  message: ({ host, why }) =>
    `The control plane at ${host} is only reachable from inside its network: ${why}. Whether it is up is unknown.`,
  fix: () =>
    "run the command from a runner inside the network, or through a VPN that uses the network's DNS; " +
    "see docs/guides/network.md",
  left: () => "Rollouts in progress continue.",
});

/** The control plane's ingress does not accept this machine's address. */
export const doctorPlaneCallerRefused = entry<{ host: string; callers: readonly string[] }>(
  "doctor-plane-caller-refused",
  {
    title: "Address not accepted by the control plane",
    message: ({ host, callers }) =>
      `The ingress of ${host} refused this machine's address with status 403. ` +
      `It accepts ${callers.join(", ")} and its own network.`,
    fix: () =>
      "run the command from one of these addresses, or add this machine's address to ballast:network.callers and " +
      "run `pulumi up` from an accepted address",
    left: () => "Rollouts in progress continue.",
  },
);

/** The app is configured in a way that canaries do not work with. */
export const doctorAppUnfit = entry<{ app: string; why: string }>("doctor-app-unfit", {
  title: "App cannot be released by canary",
  message: ({ app, why }) => `${app} cannot be released by canary: ${why}.`,
  fix: () =>
    "correct it with the next `pulumi up`: a canary needs Multiple revision mode, an HTTP ingress, and no session " +
    "affinity",
  left: () => "A preview would refuse a release of it.",
});

/** The app's identity may not pull its image. */
export const doctorImageUnpullable = entry<{ app: string; image: string; why: string }>("doctor-image-unpullable", {
  title: "Image cannot be pulled",
  message: ({ app, image, why }) => `${app} cannot pull ${image}: ${why}.`,
  fix: () => "grant the identity AcrPull on the registry, and name it in the app's registries; `pulumi up` does both",
  left: () => "Running replicas keep running. New ones cannot start.",
});

/** Revisions of an app run, have no traffic, and are not being released. */
export const doctorRevisionsIdle = entry<{ app: string; revisions: readonly string[] }>("doctor-revisions-idle", {
  title: "Revisions run for nobody",
  message: ({ app, revisions }) =>
    `${app} has active revisions without traffic, and no release is in flight: ${revisions.join(", ")}. ` +
    "An update that was killed before it had asked for the release leaves such a revision.",
  fix: ({ app }) =>
    "release it with `pulumi up` if it is what your program says; else run `az containerapp revision deactivate` " +
    `with --name ${app}, --resource-group and --revision`,
  left: () => "Their replicas run and cost money. No user reaches them.",
});

/** The environment sends no request rows to a workspace. */
export const doctorRowsUnwired = entry<{ environment: string }>("doctor-rows-unwired", {
  title: "Request rows not collected",
  message: ({ environment }) =>
    `The environment ${environment} has no diagnostic setting that sends ContainerAppHTTPLogs to a workspace, ` +
    "so no release can be judged.",
  fix: () => "run `pulumi up`, which creates the setting request-logs, or create it on the environment yourself",
  left: () => "A release would wait, and be rolled back after maximumSeconds.",
});

/** Request rows arrive later than the stack is configured for. */
export const doctorRowsLate = entry<{ seconds: number; ingestionSeconds: number; came: boolean }>("doctor-rows-late", {
  title: "Request rows arrive too late",
  variants: [{ came: true }, { came: false }],
  message: ({ seconds, ingestionSeconds, came }) =>
    `The row of a test request ${came ? `arrived after ${seconds} s` : `had not arrived after ${seconds} s`}; ` +
    `ingestionSeconds is ${ingestionSeconds}.`,
  fix: () =>
    "set ingestionSeconds of ControlPlane (ballast:ingestionSeconds in this repository's program) above the delay " +
    "you observe over some hours, or check the workspace's daily cap and the health of Azure Monitor",
  left: () => "The judge would ignore late rows, and so see fewer requests than there are.",
});

/** The region does not offer the database server that the stack configures. */
export const doctorDatabaseUnoffered = entry<{ location: string; why: string }>("doctor-database-unoffered", {
  title: "Database not offered in the region",
  message: ({ location, why }) => `The database cannot be created in ${location}: ${why}.`,
  fix: () =>
    "choose another size (sku of JournalDatabase, ballast:databaseSku) or another region, or ask Azure support to " +
    "enable this one for the subscription",
});

/** The reports that alerts are based on do not arrive. */
export const doctorTelemetrySilent = entry<{ insights: string; what: string }>("doctor-telemetry-silent", {
  title: "Telemetry of the control plane missing",
  message: ({ insights, what }) =>
    `No recent telemetry in ${insights}: ${what}. The control plane reports every minute, and alerts depend on it.`,
  fix: () =>
    "see the check `control plane`, read what its log says about telemetry, and make sure that its identity has " +
    "the role Monitoring Metrics Publisher on the component, which `pulumi up` assigns",
  left: () => "Nothing was changed. Releases continue and are judged without telemetry.",
});
