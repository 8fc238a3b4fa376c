// The smallest cloud on which container apps run: a store, a clock, and an ingress on plain HTTP, without Resource
// Manager. Tests of Resource Manager start the whole emulator instead (cloud.ts).
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause, setImmediate } from "node:timers/promises";
import { containerAppType } from "../../../emulator/app/container-apps.ts";
import { ingress } from "../../../emulator/app/ingress.ts";
import { mergePatch } from "../../../emulator/arm/merge-patch.ts";
import type { ArmError, ArmReply, Body, Cloud, Resource } from "../../../emulator/arm/resource.ts";
import { makeStore } from "../../../emulator/arm/store.ts";
import { emulatorRoutes } from "../../../emulator/controls/emulator-routes.ts";
import type { QuirkChoice } from "../../../emulator/controls/quirks.ts";

const group = "/subscriptions/s/resourceGroups/shop";
export const environmentId = `${group}/providers/Microsoft.App/managedEnvironments/local`;
const workspaceId = `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`;
const customerId = "11111111-2222-3333-4444-555555555555";
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
  /**
   * Puts or patches an app. Resolves when the write is accepted; `operation` resolves with its failure, if it fails.
   */
  readonly put: (
    name: string,
    properties: Body,
    how?: { readonly merge?: boolean; readonly location?: string },
  ) => Promise<{ readonly operation: Promise<ArmError | undefined> }>;
  /** Puts or patches an app and waits for the operation. @throws the refusal or the failure */
  readonly apply: (name: string, properties: Body, how?: { readonly merge?: boolean }) => Promise<Body>;
  readonly app: (name: string) => Body;
  readonly child: (name: string, method: string, ...rest: readonly string[]) => Promise<ArmReply | undefined>;
  readonly revision: (app: string, revision: string) => Promise<Body>;
  readonly emulator: (method: string, path: string, body?: Body) => Promise<any>;
  readonly request: (host: string, path?: string, options?: http.RequestOptions) => Promise<Answer>;
  readonly wireLogs: () => void;
}

export const idOf = (name: string): string => `${group}/providers/Microsoft.App/containerApps/${name}`;

/** Starts such a cloud. Disposing of it ends every replica. */
export async function containerCloud(
  images: Cloud["options"]["images"] = {},
  now: () => number = Date.now,
  quirks: QuirkChoice = {},
): Promise<ContainerCloud> {
  const cloud = cloudWith(images, now, quirks);
  const { store } = cloud;
  const entrance = ingress(cloud);
  const server = http.createServer((request, response) => {
    if (!entrance.handle(request, response)) response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const routes = emulatorRoutes(cloud);
  const resource = (name: string): Resource => store.get(idOf(name))!;

  const put: ContainerCloud["put"] = (name, properties, how = {}) => putApp(cloud, name, properties, how);
  const child: ContainerCloud["child"] = (name, method, ...rest) =>
    containerAppType.children!(
      resource(name),
      rest,
      { method, origin: "", path: "", query: new URLSearchParams(), apiVersion: "", body: undefined },
      cloud,
    );
  const app = (name: string): Body => containerAppType.present!(resource(name), cloud);
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
      const reply = await child(name, "GET", "revisions", revision);
      return (reply!.body as Body)["properties"];
    },
    async emulator(method, path, body) {
      const url = new URL(`https://x/_emulator/${path}`);
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
      await entrance.close();
    },
  };
}

/** Makes a cloud with an environment and a workspace. */
function cloudWith(images: Cloud["options"]["images"], now: () => number, quirks: QuirkChoice): Cloud {
  const store = makeStore();
  const cloud: Cloud = {
    store,
    clock: { now },
    suffix: "ballast.localhost",
    port: 0,
    log: () => undefined,
    options: { folder: "", quirks, images: { storefront: { folder: storefront, entry: "main.ts" }, ...images } },
    replicaEnvironment: (identity): Record<string, string> =>
      identity ? { IDENTITY_ENDPOINT: "http://127.0.0.1:1", IDENTITY_HEADER: "x" } : {},
  };
  store.put({
    id: environmentId,
    type: "Microsoft.App/managedEnvironments",
    body: { location: "westeurope", properties: { defaultDomain: domain } },
  });
  store.put({
    id: workspaceId,
    type: "Microsoft.OperationalInsights/workspaces",
    body: { properties: { customerId } },
  });
  return cloud;
}

/** Puts or patches an app as Resource Manager does. */
async function putApp(
  cloud: Cloud,
  name: string,
  properties: Body,
  how: { readonly merge?: boolean },
): Promise<{ readonly operation: Promise<ArmError | undefined> }> {
  const { store } = cloud;
  const id = idOf(name);
  const previous = store.get(id);
  const sent: Body = { location: "westeurope", properties };
  const wanted = how.merge
    ? (mergePatch(previous?.body ?? {}, sent) as Body)
    : { id, name, ...sent, properties: { managedEnvironmentId: environmentId, ...properties } };
  const refusal = containerAppType.parentMustExist?.(wanted, store);
  if (refusal) throw refusal;
  const ended = containerAppType.onPut!({ id, wanted, previous, merge: how.merge ?? false, sent, cloud }).then(
    () => undefined,
    (error: ArmError) => error,
  );
  const refused = await Promise.race([ended, setImmediate("accepted" as const)]);
  if (refused !== "accepted" && refused) throw refused;
  store.put({ id, type: containerAppType.type, body: wanted });
  return { operation: ended };
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

/** Waits until `good` accepts what `look` gives. @throws with the last value after the deadline */
export async function eventually<Found>(
  look: () => Found | Promise<Found>,
  good: (found: Found) => boolean,
  seconds = 15,
): Promise<Found> {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (good(found)) return found;
    if (performance.now() > until) throw new Error(`not accepted within ${seconds} s: ${JSON.stringify(found)}`);
    await pause(30);
  }
}

/**
 * Gives the properties of a storefront with these environment variables and with probes that are fast enough for tests.
 */
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
