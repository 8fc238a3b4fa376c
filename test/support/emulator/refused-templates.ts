// Templates of container apps that Azure refuses, each as a change of a good body, with the code of the refusal.
import type { Body } from "../../../emulator/arm/resource.ts";

/** Values by their path; the first step is a part of the body, and undefined deletes. */
export type Changes = { readonly [path: string]: unknown };

/** What is wrong, the code of its refusal, and the change; some changes name resources of the cloud. */
export type Case = readonly [what: string, code: string, changes: Changes | ((ids: Ids) => Changes)];

/** Ids of resources that exist in the cloud of the test. */
export interface Ids {
  readonly environment: string;
  readonly identity: string;
}

/** The container of the good body. */
export const web: Body = { name: "web", image: "registry.example/web:1", resources: { cpu: 0.5, memory: "1Gi" } };

/** The code for what Azure refuses with a code that is not public. */
export const own = "EmulatorUnsupported";
const probe = (more: Body = {}): Body => ({ type: "Readiness", httpGet: { path: "/", port: 8080 }, ...more });

/** Wrong containers. */
export const containers: readonly Case[] = [
  ["no container", "ContainerAppImageRequired", { "template.containers": [] }],
  ["a container without an image", "ContainerAppImageRequired", { "container.image": undefined }],
  ["a container named in capitals", own, { "container.name": "Web" }],
  ["a container without a name", own, { "container.name": undefined }],
  [
    "two containers of one name",
    own,
    { "template.containers": [web, { ...web, resources: { cpu: 0.25, memory: "0.5Gi" } }] },
  ],
  [
    "an init container with the name of a container",
    own,
    { "template.initContainers": [{ name: "web", image: web.image }] },
  ],
  ["a variable with a hyphen", "ContainerAppInvalidEnvVarName", { "container.env": [{ name: "a-b", value: "1" }] }],
  [
    "a variable of an unknown secret",
    "ContainerAppSecretRefNotFound",
    { "container.env": [{ name: "A", secretRef: "nope" }] },
  ],
  ["a variable twice", own, { "container.env": ["1", "2"].map((value) => ({ name: "A", value })) }],
  ["a variable with a value and a secret", own, { "container.env": [{ name: "A", value: "1", secretRef: "key" }] }],
  ["64 CPUs", "ContainerAppInvalidResourceTotal", { "container.resources": { cpu: 64, memory: "128Gi" } }],
  [
    "an odd pair of CPU and memory",
    "ContainerAppInvalidResourceTotal",
    { "container.resources": { cpu: 0.5, memory: "4Gi" } },
  ],
  [
    "containers whose sum is no combination",
    "ContainerAppInvalidResourceTotal",
    { "template.containers": [web, { ...web, name: "side", resources: { cpu: 0.25, memory: "1Gi" } }] },
  ],
  ["memory in Mb", own, { "container.resources": { cpu: 0.5, memory: "750Mb" } }],
  ["memory of banana", own, { "container.resources": { cpu: 0.5, memory: "banana" } }],
  ["three decimals of a CPU", own, { "container.resources": { cpu: 0.123, memory: "1Gi" } }],
  [
    "31 failures of a liveness probe",
    "ContainerAppProbeFailureThresholdOutOfRange",
    { "container.probes": [probe({ type: "Liveness", failureThreshold: 31 })] },
  ],
  [
    "49 failures of a readiness probe",
    "ContainerAppProbeFailureThresholdOutOfRange",
    { "container.probes": [probe({ failureThreshold: 49 })] },
  ],
  [
    "no failure of a startup probe",
    "ContainerAppProbeFailureThresholdOutOfRange",
    { "container.probes": [probe({ type: "Startup", failureThreshold: 0 })] },
  ],
  ["a probe every 241 seconds", own, { "container.probes": [probe({ periodSeconds: 241 })] }],
  ["a probe every 0 seconds", own, { "container.probes": [probe({ periodSeconds: 0 })] }],
  ["a timeout of 0", own, { "container.probes": [probe({ timeoutSeconds: 0 })] }],
  ["a delay of 61", own, { "container.probes": [probe({ initialDelaySeconds: 61 })] }],
  [
    "two successes of a liveness probe",
    own,
    { "container.probes": [probe({ type: "Liveness", successThreshold: 2 })] },
  ],
  ["two readiness probes", own, { "container.probes": [probe(), probe()] }],
  ["a probe without a type", own, { "container.probes": [{ httpGet: { path: "/", port: 8080 } }] }],
  ["a probe that asks nothing", own, { "container.probes": [{ type: "Readiness" }] }],
  ["a probe of both kinds", own, { "container.probes": [probe({ tcpSocket: { port: 8080 } })] }],
  ["a grace period of a readiness probe", own, { "container.probes": [probe({ terminationGracePeriodSeconds: 5 })] }],
  [
    "a probe with a header of two lines",
    own,
    { "container.probes": [probe({ httpGet: { port: 80, httpHeaders: [{ name: "a", value: "b\r\nc: d" }] } })] },
  ],
  [
    "an init container of 64 CPUs",
    own,
    { "template.initContainers": [{ name: "init", image: web["image"], resources: { cpu: 64, memory: "128Gi" } }] },
  ],
  ["a probe of port 0", own, { "container.probes": [probe({ httpGet: { path: "/", port: 0 } })] }],
  ["a probe over TLS", own, { "container.probes": [probe({ httpGet: { path: "/", port: 80, scheme: "HTTPS" } })] }],
  ["a probe of an unknown type", "ContainerAppInvalidSchema", { "container.probes": [probe({ type: "Bananas" })] }],
  [
    "a mount of no volume",
    "ContainerAppInvalidVolumeMount",
    { "container.volumeMounts": [{ volumeName: "nope", mountPath: "/data" }] },
  ],
  [
    "a mount at a relative path",
    own,
    {
      "template.volumes": [{ name: "data", storageType: "EmptyDir" }],
      "container.volumeMounts": [{ volumeName: "data", mountPath: "data" }],
    },
  ],
  [
    "two mounts at one path",
    own,
    {
      "template.volumes": [{ name: "data", storageType: "EmptyDir" }],
      "container.volumeMounts": ["a", "b"].map((subPath) => ({ volumeName: "data", mountPath: "/data", subPath })),
    },
  ],
  [
    "a mount outside of its volume",
    own,
    {
      "template.volumes": [{ name: "data", storageType: "EmptyDir" }],
      "container.volumeMounts": [{ volumeName: "data", mountPath: "/data", subPath: "../other" }],
    },
  ],
];

/** What else is wrong in a template. */
export const templates: readonly Case[] = [
  ["minReplicas of -1", "ContainerAppInvalidScaleSpec", { "template.scale": { minReplicas: -1 } }],
  ["maxReplicas of 0", "ContainerAppInvalidScaleSpec", { "template.scale": { maxReplicas: 0 } }],
  [
    "minReplicas above maxReplicas",
    "ContainerAppInvalidScaleSpec",
    { "template.scale": { minReplicas: 3, maxReplicas: 2 } },
  ],
  ["minReplicas above the default maximum", "ContainerAppInvalidScaleSpec", { "template.scale": { minReplicas: 11 } }],
  ["1001 replicas", "ContainerAppInvalidScaleSpec", { "template.scale": { maxReplicas: 1001 } }],
  ["a cool-down of 0", own, { "template.scale": { cooldownPeriod: 0 } }],
  ["a scale rule without a kind", own, { "template.scale": { rules: [{ name: "a" }] } }],
  [
    "a scale rule without a name",
    own,
    { "template.scale": { rules: [{ http: { metadata: { concurrentRequests: "5" } } }] } },
  ],
  [
    "two scale rules of one name",
    own,
    {
      "template.scale": {
        rules: ["5", "6"].map((concurrentRequests) => ({ name: "a", http: { metadata: { concurrentRequests } } })),
      },
    },
  ],
  [
    "an HTTP rule of many requests",
    own,
    { "template.scale": { rules: [{ name: "a", http: { metadata: { concurrentRequests: "many" } } }] } },
  ],
  [
    "an HTTP rule of something else",
    own,
    { "template.scale": { rules: [{ name: "a", http: { metadata: { requests: "5" } } }] } },
  ],
  [
    "a TCP rule of many connections",
    own,
    { "template.scale": { rules: [{ name: "a", tcp: { metadata: { concurrentConnections: "many" } } }] } },
  ],
  ["a custom rule without a type", own, { "template.scale": { rules: [{ name: "a", custom: { metadata: {} } }] } }],
  ["a queue rule without a queue", own, { "template.scale": { rules: [{ name: "a", azureQueue: {} }] } }],
  ["a service bind of no app", own, { "template.serviceBinds": [{ name: "redis", serviceId: "/subscriptions/none" }] }],
  [
    "a scale rule of an unknown secret",
    own,
    {
      "template.scale": {
        rules: [{ name: "a", custom: { type: "redis", auth: [{ secretRef: "nope", triggerParameter: "password" }] } }],
      },
    },
  ],
  ["a grace period of 601 seconds", own, { "template.terminationGracePeriodSeconds": 601 }],
  ["a suffix with two hyphens", "ContainerAppInvalidRevisionName", { "template.revisionSuffix": "a--b" }],
  ["a volume in capitals", own, { "template.volumes": [{ name: "Data" }] }],
  ["two volumes of one name", own, { "template.volumes": [{ name: "data" }, { name: "data" }] }],
  [
    "a volume of an unknown storage",
    "ManagedEnvironmentStorageNotFound",
    { "template.volumes": [{ name: "data", storageType: "AzureFile", storageName: "nope" }] },
  ],
  [
    "a volume of an unknown secret",
    own,
    { "template.volumes": [{ name: "data", storageType: "Secret", secrets: [{ secretRef: "nope" }] }] },
  ],
  ["a volume on NFS", own, { "template.volumes": [{ name: "data", storageType: "NfsAzureFile" }] }],
  [
    "a volume of an unknown type",
    "ContainerAppInvalidSchema",
    { "template.volumes": [{ name: "data", storageType: "Bananas" }] },
  ],
];
