// `ballast sign-in` against a directory in place of the Azure CLI, which answers as Microsoft Graph's
// documents say; and the Pulumi program of examples/sign-in, which must create the same application. Neither
// has been run against Entra.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { appRoles } from "../../cli/sign-in.ts";
import { operations } from "../support/controlplane/exchanges.ts";

const root = path.join(import.meta.dirname, "..", "..");
const tenant = "66666666-7777-8888-9999-000000000000";
const ann = "aaaaaaaa-0000-0000-0000-000000000001";
const audience = `api://${tenant}/ballast-dev`;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-sign-in-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const directory = path.join(root, "test", "support", "emulator", "entra-directory.mjs");

/** Puts a program in place of the Azure CLI: the directory, unless a script is given. */
function az(script = `exec "${process.execPath}" "${directory}" "${folder}" "${tenant}" "$@"`): void {
  writeFileSync(path.join(folder, "az"), `#!/bin/sh\n${script}\n`);
  chmodSync(path.join(folder, "az"), 0o755);
}
const kept = (): any => JSON.parse(readFileSync(path.join(folder, "directory.json"), "utf8"));
function signIn(...words: readonly string[]) {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, "cli", "main.ts"), "sign-in", ...words],
    { cwd: folder, env: { ...env, PATH: `${folder}:/usr/bin:/bin` }, encoding: "utf8" },
  );
  return { code: status, out: stdout, err: stderr };
}

test("create makes one application with the roles that the control plane requires, and prints its audience", () => {
  az();
  expect(signIn("create", "ballast-dev")).toMatchObject({
    code: 0,
    err: "",
    out: expect.stringContaining(`pulumi config set ballast:audience ${audience} `),
  });
  const [application, ...others] = kept().applications;
  expect(others).toEqual([]);
  expect(application).toMatchObject({
    displayName: "ballast-dev",
    signInAudience: "AzureADMyOrg",
    identifierUris: [audience],
    api: {
      requestedAccessTokenVersion: 1,
      oauth2PermissionScopes: [{ type: "User", isEnabled: true }],
      preAuthorizedApplications: [
        {
          appId: "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
          delegatedPermissionIds: [application.api.oauth2PermissionScopes[0].id],
        },
      ],
    },
  });
  expect(application.appRoles.map(({ value }: { value: string }) => value).sort()).toEqual(
    [...new Set(Object.values(operations).flatMap(({ role, partRole }) => [role ?? [], partRole ?? []].flat()))].sort(),
  );
  for (const { allowedMemberTypes } of application.appRoles)
    expect(allowedMemberTypes).toEqual(["User", "Application"]);
  expect(kept().principals).toEqual([{ id: "principal-of-client-0", appId: "client-0" }]);
});

test("create again changes nothing, or repairs what was removed, and keeps what others have added", () => {
  az();
  const first = signIn("create", "ballast-dev", "--json").out;
  const before = kept();
  expect(JSON.parse(first)).toEqual({
    name: "ballast-dev",
    audience,
    clientId: "client-0",
    servicePrincipal: "principal-of-client-0",
  });
  expect(signIn("create", "ballast-dev", "--json").out).toBe(first);
  expect(kept()).toEqual(before);
  const other = { id: "other", value: "Other", isEnabled: true, allowedMemberTypes: ["User"] };
  const portal = { appId: "portal", delegatedPermissionIds: [] };
  const changed = structuredClone(before);
  Object.assign(changed.applications[0], { appRoles: [before.applications[0].appRoles[0], other] });
  changed.applications[0].api.preAuthorizedApplications = [portal];
  changed.principals = [];
  writeFileSync(path.join(folder, "directory.json"), JSON.stringify(changed));
  expect(signIn("create", "ballast-dev").code).toBe(0);
  const [application] = kept().applications;
  expect(application.appRoles).toEqual([...before.applications[0].appRoles, other]);
  expect(application.api.preAuthorizedApplications).toEqual([
    ...before.applications[0].api.preAuthorizedApplications,
    portal,
  ]);
  expect(kept().principals).toEqual(before.principals);
});

test("two stacks have two applications", () => {
  az();
  for (const name of ["ballast-dev", "ballast-prod"]) expect(signIn("create", name).code).toBe(0);
  expect(kept().applications.map(({ identifierUris }: { identifierUris: string[] }) => identifierUris)).toEqual([
    [audience],
    [`api://${tenant}/ballast-prod`],
  ]);
});

test("grant assigns a role once, and granting it again succeeds", () => {
  az();
  signIn("create", "ballast-dev");
  for (let time = 0; time < 2; time++)
    expect(signIn("grant", "ballast-dev", "--role", "Rollout.Write", "--to", ann)).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringContaining(`Granted Rollout.Write on ${audience} to ${ann}.`),
    });
  expect(kept().assignments).toEqual([
    {
      principalId: ann,
      resourceId: "principal-of-client-0",
      appRoleId: appRoles.find(({ value }) => value === "Rollout.Write")!.id,
    },
  ]);
});

test.each([
  ["without the Azure CLI", undefined, ["create", "ballast-dev"], "cli-sign-in-az-missing", "examples/sign-in"],
  [
    "when the directory refuses",
    [
      `if [ "$1" = account ]; then echo ${tenant}; exit; fi`,
      `echo 'ERROR: Forbidden({"code":"Authorization_RequestDenied"})' >&2; exit 1`,
    ].join("\n"),
    ["create", "ballast-dev"],
    "cli-sign-in-failed",
    "Authorization_RequestDenied",
  ],
  [
    "without a sign-in",
    "echo 'Please run az login' >&2; exit 1",
    ["grant", "ballast-dev", "--role", "Rollout.Read", "--to", ann],
    "cli-sign-in-failed",
    "Please run az login",
  ],
  [
    "when the application does not exist",
    "",
    ["grant", "ballast-dev", "--role", "Rollout.Read", "--to", ann],
    "cli-sign-in-unknown",
    "ballast sign-in create ballast-dev",
  ],
  [
    "when the grantee does not exist",
    "created",
    ["grant", "ballast-dev", "--role", "Rollout.Read", "--to", "ann"],
    "cli-sign-in-failed",
    "no such principal",
  ],
] as const)("reports what to do %s", (_when, script, words, id, message) => {
  if (script !== undefined) az(script === "" || script === "created" ? undefined : script);
  if (script === "created") signIn("create", "ballast-dev");
  const { code, err } = signIn(...words);
  expect([code, err]).toEqual([1, expect.stringContaining(id)]);
  expect(err).toContain(message);
});

test("an unknown role is refused before any call", () => {
  az();
  expect(signIn("grant", "ballast-dev", "--role", "Rollout.Delete", "--to", ann)).toMatchObject({
    code: 2,
    err: expect.stringContaining("Rollout.Read, Rollout.Write, Rollout.Approve, Remediation.Approve"),
  });
  expect(existsSync(path.join(folder, "asked"))).toBe(false);
});

test("the Pulumi program of examples/sign-in creates the same application", () => {
  az();
  signIn("create", "ballast-dev");
  const { resources } = parse(readFileSync(path.join(root, "examples", "sign-in", "Pulumi.yaml"), "utf8"));
  const [made] = kept().applications;
  const renamed = (items: readonly any[]) => items.map(({ enabled, ...each }) => ({ ...each, isEnabled: enabled }));
  const { appRoles: roles, api, signInAudience, identifierUris } = resources.application.properties;
  expect(renamed(roles)).toEqual(made.appRoles);
  expect({ ...api, oauth2PermissionScopes: renamed(api.oauth2PermissionScopes) }).toEqual({
    requestedAccessTokenVersion: made.api.requestedAccessTokenVersion,
    oauth2PermissionScopes: made.api.oauth2PermissionScopes,
  });
  expect([
    signInAudience,
    identifierUris.map((uri: string) => uri.replace("${tenant}", tenant).replace("${name}", "ballast-dev")),
  ]).toEqual([made.signInAudience, made.identifierUris]);
  const { authorizedClientId, permissionIds } = resources["azure-cli"].properties;
  expect([{ appId: authorizedClientId, delegatedPermissionIds: permissionIds }]).toEqual(
    made.api.preAuthorizedApplications,
  );
  const granted = ["reads", "writes", "approves", "approves-repairs", "delivers-alerts", "delivers-events"];
  expect(granted.map((name) => resources[name].properties.appRoleId)).toEqual(appRoles.map(({ id }) => id));
});
