// Every field of Microsoft.App/containerApps, as data: what the emulator does with it. A test walks Azure's schemas of
// every served version and fails for a field that is in none of the four classes. What the classes mean is in
// arm/field-classes.ts.
import type { FieldClasses } from "../../arm/field-classes.ts";

const configuration = "properties.configuration";
const ingress = `${configuration}.ingress`;
const template = "properties.template";
const container = `${template}.containers[]`;
const initContainer = `${template}.initContainers[]`;
const probe = `${container}.probes[]`;
const rule = `${template}.scale.rules[]`;

/** The fields that a container and an init container share. */
const containerFields = (where: string): { readonly [path: string]: string } => ({
  [`${where}.image`]: "names the program; pulled with the identity of its registry",
  [`${where}.name`]: "unique; names the container in replicas and logs",
  [`${where}.command`]: "the program that is started in place of the image's",
  [`${where}.args`]: "its arguments",
  [`${where}.env`]: "its variables, with the values of secrets",
  [`${where}.volumeMounts`]: "folders, named by MOUNT_<PATH> in its environment",
});

const resources = (where: string): { readonly [path: string]: string } => ({
  [`${where}.resources.cpu`]: "one of Azure's combinations; processes are not limited",
  [`${where}.resources.memory`]: "one of Azure's combinations; processes are not limited",
});

/** The classes of the fields of a container app. */
export const containerAppFields: FieldClasses = {
  checksValues: true,
  modelled: {
    id: "read-only",
    name: "Azure's rule of names",
    type: "read-only",
    apiVersion: "the version in which a body is sent",
    systemData: "read-only",
    location: "never changes",
    tags: "kept and shown",
    "identity.principalId": "the system-assigned identity's, usable in role assignments",
    "identity.tenantId": "the one directory of the emulator",
    "identity.type": "a system-assigned identity is made, user-assigned ones are assigned; tokens for both",
    "identity.userAssignedIdentities": "existing ones only, shown with their ids",
    "properties.provisioningState": "read-only",
    "properties.runningStatus": "read-only",
    "properties.managedEnvironmentId": "the environment must exist",
    "properties.environmentId": "the same under its other name",
    "properties.latestRevisionName": "read-only",
    "properties.latestReadyRevisionName": "read-only",
    "properties.latestRevisionFqdn": "read-only",
    "properties.customDomainVerificationId": "read-only; the environment's",
    "properties.outboundIpAddresses": "read-only",
    [`${configuration}.secrets`]:
      "values, or references to a vault of this cloud, read with the identity that they name",
    [`${configuration}.activeRevisionsMode`]: "Single and Multiple; Labels is refused",
    [`${configuration}.maxInactiveRevisions`]: "older inactive revisions are purged",
    [`${configuration}.identitySettings`]: "which containers may use an identity",
    [`${configuration}.registries[].identity`]: "must have the right to pull from a registry of this cloud",
    [`${ingress}.fqdn`]: "read-only",
    [`${ingress}.external`]: "chooses the host name",
    [`${ingress}.targetPort`]: "the port that gets requests",
    [`${ingress}.exposedPort`]: "the port of a TCP ingress on 127.0.0.1",
    [`${ingress}.transport`]: "auto, http and tcp; http2 is refused",
    [`${ingress}.traffic`]: "weights and labels by request, or by connection for TCP",
    [`${ingress}.customDomains`]: "routed by host name once bound; the certificate must exist and cover the name",
    [`${ingress}.ipSecurityRestrictions[].action`]: "a caller that the rules do not admit gets 403",
    [`${ingress}.ipSecurityRestrictions[].ipAddressRange`]: "compared with the address of the connection",
    [`${ingress}.stickySessions`]: "binds a client to a replica in Single mode; refused in Multiple mode",
    [`${ingress}.clientCertificateMode`]: "the certificate is asked for and passed on",
    [`${ingress}.corsPolicy`]: "preflights are answered, and answers get its headers",
    [`${ingress}.additionalPortMappings`]: "further TCP ports on 127.0.0.1",
    [`${template}.revisionSuffix`]: "names the revision",
    [`${template}.terminationGracePeriodSeconds`]: "the time from SIGTERM to SIGKILL",
    ...containerFields(container),
    ...containerFields(initContainer),
    [`${probe}.type`]: "Startup, Readiness and Liveness, each once",
    [`${probe}.failureThreshold`]: "counted",
    [`${probe}.successThreshold`]: "counted",
    [`${probe}.initialDelaySeconds`]: "waited for",
    [`${probe}.periodSeconds`]: "waited for",
    [`${probe}.timeoutSeconds`]: "a slower answer is a failure",
    [`${probe}.httpGet.path`]: "asked for",
    [`${probe}.httpGet.port`]: "the port of the replica",
    [`${probe}.httpGet.httpHeaders`]: "sent",
    [`${probe}.tcpSocket.port`]: "the port of the replica",
    [`${template}.scale.minReplicas`]: "so many replicas run; at zero the revision sleeps when idle",
    [`${template}.scale.maxReplicas`]: "the most that an HTTP rule starts",
    [`${template}.scale.cooldownPeriod`]: "the time until an idle revision sleeps",
    [`${rule}.name`]: "unique",
    [`${rule}.http.metadata`]:
      "concurrentRequests to one replica; without a rule the number of replicas is the minimum",
    [`${template}.volumes[].name`]: "unique",
    [`${template}.volumes[].storageType`]: "folders for EmptyDir, AzureFile and Secret",
    [`${template}.volumes[].storageName`]: "a storage of the environment, which is a folder",
    [`${template}.volumes[].secrets`]: "files with the values of secrets",
  },
  validated: {
    "properties.workloadProfileName": "Consumption, or a profile of the environment",
    [`${configuration}.registries[].server`]: "a host name, once",
    [`${configuration}.registries[].username`]: "with a password, or an identity instead",
    [`${configuration}.registries[].passwordSecretRef`]: "an existing secret; its value is not tried",
    [`${ingress}.ipSecurityRestrictions[].name`]: "unique",
    ...resources(container),
    ...resources(initContainer),
  },
  inert: {
    managedBy: "kept and shown",
    "properties.patchingConfiguration": "Azure patches images that it built; the emulator has none",
    [`${configuration}.dapr`]: "there is no Dapr sidecar",
    [`${ingress}.allowInsecure`]: "the emulator has no plain HTTP port",
    [`${ingress}.ipSecurityRestrictions[].description`]: "kept and shown",
    [`${probe}.terminationGracePeriodSeconds`]: "the template's grace period applies",
    [`${template}.scale.pollingInterval`]: "the load is looked at all the time",
    [`${rule}.azureQueue`]: "does not scale",
    [`${rule}.custom`]: "does not scale",
    [`${rule}.tcp`]: "does not scale",
    [`${rule}.http.auth`]: "means nothing for HTTP",
    [`${rule}.http.identity`]: "means nothing for HTTP",
    [`${template}.volumes[].mountOptions`]: "folders have no mount options",
    [`${template}.serviceBinds`]: "no variables of the service are set",
  },
  unsupported: {
    extendedLocation: { why: "container apps on Azure Arc" },
    kind: { why: "function apps and workflow apps" },
    "properties.deploymentErrors": { why: "is never shown" },
    "properties.eventStreamEndpoint": { why: "is never shown: the emulator streams no events" },
    [`${configuration}.targetLabel`]: { why: "the revision mode Labels", harmless: [""] },
    [`${configuration}.revisionTransitionThreshold`]: { why: "gradual transitions in Single mode", harmless: [100] },
    [`${configuration}.runtime`]: { why: "the Java and .NET runtimes of Container Apps", harmless: [false] },
    [`${configuration}.service`]: { why: "dev services" },
    [`${ingress}.targetPortHttpScheme`]: { why: "containers that speak TLS", harmless: ["http"] },
    [`${container}.imageType`]: { why: "images built by Container Apps", harmless: ["ContainerImage"] },
    [`${initContainer}.imageType`]: { why: "images built by Container Apps", harmless: ["ContainerImage"] },
    [`${container}.resources.gpu`]: { why: "GPUs", harmless: [0] },
    [`${initContainer}.resources.gpu`]: { why: "GPUs", harmless: [0] },
    [`${container}.resources.ephemeralStorage`]: { why: "is never shown: folders have no quota" },
    [`${initContainer}.resources.ephemeralStorage`]: { why: "is never shown: folders have no quota" },
    [`${probe}.httpGet.host`]: { why: "probes of another host", harmless: ["", "localhost", "127.0.0.1"] },
    [`${probe}.httpGet.scheme`]: { why: "probes over TLS", harmless: ["HTTP"] },
    [`${probe}.tcpSocket.host`]: { why: "probes of another host", harmless: ["", "localhost", "127.0.0.1"] },
  },
};
