// Starts a whole stand-in cloud in this process: one address, one TLS port, a private CA, and the Pulumi provider that speaks to it.
// It wires; what the parts do is theirs. Everything lives in memory and ends with `close`, unless the cloud is to be kept: then its
// folder holds all that makes it this cloud, and whoever starts one on that folder again gets the same.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { ingress } from "./app/ingress.ts";
import { rowsMax } from "./app/request-rows.ts";
import { makeOperations } from "./arm/operations.ts";
import type { Cloud, LocalCloudOptions } from "./arm/resource.ts";
import { makeResourceManager, subscription } from "./arm/resource-manager.ts";
import { makeStore } from "./arm/store.ts";
import { makeTokenKeys, makeTokens, type Tokens, tenant } from "./authorization/tokens.ts";
import { makeAuthority, makeCertificates } from "./certificates.ts";
import { makeControl } from "./controls/control.ts";
import { standInRoutes } from "./controls/emulator-routes.ts";
import { truthsOf, truthsWithout } from "./controls/quirks-in-force.ts";
import { logsQuery } from "./operationalinsights/logs-query.ts";
import { documentsOf, type Parts, revive } from "./persistence/revival.ts";
import { openDocuments, openRows, readCharter, writeCharter } from "./persistence/state.ts";
import { serveProvider } from "./provider/serve.ts";
import { resourceKinds } from "./resource-types.ts";
import { type Doors, serveHosts, serveIdentity } from "./server.ts";

/** A stand-in cloud that runs, and all that others must know to use it. */
export interface LocalCloud {
  readonly port: number;
  /** gRPC, for `PULUMI_DEBUG_PROVIDERS=azure-native:<providerPort>`. */
  readonly providerPort: number;
  readonly caFile: string;
  readonly suffix: string;
  readonly subscription: string;
  readonly tenant: string;
  /** May get tokens for any audience, with the roles Rollout.Read and Rollout.Write. */
  readonly client: { readonly id: string; readonly secret: string };
  /** Everything that a Pulumi CLI, an SDK client or a child process needs to find this cloud and to sign in. */
  readonly environment: Record<string, string>;
  /** Ends every process and listener. What was written into the folder is its maker's to remove. */
  readonly close: () => Promise<void>;
}

const suffix = "ballast.localhost";
/** How long a change that nobody has asked for yet, such as a replica that became ready, may be unwritten. */
const keepMilliseconds = 200;

type Close = () => void | Promise<void>;

/**
 * Starts a stand-in cloud on loopback.
 *
 * A kept one comes up on the ports that it was made with, whatever the options say, for its clients know no others. They are also what
 * keeps two processes from one folder: the second cannot listen.
 *
 * @throws UnreadableState where what the folder holds is damaged or another version's.
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
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

/** Opens one thing after another, and notes how each is closed. */
async function start(options: LocalCloudOptions, opened: Close[]): Promise<Omit<LocalCloud, "close">> {
  const { folder, keep: isKept = false } = options;
  await mkdir(folder, { recursive: true });
  const charter = isKept ? readCharter(folder) : undefined;
  const keys = charter ?? { authority: makeAuthority(suffix), tokenKeys: await makeTokenKeys() };
  const store = makeStore();
  const control = makeControl();
  const operations = makeOperations(() => truthsOf(cloud)["one-write-at-a-time"] !== false);
  const tokens: Tokens = await makeTokens(suffix, store, keys.tokenKeys);
  const identity = await serveIdentity(() => tokens);
  opened.push(identity.close);
  // Whoever asks before all is there again waits: half a cloud would be taken for the whole.
  let open!: (doors: Doors) => void;
  const doors = new Promise<Doors>((resolve) => {
    open = resolve;
  });
  const hosts = await serveHosts(makeCertificates(keys.authority), suffix, charter?.port ?? options.port ?? 0, doors);
  opened.push(hosts.close);
  const caFile = path.join(folder, "ca.pem");
  await writeFile(caFile, keys.authority.caPem);
  await chmod(caFile, 0o644);

  const network = { BALLAST_CONNECT_TO: `${suffix}=127.0.0.1:${hosts.port}`, NODE_EXTRA_CA_CERTS: caFile };
  const rowsFile = isKept ? openRows(folder, rowsMax) : undefined;
  // The last to be closed: connections that are broken off leave rows.
  if (rowsFile) opened.unshift(rowsFile.close);
  const cloud: Cloud = {
    store,
    clock: control.clock,
    suffix,
    port: hosts.port,
    options: { ...options, truths: { ...truthsWithout(process.env["BALLAST_STANDIN_WITHOUT"]), ...options.truths } },
    ...(rowsFile && { rowsFile }),
    replicaEnvironment: (identities) => ({
      ...network,
      ...(identities === false
        ? {}
        : {
            IDENTITY_ENDPOINT: `http://127.0.0.1:${identity.port}/msi/token`,
            IDENTITY_HEADER: tokens.identityHeader(identities === true ? undefined : identities),
          }),
    }),
    log: (line) => void process.stderr.write(`localcloud  ${line}\n`),
  };
  const entrance = ingress(cloud);
  opened.push(entrance.close);
  const { client } = tokens;
  const connection = { port: hosts.port, caPem: keys.authority.caPem, suffix };
  const provider = await serveProvider({
    connection,
    subscription,
    credentials: { tenantId: tenant, clientId: client.id, clientSecret: client.secret },
    port: charter?.providerPort ?? 0,
  });
  opened.push(provider.close);
  if (isKept && !charter) writeCharter(folder, { ...keys, port: hosts.port, providerPort: provider.port });
  const kept = isKept ? await keepAll(folder, { cloud, control, operations }) : undefined;
  if (kept) opened.push(kept.close);
  open({
    cloud,
    tokens,
    control,
    ingress: entrance,
    keep: kept?.keep ?? (() => undefined),
    resourceManager: makeResourceManager(cloud, resourceKinds, operations),
    logsQuery: logsQuery(cloud),
    standInRoutes: standInRoutes(cloud),
  });
  return {
    port: hosts.port,
    providerPort: provider.port,
    caFile,
    suffix,
    subscription,
    tenant,
    client: { id: client.id, secret: client.secret },
    environment: {
      ...network,
      PULUMI_DEBUG_PROVIDERS: `azure-native:${provider.port}`,
      ...credentials(client.id, client.secret),
    },
  };
}

/** Lets the cloud be what its folder says, and from then on the folder what the cloud is. */
async function keepAll(
  folder: string,
  parts: Parts,
): Promise<{ readonly keep: () => void; readonly close: () => void }> {
  const documents = openDocuments(folder);
  await revive(documents.found, parts, resourceKinds);
  let open = true;
  const keep = (): void => {
    if (open) documents.keep(documentsOf(parts));
  };
  const everyNowAndThen = setInterval(() => {
    try {
      keep();
    } catch (error) {
      parts.cloud.log(`what has changed could not be kept: ${(error as Error).message}`);
    }
  }, keepMilliseconds);
  return {
    keep,
    // Closed before the replicas are: that they end with the process is no change of the cloud.
    close: () => {
      clearInterval(everyNowAndThen);
      keep();
      open = false;
      documents.close();
    },
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
