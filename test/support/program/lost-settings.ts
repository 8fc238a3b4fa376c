// Every setting that a live app may lose: as Azure shows it, as a program says it, and the words for its loss.
import type { LostSetting } from "../../../components/canary-app/losses.ts";

export const group = "/subscriptions/s/resourceGroups/Shop";
export const puller = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller`;
export const vault = "https://v.vault.azure.net/secrets/db";
export const containers = (release: string) => [{ name: "web", image: `images.example/web:${release}` }];

/** Parts of an app. */
export interface App {
  readonly top?: object;
  readonly configuration?: object;
  readonly ingress?: object | undefined;
  readonly template?: object;
}

/** A new setting does not compile without a row here. */
export const settings: Readonly<Record<LostSetting, readonly [live: App, said: App, words: string]>> = {
  customDomains: [
    { ingress: { customDomains: [{ name: "www.example.org", bindingType: "SniEnabled", certificateId: "/c" }] } },
    { ingress: { customDomains: [{ name: "WWW.example.org", certificateId: "/C" }] } },
    "the domain www.example.org",
  ],
  ipSecurityRestrictions: [
    { ingress: { ipSecurityRestrictions: [{ name: "door", action: "Allow", ipAddressRange: "10.0.0.0/8" }] } },
    { ingress: { ipSecurityRestrictions: [{ name: "front", action: "allow", ipAddressRange: "10.0.0.0/8" }] } },
    "the address rule door",
  ],
  clientCertificateMode: [
    { ingress: { clientCertificateMode: "Require" } },
    { ingress: { clientCertificateMode: "ignore" } },
    "the client certificate mode",
  ],
  corsPolicy: [
    { ingress: { corsPolicy: { allowedOrigins: ["https://portal.azure.com"] } } },
    { ingress: { corsPolicy: { allowedOrigins: [] } } },
    "the CORS policy",
  ],
  additionalPortMappings: [
    { ingress: { additionalPortMappings: [{ external: false, targetPort: 9090 }] } },
    { ingress: { additionalPortMappings: [{ external: true, targetPort: 9090 }] } },
    "the port 9090",
  ],
  external: [
    { ingress: { external: true } },
    { ingress: { external: false } },
    "the access from outside its environment",
  ],
  allowInsecure: [
    { ingress: { allowInsecure: true } },
    { ingress: { allowInsecure: false } },
    "the access without TLS",
  ],
  transport: [{ ingress: { transport: "Http2" } }, { ingress: { transport: "http" } }, "the transport of its ingress"],
  targetPortHttpScheme: [
    { ingress: { targetPortHttpScheme: "Https" } },
    { ingress: { targetPortHttpScheme: "http" } },
    "the TLS of its container",
  ],
  dapr: [
    { configuration: { dapr: { enabled: true, appId: "shop" } } },
    { configuration: { dapr: { enabled: false } } },
    "Dapr",
  ],
  runtime: [
    { configuration: { runtime: { java: { enableMetrics: true } } } },
    { configuration: { runtime: { java: { enableMetrics: false } } } },
    "the runtime's settings",
  ],
  identitySettings: [
    { configuration: { identitySettings: [{ identity: puller, lifecycle: "None" }] } },
    { configuration: { identitySettings: [{ identity: puller.toLowerCase(), lifecycle: "Init" }] } },
    `the setting of the identity ${puller}`,
  ],
  secretsByReference: [
    { configuration: { secrets: [{ name: "db", keyVaultUrl: vault, identity: puller }] } },
    { configuration: { secrets: [{ name: "db", keyVaultUrl: `${vault.toUpperCase()}/`, identity: "system" }] } },
    "the reference of the secret db",
  ],
  identity: [
    { top: { identity: { type: "SystemAssigned, UserAssigned", userAssignedIdentities: { [puller]: {} } } } },
    { top: { identity: { type: "SystemAssigned,UserAssigned", userAssignedIdentities: [puller.toLowerCase()] } } },
    `the app's own identity, the identity ${puller}`,
  ],
  tags: [{ top: { tags: { owner: "team-a" } } }, { top: { tags: { Owner: "team-b" } } }, "the tag owner"],
  workloadProfileName: [
    { top: { workloadProfileName: "D4" } },
    { top: { workloadProfileName: "D8" } },
    "the workload profile",
  ],
  kind: [{ top: { kind: "functionapp" } }, { top: { kind: "FunctionApp" } }, "the kind of the app"],
  managedBy: [{ top: { managedBy: "/spring" } }, { top: { managedBy: "/other" } }, "what manages the app"],
  patchingConfiguration: [
    { top: { patchingConfiguration: { patchingMode: "Manual" } } },
    { top: { patchingConfiguration: { patchingMode: "Automatic" } } },
    "the patching",
  ],
  registries: [
    { configuration: { registries: [{ server: "Images.example", identity: puller }, { server: "unused.example" }] } },
    { configuration: { registries: [{ server: "images.example", username: "shop", passwordSecretRef: "pwd" }] } },
    "the registry Images.example",
  ],
  scaleRules: [
    { template: { scale: { minReplicas: 1, rules: [{ name: "queue", custom: { type: "azure-servicebus" } }] } } },
    { template: { scale: { minReplicas: 1, rules: [{ name: "queue", custom: { type: "kafka" } }] } } },
    "the scale rule queue",
  ],
  sidecars: [
    { template: { containers: [...containers("1"), { name: "proxy", image: "proxy:1" }] } },
    { template: { containers: [...containers("1"), { name: "proxy", image: "proxy:2" }] } },
    "the container proxy",
  ],
  initContainers: [
    { template: { initContainers: [{ name: "migrate", image: "migrate:1" }] } },
    { template: { initContainers: [{ name: "migrate", image: "migrate:2" }] } },
    "the init container migrate",
  ],
  volumes: [
    { template: { volumes: [{ name: "files", storageType: "AzureFile", storageName: "files" }] } },
    { template: { volumes: [{ name: "files", storageType: "AzureFile", storageName: "other" }] } },
    "the volume files",
  ],
  serviceBinds: [
    { template: { serviceBinds: [{ name: "redis", serviceId: "/redis" }] } },
    { template: { serviceBinds: [{ name: "redis", serviceId: "/REDIS" }] } },
    "the service binding redis",
  ],
};
