// Releases on the emulator through Microsoft's own client, beside our adapter: puts apps, waits until their revisions
// are ready, shifts traffic, and visits an app as a user does.
import https from "node:https";
import type { ContainerApp } from "@azure/arm-appcontainers";
import { afterAll, afterEach, beforeAll } from "vitest";
import { type Connection, connect } from "../../../controlplane/adapters/azure/connection.ts";
import { createContainerApps } from "../../../controlplane/adapters/azure/container-apps.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import type { Apps } from "../../../controlplane/performers/rollout-ports.ts";
import type { Labels } from "../../../engines/rollout/vocabulary.ts";
import { openShop, type Shop } from "../emulator/azure-shop.ts";
import { eventually } from "../postgres/postgres.ts";

const uncut = new AbortController().signal;
/** A fence that always allows. */
const ours = async () => true;
export const resourceGroup = "shop";
/** Polls often, so that a test does not wait for a client. */
const often = { updateIntervalInMs: 30 };
export let shop: Shop;
export let connection: Connection;
export let apps: Apps;
export let group: string;

/** Opens the emulator, the clients and the adapter before the tests of a file, and closes them after. */
export function usePlatform(): void {
  beforeAll(async () => {
    shop = await openShop();
    connection = connect({ ...shop.settings, requestSeconds: 30 }, shop.cloud.environment["BALLAST_CONNECT_TO"]);
    apps = createContainerApps(connection, patienceOf(5));
    group = `/subscriptions/${shop.cloud.subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.App`;
  });
  afterEach(() => shop.arm("POST", "/_emulator/clock", { at: null }));
  afterAll(() => {
    connection?.close();
    return shop?.close();
  });
}

/** The client's type requires every field, although the API accepts some. */
export type Configuration = NonNullable<ContainerApp["configuration"]>;

export interface Wanted {
  readonly configuration?: Configuration;
  readonly suffix?: string;
  readonly minReplicas?: number;
  readonly variables?: readonly { readonly name: string; readonly value?: string; readonly secretRef?: string }[];
}

/** Releases an app with Microsoft's client. Its operation has ended then, but the revision may not be ready. */
export const put = (
  app: string,
  release: string,
  { configuration, suffix, minReplicas = 1, variables = [] }: Wanted = {},
  abortSignal?: AbortSignal,
) =>
  connection.apps.containerApps.createOrUpdate(
    resourceGroup,
    app,
    {
      location: "westeurope",
      managedEnvironmentId: `${group}/managedEnvironments/shop`,
      configuration: {
        activeRevisionsMode: "Multiple",
        ...configuration,
        ingress: { external: true, targetPort: 8080, ...configuration?.ingress },
      },
      template: {
        ...(suffix === undefined ? {} : { revisionSuffix: suffix }),
        scale: { minReplicas, maxReplicas: 2 },
        containers: [
          {
            name: "web",
            image: "registry.example/storefront:1",
            env: [...(release === "" ? [] : [{ name: "RELEASE", value: release }]), ...variables],
            probes: [{ type: "Readiness", httpGet: { path: "/health/ready", port: 8080 }, periodSeconds: 1 }],
          },
        ],
      },
    },
    { ...often, ...(abortSignal ? { abortSignal } : {}) },
  );
export const patch = (app: string, change: Partial<ContainerApp>, options: object = {}) =>
  connection.apps.containerApps.update(
    resourceGroup,
    app,
    { location: "westeurope", ...change },
    { ...often, ...options },
  );
export const patchTraffic = (app: string, traffic: NonNullable<Configuration["ingress"]>["traffic"]) =>
  patch(app, { configuration: { ingress: { traffic } } as Configuration });
export const neverReady = { variables: [{ name: "FAULT", value: "never-ready" }] };

export const viewOf = async (app: string) => {
  const view = await apps.inspect({ target: { resourceGroup, app } }, uncut);
  if (!view.ok) throw new Error(view.reason);
  return view.value;
};
export const revisionOf = async (app: string, name: string) =>
  (await viewOf(app)).revisions.find((revision) => revision.name === name);
export const shift = (app: string, labels: Labels, ...weights: readonly (readonly [string, number])[]) =>
  apps.shift(
    {
      kind: "ShiftTraffic",
      target: { resourceGroup, app },
      weights: weights.map(([revision, percent]) => ({ revision, percent })),
      labels,
      overrideLock: false,
    },
    ours,
  );
export const deactivate = (app: string, revision: string) =>
  connection.apps.containerAppsRevisions.deactivateRevision(resourceGroup, app, revision);

/** Releases an app and waits until the revision is ready. */
export async function ready(app: string, release: string, wanted: Wanted = {}): Promise<string> {
  const { latestRevisionName: name } = await put(app, release, wanted);
  await eventually(async () => (await revisionOf(app, name!))?.health === "Healthy", `${name} to be healthy`);
  return name!;
}

/** Makes two ready releases, of which the first has all traffic. */
export async function pair(app: string): Promise<readonly [stable: string, canary: string]> {
  const stable = await ready(app, "1");
  return [
    stable,
    await ready(app, "2", {
      configuration: { ingress: { traffic: [{ revisionName: stable, weight: 100 }] } } as Configuration,
    }),
  ];
}

/** Visits an app as a user: gives the status, the release that answered, and the headers. */
export const visit = (app: string) =>
  new Promise<{
    readonly status: number;
    readonly release: string | undefined;
    readonly headers: NodeJS.Dict<string | string[]>;
  }>((resolve, reject) => {
    https
      .get({ host: `${app}.shop.westeurope.ballast.localhost`, path: "/", agent: connection.agent }, (response) => {
        let text = "";
        response
          .setEncoding("utf8")
          .on("data", (part: string) => {
            text += part;
          })
          .on("end", () =>
            resolve({
              status: response.statusCode!,
              release: /"release":"([^"]*)"/.exec(text)?.[1],
              headers: response.headers,
            }),
          );
      })
      .on("error", reject);
  });
export const passTime = (seconds: number) => shop.arm("POST", "/_emulator/clock", { at: Date.now() + seconds * 1000 });
