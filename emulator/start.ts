// Starts a whole emulator in this process: one TLS port on loopback, a private CA, and the Pulumi provider that
// connects to it. Everything is in memory and ends with `close`. With `keep`, the folder holds the cloud's state, and
// an emulator that starts on that folder again is the same cloud.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { watchRules } from "./alertsmanagement/rules.ts";
import { type Ingress, ingress } from "./app/ingress.ts";
import { watchSchedules } from "./app/job-executions.ts";
import { rowsMax } from "./app/request-rows.ts";
import { makeOperations } from "./arm/operations.ts";
import type { Cloud, EmulatorOptions } from "./arm/resource.ts";
import { makeResourceManager } from "./arm/resource-manager.ts";
import { makeStore } from "./arm/store.ts";
import { subscription } from "./arm/subscription-id.ts";
import { makeTokenKeys, makeTokens, type Tokens, tenant } from "./authorization/tokens.ts";
import { makeAuthority, makeCertificates } from "./certificates.ts";
import { makeControl } from "./controls/control.ts";
import { emulatorRoutes } from "./controls/emulator-routes.ts";
import { quirksOf, quirksOfEnvironment } from "./controls/quirks-in-force.ts";
import { schedulerOf } from "./controls/scheduler.ts";
import { watchServerLog } from "./dbforpostgresql/server-log.ts";
import { policies } from "./delivery/policies.ts";
import { watchExpiries } from "./keyvault/secret-events.ts";
import { logsQuery } from "./operationalinsights/logs-query.ts";
import { platformRowsMax } from "./operationalinsights/platform-rows.ts";
import { type Ledger, makeLedger } from "./persistence/ledger.ts";
import { type Parts, registerOwners } from "./persistence/revival.ts";
import { openDocuments, openRows, readCharter, writeCharter } from "./persistence/state.ts";
import { azureNative } from "./provider/azure-native.ts";
import { serveProvider } from "./provider/serve.ts";
import { resourceTypes } from "./resource-types.ts";
import { type Services, serveHosts, serveIdentity } from "./server.ts";

/** A running emulator cloud, with everything that its clients need. */
export interface RunningEmulator {
  readonly port: number;
  /** The gRPC port of the provider, for `PULUMI_DEBUG_PROVIDERS=azure-native:<providerPort>`. */
  readonly providerPort: number;
  readonly caFile: string;
  readonly suffix: string;
  readonly subscription: string;
  readonly tenant: string;
  /** The client that gets tokens for any audience, with all roles of the control plane. */
  readonly client: { readonly id: string; readonly secret: string };
  /** The variables by which a Pulumi CLI, an SDK client or a child process finds this cloud and signs in. */
  readonly environment: Record<string, string>;
  /** Ends every process and listener. The files in the folder stay. */
  readonly close: () => Promise<void>;
}

const suffix = "ballast.localhost";
/** The longest time for which a change that no request made, such as a replica that became ready, stays unwritten. */
const keepMilliseconds = 200;

type Close = () => void | Promise<void>;

/**
 * Starts an emulator cloud on loopback.
 *
 * A kept cloud always uses the ports of its first start, since its clients know no others. The fixed ports also prevent
 * two processes on one folder: the second cannot listen.
 *
 * @throws UnreadableState when the folder's state is damaged or of another version
 */
export async function startEmulator(options: EmulatorOptions): Promise<RunningEmulator> {
  const opened: Close[] = [];
  const close = async (): Promise<void> => {
    for (const end of opened.splice(0).reverse()) await end();
  };
  try {
    return { ...(await start(options, opened)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts one part after another, and adds to `opened` how each is closed. */
async function start(options: EmulatorOptions, opened: Close[]): Promise<Omit<RunningEmulator, "close">> {
  const { folder, keep: isKept = false } = options;
  await mkdir(folder, { recursive: true });
  const charter = isKept ? readCharter(folder) : undefined;
  const keys = charter ?? { authority: makeAuthority(suffix), tokenKeys: await makeTokenKeys() };
  const { caPem } = keys.authority;
  const ledger = isKept ? makeLedger() : undefined;
  const store = makeStore((resourceId) => ledger?.changed("resource", resourceId));
  const tokens = await makeTokens(suffix, store, keys.tokenKeys);
  const identity = await serveIdentity(tokens);
  opened.push(identity.close);
  // A request that comes before everything is restored waits: half a cloud would look like a whole one.
  let open!: (services: Services) => void;
  const services = new Promise<Services>((resolve) => {
    open = resolve;
  });
  const certificates = makeCertificates(keys.authority);
  const hosts = await serveHosts(certificates, suffix, charter?.port ?? options.port ?? 0, services);
  opened.push(hosts.close);
  const caFile = await writeCaFile(folder, caPem);
  const rowFiles = isKept ? openRowFiles(folder, opened) : {};

  const network = { BALLAST_CONNECT_TO: `${suffix}=127.0.0.1:${hosts.port}`, NODE_EXTRA_CA_CERTS: caFile };
  const identityEndpoint = `http://127.0.0.1:${identity.port}/msi/token`;
  const control = makeControl(() => schedulerOf(cloud).pass());
  const writer: Writer = { keep: () => undefined };
  const cloud: Cloud = {
    store,
    ...(ledger && { changed: ledger.changed, keep: () => writer.keep() }),
    clock: control.clock,
    suffix,
    port: hosts.port,
    options: { ...options, quirks: { ...quirksOfEnvironment(process.env), ...options.quirks } },
    ...rowFiles,
    replicaEnvironment: (identities) => ({ ...network, ...identityVariables(tokens, identityEndpoint, identities) }),
    serviceToken: (service, application) => tokens.serviceToken(application, policies[service].application),
    log: (line) => void process.stderr.write(`emulator  ${line}\n`),
  };
  opened.push(() => schedulerOf(cloud).close());
  watchExpiries(cloud);
  const operations = makeOperations(
    () => quirksOf(cloud)["one-write-at-a-time"] !== false,
    (operation) => ledger?.changed("operation", operation),
  );
  const entrance = ingress(cloud);
  opened.push(entrance.close);
  const { id, secret } = tokens.client;
  const provider = await serveAzureNative({ port: hosts.port, caPem, suffix }, { id, secret }, charter?.providerPort);
  opened.push(provider.close);
  if (isKept && !charter) writeCharter(folder, { ...keys, port: hosts.port, providerPort: provider.port });
  const parts: Parts = { cloud, control, operations };
  if (ledger) opened.push(await keepAll(folder, parts, ledger, writer));
  else {
    watchSchedules(cloud);
    watchRules(cloud);
  }
  opened.push(watchServerLog(cloud));
  open(servicesOf(parts, tokens, entrance, keepAfter(ledger, writer)));
  const ports = { port: hosts.port, providerPort: provider.port };
  const environment = {
    ...network,
    PULUMI_DEBUG_PROVIDERS: `azure-native:${provider.port}`,
    ...credentials(id, secret),
  };
  return { ...ports, caFile, suffix, subscription, tenant, client: { id, secret }, environment };
}

/** Serves the provider of azure-native, signed in as the client of the emulator. */
const serveAzureNative = (
  connection: { readonly port: number; readonly caPem: string; readonly suffix: string },
  { id, secret }: { readonly id: string; readonly secret: string },
  port: number | undefined,
) =>
  serveProvider(
    azureNative({
      connection,
      subscription,
      environment: credentials(id, secret),
    }),
    port,
  );

/** Opens the files of rows. They are closed last, since connections that are broken off still write rows. */
function openRowFiles(folder: string, opened: Close[]): Pick<Cloud, "rowsFile" | "platformRowsFile"> {
  const files = {
    rowsFile: openRows<unknown>(folder, rowsMax),
    platformRowsFile: openRows<unknown>(folder, platformRowsMax, "platform-rows"),
  };
  for (const { close } of Object.values(files)) opened.unshift(close);
  return files;
}

async function writeCaFile(folder: string, caPem: string): Promise<string> {
  const caFile = path.join(folder, "ca.pem");
  await writeFile(caFile, caPem);
  await chmod(caFile, 0o644);
  return caFile;
}

/** Gives the variables with which a container gets tokens for these identities; none for `false`. */
const identityVariables = (
  { identityHeader }: Tokens,
  endpoint: string,
  identities: boolean | readonly string[],
): Record<string, string> =>
  identities === false
    ? {}
    : { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: identityHeader(identities === true ? undefined : identities) };

const servicesOf = (
  { cloud, control, operations }: Parts,
  tokens: Tokens,
  entrance: Ingress,
  keep: Services["keep"],
): Services => ({
  cloud,
  tokens,
  control,
  ingress: entrance,
  keep,
  resourceManager: makeResourceManager(cloud, resourceTypes, operations),
  logsQuery: logsQuery(cloud),
  emulatorRoutes: emulatorRoutes(cloud),
});

/** What writes changes to the disk; it does nothing until the cloud is restored. */
interface Writer {
  keep: () => void;
}

/** Makes the function that writes what a request has changed. A change of the controls is one of the settings. */
const keepAfter =
  (ledger: Ledger | undefined, writer: Writer): Services["keep"] =>
  (method, requestPath) => {
    if (method !== "GET") ledger?.touched(requestPath);
    if (requestPath.startsWith("/_emulator/")) ledger?.changed("settings", "all");
    writer.keep();
  };

/** Restores the cloud from its folder, and writes its changes there from then on. Gives how that ends. */
async function keepAll(folder: string, parts: Parts, ledger: Ledger, writer: Writer): Promise<() => void> {
  const documents = openDocuments(folder);
  registerOwners(ledger, parts, resourceTypes);
  await ledger.revive(documents.found);
  const write = (all: boolean): void => {
    const changes = ledger.take(all);
    try {
      documents.write(changes);
    } catch (error) {
      ledger.giveBack(changes);
      throw error;
    }
  };
  const timer = setInterval(() => {
    try {
      write(true);
    } catch (error) {
      parts.cloud.log(`cannot write the state: ${(error as Error).message}`);
    }
  }, keepMilliseconds);
  writer.keep = () => write(false);
  // Closed before the replicas, so that their end does not change the kept state.
  return () => {
    clearInterval(timer);
    write(true);
    writer.keep = () => undefined;
    documents.close();
  };
}

const credentials = (id: string, secret: string): Record<string, string> => ({
  ARM_CLIENT_ID: id,
  ARM_CLIENT_SECRET: secret,
  ARM_TENANT_ID: tenant,
  ARM_SUBSCRIPTION_ID: subscription,
  AZURE_CLIENT_ID: id,
  AZURE_CLIENT_SECRET: secret,
  AZURE_TENANT_ID: tenant,
  AZURE_AUTHORITY_HOST: `https://login.${suffix}`,
});
