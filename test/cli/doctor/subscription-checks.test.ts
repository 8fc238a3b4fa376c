// The checks of the subscription, against an emulator: each passes on the shop, and fails once for the problem
// it is for.
import { beforeEach, expect, test } from "vitest";
import { examine, findingLines } from "../../../cli/doctor/finding.ts";
import { notPermitted } from "../../../cli/doctor/permissions.ts";
import { subscriptionChecks } from "../../../cli/doctor/subscription-checks.ts";
import type { Settings } from "../../../config.ts";
import { replicaCounts } from "../../../defaults.ts";
import { management } from "../../support/emulator/cloud.ts";
import { eventually } from "../../support/emulator/container-cloud.ts";
import {
  apps,
  checkRunner,
  context,
  failure,
  registryName,
  shop,
  useDoctorShop,
} from "../../support/emulator/doctor-shop.ts";

useDoctorShop();
const { run, neverFailed } = checkRunner(subscriptionChecks);
const check = (name: string, subject = context) => run(name, subject);

beforeEach(() => shop.setFaults());

test("all checks pass on a cloud that has what a release needs", async () => {
  const findings = await examine(subscriptionChecks, context);
  expect(findings.map((finding) => [finding.check, finding.state])).toEqual([
    ["subscription", "ok"],
    ["providers", "ok"],
    ["rights", "ok"],
    ["quota", "ok"],
    ["names", "ok"],
  ]);
  expect(findings.at(-1)).toMatchObject({
    message: expect.stringMatching(`^${registryName} is already yours, journal-[0-9a-f]{8} is free$`),
  });
});

test("a subscription that does not exist is reported with Azure's own message", async () => {
  expect(
    await check("subscription", shop.contextWith({ subscription: "00000000-0000-0000-0000-000000000001" })),
  ).toMatchObject(failure("doctor-subscription-unseen", "could not be found"));
});

test("the fix for a missing provider is the command that registers it, after which the check passes", async () => {
  const call = (verb: string) =>
    shop.at.ask("POST", `/subscriptions/${shop.subscription}/providers/Microsoft.App/${verb}?api-version=2021-04-01`);
  await call("unregister");
  const finding = await check("providers");
  expect(finding).toMatchObject(failure("doctor-providers-unregistered", /registered Microsoft\.App\. Azure/));
  expect(findingLines(finding)).toContain("fix   az provider register --namespace Microsoft.App --wait");
  await call("register");
  expect((await check("providers")).state).toBe("ok");
});

test("Microsoft.Network must be registered only if the stack creates a network", async () => {
  const provider = `/subscriptions/${shop.subscription}/providers/Microsoft.Network`;
  const call = (verb: string) => shop.at.ask("POST", `${provider}/${verb}?api-version=2021-04-01`);
  const withNetwork = shop.contextWith({
    network: { range: "10.40.0.0/22", internal: false, callers: [] } as unknown as Settings["network"],
  });
  await call("unregister");
  expect(await check("providers", withNetwork)).toMatchObject(
    failure("doctor-providers-unregistered", /registered Microsoft\.Network\. Azure/),
  );
  expect((await check("providers")).state).toBe("ok");
  await call("register");
  expect((await check("providers", withNetwork)).state).toBe("ok");
});

/** Gives tokens of the identity that pulls, from the identity endpoint of the app's replica. */
async function identityTokens(): Promise<() => Promise<string>> {
  const { body: environment } = await eventually(
    () => shop.at.ask("GET", `https://storefront.shop.westeurope.${shop.at.cloud.suffix}/environment`),
    ({ body }) => body?.IDENTITY_ENDPOINT !== undefined,
  );
  const { clientId } = (await shop.at.ask("GET", `${shop.identity}?api-version=2023-01-31`)).body.properties;
  const query = `api-version=2019-08-01&resource=${management}&client_id=${clientId}`;
  return async () => {
    const response = await fetch(`${environment.IDENTITY_ENDPOINT}?${query}`, {
      headers: { "x-identity-header": environment.IDENTITY_HEADER },
    });
    return ((await response.json()) as { access_token: string }).access_token;
  };
}

test("a reader lacks all permissions of a deployment, and a contributor those to assign roles", async () => {
  const caller = shop.contextWith({}, await identityTokens());
  const assignments = `${shop.group}/providers/Microsoft.Authorization/roleAssignments`;
  const assignment = `${assignments}/00000000-0000-8000-8000-000000000002?api-version=2022-04-01`;
  const assign = (guid: string) =>
    shop.write("PUT", assignment, {
      properties: {
        principalId: shop.principalId,
        principalType: "ServicePrincipal",
        roleDefinitionId: shop.roleId(guid),
      },
    });
  await assign("acdd72a7-3385-48ef-bd42-f606fba81ae7");
  expect(await check("rights", caller)).toMatchObject(
    failure(
      "doctor-rights-missing",
      /group shop that `pulumi up` needs: Microsoft\.App\/managedEnvironments\/write, .*roleDefinitions\/write/,
    ),
  );
  await shop.at.ask("DELETE", assignment);
  await assign("b24988ac-6180-42a0-ab88-20f7382dd24c");
  expect(await check("rights", caller)).toMatchObject(
    failure(
      "doctor-rights-missing",
      /needs: Microsoft\.Authorization\/roleAssignments\/write, Microsoft\.Authorization\/roleDefinitions\/write\.$/,
    ),
  );
  await shop.at.ask("DELETE", assignment);
});

test("permissions in a resource group that does not exist yet are unknown", async () => {
  expect(await check("rights", shop.contextWith({ resourceGroup: "nowhere" }))).toMatchObject({
    state: "unknown",
    message: expect.stringContaining("nowhere does not exist yet"),
  });
});

test("a role's notActions are subtracted from that role only", () => {
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

test("a name that another resource has is taken, and one that the stack's own resource has is not", async () => {
  const others = `/subscriptions/${shop.subscription}/resourceGroups/others`;
  await shop.write("PUT", `${others}?api-version=2024-03-01`, { location: "westeurope" });
  const registry = `${others}/providers/Microsoft.ContainerRegistry/registries/othershop`;
  await shop.write("PUT", `${registry}?api-version=2023-01-01-preview`, {
    location: "westeurope",
    sku: { name: "Standard" },
  });
  expect(await check("names", shop.contextWith({ registry: "othershop" }))).toMatchObject(
    failure("doctor-name-taken", "The name othershop of the registry"),
  );
  expect((await check("names", shop.contextWith({ registry: "nobodys0" }))).state).toBe("ok");
});

test("quota means environments in the region, or cores once the stack's environment exists", async () => {
  expect(await check("quota")).toMatchObject({ state: "ok", message: "1 of 20 environments used in westeurope" });
  const others = `/subscriptions/${shop.subscription}/resourceGroups/others`;
  await shop.write("PUT", `${others}?api-version=2024-03-01`, { location: "westeurope" });
  const createEnvironment = (name: string) =>
    shop.write("PUT", `${others}/providers/Microsoft.App/managedEnvironments/${name}?${apps}`, {
      location: "westeurope",
      properties: {},
    });
  await Promise.all(Array.from({ length: 18 }, (_, index) => createEnvironment(`other${index}`)));
  await createEnvironment("apps");
  expect(await check("quota")).toMatchObject(
    failure("doctor-quota-full", "uses 20 of the 20 managed environments it may have in westeurope"),
  );
  expect(await check("quota", shop.contextWith({ resourceGroup: "others" }))).toMatchObject({
    state: "ok",
    message: "the environment apps exists and uses 0 of 100 cores",
  });
  const manyReplicas = { resourceGroup: "others", replicas: { ...replicaCounts, storefrontMin: 401 } };
  expect(await check("quota", shop.contextWith(manyReplicas))).toMatchObject(
    failure("doctor-cores-few", "apps uses 0 of its 100 cores. A canary of the service needs 100.25 more"),
  );
  await shop.at.settle("DELETE", `${others}?api-version=2024-03-01`);
});

test("a check is unknown when Azure answers with an error, and fails when Azure does not answer", async () => {
  const permissions = { method: "GET", path: "Microsoft.Authorization/permissions" };
  await shop.setFaults({ ...permissions, status: 503, message: "come back later" });
  expect(await check("rights")).toEqual({ check: "rights", state: "unknown", message: "come back later" });
  await shop.setFaults({ ...permissions, loseAnswer: true });
  expect(await check("rights")).toMatchObject(
    failure("doctor-azure-unreachable", "management.ballast.localhost cannot be reached: "),
  );
});

test("every check has failed in one of these tests", () => expect(neverFailed()).toEqual([]));
