// Every field of Microsoft.App/jobs, as data: what the emulator does with it. What the classes mean is in
// arm/field-classes.ts.
import { alike, commonFields, type FieldClasses, neverShown, numberMax } from "../../arm/field-classes.ts";

const configuration = "properties.configuration";
const container = "properties.template.containers[]";

/** The classes of the fields of a job. */
export const jobFields: FieldClasses = {
  modelled: {
    ...commonFields,
    location: "the environment's; never changes",
    tags: "kept and shown",
    "identity.principalId": "the system-assigned identity's, usable in role assignments",
    "identity.tenantId": "the one directory of the emulator",
    "identity.type": "a system-assigned identity is made, user-assigned ones are assigned; tokens for both",
    "identity.userAssignedIdentities": "existing ones only, shown with their ids",
    "properties.provisioningState": "read-only",
    "properties.environmentId": "the environment must exist, and never changes",
    "properties.outboundIpAddresses": "read-only",
    [`${configuration}.secrets`]: "values, or references to a vault of this cloud, read when an execution starts",
    [`${configuration}.triggerType`]: "Manual and Schedule; Event is refused",
    [`${configuration}.replicaTimeout`]: "at least 1 second; covers all tries together",
    [`${configuration}.replicaRetryLimit`]: "at least 0; the tries after the first",
    [`${configuration}.scheduleTriggerConfig.cronExpression`]: "five fields in UTC, by the emulator's clock",
    [`${configuration}.registries[].identity`]: "must have the right to pull from a registry of this cloud",
    [`${container}.image`]: "names the program; pulled with the identity of its registry",
    [`${container}.name`]: "Azure's rule of names",
    [`${container}.command`]: "the program that is started in place of the image's",
    [`${container}.args`]: "its arguments",
    [`${container}.env`]: "its variables, with the values of secrets",
  },
  validated: {
    "properties.workloadProfileName": "Consumption, or a profile of the environment",
    [`${configuration}.registries[].server`]: "a host name, once",
    [`${configuration}.registries[].username`]: "with a password, or an identity instead",
    [`${configuration}.registries[].passwordSecretRef`]: "an existing secret; its value is not tried",
    [`${configuration}.identitySettings[].identity`]: "an identity of the job, once",
    ...alike(
      "1; more replicas are refused",
      ...["manualTriggerConfig", "scheduleTriggerConfig"].flatMap((trigger) =>
        ["parallelism", "replicaCompletionCount"].map((name) => `${configuration}.${trigger}.${name}`),
      ),
    ),
    ...alike(
      "one of Azure's combinations; processes are not limited",
      `${container}.resources.cpu`,
      `${container}.resources.memory`,
    ),
  },
  inert: {},
  unsupported: {
    extendedLocation: { why: "jobs on Azure Arc" },
    "properties.eventStreamEndpoint": neverShown,
    "properties.runningState": neverShown,
    [`${configuration}.eventTriggerConfig`]: { why: "jobs that events start" },
    [`${configuration}.identitySettings[].lifecycle`]: {
      why: "identities for a phase of a job alone",
      harmless: ["All", "Main"],
    },
    "properties.template.initContainers": { why: "init containers of jobs" },
    "properties.template.volumes": { why: "volumes of jobs" },
    [`${container}.volumeMounts`]: { why: "volumes of jobs" },
    [`${container}.probes`]: { why: "probes of jobs" },
    [`${container}.imageType`]: { why: "images built by Container Apps", harmless: ["ContainerImage"] },
    [`${container}.resources.gpu`]: { why: "GPUs", harmless: [0] },
    [`${container}.resources.ephemeralStorage`]: neverShown,
  },
  decimals: ["cpu", "gpu"].flatMap((name) =>
    ["containers", "initContainers"].map((list) => `properties.template.${list}[].resources.${name}`),
  ),
  ranges: {
    [`${configuration}.replicaTimeout`]: [1, numberMax],
    [`${configuration}.replicaRetryLimit`]: [0, numberMax],
    [`${configuration}.manualTriggerConfig.replicaCompletionCount`]: [1, numberMax],
    [`${configuration}.manualTriggerConfig.parallelism`]: [1, numberMax],
    [`${configuration}.scheduleTriggerConfig.replicaCompletionCount`]: [1, numberMax],
    [`${configuration}.scheduleTriggerConfig.parallelism`]: [1, numberMax],
  },
};
