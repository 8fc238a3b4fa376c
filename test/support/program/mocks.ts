// Records what a Pulumi program declares, without a Pulumi CLI: every resource with its type, its parent's type and its
// inputs. It waits for every urn, since a resource registers long after its constructor has returned.
import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";

export interface Declared {
  readonly type: string;
  readonly name: string;
  /** The type of its parent component; empty for what the program declares itself. */
  readonly parent: string;
  readonly inputs: { readonly [key: string]: any };
  /** Whether Pulumi refuses to delete or replace it. */
  readonly protect: boolean;
  /** The properties that an update leaves as they are in the state. */
  readonly ignoreChanges: readonly string[];
  /** The sorted names of the outputs that a component registered; undefined for other resources. */
  readonly outputs: readonly string[] | undefined;
  /** Those outputs as the state keeps them. */
  readonly outputValues: object;
}

/** Answers the program's calls of a provider. A thrown error is the provider's error. */
export type Answers = (token: string, inputs: { readonly [key: string]: any }) => unknown;

const { prototype } = MockMonitor;
const parents = new Map<string, string>();
const guarded = new Set<string>();
const ignored = new Map<string, readonly string[]>();
const registeredOutputs = new Map<string, object>();
const { registerResource: register, registerResourceOutputs: registerOutputs } = prototype;
Object.assign(prototype, {
  // A mock does not get a resource's parent.
  registerResource(
    this: MockMonitor,
    request: {
      getType(): string;
      getName(): string;
      getParent(): string;
      getProtect(): boolean | undefined;
      getIgnorechangesList(): readonly string[];
    },
    done: never,
  ) {
    parents.set(`${request.getType()} ${request.getName()}`, typeOfUrn(request.getParent()));
    ignored.set(`${request.getType()} ${request.getName()}`, request.getIgnorechangesList());
    if (request.getProtect()) guarded.add(`${request.getType()} ${request.getName()}`);
    return register.call(this, request, done);
  },
  // Nor does it get the outputs that a component registers.
  registerResourceOutputs(
    this: MockMonitor,
    request: { getUrn(): string; getOutputs(): { toJavaScript(): object } },
    done: never,
  ) {
    const [type, name] = [typeOfUrn(request.getUrn()), request.getUrn().split("::").at(-1)];
    registeredOutputs.set(`${type} ${name}`, request.getOutputs().toJavaScript());
    return registerOutputs.call(this, request, done);
  },
  // And it does not implement the registration of hooks.
  registerResourceHook: (_request: unknown, done: (error: null, response: object) => void) => done(null, {}),
  registerErrorHook: (_request: unknown, done: (error: null, response: object) => void) => done(null, {}),
});
const typeOfUrn = (urn: string): string => urn.split("::")[2]?.split("$").at(-1) ?? "";

/** The outputs of Azure's resources that the program reads. */
const outputs: { readonly [type: string]: (inputs: Declared["inputs"]) => object } = {
  "azure-native:resources:ResourceGroup": ({ resourceGroupName }) => ({ name: resourceGroupName }),
  "azure-native:operationalinsights:Workspace": ({ workspaceName }) => ({
    name: workspaceName,
    customerId: "customer",
  }),
  "azure-native:applicationinsights:Component": ({ resourceName }) => ({
    name: resourceName,
    connectionString: "InstrumentationKey=key;IngestionEndpoint=https://ingestion.example.net/",
  }),
  "azure-native:app:ManagedEnvironment": ({ environmentName }) => ({
    name: environmentName,
    defaultDomain: `${environmentName}.example.net`,
    staticIp: "10.40.0.12",
  }),
  "azure-native:app:ContainerApp": ({ containerAppName, configuration }) => ({
    name: containerAppName,
    configuration: withHost(configuration, `${containerAppName}.apps.example.net`),
    latestRevisionName: `${containerAppName}--0000002`,
  }),
  "azure-native:containerregistry:Registry": ({ registryName }) => ({
    name: registryName,
    loginServer: `${registryName}.azurecr.io`,
  }),
  "azure-native:monitor:ScheduledQueryRule": ({ ruleName }) => ({ name: ruleName }),
  "azure-native:monitor:MetricAlert": ({ ruleName }) => ({ name: ruleName }),
  "azure-native:app:Job": ({ jobName }) => ({ name: jobName }),
  "azure-native:dbforpostgresql:Server": ({ serverName }) => ({
    name: serverName,
    fullyQualifiedDomainName: `${serverName}.postgres.example.net`,
  }),
  "azure-native:dbforpostgresql:Database": ({ databaseName }) => ({ name: databaseName }),
  "azure-native:network:VirtualNetwork": ({ virtualNetworkName }) => ({ name: virtualNetworkName }),
  "azure-native:privatedns:PrivateZone": ({ privateZoneName }) => ({ name: privateZoneName }),
  "azure-native:managedidentity:UserAssignedIdentity": ({ resourceName }) => ({
    name: resourceName,
    principalId: "principal",
    clientId: "client",
  }),
  "azure-native:keyvault:Vault": ({ vaultName }) => ({ name: vaultName }),
  "ballast:index:Credential": ({ vault, credential }) => ({
    urls: {
      a: `https://${vault}.vault.azure.net/secrets/${credential}-a/1`,
      b: `https://${vault}.vault.azure.net/secrets/${credential}-b/1`,
    },
  }),
  "ballast:index:RepositoryFiles": () => ({ result: "published", drift: [], commit: "", pullRequest: "" }),
  "ballast:index:RepositorySettings": () => ({ drift: [] }),
  "ballast:index:Release": () => ({
    result: "promoted",
    reason: "every-step-passed",
    message: "All went well.",
    trace: "4bf92f3577b34da6a3ce929d0e0e4736",
  }),
};

/** Gives an app's configuration with the host that Azure fills in. If it has a secret, Pulumi has marked the whole. */
function withHost(configuration: Declared["inputs"] | undefined, fqdn: string): object {
  const { ingress, value, ...more } = configuration ?? {}; // a value that is not known is not there
  if (value !== undefined) return { ...configuration, value: withHost(value, fqdn) };
  return { ...more, ...(ingress && { ingress: { ...ingress, fqdn } }) };
}

/** Answers every read of Azure as it does before anything is deployed. */
export const nothingThere: Answers = (token) => {
  if (token === "ballast:index:repositoryFacts") return { fullName: "Acme/shop", id: 1001, ownerId: 100 };
  if (token === "ballast:index:ready") return {};
  throw new Error(
    `invocation of ${token} returned an error: Status=404 Code="ResourceNotFound" Message="It was not found."`,
  );
};

/**
 * Runs a program, or a part of one, and returns its result and the declared resources, sorted by name.
 *
 * @param isPreview whether the program is told that it runs in a preview
 */
export async function record<Made>(
  program: () => Made | Promise<Made>,
  answers: Answers = nothingThere,
  isPreview = false,
): Promise<{ made: Made; declared: readonly Declared[] }> {
  const declared: Omit<Declared, "outputs" | "outputValues" | "protect" | "ignoreChanges">[] = [];
  registeredOutputs.clear();
  guarded.clear();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        if (type !== stackType)
          declared.push({ type, name, inputs, parent: (parents.get(`${type} ${name}`) ?? "").replace(stackType, "") });
        return { id: `${name}-id`, state: { ...inputs, ...outputs[type]?.(inputs) } };
      },
      call: async ({ token, inputs }) => {
        try {
          return (await answers(token, inputs)) as Record<string, unknown>;
        } catch (error) {
          // gRPC carries a provider's message there.
          throw Object.assign(error as Error, { details: (error as Error).message });
        }
      },
    },
    "ballast",
    "test",
    isPreview,
  );
  let result: { readonly made: Made } | { readonly thrown: unknown } | undefined;
  await orRefused(async () => {
    await pulumi.runtime.runInPulumiStack(async () => {
      // An error thrown here would break off the stack's registration and be reported twice.
      result = await Promise.resolve()
        .then(program)
        .then(
          (made) => ({ made }),
          (thrown: unknown) => ({ thrown }),
        );
      await registered(pulumi.runtime.getStackResource() as unknown as Family);
    });
    await pulumi.runtime.disconnect(); // wait for the outputs of components
  });
  if (!result || "thrown" in result) throw result?.thrown;
  const whole = declared.map((each) => {
    const key = `${each.type} ${each.name}`;
    const outputValues = registeredOutputs.get(key);
    return {
      ...each,
      protect: guarded.has(key),
      ignoreChanges: ignored.get(key) ?? [],
      outputs: outputValues && Object.keys(outputValues).toSorted(),
      outputValues: outputValues ?? {},
    };
  });
  return { ...result, declared: whole.sort((one, other) => (one.name < other.name ? -1 : 1)) };
}

/**
 * Runs a program, and rejects as soon as an output of it does.
 *
 * The SDK has no promise for that: a resource with such an input is never registered, and the language host ends at the
 * rejection that nothing handles. So this does as the host does.
 */
async function orRefused(run: () => Promise<void>): Promise<void> {
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  const refused = new Promise<never>((_resolve, reject) => process.on("unhandledRejection", reject));
  try {
    await Promise.race([run(), refused]);
  } finally {
    await new Promise((resolve) => setImmediate(resolve)); // one refusal rejects several promises of the SDK
    process.removeAllListeners("unhandledRejection");
    for (const each of others) process.on("unhandledRejection", each);
  }
}

const stackType = "pulumi:pulumi:Stack";

/** A resource with its children, which the SDK keeps in this field. */
interface Family extends pulumi.Resource {
  readonly __childResources?: ReadonlySet<Family>;
}

async function registered(resource: Family): Promise<void> {
  await valueOf(resource.urn);
  for (const each of resource.__childResources ?? []) await registered(each);
}

/** Gives the variables of the first container of a declared app or job; a secret one has no value. */
export function variablesOf(declared: readonly Declared[], name: string): Readonly<Record<string, string>> {
  const { containers } = declared.find((each) => each.name === name)!.inputs["template"];
  const variables: readonly { readonly name: string; readonly value: string }[] = containers[0].env;
  return Object.fromEntries(variables.map((each) => [each.name, each.value]));
}

/** Waits for an output. */
export const valueOf = <Value>(output: pulumi.Output<Value>): Promise<Value> =>
  new Promise((resolve) => void output.apply(resolve));

/** Gives an output that a preview does not know, as the SDK marks it. */
export const unknown = (): any =>
  new (pulumi.Output as unknown as new (...parts: unknown[]) => unknown)(
    new Set(),
    Promise.resolve(undefined),
    Promise.resolve(false),
    Promise.resolve(false),
    Promise.resolve(new Set()),
  );
