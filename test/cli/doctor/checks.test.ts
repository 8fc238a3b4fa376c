// `ballast doctor`, check by check, against a whole stand-in cloud: each is seen to pass, and made to fail once by the trouble that it is for.
// What says of itself what is wrong, the control plane, is one with canned answers.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { appChecks, judgeFitness, type LiveApp } from "../../../cli/doctor/app-checks.ts";
import { type AppPatient, type Patient, patientOf, stackNamed } from "../../../cli/doctor/context.ts";
import { costChecks } from "../../../cli/doctor/cost.ts";
import { databaseChecks, whyUnoffered } from "../../../cli/doctor/database-checks.ts";
import { type Check, examine, type Finding, findingLines } from "../../../cli/doctor/finding.ts";
import { identityChecks } from "../../../cli/doctor/identity-checks.ts";
import { judgePulse, planeChecks } from "../../../cli/doctor/plane-checks.ts";
import { stackOfSettings } from "../../../cli/doctor/stack.ts";
import { notPermitted, subscriptionChecks } from "../../../cli/doctor/subscription-checks.ts";
import { telemetryChecks } from "../../../cli/doctor/telemetry-checks.ts";
import { judgeNode, toolChecks } from "../../../cli/doctor/tools.ts";
import { physicalName } from "../../../components/conventions.ts";
import { switchActions } from "../../../components/platform/dead-mans-switch.ts";
import type { Settings } from "../../../config.ts";
import { replicaCounts } from "../../../defaults.ts";
import { callFailed, journalUnreachable } from "../../../errors/api.ts";
import { type RunningPostgres, startPostgres } from "../../../toolchain/postgres.ts";
import {
  envelope,
  type FakeControlPlane,
  startFakeControlPlane,
  token,
} from "../../support/controlplane/fake-control-plane.ts";
import { type CloudForTests, management, startCloudForTests } from "../../support/emulator/cloud.ts";
import { eventually } from "../../support/emulator/container-cloud.ts";

let postgres: RunningPostgres;
let at: CloudForTests;
let subscription: string;
let group: string;
let patient: AppPatient;
let environmentId: string;
let identity: string;
let principalId: string;
const apps = "api-version=2025-07-01";
const registryName = "doctorshop";
const image = `${registryName}.azurecr.io/web:1`;
const appId = (): string => `${group}/providers/Microsoft.App/containerApps/storefront`;
const settingId = (): string =>
  `${environmentId}/providers/Microsoft.Insights/diagnosticSettings/logs?api-version=2021-05-01-preview`;
const pullRole = (): string =>
  `${registryId()}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-8000-8000-000000000001?api-version=2022-04-01`;
const registryId = (): string => `${group}/providers/Microsoft.ContainerRegistry/registries/${registryName}`;
const roleId = (role: string): string =>
  `/subscriptions/${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`;

const well = async (method: string, to: string, body?: object): Promise<any> => {
  const reply = await at.settle(method, to, body);
  if (reply.status >= 400 || reply.body?.status === "Failed")
    throw new Error(`${method} ${to} came to ${reply.status} ${JSON.stringify(reply.body)}`);
  return (await at.ask("GET", to)).body;
};
const wire = () =>
  well("PUT", settingId(), {
    properties: {
      workspaceId: `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`,
      logs: [{ category: "ContainerAppHTTPLogs", enabled: true }],
    },
  });
const mayPull = () =>
  well("PUT", pullRole(), {
    properties: {
      principalId,
      principalType: "ServicePrincipal",
      roleDefinitionId: roleId("7f951dda-4ed3-4680-a7ca-43fe172d538d"),
    },
  });
const order = (...faults: object[]) => at.ask("POST", `${management}/_standin/faults`, { faults });
const ingestion = (lagSeconds: number) => at.ask("POST", `${management}/_standin/ingestion`, { lagSeconds });

beforeAll(async () => {
  postgres = await startPostgres();
  at = await startCloudForTests({ postgres });
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), readFileSync(at.cloud.caFile, "utf8")]);
  vi.stubEnv("BALLAST_CONNECT_TO", at.cloud.environment["BALLAST_CONNECT_TO"]!);
  vi.stubEnv("BALLAST_TOKEN", token);
  ({ subscription } = at.cloud);
  group = `/subscriptions/${subscription}/resourceGroups/shop`;
  environmentId = `${group}/providers/Microsoft.App/managedEnvironments/shop`;
  identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/images`;
  await well("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await well("PUT", `${group}/providers/Microsoft.OperationalInsights/workspaces/logs?api-version=2023-09-01`, {
    location: "westeurope",
    properties: {},
  });
  await well("PUT", `${environmentId}?${apps}`, {
    location: "westeurope",
    properties: { appLogsConfiguration: { destination: "azure-monitor" } },
  });
  await wire();
  ({ principalId } = (await well("PUT", `${identity}?api-version=2023-01-31`, { location: "westeurope" })).properties);
  await well("PUT", `${registryId()}?api-version=2023-01-01-preview`, {
    location: "westeurope",
    sku: { name: "Standard" },
  });
  await mayPull();
  await well("PUT", `${appId()}?${apps}`, {
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
  patient = asking(at.tokenFor);
}, 60_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await at?.close();
  await postgres?.stop();
});
beforeEach(() => order());

/** The stack's settings that any check looks at. */
const settings = (changes: Partial<Settings> = {}): Settings =>
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
const asking = (
  tokenFor: (audience: string) => Promise<string>,
  changes: Partial<Settings> = {},
  endpoint?: string,
): AppPatient => {
  const stack = stackOfSettings(settings(changes), endpoint);
  return { ...patientOf(stack, (audience) => () => tokenFor(audience)), app: stack.apps[0]! };
};

/** Which checks have been seen to fail. */
const seenToFail = new Set<string>();
async function look<Subject = AppPatient>(
  checks: readonly Check<Subject>[],
  name: string,
  whom = patient as Subject,
): Promise<Finding> {
  const [finding] = await examine(
    checks.filter((check) => check.name === name),
    whom,
  );
  if (finding!.state === "failed") seenToFail.add(name);
  return finding!;
}
const failure = (id: string, words: string | RegExp = "") => ({
  state: "failed",
  error: expect.objectContaining({ id, message: expect.stringMatching(words) }),
});

describe("the subscription", () => {
  test("passes on a cloud that is as it must be", async () => {
    expect((await examine(subscriptionChecks, patient)).map(({ check, state }) => [check, state])).toEqual([
      ["subscription", "ok"],
      ["providers", "ok"],
      ["rights", "ok"],
      ["quota", "ok"],
      ["names", "ok"],
    ]);
    expect(await look(subscriptionChecks, "names")).toMatchObject({
      text: expect.stringMatching(`^${registryName} is ours, journal-[0-9a-f]{8} is free$`),
    });
  });

  test("that there is not is said to be unseen, in Azure's words", async () => {
    expect(
      await look(
        subscriptionChecks,
        "subscription",
        asking(at.tokenFor, { subscription: "00000000-0000-0000-0000-000000000001" }),
      ),
    ).toMatchObject(failure("doctor-subscription-unseen", "could not be found"));
  });

  test("without a provider is given the command that registers it, and that command's call mends it", async () => {
    const call = (verb: string) =>
      at.ask("POST", `/subscriptions/${subscription}/providers/Microsoft.App/${verb}?api-version=2021-04-01`);
    await call("unregister");
    const finding = await look(subscriptionChecks, "providers");
    expect(finding).toMatchObject(failure("doctor-providers-unregistered", /registered Microsoft\.App, and/));
    expect(findingLines(finding)).toContain("fix   az provider register --namespace Microsoft.App --wait");
    await call("register");
    expect((await look(subscriptionChecks, "providers")).state).toBe("ok");
  });

  test("needs the networks' provider of Azure where the stack makes a network, and only there", async () => {
    const call = (verb: string) =>
      at.ask("POST", `/subscriptions/${subscription}/providers/Microsoft.Network/${verb}?api-version=2021-04-01`);
    const whom = asking(at.tokenFor, {
      network: { range: "10.40.0.0/22", internal: false, callers: [] } as unknown as Settings["network"],
    });
    await call("unregister");
    expect(await look(subscriptionChecks, "providers", whom)).toMatchObject(
      failure("doctor-providers-unregistered", /registered Microsoft\.Network, and/),
    );
    expect((await look(subscriptionChecks, "providers")).state).toBe("ok");
    await call("register");
    expect((await look(subscriptionChecks, "providers", whom)).state).toBe("ok");
  });

  test("lets a caller deploy by its roles alone: a reader may nothing, a contributor may not give rights", async () => {
    const { body: environment } = await eventually(
      () => at.ask("GET", `https://storefront.shop.westeurope.${at.cloud.suffix}/environment`),
      ({ body }) => body?.IDENTITY_ENDPOINT !== undefined,
    );
    const { clientId } = (await at.ask("GET", `${identity}?api-version=2023-01-31`)).body.properties;
    const answer = async (): Promise<string> => {
      const response = await fetch(
        `${environment.IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=${management}&client_id=${clientId}`,
        { headers: { "x-identity-header": environment.IDENTITY_HEADER } },
      );
      return ((await response.json()) as { access_token: string }).access_token;
    };
    const somebody = asking(answer);
    const assignment = `${group}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-8000-8000-000000000002?api-version=2022-04-01`;
    const give = (role: string) =>
      well("PUT", assignment, {
        properties: { principalId, principalType: "ServicePrincipal", roleDefinitionId: roleId(role) },
      });
    await give("acdd72a7-3385-48ef-bd42-f606fba81ae7");
    expect(await look(subscriptionChecks, "rights", somebody)).toMatchObject(
      failure(
        "doctor-rights-missing",
        /shop what `pulumi up` does: Microsoft\.App\/managedEnvironments\/write, .*roleDefinitions\/write/,
      ),
    );
    await at.ask("DELETE", assignment);
    await give("b24988ac-6180-42a0-ab88-20f7382dd24c");
    expect(await look(subscriptionChecks, "rights", somebody)).toMatchObject(
      failure(
        "doctor-rights-missing",
        /does: Microsoft\.Authorization\/roleAssignments\/write, Microsoft\.Authorization\/roleDefinitions\/write\.$/,
      ),
    );
    await at.ask("DELETE", assignment);
    expect(await look(subscriptionChecks, "rights", asking(at.tokenFor, { resourceGroup: "nowhere" }))).toMatchObject({
      state: "unknown",
      text: expect.stringContaining("nowhere is not there yet"),
    });
    expect(
      notPermitted(
        [
          { actions: ["*"], notActions: ["Microsoft.App/*/write"] },
          { actions: ["Microsoft.App/jobs/write"], notActions: [] },
        ],
        ["Microsoft.App/jobs/write", "microsoft.app/x/write"],
      ),
    ).toEqual(["microsoft.app/x/write"]);
  });

  test("knows a name that somebody else has from one of ours", async () => {
    await well("PUT", `/subscriptions/${subscription}/resourceGroups/others?api-version=2024-03-01`, {
      location: "westeurope",
    });
    await well(
      "PUT",
      `/subscriptions/${subscription}/resourceGroups/others/providers/Microsoft.ContainerRegistry/registries/othershop?api-version=2023-01-01-preview`,
      { location: "westeurope", sku: { name: "Standard" } },
    );
    expect(await look(subscriptionChecks, "names", asking(at.tokenFor, { registry: "othershop" }))).toMatchObject(
      failure("doctor-name-taken", "The name othershop of the registry"),
    );
    expect((await look(subscriptionChecks, "names", asking(at.tokenFor, { registry: "nobodys0" }))).state).toBe("ok");
  });

  test("that has no room for another environment is told so, and one whose environment is there needs none", async () => {
    expect(await look(subscriptionChecks, "quota")).toMatchObject({
      state: "ok",
      text: "1 of 20 environments in westeurope",
    });
    const others = `/subscriptions/${subscription}/resourceGroups/others`;
    await well("PUT", `${others}?api-version=2024-03-01`, { location: "westeurope" });
    await Promise.all(
      Array.from({ length: 18 }, (_, at) =>
        well("PUT", `${others}/providers/Microsoft.App/managedEnvironments/other${at}?${apps}`, {
          location: "westeurope",
          properties: {},
        }),
      ),
    );
    await well("PUT", `${others}/providers/Microsoft.App/managedEnvironments/apps?${apps}`, {
      location: "westeurope",
      properties: {},
    });
    expect(await look(subscriptionChecks, "quota")).toMatchObject(
      failure("doctor-quota-full", "has 20 managed environments in westeurope and may have 20"),
    );
    expect(await look(subscriptionChecks, "quota", asking(at.tokenFor, { resourceGroup: "others" }))).toMatchObject({
      state: "ok",
      text: "the environment apps is there already, with 0 of 100 cores in use",
    });
    expect(
      await look(
        subscriptionChecks,
        "quota",
        asking(at.tokenFor, { resourceGroup: "others", replicas: { ...replicaCounts, storefrontMin: 401 } }),
      ),
    ).toMatchObject(
      failure("doctor-cores-few", "apps uses 0 of the 100 cores that it may, and a canary of the service needs 100.25"),
    );
    await at.settle("DELETE", `${others}?api-version=2024-03-01`);
  });

  test("that answers with an error leaves a check unknown, and one that does not answer fails it", async () => {
    await order({
      method: "GET",
      path: "Microsoft.Authorization/permissions",
      status: 503,
      message: "come back later",
    });
    expect(await look(subscriptionChecks, "rights")).toEqual({
      check: "rights",
      state: "unknown",
      text: "come back later",
    });
    await order({ method: "GET", path: "Microsoft.Authorization/permissions", loseAnswer: true });
    expect(await look(subscriptionChecks, "rights")).toMatchObject(
      failure("doctor-azure-unreachable", "management.ballast.localhost cannot be reached: the connection broke off"),
    );
  });
});

describe("the identities", () => {
  const switchRole = (): string =>
    `${group}/providers/Microsoft.Authorization/roleDefinitions/00000000-0000-8000-8000-00000000000d`;
  const assign = async (name: number, scope: string, role: string, to: string): Promise<string> => {
    const id = `${scope}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-8000-8000-00000000001${name}?api-version=2022-04-01`;
    await well("PUT", id, {
      properties: { principalId: to, principalType: "ServicePrincipal", roleDefinitionId: role },
    });
    return id;
  };
  const make = async (name: string): Promise<string> =>
    (
      await well(
        "PUT",
        `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}?api-version=2023-01-31`,
        { location: "westeurope" },
      )
    ).properties.principalId;

  test("that are not there yet are unknown, which is no failure", async () => {
    for (const name of ["plane rights", "switch rights"])
      expect(await look(identityChecks, name)).toMatchObject({
        state: "unknown",
        text: expect.stringContaining("is not there yet: `pulumi up` makes it"),
      });
  });

  test("of the control plane lacks what it writes, then what it reads, then nothing, and what is taken away again is missed", async () => {
    const principal = await make("control-plane");
    const workspace = `${group}/providers/Microsoft.OperationalInsights/workspaces/apps`;
    await well("PUT", `${workspace}?api-version=2023-09-01`, { location: "westeurope", properties: {} });
    expect(await look(identityChecks, "plane rights")).toMatchObject(
      failure(
        "doctor-identity-rights-missing",
        /control-plane has no role at \S+\/shop that lets it .*Microsoft\.App\/containerApps\/write/,
      ),
    );
    const reader = await assign(1, group, roleId("acdd72a7-3385-48ef-bd42-f606fba81ae7"), principal);
    expect(await look(identityChecks, "plane rights")).toMatchObject(
      failure(
        "doctor-identity-rights-missing",
        /there for: Microsoft\.App\/containerApps\/write, Microsoft\.App\/containerApps\/revisions\/activate\/action, /,
      ),
    );
    await at.ask("DELETE", reader);
    const apps = await assign(2, group, roleId("358470bc-b998-42bd-ab17-a7e34c199c0f"), principal);
    expect(await look(identityChecks, "plane rights")).toMatchObject(
      failure(
        "doctor-identity-rights-missing",
        /workspaces\/apps that lets it .*: Microsoft\.OperationalInsights\/workspaces\/query\/read\.$/,
      ),
    );
    await assign(3, workspace, roleId("73c42c96-874c-492b-b04d-ab87d138a893"), principal);
    expect(await look(identityChecks, "plane rights")).toMatchObject({
      state: "ok",
      text: "control-plane may do what it is there for at shop and apps",
    });
    await at.ask("DELETE", apps);
    expect((await look(identityChecks, "plane rights")).state).toBe("failed");
  });

  test("of the switch has its role of four actions at the app, or is told which it lacks", async () => {
    const principal = await make("dead-mans-switch");
    const role = (...actions: readonly string[]) =>
      well("PUT", `${switchRole()}?api-version=2022-05-01-preview`, {
        properties: {
          roleName: "Gives back",
          type: "CustomRole",
          permissions: [{ actions }],
          assignableScopes: [group],
        },
      });
    await role(...switchActions.slice(0, 3));
    expect(await look(identityChecks, "switch rights")).toMatchObject(
      failure("doctor-identity-rights-missing", /dead-mans-switch has no role at .*containerApps\/storefront/),
    );
    await assign(4, appId(), switchRole().replace(/\/resourceGroups\/shop/, ""), principal);
    expect(await look(identityChecks, "switch rights")).toMatchObject(
      failure(
        "doctor-identity-rights-missing",
        /there for: Microsoft\.App\/containerApps\/revisions\/activate\/action\.$/,
      ),
    );
    await role(...switchActions);
    expect(await look(identityChecks, "switch rights")).toMatchObject({ state: "ok" });
  });

  test("that pulls must be allowed to at the registry", async () => {
    expect(await look(identityChecks, "pull rights")).toMatchObject({
      state: "ok",
      text: `images may do what it is there for at ${registryName}`,
    });
    await at.ask("DELETE", pullRole());
    expect(await look(identityChecks, "pull rights")).toMatchObject(
      failure("doctor-identity-rights-missing", /images has no role at .*registries\/pull\/read/),
    );
    await mayPull();
  });
});

describe("the app", () => {
  test("passes where it can be released, pulled and seen", async () => {
    expect((await examine(appChecks, patient)).map(({ check, state }) => [check, state])).toEqual([
      ["canary", "ok"],
      ["image", "ok"],
      ["request rows", "ok"],
    ]);
  });

  test("that is not there yet is unknown, which is no failure", async () => {
    const none = await examine(appChecks, {
      ...patient,
      app: { ...patient.app, id: appId().replace("storefront", "nobody") },
    });
    expect(none.map(({ state }) => state)).toEqual(["unknown", "unknown", "unknown"]);
    expect(none[0]).toMatchObject({ text: "nobody is not there yet: the first `pulumi up` makes it" });
  });

  test("in Single mode cannot be released by canary, nor one without ingress, with TCP or with sticky sessions", async () => {
    await well("PATCH", `${appId()}?${apps}`, { properties: { configuration: { activeRevisionsMode: "Single" } } });
    expect(await look(appChecks, "canary")).toMatchObject(failure("doctor-app-unfit", "Single revision mode"));
    await well("PATCH", `${appId()}?${apps}`, { properties: { configuration: { activeRevisionsMode: "Multiple" } } });
    expect((await look(appChecks, "canary")).state).toBe("ok");
    const judged = (configuration: object) =>
      judgeFitness("storefront", {
        properties: { configuration: { activeRevisionsMode: "Multiple", ...configuration } },
      } as unknown as LiveApp);
    expect(judged({ ingress: null })).toMatchObject(failure("doctor-app-unfit", "no ingress"));
    expect(judged({ ingress: { transport: "Tcp" } })).toMatchObject(failure("doctor-app-unfit", "TCP"));
    expect(judged({ ingress: { stickySessions: { affinity: "sticky" } } })).toMatchObject(
      failure("doctor-app-unfit", "keeps users"),
    );
  });

  test("cannot be started anew once its identity lost the right to pull", async () => {
    await at.ask("DELETE", pullRole());
    expect(await look(appChecks, "image")).toMatchObject(
      failure("doctor-image-unpullable", `storefront cannot pull ${image}: its identity images has no role`),
    );
    await mayPull();
    expect((await look(appChecks, "image")).state).toBe("ok");
  });

  test("whose environment writes no request down can never be judged", async () => {
    await at.ask("DELETE", settingId());
    expect(await look(appChecks, "request rows")).toMatchObject(
      failure("doctor-rows-unwired", "The environment shop has no diagnostic setting"),
    );
    await wire();
  });

  test.each([
    ["came after", 2, 1],
    ["had not come after", 600, 0.5],
  ])("whose row %s longer than the stack says is seen too late", async (words, lag, ingestionSeconds) => {
    await ingestion(lag);
    expect(await look(appChecks, "request rows", asking(at.tokenFor, { ingestionSeconds }))).toMatchObject(
      failure("doctor-rows-late", words),
    );
    await ingestion(0.3);
  });
});

test("the database is of a size and a version that its region offers, or is told what there is; one that is there needs no offer", async () => {
  const size = (changes: Partial<Settings>) =>
    look(
      databaseChecks,
      "database size",
      asking(at.tokenFor, { databaseSku: "Standard_B1ms", zoneRedundant: false, ...changes }),
    );
  expect(await size({})).toMatchObject({ state: "ok", text: "westeurope offers Standard_B1ms with PostgreSQL 18" });
  expect(await size({ databaseSku: "Standard_D2ds_v5", zoneRedundant: true })).toMatchObject({
    state: "ok",
    text: expect.stringContaining("and a standby in another zone"),
  });
  expect(await size({ databaseSku: "Standard_B20ms" })).toMatchObject(
    failure(
      "doctor-database-unoffered",
      "in westeurope: it offers no server of size Standard_B20ms; of this kind it has Standard_B1ms, Standard_B2s, Standard_B2ms",
    ),
  );
  expect(await size({ zoneRedundant: true })).toMatchObject(
    failure("doctor-database-unoffered", "no standby in another zone for Standard_B1ms"),
  );
  const wanted = { version: "18", sku: "Standard_B1ms", zoneRedundant: false };
  const sizes = (...supportedServerSkus: readonly { name: string; status?: string; supportedHaMode?: string }[]) => ({
    supportedServerEditions: [{ supportedServerSkus }],
    supportedServerVersions: [{ name: "18" }],
  });
  expect(whyUnoffered(wanted, { restricted: "Enabled", reason: "ask for quota" })).toBe(
    "it offers this subscription no database server: ask for quota",
  );
  expect(whyUnoffered(wanted, { ...sizes({ name: "Standard_B1ms" }), supportedServerVersions: [{ name: "17" }] })).toBe(
    "it offers no PostgreSQL 18",
  );
  expect(whyUnoffered(wanted, sizes({ name: "Standard_B1ms", status: "Disabled" }))).toBe(
    "it offers no server of size Standard_B1ms",
  );
  expect(
    whyUnoffered(
      { ...wanted, zoneRedundant: true },
      sizes({ name: "standard_b1ms", supportedHaMode: "ZoneRedundant" }),
    ),
  ).toBeUndefined();
});

test("the database has the control plane's role, or is told what it lacks: the database, the login, the identity; before it is there nothing is known", async () => {
  const role = (changes: Partial<Settings>) => look(databaseChecks, "database role", asking(at.tokenFor, changes));
  expect(await role({ databaseAuthentication: "password" })).toMatchObject({
    state: "unknown",
    text: expect.stringMatching(/^the server journal-[0-9a-f]{8} is not there yet/),
  });
  const put = (name: string, login: string) =>
    well("PUT", `${group}/providers/Microsoft.DBforPostgreSQL/flexibleServers/${name}?api-version=2025-08-01`, {
      location: "westeurope",
      sku: { name: "Standard_B1ms", tier: "Burstable" },
      properties: {
        version: "18",
        administratorLogin: login,
        administratorLoginPassword: crypto.randomUUID(),
        storage: { storageSizeGB: 32 },
      },
    });
  const name = physicalName("server", "journal", group);
  const server = `${group}/providers/Microsoft.DBforPostgreSQL/flexibleServers/${name}?api-version=2025-08-01`;
  const database = server.replace("?", "/databases/ballast?");
  await put(name, "somebody");
  expect(await role({ databaseAuthentication: "password" })).toMatchObject(
    failure("doctor-database-role-missing", `${name} has no database ballast, `),
  );
  await well("PUT", database, { properties: { charset: "UTF8", collation: "en_US.utf8" } });
  expect(await role({ databaseAuthentication: "password" })).toMatchObject(
    failure("doctor-database-role-missing", "no login ballast"),
  );
  expect(await role({ databaseAuthentication: "entra" })).toMatchObject(
    failure("doctor-database-role-missing", "no administrator database-role"),
  );
  await at.settle("DELETE", server);
  await put(name, "ballast");
  await well("PUT", database, { properties: { charset: "UTF8", collation: "en_US.utf8" } });
  expect(await role({ databaseAuthentication: "password" })).toMatchObject({
    state: "ok",
    text: `${name} has the login ballast`,
  });
  await at.settle("DELETE", server);
});

describe("the control plane", () => {
  let plane: FakeControlPlane;
  beforeAll(async () => {
    plane = await startFakeControlPlane();
  });
  afterAll(() => plane.stop());

  /** Answers `/health` and nothing else. */
  async function withHealth(
    status: number,
    body: object | string,
    act: (whom: Patient) => Promise<void>,
  ): Promise<void> {
    const server = createServer(
      (_, response) =>
        void response
          .writeHead(status, { "content-type": "application/json" })
          .end(typeof body === "string" ? body : JSON.stringify(body)),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    await act(asking(at.tokenFor, {}, `http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    server.close();
    server.closeAllConnections();
  }

  test("that answers, moves and takes the token passes", async () => {
    await withHealth(200, { status: "ok", inFlight: 1, lastWriteSecondsAgo: 3.2 }, async (whom) => {
      expect(await look(planeChecks, "control plane", whom)).toMatchObject({
        state: "ok",
        text: "the database answers, 1 rollout in flight, last write 3 s ago",
      });
    });
    expect(await look(planeChecks, "token", asking(at.tokenFor, {}, plane.endpoint))).toMatchObject({
      state: "ok",
      text: "accepted, and it may read; 0 rollouts of storefront known",
    });
  });

  test("whose rollouts stand still has lost its heartbeat, and one with nothing in flight has not", async () => {
    await withHealth(200, { status: "ok", inFlight: 2, lastWriteSecondsAgo: 26 }, async (whom) => {
      expect(await look(planeChecks, "control plane", whom)).toMatchObject(
        failure(
          "doctor-heartbeat-lost",
          "2 rollouts are in flight, and the journal was written last 26 s ago; after 25 s",
        ),
      );
    });
    expect(judgePulse({ inFlight: 0, lastWriteSecondsAgo: 86_400 }, 25).state).toBe("ok");
    expect(judgePulse({ inFlight: 0, lastWriteSecondsAgo: null }, 25)).toMatchObject({
      state: "ok",
      text: expect.stringContaining("nothing written yet"),
    });
  });

  test("says itself what is wrong: a database that does not answer, a token that it does not take, a mistake of its own", async () => {
    await withHealth(503, envelope(journalUnreachable()), async (whom) => {
      expect(await look(planeChecks, "control plane", whom)).toMatchObject(failure("journal-unreachable"));
    });
    await withHealth(500, envelope(callFailed({ reference: "x" })), async (whom) => {
      expect(await look(planeChecks, "control plane", whom)).toMatchObject(failure("call-failed"));
    });
    vi.stubEnv("BALLAST_TOKEN", "somebody-else's");
    expect(await look(planeChecks, "token", asking(at.tokenFor, {}, plane.endpoint))).toMatchObject(
      failure("call-token-refused"),
    );
    vi.stubEnv("BALLAST_TOKEN", token);
  });

  test("that is in a network which this machine is not in is told from one that is down", async () => {
    const gone = await startFakeControlPlane();
    const network = { internal: true, callers: [] } as unknown as Settings["network"];
    await gone.stop();
    const from = (addresses: readonly string[], changes: Partial<Settings> = { network }) =>
      look(planeChecks, "control plane", {
        ...asking(at.tokenFor, changes, gone.endpoint),
        resolve: async () => addresses,
      });
    expect(await from([])).toMatchObject(
      failure(
        "doctor-plane-internal",
        "127.0.0.1 answers inside its network alone, and from here its name is not known here",
      ),
    );
    expect(await from(["10.40.0.12"], {})).toMatchObject(
      failure("doctor-plane-internal", "the private address 10.40.0.12, where nobody answers this machine"),
    );
    expect(
      await look(planeChecks, "token", { ...asking(at.tokenFor, { network }, gone.endpoint), resolve: async () => [] }),
    ).toMatchObject(failure("doctor-plane-internal"));
    for (const address of ["203.0.113.9", "172.32.0.1", "127.0.0.1"])
      expect(await from([address])).toMatchObject(failure("release-control-plane-unreachable"));
    expect(await from([], {})).toMatchObject(failure("release-control-plane-unreachable"));
    expect(await asking(at.tokenFor).resolve("localhost")).toEqual(expect.arrayContaining(["127.0.0.1"]));
  });

  test("whose ingress does not take this machine's address is told from one that answers in other words", async () => {
    const callers = { network: { internal: false, callers: ["203.0.113.0/24"] } as unknown as Settings["network"] };
    await withHealth(403, "RBAC: access denied", async (whom) => {
      expect(
        await look(planeChecks, "control plane", {
          ...whom,
          stack: { ...whom.stack, callers: callers.network.callers },
        }),
      ).toMatchObject(failure("doctor-plane-caller-refused", "takes calls from 203.0.113.0/24"));
      expect(await look(planeChecks, "control plane", whom)).toMatchObject(failure("release-control-plane-unclear"));
    });
  });

  test("that is gone, or has no address, is said so", async () => {
    const gone = await startFakeControlPlane();
    await gone.stop();
    expect(await look(planeChecks, "control plane", asking(at.tokenFor, {}, gone.endpoint))).toMatchObject(
      failure("release-control-plane-unreachable"),
    );
    expect((await examine(planeChecks, patient)).map(({ state }) => state)).toEqual(["failed", "unknown"]);
    expect(await look(planeChecks, "control plane")).toMatchObject(
      failure("cli-endpoint-unknown", "not been deployed yet"),
    );
  });
});

test("telemetry that stays away is a failure once the control plane is old enough to have reported; none that is sent is as the program has it", async () => {
  const planeId = `${group}/providers/Microsoft.App/containerApps/control-plane`;
  const now = Date.now();
  const telemetry = (rows: readonly unknown[], ageMinutes: number, changes: object = {}) =>
    look(telemetryChecks, "telemetry", {
      ...patient,
      stack: { ...patient.stack, ...changes },
      query: async () => ({ status: 200, body: { tables: [{ rows: [rows] }] } }),
      ask: async (method, id, version) =>
        id === planeId
          ? { status: 200, body: { systemData: { createdAt: new Date(now - ageMinutes * 60_000).toISOString() } } }
          : patient.ask(method, id, version),
    } satisfies AppPatient);
  expect(await telemetry([0, null], 60)).toMatchObject({
    state: "unknown",
    text: "telemetry is not there yet: `pulumi up` makes it",
  });
  await well("PUT", `${group}/providers/Microsoft.Insights/components/telemetry?api-version=2020-02-02`, {
    location: "westeurope",
    kind: "web",
    properties: {
      Application_Type: "web",
      WorkspaceResourceId: `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`,
    },
  });
  expect(await telemetry([3, 0.7], 60)).toMatchObject({
    state: "ok",
    text: "the control plane's last report came 42 s ago",
  });
  expect(await telemetry([0, null], 14)).toMatchObject({
    state: "unknown",
    text: "no report has come of late, of a control plane that is 14 minutes old",
  });
  expect(await telemetry([0, null], 16)).toMatchObject(
    failure("doctor-telemetry-silent", "In telemetry, the control plane has not reported for a day"),
  );
  expect(await telemetry([90, 11], 60)).toMatchObject(
    failure("doctor-telemetry-silent", "the last report of the control plane came 11 minutes ago"),
  );
  expect(await telemetry([], 60, { insights: undefined })).toMatchObject({
    state: "ok",
    text: "none is sent, as the program has it",
  });
});

describe("this machine", () => {
  test("needs Node of the version that the package asks for", () => {
    for (const version of ["20.11.0", "20.12.1", "24.0.0"]) expect(judgeNode(version, ">=20.11").state).toBe("ok");
    for (const version of ["20.10.9", "18.20.4"])
      expect(judgeNode(version, ">=20.11")).toMatchObject(
        failure("doctor-node-old", `This is Node ${version.replaceAll(".", "\\.")}, and Ballast needs 20\\.11`),
      );
  });

  test("without an engine is told so in the engine's own error, beside what is well", async () => {
    const engine = {
      command: "/bin/false",
      version: "3.259.0",
      binFolder: "/bin",
      environment: {},
      how: "path",
    } as const;
    expect((await examine(toolChecks(">=20.11", "0.1.0"), async () => engine)).map(({ state }) => state)).toEqual([
      "ok",
      "ok",
    ]);
    const none = await examine(toolChecks(">=20.11", "0.1.0"), () => Promise.reject(journalUnreachable()));
    expect(none.map(({ state }) => state)).toEqual(["ok", "failed"]);
    await expect(stackNamed(engine, "dev")).rejects.toMatchObject({
      id: "doctor-stack-unreadable",
      message: expect.stringContaining("the stack dev"),
    });
  });
});

test("every check has been seen to fail here, but for the cost, which is an estimate", () => {
  const all = [
    ...subscriptionChecks,
    ...identityChecks,
    ...databaseChecks,
    ...planeChecks,
    ...telemetryChecks,
    ...appChecks,
    ...costChecks,
  ].map(({ name }) => name);
  expect(all.filter((name) => !seenToFail.has(name))).toEqual(["cost"]);
});
