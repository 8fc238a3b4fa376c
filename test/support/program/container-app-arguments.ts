// Generates arguments of a ContainerApp. The types of azure-native say which fields there are, so a field of a newer
// version does not compile until it is generated here. Every value is one that a CanaryApp accepts.
import type { ContainerAppArgs } from "@pulumi/azure-native/app/containerApp.js";
import type * as inputs from "@pulumi/azure-native/types/input.js";
import fc from "fast-check";

/** A generator for each field of azure-native's type, and for no other. */
type Fields<Args> = { readonly [Name in keyof Required<Args>]: fc.Arbitrary<unknown> };

/** An object with all of these fields, or with any of those that may be left out. */
const shape = <Args>({ ...fields }: Fields<Args>, needed: readonly (keyof Args & string)[] = []) =>
  fc.record<Record<string, unknown>>(fields, { requiredKeys: [...needed] });

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/);
const number = fc.nat(99);
const port = fc.integer({ min: 1, max: 65_535 });
const flag = fc.boolean();
const list = (each: fc.Arbitrary<unknown>, maxLength = 2) => fc.array(each, { maxLength });
/** Objects, each with a name of its own. */
const named = (each: fc.Arbitrary<Record<string, unknown>>, minLength = 0) =>
  fc.uniqueArray(each, { minLength, maxLength: 2, selector: (one) => one["name"] });
const texts = fc.dictionary(word, word, { maxKeys: 2 });
const nothing = fc.constant(undefined);
/** The secrets that an app may name: they are added to those that it has. */
const secretNames = ["pwd", "key"];
const secretRef = fc.constantFrom(...secretNames);
const volume = "files";

const env = named(shape<inputs.app.EnvironmentVarArgs>({ name: word, value: word, secretRef }, ["name"]));
const resources = shape<inputs.app.ContainerResourcesArgs>({ cpu: number, gpu: number, memory: word });
const volumeMounts = shape<inputs.app.VolumeMountArgs>({
  mountPath: word,
  subPath: word,
  volumeName: fc.constant(volume),
});

/** The actions of a probe, of which it has one. */
const actions = fc.oneof(
  shape<inputs.app.ContainerAppProbeHttpGetArgs>(
    {
      host: word,
      httpHeaders: list(shape<inputs.app.ContainerAppProbeHttpHeadersArgs>({ name: word, value: word }, ["name"])),
      path: word.map((each) => `/${each}`),
      port,
      scheme: fc.constantFrom("HTTP", "HTTPS"),
    },
    ["port"],
  ).map((httpGet) => ({ httpGet })),
  shape<inputs.app.ContainerAppProbeTcpSocketArgs>({ host: word, port }, ["port"]).map((tcpSocket) => ({ tcpSocket })),
);
const probe = fc
  .tuple(
    actions,
    shape<Omit<inputs.app.ContainerAppProbeArgs, "httpGet" | "tcpSocket">>(
      {
        failureThreshold: fc.integer({ min: 1, max: 30 }),
        initialDelaySeconds: fc.nat(60),
        periodSeconds: fc.integer({ min: 1, max: 99 }),
        successThreshold: fc.constant(1),
        terminationGracePeriodSeconds: number,
        timeoutSeconds: fc.integer({ min: 1, max: 99 }),
        type: fc.constantFrom("Liveness", "Startup"),
      },
      ["type"],
    ),
  )
  .map(([action, rest]) => ({ ...action, ...rest }));

const initContainer: Fields<inputs.app.InitContainerArgs> = {
  args: list(word),
  command: list(word),
  env,
  image: word,
  imageType: word,
  name: word,
  resources,
  volumeMounts: list(volumeMounts),
};
const container = shape<inputs.app.ContainerArgs>({ ...initContainer, probes: list(probe, 1) }, ["image", "name"]);

const auth = list(shape<inputs.app.ScaleRuleAuthArgs>({ secretRef, triggerParameter: word }));
const rule = shape<inputs.app.ScaleRuleArgs>(
  {
    azureQueue: shape<inputs.app.QueueScaleRuleArgs>({
      accountName: word,
      auth,
      identity: word,
      queueLength: number,
      queueName: word,
    }),
    custom: shape<inputs.app.CustomScaleRuleArgs>({ auth, identity: word, metadata: texts, type: word }),
    http: shape<inputs.app.HttpScaleRuleArgs>({ auth, identity: word, metadata: texts }),
    name: word,
    tcp: shape<inputs.app.TcpScaleRuleArgs>({ auth, identity: word, metadata: texts }),
  },
  ["name"],
);

/** Templates of an app. The suffix of a revision is refused, and so is an app that may have no replica. */
export const templates = shape<inputs.app.TemplateArgs>(
  {
    containers: named(container, 1),
    initContainers: named(
      shape<inputs.app.InitContainerArgs>({ ...initContainer, name: word.map((name) => `init-${name}`) }, [
        "image",
        "name",
      ]),
    ),
    revisionSuffix: nothing,
    scale: shape<inputs.app.ScaleArgs>(
      {
        cooldownPeriod: fc.integer({ min: 300, max: 999 }),
        maxReplicas: fc.integer({ min: 3, max: 30 }),
        minReplicas: fc.integer({ min: 1, max: 3 }),
        pollingInterval: number,
        rules: list(rule),
      },
      ["minReplicas"],
    ),
    serviceBinds: list(
      shape<inputs.app.ServiceBindArgs>({ clientType: word, customizedKeys: texts, name: word, serviceId: word }),
    ),
    terminationGracePeriodSeconds: fc.nat(600),
    volumes: list(
      shape<inputs.app.VolumeArgs>({
        mountOptions: word,
        name: word,
        secrets: list(shape<inputs.app.SecretVolumeItemArgs>({ path: word, secretRef })),
        storageName: word,
        storageType: fc.constantFrom("AzureFile", "EmptyDir", "NfsAzureFile", "Secret"),
      }),
    ).map((each) => [...each, { name: volume, storageType: "EmptyDir" }]),
  },
  ["containers", "volumes"],
);

const ingress = shape<inputs.app.IngressArgs>({
  additionalPortMappings: list(
    shape<inputs.app.IngressPortMappingArgs>({ exposedPort: port, external: flag, targetPort: port }),
  ),
  allowInsecure: flag,
  clientCertificateMode: fc.constantFrom("accept", "ignore", "require"),
  corsPolicy: shape<inputs.app.CorsPolicyArgs>({
    allowCredentials: flag,
    allowedHeaders: list(word),
    allowedMethods: list(word),
    allowedOrigins: list(word),
    exposeHeaders: list(word),
    maxAge: number,
  }),
  customDomains: list(
    shape<inputs.app.CustomDomainArgs>({ bindingType: word, certificateId: word, name: word }, ["name"]),
  ),
  exposedPort: number,
  external: flag,
  ipSecurityRestrictions: list(
    shape<inputs.app.IpSecurityRestrictionRuleArgs>({
      action: fc.constantFrom("Allow", "Deny"),
      description: word,
      ipAddressRange: word,
      name: word,
    }),
  ),
  stickySessions: shape<inputs.app.IngressStickySessionsArgs>({ affinity: fc.constant("none") }, ["affinity"]),
  targetPort: port,
  targetPortHttpScheme: fc.constantFrom("http", "https"),
  traffic: nothing,
  transport: fc.constantFrom("auto", "http", "http2"),
});

const runtime = shape<inputs.app.RuntimeArgs>({
  dotnet: shape<inputs.app.RuntimeDotnetArgs>({ autoConfigureDataProtection: flag }),
  java: shape<inputs.app.RuntimeJavaArgs>({
    enableMetrics: flag,
    javaAgent: shape<inputs.app.RuntimeJavaAgentArgs>({
      enabled: flag,
      logging: shape<inputs.app.RuntimeLoggingArgs>({
        loggerSettings: list(shape<inputs.app.LoggerSettingArgs>({ level: word, logger: word })),
      }),
    }),
  }),
});

const otherName = word.map((name) => `other-${name}`);
const secret = fc.oneof(
  shape<Pick<inputs.app.SecretArgs, "name" | "value">>({ name: otherName, value: word }, ["name", "value"]),
  shape<Omit<inputs.app.SecretArgs, "value">>({ identity: word, keyVaultUrl: word, name: otherName }, [
    "identity",
    "keyVaultUrl",
    "name",
  ]),
);

const configuration = shape<inputs.app.ConfigurationArgs>(
  {
    activeRevisionsMode: fc.constantFrom("Single", "Multiple"),
    dapr: shape<inputs.app.DaprArgs>({
      appHealth: shape<inputs.app.DaprAppHealthArgs>({
        enabled: flag,
        path: word,
        probeIntervalSeconds: number,
        probeTimeoutMilliseconds: number,
        threshold: number,
      }),
      appId: word,
      appPort: port,
      appProtocol: word,
      enableApiLogging: flag,
      enabled: flag,
      httpMaxRequestSize: number,
      httpReadBufferSize: number,
      logLevel: word,
      maxConcurrency: number,
    }),
    identitySettings: list(shape<inputs.app.IdentitySettingsArgs>({ identity: word, lifecycle: word })),
    ingress,
    maxInactiveRevisions: number,
    registries: list(
      shape<inputs.app.RegistryCredentialsArgs>({
        identity: word,
        passwordSecretRef: secretRef,
        server: word,
        username: word,
      }),
    ),
    revisionTransitionThreshold: number,
    runtime,
    secrets: named(secret).map((each) => [...each, ...secretNames.map((name) => ({ name, value: "hunter2" }))]),
    service: shape<inputs.app.ServiceArgs>({ type: word }),
    targetLabel: word,
  },
  ["ingress", "secrets"],
);

/** Arguments of an app with a name. Generated objects may have no prototype, which the SDK cannot take. */
export const containerApps: fc.Arbitrary<ContainerAppArgs & { readonly configuration: object }> =
  shape<ContainerAppArgs>(
    {
      configuration,
      containerAppName: fc.constant("shop"),
      environmentId: word,
      extendedLocation: shape<inputs.app.ExtendedLocationArgs>({ name: word, type: word }),
      identity: shape<inputs.app.ManagedServiceIdentityArgs>(
        { type: fc.constant("UserAssigned"), userAssignedIdentities: list(word) },
        ["type"],
      ),
      kind: word,
      location: word,
      managedBy: word,
      managedEnvironmentId: word,
      patchingConfiguration: shape<inputs.app.ContainerAppPatchingConfigurationArgs>({ patchingMode: word }),
      resourceGroupName: fc.constant("shop"),
      tags: texts,
      template: templates,
      workloadProfileName: word,
    },
    // A CanaryApp refuses an app without an environment.
    ["configuration", "containerAppName", "environmentId", "resourceGroupName", "template"],
  ).map((args) => JSON.parse(JSON.stringify(args)));
