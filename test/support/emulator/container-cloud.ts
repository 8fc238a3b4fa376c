// The smallest cloud on which container apps run: a store, a clock, an ingress on plain HTTP. For the tests of the emulator's containers
// alone; whatever needs Resource Manager's own behaviour starts the whole stand-in instead.
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause, setImmediate } from "node:timers/promises";
import { containerAppKind } from "../../../emulator/app/container-apps.ts";
import { ingress } from "../../../emulator/app/ingress.ts";
import type { ArmError, ArmReply, Body, Cloud, Resource } from "../../../emulator/arm/resource.ts";
import { mergePatch } from "../../../emulator/arm/resource-manager.ts";
import { makeStore } from "../../../emulator/arm/store.ts";
import { standInRoutes } from "../../../emulator/controls/emulator-routes.ts";
import type { TruthChoice } from "../../../emulator/controls/quirks.ts";

export const group = "/subscriptions/s/resourceGroups/shop";
export const environmentId = `${group}/providers/Microsoft.App/managedEnvironments/local`;
export const workspaceId = `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`;
export const customerId = "11111111-2222-3333-4444-555555555555";
export const domain = "local.westeurope.ballast.localhost";

const storefront = new URL("../../../examples/storefront/", import.meta.url).pathname;

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

export interface ContainerCloud extends AsyncDisposable {
  readonly cloud: Cloud;
  readonly port: number;
  /** Puts or patches an app; resolves when accepted, and then `operation` says how it ended. */
  readonly put: (
    name: string,
    properties: Body,
    how?: { readonly merge?: boolean; readonly location?: string },
  ) => Promise<{ readonly operation: Promise<ArmError | undefined> }>;
  /** The same to its end; throws what refused or failed it. */
  readonly apply: (name: string, properties: Body, how?: { readonly merge?: boolean }) => Promise<Body>;
  readonly app: (name: string) => Body;
  readonly child: (name: string, method: string, ...rest: readonly string[]) => Promise<ArmReply | undefined>;
  readonly revision: (app: string, revision: string) => Promise<Body>;
  readonly standin: (method: string, path: string, body?: Body) => Promise<any>;
  readonly request: (host: string, path?: string, options?: http.RequestOptions) => Promise<Answer>;
  readonly wireLogs: () => void;
}

export const idOf = (name: string): string => `${group}/providers/Microsoft.App/containerApps/${name}`;

/** Starts one. Dispose of it, and every replica is gone. */
export async function containerCloud(
  images: Cloud["options"]["images"] = {},
  now: () => number = Date.now,
  truths: TruthChoice = {},
): Promise<ContainerCloud> {
  const store = makeStore();
  const cloud: Cloud = {
    store,
    clock: { now },
    suffix: "ballast.localhost",
    port: 0,
    log: () => undefined,
    options: { folder: "", truths, images: { storefront: { folder: storefront, entry: "main.ts" }, ...images } },
    replicaEnvironment: (identity): Record<string, string> =>
      identity ? { IDENTITY_ENDPOINT: "http://127.0.0.1:1", IDENTITY_HEADER: "x" } : {},
  };
  store.put({
    id: environmentId,
    type: "Microsoft.App/managedEnvironments",
    body: { properties: { defaultDomain: domain } },
  });
  store.put({
    id: workspaceId,
    type: "Microsoft.OperationalInsights/workspaces",
    body: { properties: { customerId } },
  });
  const door = ingress(cloud);
  const server = http.createServer((request, response) => {
    if (!door.handle(request, response)) response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const routes = standInRoutes(cloud);
  const resource = (name: string): Resource => store.get(idOf(name))!;

  const put: ContainerCloud["put"] = async (name, properties, how = {}) => {
    const id = idOf(name);
    const previous = store.get(id);
    const sent: Body = { location: "westeurope", properties };
    const wanted = how.merge
      ? (mergePatch(previous?.body ?? {}, sent) as Body)
      : { id, name, ...sent, properties: { managedEnvironmentId: environmentId, ...properties } };
    const refusal = containerAppKind.parentMustExist?.(wanted, store);
    if (refusal) throw refusal;
    const ended = containerAppKind.onPut!({ id, wanted, previous, merge: how.merge ?? false, cloud }).then(
      () => undefined,
      (error: ArmError) => error,
    );
    const refused = await Promise.race([ended, setImmediate("accepted" as const)]);
    if (refused !== "accepted" && refused) throw refused;
    store.put({ id, type: containerAppKind.type, body: wanted });
    return { operation: ended };
  };
  const child: ContainerCloud["child"] = (name, method, ...rest) =>
    containerAppKind.children!(
      resource(name),
      rest,
      { method, origin: "", path: "", query: new URLSearchParams(), apiVersion: "", body: undefined },
      cloud,
    );
  const app = (name: string): Body => containerAppKind.present!(resource(name), cloud);
  return {
    cloud,
    port,
    put,
    child,
    app,
    async apply(name, properties, how) {
      const failure = await (await put(name, properties, how)).operation;
      if (failure) throw failure;
      return app(name);
    },
    async revision(name, revision) {
      return ((await child(name, "GET", "revisions", revision))?.body as Body)["properties"];
    },
    async standin(method, path, body) {
      const url = new URL(`https://x/_standin/${path}`);
      return (await routes({ method, path: url.pathname, query: url.searchParams, body }))?.body;
    },
    request: (host, path = "/", options = {}) => ask(port, host, path, options),
    wireLogs: () =>
      store.put({
        id: `${environmentId}/providers/Microsoft.Insights/diagnosticSettings/requests`,
        type: "Microsoft.Insights/diagnosticSettings",
        body: { properties: { workspaceId, logs: [{ category: "ContainerAppHTTPLogs", enabled: true }] } },
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await door.close();
    },
  };
}

function ask(port: number, host: string, path: string, options: http.RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: "127.0.0.1", port, path, ...options, headers: { host, ...(options.headers as object) } },
      (response) => {
        let text = "";
        response
          .setEncoding("utf8")
          .on("data", (chunk: string) => {
            text += chunk;
          })
          .on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
          .on("error", reject);
      },
    );
    request.on("error", reject).end();
  });
}

/** Waits until it is so; fails with the last finding after the deadline. */
export async function eventually<Found>(
  look: () => Found | Promise<Found>,
  good: (found: Found) => boolean,
  seconds = 15,
): Promise<Found> {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (good(found)) return found;
    if (performance.now() > until) throw new Error(`not so after ${seconds} s: ${JSON.stringify(found)}`);
    await pause(30);
  }
}

/** The properties of a storefront: probes quick enough for tests, environment variables as given. */
export const storefrontApp = (
  variables: Record<string, string> = {},
  more: {
    readonly traffic?: readonly Body[];
    readonly mode?: string;
    readonly template?: Body;
    readonly configuration?: Body;
  } = {},
): Body => ({
  configuration: {
    activeRevisionsMode: more.mode ?? "Multiple",
    ingress: { external: true, targetPort: 8080, ...(more.traffic ? { traffic: more.traffic } : {}) },
    ...more.configuration,
  },
  template: {
    terminationGracePeriodSeconds: 5,
    containers: [
      {
        name: "storefront",
        image: "registry.example/storefront:1",
        env: Object.entries(variables).map(([name, value]) => ({ name, value })),
        probes: [
          { type: "Startup", httpGet: { path: "/health/startup", port: 8080 }, periodSeconds: 1, failureThreshold: 30 },
          { type: "Readiness", httpGet: { path: "/health/ready", port: 8080 }, periodSeconds: 1 },
          { type: "Liveness", httpGet: { path: "/health/live", port: 8080 }, periodSeconds: 1 },
        ],
      },
    ],
    scale: { minReplicas: 1 },
    ...more.template,
  },
});
