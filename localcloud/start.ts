// Starts a whole stand-in cloud in this process: one address, one TLS port, a private CA, and the Pulumi provider that speaks to it.
// It wires; what the parts do is theirs. Everything lives in memory and ends with `close`.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeCertificates } from "./certificates.ts";
import { makeControl } from "./control.ts";
import { ingress } from "./ingress.ts";
import { logsQuery } from "./logs-query.ts";
import { serveProvider } from "./provider/serve.ts";
import type { Cloud, LocalCloudOptions } from "./resource.ts";
import { makeResourceManager, subscription } from "./resource-manager.ts";
import { resourceKinds } from "./resource-types.ts";
import { serveHosts, serveIdentity, type Doors } from "./server.ts";
import { standInRoutes } from "./stand-in-routes.ts";
import { makeStore } from "./store.ts";
import { makeTokens, tenant, type Tokens } from "./tokens.ts";
import { truthsWithout } from "./truths.ts";

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

/** Starts a stand-in cloud on loopback. */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const certificates = makeCertificates(suffix);
  const caFile = path.join(options.folder, "ca.pem");
  await mkdir(options.folder, { recursive: true });
  await writeFile(caFile, certificates.caPem);
  await chmod(caFile, 0o644);

  const store = makeStore();
  const control = makeControl();
  const tokens: Tokens = await makeTokens(suffix, store);
  let doors: Doors | undefined;
  const identity = await serveIdentity(() => tokens);
  const hosts = await serveHosts(certificates, suffix, options.port ?? 0, () => doors!);
  const network = { BALLAST_CONNECT_TO: `${suffix}=127.0.0.1:${hosts.port}`, NODE_EXTRA_CA_CERTS: caFile };
  const cloud: Cloud = {
    store,
    clock: control.clock,
    suffix,
    port: hosts.port,
    options: { ...options, truths: { ...truthsWithout(process.env["BALLAST_STANDIN_WITHOUT"]), ...options.truths } },
    replicaEnvironment: (identities) => ({
      ...network,
      ...(identities === false ? {} : { IDENTITY_ENDPOINT: `http://127.0.0.1:${identity.port}/msi/token`, IDENTITY_HEADER: tokens.identityHeader(identities === true ? undefined : identities) }),
    }),
    log: (line) => void process.stderr.write(`localcloud  ${line}\n`),
  };
  const entrance = ingress(cloud);
  doors = { cloud, tokens, control, resourceManager: makeResourceManager(cloud, resourceKinds), logsQuery: logsQuery(cloud), standInRoutes: standInRoutes(cloud), ingress: entrance };
  const { client } = tokens;
  const provider = await serveProvider({
    connection: { port: hosts.port, caPem: certificates.caPem, suffix },
    subscription,
    credentials: { tenantId: tenant, clientId: client.id, clientSecret: client.secret },
  });
  return {
    port: hosts.port,
    providerPort: provider.port,
    caFile,
    suffix,
    subscription,
    tenant,
    client: { id: client.id, secret: client.secret },
    environment: { ...network, PULUMI_DEBUG_PROVIDERS: `azure-native:${provider.port}`, ...credentials(client.id, client.secret) },
    close: async () => {
      await provider.close();
      await entrance.close();
      await Promise.all([hosts.close(), identity.close()]);
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
