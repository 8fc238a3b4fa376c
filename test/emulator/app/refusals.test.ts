// What Azure refuses in the body of a container app, sent over HTTPS as a client sends it. A code that a public text
// shows is Azure's; any other is `EmulatorUnsupported`. Nothing of a refused body may be stored.
import { afterAll, beforeAll, expect, test } from "vitest";
import { codes } from "../../../emulator/app/contract/refusals.ts";
import type { Body } from "../../../emulator/arm/resource.ts";
import { type CloudForTests, management, type Reply, startCloudForTests } from "../../support/emulator/cloud.ts";

let c: CloudForTests;
let group: string;
const version = "?api-version=2025-07-01";
const preview = "?api-version=2025-02-02-preview";
const environment = () => `${group}/providers/Microsoft.App/managedEnvironments/shop`;
const identity = () => `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/shop`;

beforeAll(async () => {
  c = await startCloudForTests();
  group = `${management}/subscriptions/${c.cloud.subscription}/resourceGroups/shop`;
  await c.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await c.settle("PUT", environment() + version, { location: "westeurope", properties: {} });
  await c.settle("PUT", `${environment()}2${version}`, {
    location: "westeurope",
    properties: {
      workloadProfiles: [
        { name: "Consumption", workloadProfileType: "Consumption" },
        { name: "big", workloadProfileType: "D4", minimumCount: 0, maximumCount: 1 },
      ],
    },
  });
  await c.ask("PUT", `${identity()}?api-version=2023-01-31`, { location: "westeurope" });
});
afterAll(() => c.close());

const idOf = (url: string): string => url.slice(management.length);

/** Gives a body that is accepted. */
const goodBody = (): Body => ({
  location: "westeurope",
  properties: {
    managedEnvironmentId: idOf(environment()),
    configuration: {
      activeRevisionsMode: "Multiple",
      secrets: [{ name: "key", value: "v" }],
      ingress: { external: true, targetPort: 8080 },
    },
    template: {
      containers: [structuredClone(web)],
      scale: { minReplicas: 0, maxReplicas: 1 },
    },
  },
});

const put = (body: Body, name = "web", query = version): Promise<Reply> =>
  c.ask("PUT", `${group}/providers/Microsoft.App/containerApps/${name}${query}`, body);

/** Values by their path; the first step is a part of the body, and undefined deletes. */
type Changes = { readonly [path: string]: unknown };

const web: Body = { name: "web", image: "registry.example/web:1", resources: { cpu: 0.5, memory: "1Gi" } };

/** Gives a good body with changes. A path that names a part alone adds to that part. */
function changed(changes: Changes): Body {
  const body = goodBody();
  const { properties } = body as { properties: Body };
  const { configuration, template } = properties;
  const parts: Body = { body, properties, configuration, template };
  Object.assign(parts, { ingress: configuration.ingress, container: template.containers[0] });
  for (const [path, value] of Object.entries(changes)) {
    const [part = "", name] = path.split(".");
    if (name === undefined) Object.assign(parts[part], value);
    else if (value === undefined) delete parts[part][name];
    else parts[part][name] = value;
  }
  return body;
}

type Case = readonly [what: string, code: string, changes: Changes | (() => Changes)];

const own = "EmulatorUnsupported";
const probe = (more: Body = {}): Body => ({ type: "Readiness", httpGet: { path: "/", port: 8080 }, ...more });

const containers: readonly Case[] = [
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

const templates: readonly Case[] = [
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

const configurations: readonly Case[] = [
  ["the mode Bananas", "ContainerAppInvalidSchema", { "configuration.activeRevisionsMode": "Bananas" }],
  [
    "a secret named BAD_name!",
    "ContainerAppInvalidSecretName",
    { "configuration.secrets": [{ name: "BAD_name!", value: "v" }] },
  ],
  ["a secret with a dot", "ContainerAppInvalidSecretName", { "configuration.secrets": [{ name: "a.b", value: "v" }] }],
  ["a secret twice", own, { "configuration.secrets": ["v", "w"].map((value) => ({ name: "key", value })) }],
  ["an empty secret", "ContainerAppSecretInvalid", { "configuration.secrets": [{ name: "key", value: "" }] }],
  ["a secret with nothing", "ContainerAppSecretInvalid", { "configuration.secrets": [{ name: "key" }] }],
  [
    "a reference without an identity",
    "ContainerAppSecretInvalid",
    { "configuration.secrets": [{ name: "key", keyVaultUrl: "https://shop.vault.azure.net/secrets/key" }] },
  ],
  [
    "a reference to no vault",
    "ContainerAppSecretKeyVaultUrlInvalid",
    {
      "configuration.secrets": [
        { name: "key", keyVaultUrl: "https://shop..vault.azure.net/secrets/key", identity: "system" },
      ],
    },
  ],
  [
    "a reference by an identity that is not the app's",
    own,
    {
      "configuration.secrets": [
        { name: "key", keyVaultUrl: "https://shop.vault.azure.net/secrets/key", identity: "system" },
      ],
    },
  ],
  [
    "a registry with a scheme",
    "ContainerAppInvalidRegistryServerValue",
    { "configuration.registries": [{ server: "https://a.example", username: "u", passwordSecretRef: "key" }] },
  ],
  [
    "a registry with an unknown password",
    own,
    { "configuration.registries": [{ server: "a.example", username: "u", passwordSecretRef: "nope" }] },
  ],
  [
    "a registry with a foreign identity",
    own,
    () => ({ "configuration.registries": [{ server: "a.example", identity: idOf(identity()) }] }),
  ],
  ["a registry without credentials", own, { "configuration.registries": [{ server: "a.example" }] }],
  [
    "a registry twice",
    own,
    {
      "configuration.registries": ["u", "w"].map((username) => ({
        ...{ server: "a.example", username, passwordSecretRef: "key" },
      })),
    },
  ],
  ["101 inactive revisions", own, { "configuration.maxInactiveRevisions": 101 }],
  [
    "settings of a foreign identity",
    own,
    { "configuration.identitySettings": [{ identity: "system", lifecycle: "All" }] },
  ],
  ["a dev service", own, { "configuration.service": { type: "redis" } }],
  ["Java metrics", own, { "configuration.runtime": { java: { enableMetrics: true } } }],
  ["an unknown workload profile", own, { "properties.workloadProfileName": "D64-nope" }],
  ["two environments", own, () => ({ "properties.environmentId": `${idOf(environment())}2` })],
  ["an app on Arc", own, { "body.extendedLocation": { name: "a", type: "CustomLocation" } }],
  ["a function app", own, { "body.kind": "functionapp" }],
  ["an identity type Bananas", "ContainerAppInvalidSchema", { "body.identity": { type: "Bananas" } }],
  [
    "an identity that does not exist",
    "FailedIdentityOperation",
    () => ({ "body.identity": { type: "UserAssigned", userAssignedIdentities: { [`${idOf(identity())}-nope`]: {} } } }),
  ],
  ["user-assigned identities without one", own, { "body.identity": { type: "UserAssigned" } }],
];

const ingresses: readonly Case[] = [
  ["targetPort 0", own, { "ingress.targetPort": 0 }],
  ["targetPort 65536", own, { "ingress.targetPort": 65_536 }],
  ["the transport Bananas", "ContainerAppInvalidSchema", { "ingress.transport": "Bananas" }],
  ["the transport http2", own, { "ingress.transport": "http2" }],
  ["an exposed port for HTTP", own, { "ingress.exposedPort": 9000 }],
  [
    "external TCP without a network",
    "ContainerAppTcpRequiresVnet",
    { ingress: { transport: "tcp", exposedPort: 9000 } },
  ],
  ["port 443 exposed for TCP", own, { ingress: { transport: "tcp", exposedPort: 443, external: false } }],
  [
    "a label with TCP",
    own,
    {
      ingress: {
        ...{ transport: "tcp", exposedPort: 9000, external: false },
        traffic: [{ latestRevision: true, weight: 100, label: "a" }],
      },
    },
  ],
  [
    "one port exposed twice",
    own,
    {
      "ingress.additionalPortMappings": [9001, 9002].map((targetPort) => ({
        ...{ external: false, targetPort, exposedPort: 9000 },
      })),
    },
  ],
  [
    "six additional ports",
    own,
    {
      "ingress.additionalPortMappings": [1, 2, 3, 4, 5, 6].map((targetPort) => ({
        ...{ external: false, targetPort },
      })),
    },
  ],
  [
    "session affinity in Multiple mode",
    "ContainerAppInvalidIngressStickySessionRevisionMode",
    { "ingress.stickySessions": { affinity: "sticky" } },
  ],
  ["an unknown affinity", "ContainerAppInvalidSchema", { "ingress.stickySessions": { affinity: "Bananas" } }],
  ["an unknown certificate mode", "ContainerAppInvalidSchema", { "ingress.clientCertificateMode": "Bananas" }],
  ["CORS without origins", own, { "ingress.corsPolicy": { allowedOrigins: [] } }],
  ["a negative maxAge", own, { "ingress.corsPolicy": { allowedOrigins: ["*"], maxAge: -1 } }],
  [
    "callers of no range",
    own,
    { "ingress.ipSecurityRestrictions": [{ name: "a", ipAddressRange: "300.0.0.1/8", action: "Allow" }] },
  ],
  [
    "callers both allowed and denied",
    own,
    {
      "ingress.ipSecurityRestrictions": ["Allow", "Deny"].map((action) => ({
        ...{ name: action, ipAddressRange: "10.0.0.0/8", action },
      })),
    },
  ],
  [
    "two rules of one name",
    own,
    {
      "ingress.ipSecurityRestrictions": ["10.0.0.0/8", "11.0.0.0/8"].map((ipAddressRange) => ({
        ...{ name: "a", ipAddressRange, action: "Allow" },
      })),
    },
  ],
  [
    "an unknown action",
    "ContainerAppInvalidSchema",
    { "ingress.ipSecurityRestrictions": [{ name: "a", ipAddressRange: "10.0.0.0/8", action: "Bananas" }] },
  ],
  [
    "a custom domain that is no host name",
    own,
    { "ingress.customDomains": [{ name: "not a host", bindingType: "Disabled" }] },
  ],
  [
    "a bound domain without a certificate",
    own,
    { "ingress.customDomains": [{ name: "shop.example", bindingType: "SniEnabled" }] },
  ],
  [
    "a certificate that does not exist",
    own,
    () => ({
      "ingress.customDomains": [
        { name: "shop.example", bindingType: "SniEnabled", certificateId: `${idOf(environment())}/certificates/nope` },
      ],
    }),
  ],
  [
    "a custom domain twice",
    own,
    {
      "ingress.customDomains": ["shop.example", "SHOP.example"].map((name) => ({
        name,
        bindingType: "Disabled",
      })),
    },
  ],
  [
    "an unknown binding",
    "ContainerAppInvalidSchema",
    { "ingress.customDomains": [{ name: "shop.example", bindingType: "Bananas" }] },
  ],
];

const half = (more: Body): Body => ({ weight: 50, ...more });
const traffics: readonly (readonly [string, string, readonly Body[]])[] = [
  ["weights of 7", "ContainerAppInvalidTrafficWeight", [{ latestRevision: true, weight: 7 }]],
  ["a weight of -1", "ContainerAppInvalidTrafficWeight", [{ latestRevision: true, weight: -1 }]],
  ["a name that is no revision's", "ContainerAppInvalidRevisionName", [{ revisionName: "beta", weight: 100 }]],
  ["a revision that does not exist", "ContainerAppRevisionNotFound", [{ revisionName: "web--nope", weight: 100 }]],
  [
    "latestRevision twice",
    "ContainerAppInvalidTraffic",
    [half({ latestRevision: true }), half({ latestRevision: true })],
  ],
  [
    "a revision twice",
    "ContainerAppInvalidTraffic",
    [half({ revisionName: "web--one" }), half({ revisionName: "web--one" })],
  ],
  [
    "a label twice",
    "ContainerAppInvalidTraffic",
    [half({ latestRevision: true, label: "a" }), half({ revisionName: "web--one", label: "A" })],
  ],
  ["an entry of nothing", "ContainerAppInvalidTraffic", [{ weight: 100 }]],
  ["a label in capitals", own, [{ latestRevision: true, weight: 100, label: "Big" }]],
];

const cases = [...containers, ...templates, ...configurations, ...ingresses];

test.each(cases)("refuses %s", async (_, code, changes) => {
  const reply = await put(changed(typeof changes === "function" ? changes() : changes), "web");
  expect([reply.status, reply.body.error?.code], JSON.stringify(reply.body)).toEqual([400, code]);
  expect((await c.ask("GET", `${group}/providers/Microsoft.App/containerApps/web${version}`)).status).toBe(404);
});

test.each(["Single", "Multiple"])("refuses wrong traffic in the mode %s", async (requested) => {
  const answers = await Promise.all(
    traffics.map(async ([what, , traffic]) => {
      const mode = { "configuration.activeRevisionsMode": requested };
      const reply = await put(changed({ ...mode, "ingress.traffic": traffic, "template.revisionSuffix": "one" }));
      return [what, reply.body.error?.code];
    }),
  );
  expect(answers).toEqual(traffics.map(([what, code]) => [what, code]));
});

test.each([
  ["80.5", 80.5],
  ["a text", "80"],
])("answers a port of %s as Azure's JSON reader does", async (_, targetPort) => {
  const { status, body } = await put(changed({ "ingress.targetPort": targetPort }));
  const where = "$.properties.configuration.ingress.targetPort";
  expect([status, body]).toEqual([
    400,
    {
      type: expect.stringContaining("rfc9110"),
      title: "One or more validation errors occurred.",
      status: 400,
      traceId: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/),
      errors: { [where]: [expect.stringMatching(/could not be converted to System.Nullable`1\[System.Int32\]/)] },
    },
  ]);
});

test.each(["A", "a", "web--1", "1web", "web-", `w${"e".repeat(32)}`])("refuses the name %s", async (name) => {
  expect((await put(goodBody(), name)).body.error.code).toMatch(/^(ContainerAppInvalidName|InvalidResourceName)$/);
});

test("refuses fields of the preview that the emulator does not have, by their names", async () => {
  for (const [path, changes] of [
    ["gpu", { "container.resources": { cpu: 0.5, memory: "1Gi", gpu: 1 } }],
    ["imageType", { "container.imageType": "CloudBuild" }],
    ["targetPortHttpScheme", { "ingress.targetPortHttpScheme": "https" }],
    ["revisionTransitionThreshold", { "configuration.revisionTransitionThreshold": 5 }],
    ["targetLabel", { "configuration.targetLabel": "a" }],
  ] satisfies readonly (readonly [string, Changes])[]) {
    const { body } = await put(changed(changes), "web", preview);
    expect(body.error).toMatchObject({ code: own, message: expect.stringContaining(path) });
  }
});

test("a dedicated profile takes other sizes, and a larger environment more of the shared one", async () => {
  const sized = (cpu: number, memory: string, workloadProfileName?: string) =>
    put(
      changed({
        properties: {
          managedEnvironmentId: `${idOf(environment())}2`,
          ...(workloadProfileName && { workloadProfileName }),
        },
        "container.resources": { cpu, memory },
      }),
      `s${String(cpu).replace(".", "")}${workloadProfileName ?? ""}`,
    );
  expect((await sized(4, "8Gi")).status).toBe(201);
  expect((await sized(4.25, "8.5Gi")).body.error.code).toBe("ContainerAppInvalidResourceTotal");
  expect((await sized(1.3, "7Gi", "big")).status).toBe(201);
});

test("every code of a refusal is provoked here", () => {
  const provoked = new Set<string>([...cases, ...traffics].map(([, code]) => code));
  expect(Object.keys(codes).filter((code) => !provoked.has(code) && code !== "ContainerAppInvalidName")).toEqual([]);
});
