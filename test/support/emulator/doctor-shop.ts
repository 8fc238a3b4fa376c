// A shop on an emulator for the tests of `ballast doctor`: one app with its environment, workspace, registry and
// identity, set up so that every check passes. A test then breaks one thing and sees its check fail.
import { readFileSync } from "node:fs";
import tls from "node:tls";
import { afterAll, beforeAll, expect, vi } from "vitest";
import { bindAudience } from "../../../bind-audience.ts";
import { type AppContext, contextOf } from "../../../cli/doctor/context.ts";
import { type Check, examine, type Finding } from "../../../cli/doctor/finding.ts";
import { stackOfSettings } from "../../../cli/doctor/stack.ts";
import type { Settings } from "../../../config.ts";
import { replicaCounts } from "../../../defaults.ts";
import type { RunningPostgres } from "../../../toolchain/postgres.ts";
import { type CloudForTests, management, startCloudForTests } from "./cloud.ts";

/** The API version of Container Apps, as a query. */
export const apps = "api-version=2025-07-01";
export const registryName = "doctorshop";
export const image = `${registryName}.azurecr.io/web:1`;

/** The settings that checks read, of a stack in the resource group `shop`. */
const settingsOf = (subscription: string, changes: Partial<Settings>): Settings =>
  ({
    subscription,
    resourceGroup: "shop",
    location: "westeurope",
    registry: registryName,
    audience: "api://ballast",
    silenceSeconds: 25,
    ingestionSeconds: 5,
    probePath: "/",
    network: { internal: false, callers: [] },
    replicas: replicaCounts,
    endpoints: {
      resourceManager: management,
      logs: "https://api.loganalytics.ballast.localhost",
      login: "https://login.ballast.localhost",
    },
    ...changes,
  }) as Settings;

/** Gives the context of the shop's app for a caller with these tokens, with some settings changed. */
function contextFor(
  subscription: string,
  tokenFor: (audience: string) => Promise<string>,
  changes: Partial<Settings> = {},
  endpoint?: string,
  binding?: string,
): AppContext {
  const settings = settingsOf(subscription, changes);
  const bound = binding ?? (endpoint === undefined ? undefined : bindAudience(endpoint, settings.audience));
  const stack = stackOfSettings(settings, endpoint, bound);
  return { ...contextOf(stack, (audience) => () => tokenFor(audience)), app: stack.apps[0]! };
}

/** Gives the context of a stack with a control plane at an address. Azure is not called. */
export const contextAt = (endpoint?: string, changes: Partial<Settings> = {}, binding?: string): AppContext =>
  contextFor("00000000-0000-0000-0000-000000000001", async () => "unused", changes, endpoint, binding);

/** Runs single checks of a group and records which of them have failed. */
export interface CheckRunner<Subject> {
  readonly run: (name: string, subject: Subject) => Promise<Finding>;
  /** Gives the checks of the group that have never failed, which a test of each group expects to be none. */
  readonly neverFailed: () => readonly string[];
}

export function checkRunner<Subject>(checks: readonly Check<Subject>[]): CheckRunner<Subject> {
  const failed = new Set<string>();
  return {
    run: async (name, subject) => {
      const [finding] = await examine(
        checks.filter((check) => check.name === name),
        subject,
      );
      if (finding!.state === "failed") failed.add(name);
      return finding!;
    },
    neverFailed: () => checks.map(({ name }) => name).filter((name) => !failed.has(name)),
  };
}

/** Matches a failed finding by its error's id and a part of its message. */
export const failure = (id: string, message: string | RegExp = "") => ({
  state: "failed",
  error: expect.objectContaining({ id, message: expect.stringMatching(message) }),
});

/** The shop, and what tests change of it. */
export interface DoctorShop {
  readonly at: CloudForTests;
  readonly subscription: string;
  /** The id of the resource group `shop`. */
  readonly group: string;
  readonly environmentId: string;
  readonly appId: string;
  /** The id and the principal of the identity that pulls images. */
  readonly identity: string;
  readonly principalId: string;
  /** The id of a built-in role by its GUID. */
  readonly roleId: (guid: string) => string;
  /** Writes a resource and waits for it. @throws if Azure would refuse it */
  readonly write: (method: string, to: string, body?: object) => Promise<any>;
  /** Sends request rows to the workspace, and stops it. */
  readonly connectRows: () => Promise<unknown>;
  readonly disconnectRows: () => Promise<unknown>;
  /** Permits the identity to pull, and forbids it. */
  readonly permitPull: () => Promise<unknown>;
  readonly forbidPull: () => Promise<unknown>;
  /** Replaces the emulator's pending faults. */
  readonly setFaults: (...faults: object[]) => Promise<unknown>;
  /** Sets how long request rows take to arrive. */
  readonly setIngestion: (lagSeconds: number) => Promise<unknown>;
  /** Gives the context of the shop, for its own client unless other tokens are given. */
  readonly contextWith: (changes?: Partial<Settings>, tokenFor?: CloudForTests["tokenFor"]) => AppContext;
  readonly close: () => Promise<void>;
}

/** Gives the body of the shop's app, which pulls its image with the identity. */
const appBody = (environmentId: string, identity: string): object => ({
  location: "westeurope",
  identity: { type: "UserAssigned", userAssignedIdentities: { [identity]: {} } },
  properties: {
    managedEnvironmentId: environmentId,
    configuration: {
      activeRevisionsMode: "Multiple",
      registries: [{ server: `${registryName}.azurecr.io`, identity }],
      ingress: { external: true, targetPort: 8080, traffic: [{ latestRevision: true, weight: 100 }] },
    },
    template: { containers: [{ name: "web", image }], scale: { minReplicas: 1 } },
  },
});

/** Starts an emulator with the shop, and points this process's Azure calls to it until it is closed. */
async function openDoctorShop(postgres?: RunningPostgres): Promise<DoctorShop> {
  const at = await startCloudForTests(postgres ? { postgres } : {});
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), readFileSync(at.cloud.caFile, "utf8")]);
  vi.stubEnv("BALLAST_CONNECT_TO", at.cloud.environment["BALLAST_CONNECT_TO"]!);
  const { subscription } = at.cloud;
  const group = `/subscriptions/${subscription}/resourceGroups/shop`;
  const environmentId = `${group}/providers/Microsoft.App/managedEnvironments/shop`;
  const registryId = `${group}/providers/Microsoft.ContainerRegistry/registries/${registryName}`;
  const identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/images`;
  const appId = `${group}/providers/Microsoft.App/containerApps/storefront`;
  const workspaceId = `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`;
  const settings = `${environmentId}/providers/Microsoft.Insights/diagnosticSettings`;
  const setting = `${settings}/logs?api-version=2021-05-01-preview`;
  const assignments = `${registryId}/providers/Microsoft.Authorization/roleAssignments`;
  const pullAssignment = `${assignments}/00000000-0000-8000-8000-000000000001?api-version=2022-04-01`;
  const roleId = (guid: string): string =>
    `/subscriptions/${subscription}/providers/Microsoft.Authorization/roleDefinitions/${guid}`;
  const write = async (method: string, to: string, body?: object): Promise<any> => {
    const reply = await at.settle(method, to, body);
    if (reply.status >= 400 || reply.body?.status === "Failed")
      throw new Error(`${method} ${to} answered ${reply.status} ${JSON.stringify(reply.body)}`);
    return (await at.ask("GET", to)).body;
  };
  const location = "westeurope";
  const connectRows = () =>
    write("PUT", setting, {
      properties: { workspaceId, logs: [{ category: "ContainerAppHTTPLogs", enabled: true }] },
    });
  await write("PUT", `${group}?api-version=2024-03-01`, { location });
  await write("PUT", `${workspaceId}?api-version=2023-09-01`, { location, properties: {} });
  await write("PUT", `${environmentId}?${apps}`, {
    location,
    properties: { appLogsConfiguration: { destination: "azure-monitor" } },
  });
  await connectRows();
  const { principalId } = (await write("PUT", `${identity}?api-version=2023-01-31`, { location })).properties;
  const permitPull = () =>
    write("PUT", pullAssignment, {
      properties: {
        principalId,
        principalType: "ServicePrincipal",
        roleDefinitionId: roleId("7f951dda-4ed3-4680-a7ca-43fe172d538d"),
      },
    });
  await write("PUT", `${registryId}?api-version=2023-01-01-preview`, { location, sku: { name: "Standard" } });
  await permitPull();
  await write("PUT", `${appId}?${apps}`, appBody(environmentId, identity));
  return {
    at,
    subscription,
    group,
    environmentId,
    appId,
    identity,
    principalId,
    roleId,
    write,
    connectRows,
    disconnectRows: () => at.ask("DELETE", setting),
    permitPull,
    forbidPull: () => at.ask("DELETE", pullAssignment),
    setFaults: (...faults) => at.ask("POST", `${management}/_emulator/faults`, { faults }),
    setIngestion: (lagSeconds) => at.ask("POST", `${management}/_emulator/ingestion`, { lagSeconds }),
    contextWith: (changes = {}, tokenFor = at.tokenFor) => contextFor(subscription, tokenFor, changes),
    close: async () => {
      vi.unstubAllEnvs();
      await at.close();
    },
  };
}

export let shop: DoctorShop;
/** The context of the shop's app. */
export let context: AppContext;

/** Opens the shop before the tests of a file, with a PostgreSQL if there is a start for it, and closes both after. */
export function useDoctorShop(start?: () => Promise<RunningPostgres>): void {
  let postgres: RunningPostgres | undefined;
  beforeAll(async () => {
    postgres = await start?.();
    shop = await openDoctorShop(postgres);
    context = shop.contextWith();
  }, 60_000);
  afterAll(async () => {
    await shop?.close();
    await postgres?.stop();
  });
}
