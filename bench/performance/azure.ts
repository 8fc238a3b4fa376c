// A fake Azure for the load benchmark, so that Azure's own latency is not measured. It has any number of apps,
// each with a stable and a canary revision; no app runs, and traffic exists only as rows in the answers to log
// queries. It serves the real adapters over HTTPS in a process of its own, and counts their requests. It is
// started with fork and ends with its parent.
import type { IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { makeStore } from "../../emulator/arm/store.ts";
import { makeTokenKeys, makeTokens, tenant } from "../../emulator/authorization/tokens.ts";
import { makeAuthority, makeCertificates } from "../../emulator/certificates.ts";
import { bandOf } from "../../engines/rollout/judge/durations.ts";

/** Its address, and how a client signs in. */
export interface AzureAddress {
  readonly suffix: string;
  readonly port: number;
  readonly caPem: string;
  readonly tenant: string;
  readonly client: { readonly id: string; readonly secret: string };
}

/** The number of requests by kind. */
export type Asked = Readonly<Record<string, number>>;

/** The requests per second of each app, and how many of a thousand fail, on either revision. */
const requestsPerSecond = 200;
const failedPerThousand = 2;
/** The durations of requests in milliseconds, and the share of the requests that take each. */
const durations = [80, 120, 180, 270, 400];
const shares = [0.5, 0.25, 0.15, 0.08, 0.02];
const suffix = "bench.localhost";

interface Entry {
  readonly revisionName: string;
  readonly weight: number;
  readonly label?: string;
}
/** One app: its traffic over time, and which revisions are active. */
interface App {
  readonly name: string;
  readonly shares: { readonly at: number; readonly traffic: readonly Entry[] }[];
  readonly active: Map<string, boolean>;
}

const apps = new Map<string, App>();
const asked: Record<string, number> = {};

/** Gives the app of a name, created on first use: its first revision has all traffic, the second one has none. */
function appOf(name: string): App {
  const known = apps.get(name);
  if (known) return known;
  const stable = `${name}--1`;
  const made: App = {
    name,
    shares: [{ at: 0, traffic: [{ revisionName: stable, weight: 100, label: "stable" }] }],
    active: new Map([
      [stable, true],
      [`${name}--2`, true],
    ]),
  };
  apps.set(name, made);
  return made;
}

const template = (revision: string) => ({
  containers: [
    { name: "app", image: `registry.example/app:${revision.split("--")[1]}`, resources: { cpu: 0.5, memory: "1Gi" } },
  ],
  scale: { minReplicas: 1, maxReplicas: 10 },
});

const appBody = (id: string, { name, shares: seen }: App) => ({
  id,
  name,
  type: "Microsoft.App/containerApps",
  location: "westeurope",
  properties: {
    provisioningState: "Succeeded",
    latestRevisionName: `${name}--2`,
    latestReadyRevisionName: `${name}--2`,
    template: template(`${name}--2`),
    configuration: {
      activeRevisionsMode: "Multiple",
      ingress: { external: true, targetPort: 8080, transport: "Auto", traffic: seen.at(-1)!.traffic },
    },
  },
});

const revisionBody = (app: App, revision: string) => ({
  name: revision,
  type: "Microsoft.App/containerApps/revisions",
  properties: {
    active: app.active.get(revision) ?? false,
    fqdn: `${revision}.apps.${suffix}`,
    template: template(revision),
    replicas: 1,
    runningState: app.active.get(revision) ? "Running" : "Stopped",
    healthState: "Healthy",
    provisioningState: "Provisioned",
  },
});

interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Answers as Resource Manager does for Container Apps. A patch is an operation that the client polls once, as on Azure.
 */
// biome-ignore lint/suspicious/noExplicitAny: the body is whatever JSON the client sent
function manage(method: string, path: string, body: any): Reply {
  const [, id = "", name = "", rest = ""] = /^(.*\/containerApps\/([^/]+))(.*)$/i.exec(path) ?? [];
  const app = appOf(name.toLowerCase());
  const [, revision = "", act = ""] = /^\/revisions\/([^/]+)\/?(\w*)$/i.exec(rest) ?? [];
  const collection = rest === "" ? "app" : "revisions";
  const kind = `${method} ${revision === "" ? collection : act || "revision"}`;
  asked[kind] = (asked[kind] ?? 0) + 1;
  if (method === "PATCH") {
    app.shares.push({ at: Date.now(), traffic: body.properties.configuration.ingress.traffic });
    return { status: 202, headers: { location: `https://management.${suffix}${id}?api-version=2025-07-01` } };
  }
  if (rest === "") return { status: 200, body: appBody(id, app) };
  if (rest === "/revisions")
    return { status: 200, body: { value: [...app.active.keys()].map((each) => revisionBody(app, each)) } };
  if (method === "POST") app.active.set(revision, act === "activate");
  return { status: 200, body: revisionBody(app, revision) };
}

/** Answers the one query of our adapter: the requests of each revision in each bucket since a moment. */
function rowsOf(query: string): Reply {
  asked["POST query"] = (asked["POST query"] ?? 0) + 1;
  const [, name = ""] = /ContainerAppName == "([^"]+)"/.exec(query) ?? [];
  const [, width = "", from = ""] = /bin_at\(TimeGenerated, (\d+)ms, datetime\(([^)]+)\)\)/.exec(query) ?? [];
  const app = appOf(name.toLowerCase());
  const rows: unknown[][] = [];
  for (let at = Date.parse(from); at < Date.now(); at += Number(width)) {
    for (const { revisionName, weight } of app.shares.findLast((share) => share.at <= at)!.traffic) {
      for (const [index, share] of shares.entries()) {
        const requests = Math.round((requestsPerSecond * Number(width) * weight * share) / 100_000);
        if (requests > 0)
          rows.push([
            new Date(at).toISOString(),
            revisionName,
            bandOf(durations[index]!),
            requests,
            Math.round((requests * failedPerThousand) / 1000),
            0,
          ]);
      }
    }
  }
  const columns = [
    ["at", "datetime"],
    ["revision", "string"],
    ["band", "int"],
    ["requests", "long"],
    ["failed", "long"],
    ["refused", "long"],
  ].map(([column, type]) => ({ name: column, type }));
  return { status: 200, body: { tables: [{ name: "PrimaryResult", columns, rows }] } };
}

// biome-ignore lint/suspicious/noExplicitAny: the body is whatever JSON the client sent
async function bodyOf(request: IncomingMessage): Promise<any> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

const tokens = await makeTokens(suffix, makeStore(), await makeTokenKeys());

async function answer(request: IncomingMessage): Promise<Reply> {
  const host = (request.headers.host ?? "").split(":")[0]!;
  if (host === `login.${suffix}`) return tokens.login(request);
  if (host === `management.${suffix}`)
    return manage(
      request.method ?? "GET",
      new URL(request.url ?? "/", `https://${host}`).pathname.replace(/\/{2,}/g, "/"),
      await bodyOf(request),
    );
  if (host === `api.loganalytics.${suffix}`) return rowsOf(String((await bodyOf(request)).query));
  asked["GET probe"] = (asked["GET probe"] ?? 0) + 1;
  return { status: 200, body: "well" };
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  response
    .writeHead(status, { "content-type": "application/json", ...headers })
    .end(body === undefined ? undefined : JSON.stringify(body));
}

const certificates = makeCertificates(makeAuthority(suffix));
const server = https.createServer(
  {
    SNICallback: (name, done) => done(null, certificates.contextOf(name.replace(/^[^.]+(?=\.apps\.)/, "*"))),
    ALPNProtocols: ["http/1.1"],
  },
  (request, response) => {
    answer(request).then(
      (reply) => send(response, reply),
      (error: unknown) =>
        send(response, { status: 500, body: { error: { code: "BenchmarkBroken", message: String(error) } } }),
    );
  },
);
server.keepAliveTimeout = 75_000;
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.send!({
    suffix,
    port,
    caPem: certificates.caPem,
    tenant,
    client: { id: tokens.client.id, secret: tokens.client.secret },
  } satisfies AzureAddress);
});
process.on("message", () => process.send!(asked));
process.once("disconnect", () => process.exit());
