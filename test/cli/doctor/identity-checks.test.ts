// The checks of the identities, against an emulator: each reports what an identity lacks until its roles permit
// all it does.
import { expect, test } from "vitest";
import { identityChecks } from "../../../cli/doctor/identity-checks.ts";
import { switchActions } from "../../../components/platform/dead-mans-switch.ts";
import {
  checkRunner,
  context,
  failure,
  registryName,
  shop,
  useDoctorShop,
} from "../../support/emulator/doctor-shop.ts";

useDoctorShop();
const { run, neverFailed } = checkRunner(identityChecks);
const check = (name: string) => run(name, context);

async function assign(number: number, scope: string, role: string, principalId: string): Promise<string> {
  const name = `00000000-0000-8000-8000-00000000001${number}`;
  const id = `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}?api-version=2022-04-01`;
  await shop.write("PUT", id, {
    properties: { principalId, principalType: "ServicePrincipal", roleDefinitionId: role },
  });
  return id;
}

async function createIdentity(name: string): Promise<string> {
  const id = `${shop.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
  return (await shop.write("PUT", `${id}?api-version=2023-01-31`, { location: "westeurope" })).properties.principalId;
}

test("identities that do not exist yet are unknown, not failed", async () => {
  for (const name of ["plane rights", "switch rights"])
    expect(await check(name)).toMatchObject({
      state: "unknown",
      message: expect.stringContaining("does not exist yet: `pulumi up` creates it"),
    });
});

test("permissions that the control plane lacks are reported, in the resource group and on the workspace", async () => {
  const principal = await createIdentity("control-plane");
  const workspace = `${shop.group}/providers/Microsoft.OperationalInsights/workspaces/apps`;
  await shop.write("PUT", `${workspace}?api-version=2023-09-01`, { location: "westeurope", properties: {} });
  expect(await check("plane rights")).toMatchObject(
    failure(
      "doctor-identity-rights-missing",
      /control-plane has no role on \S+\/shop that permits .*Microsoft\.App\/containerApps\/write/,
    ),
  );
  const reader = await assign(1, shop.group, shop.roleId("acdd72a7-3385-48ef-bd42-f606fba81ae7"), principal);
  expect(await check("plane rights")).toMatchObject(
    failure(
      "doctor-identity-rights-missing",
      /does: Microsoft\.App\/containerApps\/write, Microsoft\.App\/containerApps\/revisions\/activate\/action, /,
    ),
  );
  await shop.at.ask("DELETE", reader);
  const contributor = await assign(2, shop.group, shop.roleId("358470bc-b998-42bd-ab17-a7e34c199c0f"), principal);
  expect(await check("plane rights")).toMatchObject(
    failure(
      "doctor-identity-rights-missing",
      /workspaces\/apps that permits .*: Microsoft\.OperationalInsights\/workspaces\/query\/read\.$/,
    ),
  );
  await assign(3, workspace, shop.roleId("73c42c96-874c-492b-b04d-ab87d138a893"), principal);
  expect(await check("plane rights")).toMatchObject({
    state: "ok",
    message: "control-plane has the permissions it needs on shop and apps",
  });
  await shop.at.ask("DELETE", contributor);
  expect((await check("plane rights")).state).toBe("failed");
});

test("the one action that the dead man's switch lacks on the app is reported", async () => {
  const principal = await createIdentity("dead-mans-switch");
  const roles = `${shop.group}/providers/Microsoft.Authorization/roleDefinitions`;
  const roleDefinition = `${roles}/00000000-0000-8000-8000-00000000000d`;
  const defineRole = (...actions: readonly string[]) =>
    shop.write("PUT", `${roleDefinition}?api-version=2022-05-01-preview`, {
      properties: {
        roleName: "Gives back",
        type: "CustomRole",
        permissions: [{ actions }],
        assignableScopes: [shop.group],
      },
    });
  await defineRole(...switchActions.slice(0, 3));
  expect(await check("switch rights")).toMatchObject(
    failure("doctor-identity-rights-missing", /dead-mans-switch has no role on .*containerApps\/storefront/),
  );
  await assign(4, shop.appId, roleDefinition.replace(/\/resourceGroups\/shop/, ""), principal);
  expect(await check("switch rights")).toMatchObject(
    failure(
      "doctor-identity-rights-missing",
      /what it does: Microsoft\.App\/containerApps\/revisions\/activate\/action\.$/,
    ),
  );
  await defineRole(...switchActions);
  expect(await check("switch rights")).toMatchObject({ state: "ok" });
});

test("an identity that may not pull from the registry is reported", async () => {
  expect(await check("pull rights")).toMatchObject({
    state: "ok",
    message: `images has the permissions it needs on ${registryName}`,
  });
  await shop.forbidPull();
  expect(await check("pull rights")).toMatchObject(
    failure("doctor-identity-rights-missing", /images has no role on .*registries\/pull\/read/),
  );
  await shop.permitPull();
});

test("every check has failed in one of these tests", () => expect(neverFailed()).toEqual([]));
