// What `ballast doctor` finds wrong with a stack and the cloud that it names; what others refuse comes with their own ids.
import { entry } from "./catalogue.ts";

/** The engine cannot read the stack. */
export const doctorStackUnreadable = entry<{ stack: string; reason: string }>("doctor-stack-unreadable", {
  title: "A stack cannot be read",
  message: ({ stack, reason }) => `The Pulumi engine cannot read the stack ${stack}: ${reason}.`,
  fix: () =>
    "run the command in the program's folder, sign in to its backend with `pulumi login`, and name a stack that `pulumi stack ls` shows",
});

/** The stack's program is another than this repository's, and nothing of it tells what is to be looked at. */
export const doctorPlaneUndeployed = entry<{ stack: string }>("doctor-plane-undeployed", {
  title: "A stack has no control plane to look at",
  message: ({ stack }) =>
    `The stack ${stack} has no settings of Ballast's own program, and in its state is no ControlPlane whose app is there.`,
  fix: () =>
    "look at the stack that deploys the ControlPlane, after its first `pulumi up`; before that, docs/start/adopting.md says what must be there",
});

/** This Node is older than what we run on. */
export const doctorNodeOld = entry<{ version: string; least: string }>("doctor-node-old", {
  title: "Node is too old",
  message: ({ version, least }) => `This is Node ${version}, and Ballast needs ${least} or newer.`,
  fix: ({ least }) => `install Node ${least} or newer, from nodejs.org or your package manager`,
});

/** No answer from a host of Azure's, or of an app. */
export const doctorAzureUnreachable = entry<{ host: string; reason: string }>("doctor-azure-unreachable", {
  title: "A host of the cloud cannot be reached",
  message: ({ host, reason }) => `${host} cannot be reached: ${reason}.`,
  fix: () =>
    "look at the network, the proxy and ballast:endpoints of the stack; on the stand-in, at BALLAST_CONNECT_TO and whether it is up",
});

/** The subscription is not there for this caller. */
export const doctorSubscriptionUnseen = entry<{ subscription: string; reason: string }>("doctor-subscription-unseen", {
  title: "The subscription cannot be seen",
  message: ({ subscription, reason }) => `The subscription ${subscription} cannot be seen by this caller: ${reason}`,
  fix: () =>
    "sign in to its tenant with `az login --tenant <id>`, and look at azure-native:subscriptionId of the stack",
});

/** A resource provider is not registered. */
export const doctorProvidersUnregistered = entry<{ namespaces: readonly string[] }>("doctor-providers-unregistered", {
  title: "A resource provider is not registered",
  message: ({ namespaces }) =>
    `The subscription has not registered ${namespaces.join(", ")}, and Azure refuses to create resources of an unregistered provider.`,
  fix: ({ namespaces }) =>
    namespaces.map((namespace) => `az provider register --namespace ${namespace} --wait`).join(" && "),
});

/** The caller could not deploy. */
export const doctorRightsMissing = entry<{ group: string; actions: readonly string[] }>("doctor-rights-missing", {
  title: "The caller's rights do not suffice",
  message: ({ group, actions }) =>
    `This caller may not do in the resource group ${group} what \`pulumi up\` does: ${actions.join(", ")}.`,
  fix: ({ group }) =>
    `have an owner give you Contributor and User Access Administrator at the resource group ${group}, or run the command as who deploys`,
});

/** An identity of the stack's may not do its work. */
export const doctorIdentityRightsMissing = entry<{ identity: string; at: string; actions: readonly string[] }>(
  "doctor-identity-rights-missing",
  {
    title: "An identity's rights do not suffice",
    message: ({ identity, at, actions }) =>
      `The identity ${identity} has no role at ${at} that lets it do what it is there for: ${actions.join(", ")}.`,
    fix: () =>
      "run `pulumi up`, which assigns the role; where somebody took it away by hand, `pulumi refresh` sees that first",
    left: () => "nothing was changed; what needs the right fails until it is there.",
  },
);

/** There is no room for a canary's replicas. */
export const doctorCoresFew = entry<{ environment: string; used: number; limit: number; needed: number }>(
  "doctor-cores-few",
  {
    title: "An environment has too few cores left",
    message: ({ environment, used, limit, needed }) =>
      `The environment ${environment} uses ${used} of the ${limit} cores that it may, and a canary of the service needs ${needed} beside what runs.`,
    fix: () =>
      "ask for more of Managed Environment Consumption Cores for this environment (`az containerapp env list-usages` shows it), or let each of its revisions keep fewer replicas (minReplicas of CanaryApp, ballast:replicas.storefrontMin)",
    left: () => "what runs goes on; replicas of a canary would not start.",
  },
);

/** There is no room for another environment. */
export const doctorQuotaFull = entry<{ location: string; used: number; limit: number }>("doctor-quota-full", {
  title: "A quota is used up",
  message: ({ location, used, limit }) =>
    `The subscription has ${used} managed environments in ${location} and may have ${limit}, so the stack's own cannot be made.`,
  fix: () =>
    "ask for more of Managed Environment Count in the portal under Quotas, delete an environment that nobody uses, or choose another ballast:location",
  left: () => "nothing was created.",
});

/** Names that all of Azure shares are somebody else's. */
export const doctorNameTaken = entry<{ name: string; kind: string; key: string }>("doctor-name-taken", {
  title: "A name is taken",
  message: ({ name, kind }) =>
    `The name ${name} of the ${kind} is taken by somebody else, and all of Azure shares these names.`,
  fix: ({ key }) => `choose another ${key} in the stack's file`,
  left: () => "nothing was created.",
});

/** The control plane could not sign in to its database. */
export const doctorDatabaseRoleMissing = entry<{ server: string; what: string }>("doctor-database-role-missing", {
  title: "The control plane's role is not in its database",
  message: ({ server, what }) =>
    `The database server ${server} has no ${what}, which the control plane signs in to it by.`,
  fix: () => "run `pulumi up`, then the job `database-role` as docs/guides/environments.md says",
  left: () => "journals are as they were; what is signed in already goes on.",
});

/** The control plane is up, and its rollouts do not move. */
export const doctorHeartbeatLost = entry<{ inFlight: number; seconds: number; silenceSeconds: number }>(
  "doctor-heartbeat-lost",
  {
    title: "Rollouts in flight do not move",
    message: ({ inFlight, seconds, silenceSeconds }) =>
      `${inFlight} rollout${inFlight === 1 ? " is" : "s are"} in flight, and the journal was written last ${seconds} s ago; after ${silenceSeconds} s that counts as no heartbeat.`,
    fix: () => "read the control plane's log, then do as docs/guides/runbooks.md says under Stuck rollout",
    left: () => "the dead man's switch gives the apps back to their stable revisions by itself.",
  },
);

/** The control plane may be well, and this machine is not where it answers. */
export const doctorPlaneInternal = entry<{ host: string; why: string }>("doctor-plane-internal", {
  title: "The control plane is in a network that this machine is not in",
  message: ({ host, why }) =>
    `The control plane at ${host} answers inside its network alone, and from here ${why}. That says nothing of whether it is up.`,
  fix: () =>
    "run the command from a runner in the network, or by a VPN into it that asks the network's own DNS; docs/guides/network.md says how",
  left: () => "rollouts in flight go on.",
});

/** The control plane's ingress does not take this machine's address. */
export const doctorPlaneCallerRefused = entry<{ host: string; callers: readonly string[] }>(
  "doctor-plane-caller-refused",
  {
    title: "The control plane does not take calls from this machine's address",
    message: ({ host, callers }) =>
      `The ingress of ${host} refused this machine with 403 before the control plane saw it; it takes calls from ${callers.join(", ")} and from its own network.`,
    fix: () =>
      "run the command from one of these addresses, or add this machine's to ballast:network.callers and run `pulumi up` from where it is let in",
    left: () => "rollouts in flight go on.",
  },
);

/** The app is of a kind that canaries do not work with. */
export const doctorAppUnfit = entry<{ app: string; why: string }>("doctor-app-unfit", {
  title: "An app cannot be released by canary",
  message: ({ app, why }) => `${app} cannot be released by canary: ${why}.`,
  fix: () => "put it right with the next `pulumi up`: Multiple revision mode, an HTTP ingress, no session affinity",
  left: () => "a release of it would be rejected before any request moves.",
});

/** The identity that pulls may not. */
export const doctorImageUnpullable = entry<{ app: string; image: string; why: string }>("doctor-image-unpullable", {
  title: "An image cannot be pulled",
  message: ({ app, image, why }) => `${app} cannot pull ${image}: ${why}.`,
  fix: () => "give the identity AcrPull at the registry, and name it in the app's registries; `pulumi up` does both",
  left: () => "replicas that run go on; none can be started anew.",
});

/** No request row can ever come. */
export const doctorRowsUnwired = entry<{ environment: string }>("doctor-rows-unwired", {
  title: "Request rows are not written down",
  message: ({ environment }) =>
    `The environment ${environment} has no diagnostic setting that sends ContainerAppHTTPLogs to a workspace, so no release can be judged.`,
  fix: () => "run `pulumi up`, which makes the setting request-logs, or make it by hand at the environment",
  left: () => "a release would hold, and end at its maximum duration with a rollback.",
});

/** Rows come later than the stack says. */
export const doctorRowsLate = entry<{ seconds: number; ingestionSeconds: number; came: boolean }>("doctor-rows-late", {
  title: "Request rows come too late",
  message: ({ seconds, ingestionSeconds, came }) =>
    `The row of a request ${came ? `came after ${seconds} s` : `had not come after ${seconds} s`}, and ballast:ingestionSeconds is ${ingestionSeconds}.`,
  fix: () =>
    "set ballast:ingestionSeconds above what you see over some hours, or look at the workspace's daily cap and Azure Monitor's health",
  left: () => "the judge would leave late rows out, and see fewer requests than there are.",
});

/** The region does not have the server that is wanted. */
export const doctorDatabaseUnoffered = entry<{ location: string; why: string }>("doctor-database-unoffered", {
  title: "The region does not offer the database",
  message: ({ location, why }) => `The database cannot be made in ${location}: ${why}.`,
  fix: () =>
    "choose another size (sku of JournalDatabase, ballast:databaseSku) or another region, or ask Azure's support to open this one for the subscription",
});

/** What alerts are made of does not come. */
export const doctorTelemetrySilent = entry<{ insights: string; what: string }>("doctor-telemetry-silent", {
  title: "The control plane's telemetry does not arrive",
  message: ({ insights, what }) =>
    `In ${insights}, ${what}; it reports each minute, and alerts know nothing else of it.`,
  fix: () =>
    "look whether the control plane answers (the check `control plane`), in its log at what telemetry says, and at its identity's role Monitoring Metrics Publisher at the component: `pulumi up` assigns it",
  left: () => "nothing was changed; releases go on and are judged without telemetry.",
});
