// Container apps as they are written for azure-native.
const image = "registry.example/storefront:1";
const idle = ["node", "-e", "setInterval(() => {}, 1000)"];
const web = (release: string) => ({
  name: "web",
  image,
  env: [{ name: "RELEASE", value: release }],
  resources: { cpu: 0.25, memory: "0.5Gi" },
});

/** A plain app. */
export const plainApp = (containerAppName: string, release: string) => ({
  containerAppName,
  configuration: { ingress: { external: true, targetPort: 8080 } },
  template: { containers: [web(release)], scale: { minReplicas: 1, maxReplicas: 2 } },
});

/**
 * An app of many settings in one of its releases. It reads its secret from a vault only if it may: its identity, which
 * Azure makes with the app, needs a right first.
 */
export const fullApp = (release: string, secretUrl: string | undefined) => ({
  identity: { type: "SystemAssigned" },
  configuration: {
    activeRevisionsMode: "Single",
    ingress: {
      external: true,
      targetPort: 8080,
      transport: "http",
      corsPolicy: { allowedOrigins: ["https://example.org"] },
      ipSecurityRestrictions: [{ name: "here", action: "Allow", ipAddressRange: "127.0.0.0/8" }],
      clientCertificateMode: "accept",
      customDomains: [{ name: "www.example.org", bindingType: "Disabled" }],
    },
    dapr: { enabled: true, appId: "shop", appPort: 8080 },
    registries: [{ server: "registry.example", username: "shop", passwordSecretRef: "pwd" }],
    secrets: [
      { name: "pwd", value: "hunter2-hunter2" },
      ...(secretUrl === undefined ? [] : [{ name: "db", keyVaultUrl: secretUrl, identity: "system" }]),
    ],
  },
  template: {
    containers: [
      web(release),
      {
        name: "proxy",
        image,
        command: idle,
        resources: { cpu: 0.25, memory: "0.5Gi" },
        volumeMounts: [{ volumeName: "files", mountPath: "/files" }],
      },
    ],
    initContainers: [{ name: "migrate", image, command: ["node", "-e", ""] }],
    scale: {
      minReplicas: 1,
      maxReplicas: 3,
      rules: [
        { name: "many", http: { metadata: { concurrentRequests: "50" } } },
        {
          name: "orders",
          custom: {
            type: "azure-servicebus",
            metadata: { queueName: "orders" },
            auth: [{ secretRef: "pwd", triggerParameter: "connection" }],
          },
        },
      ],
    },
    volumes: [
      { name: "scratch", storageType: "EmptyDir" },
      { name: "files", storageType: "AzureFile", storageName: "files" },
    ],
  },
  tags: { owner: "team-a" },
});
