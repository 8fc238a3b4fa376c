// Configurations of container apps that Azure refuses, each as a change of a good body, with the code of the refusal.
import { type Case, own } from "./refused-templates.ts";

/** Wrong configurations, and what is wrong beside them. */
export const configurations: readonly Case[] = [
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
    (ids) => ({ "configuration.registries": [{ server: "a.example", identity: ids.identity }] }),
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
  ["two environments", own, (ids) => ({ "properties.environmentId": `${ids.environment}2` })],
  ["another region than the environment's", own, { "body.location": "eastus" }],
  ["a region that Azure does not have", "LocationNotAvailableForResourceType", { "body.location": "moon" }],
  [
    "an environment that is another resource",
    "ManagedEnvironmentNotFound",
    (ids) => ({ "properties.managedEnvironmentId": ids.identity }),
  ],
  ["51 tags", own, { "body.tags": Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`t${index}`, "x"])) }],
  ["a tag named a<b", own, { "body.tags": { "a<b": "x" } }],
  ["a tag of 257 characters", own, { "body.tags": { a: "x".repeat(257) } }],
  ["a tag twice", own, { "body.tags": { a: "x", A: "y" } }],
  ["Dapr without an appId", own, { "configuration.dapr": { enabled: true } }],
  ["Dapr with the port 99999", own, { "configuration.dapr": { enabled: true, appId: "a", appPort: 99_999 } }],
  ["an app on Arc", own, { "body.extendedLocation": { name: "a", type: "CustomLocation" } }],
  ["a function app", own, { "body.kind": "functionapp" }],
  ["an identity type Bananas", "ContainerAppInvalidSchema", { "body.identity": { type: "Bananas" } }],
  [
    "an identity that does not exist",
    "FailedIdentityOperation",
    (ids) => ({ "body.identity": { type: "UserAssigned", userAssignedIdentities: { [`${ids.identity}-nope`]: {} } } }),
  ],
  ["user-assigned identities without one", own, { "body.identity": { type: "UserAssigned" } }],
];

/** Wrong ingresses. */
export const ingresses: readonly Case[] = [
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
  [
    "CORS of every origin with credentials",
    own,
    { "ingress.corsPolicy": { allowedOrigins: ["*"], allowCredentials: true } },
  ],
  ["CORS of no origin's form", own, { "ingress.corsPolicy": { allowedOrigins: ["not an origin"] } }],
  [
    "CORS of a method with a blank",
    own,
    { "ingress.corsPolicy": { allowedOrigins: ["https://a.example"], allowedMethods: ["GET POST"] } },
  ],
  [
    "a rule of callers without a name",
    own,
    { "ingress.ipSecurityRestrictions": [{ name: "", ipAddressRange: "10.0.0.0/8", action: "Allow" }] },
  ],
  [
    "a custom domain with a managed certificate",
    own,
    { "ingress.customDomains": [{ name: "shop.example", bindingType: "Auto" }] },
  ],
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
    (ids) => ({
      "ingress.customDomains": [
        { name: "shop.example", bindingType: "SniEnabled", certificateId: `${ids.environment}/certificates/nope` },
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
