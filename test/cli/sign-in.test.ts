// `ballast sign-in` against a directory that answers as Microsoft Graph's documents say, by way of a stand-in for `az`; and the Pulumi
// program of examples/sign-in, which must come to the same application. What Entra itself does with either has not been tried.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { appRoles } from "../../cli/sign-in.ts";
import { operations } from "../../controlplane/api/openapi-operations.ts";

const root = path.join(import.meta.dirname, "..", "..");
const tenant = "66666666-7777-8888-9999-000000000000";
const ann = "aaaaaaaa-0000-0000-0000-000000000001";
const audience = `api://${tenant}/ballast-dev`;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-sign-in-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The directory as a script: a list in a PATCH replaces the whole list, a scope must be there before it is pre-authorized, an audience is one application's, a role is given once. */
const directory = String.raw`
const fs = require("node:fs"), file = __dirname + "/directory.json";
const kept = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : { applications: [], principals: [], assignments: [] };
const args = process.argv.slice(2), of = (name) => args[args.indexOf(name) + 1];
fs.appendFileSync(__dirname + "/asked", args.join(" ") + "\n");
const fail = (words) => { console.error("ERROR: Bad Request(" + words + ")"); process.exit(1); };
const say = (answer) => { fs.writeFileSync(file, JSON.stringify(kept)); if (answer !== undefined) console.log(JSON.stringify(answer)); process.exit(0); };
if (args[0] === "account") { console.log("${tenant}"); process.exit(0); }
if (args[0] !== "rest" || !of("--url").startsWith("https://graph.microsoft.com/v1.0/")) fail("not Graph");
const url = new URL(of("--url")), method = of("--method"), [kind, id, child] = url.pathname.split("/").slice(2), filter = url.searchParams.get("$filter") ?? "";
const body = args.includes("--body") ? JSON.parse(of("--body")) : undefined, value = /eq '(.*)'/.exec(filter)?.[1];
if (body && of("--headers") !== "Content-Type=application/json") fail("not JSON");
const check = ({ api, appRoles }) => {
  for (const { delegatedPermissionIds } of api?.preAuthorizedApplications ?? []) if (!delegatedPermissionIds.every((each) => kept.applications.some(({ api }) => api.oauth2PermissionScopes?.some(({ id }) => id === each)))) fail("a permission that is not found");
  for (const each of appRoles ?? []) if (!each.isEnabled || !each.allowedMemberTypes.length) fail("a role that nobody can have");
};
if (kind === "applications" && method === "GET") say({ value: kept.applications.filter(({ identifierUris }) => identifierUris.includes(value)) });
if (kind === "applications" && method === "POST") {
  if (kept.applications.some(({ identifierUris }) => identifierUris.some((each) => body.identifierUris.includes(each)))) fail("another application has that audience");
  if (!body.identifierUris.every((each) => each.includes("${tenant}"))) fail("an audience without a tenant");
  const made = { id: "object-" + kept.applications.length, appId: "client-" + kept.applications.length, appRoles: [], api: {}, ...body };
  kept.applications.push(made);
  say(made);
}
if (kind === "applications" && method === "PATCH") {
  check(body);
  const found = kept.applications.find((each) => each.id === id);
  Object.assign(found, body, { api: { ...found.api, ...body.api } });
  say();
}
if (kind === "servicePrincipals" && method === "GET") say({ value: kept.principals.filter(({ appId }) => appId === value) });
if (kind === "servicePrincipals" && child === "appRoleAssignedTo" && method === "POST") {
  if (kept.assignments.some((each) => each.principalId === body.principalId && each.appRoleId === body.appRoleId)) fail("Permission being assigned already exists on the object");
  if (body.principalId.length !== 36 || !kept.applications.some(({ appRoles }) => appRoles.some(({ id }) => id === body.appRoleId)) || id !== body.resourceId) fail("nobody there");
  kept.assignments.push(body);
  say(body);
}
if (kind === "servicePrincipals" && method === "POST") { const made = { id: "principal-of-" + body.appId, ...body }; kept.principals.push(made); say(made); }
fail(method + " " + url);`;

function az(script?: string): void {
  writeFileSync(path.join(folder, "directory.cjs"), directory);
  writeFileSync(
    path.join(folder, "az"),
    `#!/bin/sh\n${script ?? `exec "${process.execPath}" "${folder}/directory.cjs" "$@"`}\n`,
  );
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

test("create makes one application with the roles that the control plane asks for, and says its audience", () => {
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
    [...new Set(Object.values(operations).flatMap(({ role }) => role ?? []))].sort(),
  );
  for (const { allowedMemberTypes } of application.appRoles)
    expect(allowedMemberTypes).toEqual(["User", "Application"]);
  expect(kept().principals).toEqual([{ id: "principal-of-client-0", appId: "client-0" }]);
});

test("create again changes nothing, and mends what was taken away without touching what others have added", () => {
  az();
  const said = signIn("create", "ballast-dev", "--json").out;
  const before = kept();
  expect(JSON.parse(said)).toEqual({
    name: "ballast-dev",
    audience,
    clientId: "client-0",
    servicePrincipal: "principal-of-client-0",
  });
  expect(signIn("create", "ballast-dev", "--json").out).toBe(said);
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

test("grant gives one role to one, once, and giving it again is no failure", () => {
  az();
  signIn("create", "ballast-dev");
  for (let time = 0; time < 2; time++)
    expect(signIn("grant", "ballast-dev", "--role", "Rollout.Write", "--to", ann)).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringContaining(`${ann} has Rollout.Write of ${audience}`),
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
  ["without Azure's command line", undefined, ["create", "ballast-dev"], "cli-sign-in-az-missing", "examples/sign-in"],
  [
    "when the directory refuses",
    `case "$1" in account) echo ${tenant};; *) echo 'ERROR: Forbidden({"code":"Authorization_RequestDenied"})' >&2; exit 1;; esac`,
    ["create", "ballast-dev"],
    "cli-sign-in-failed",
    "Authorization_RequestDenied",
  ],
  [
    "when nobody is signed in",
    "echo 'Please run az login' >&2; exit 1",
    ["grant", "ballast-dev", "--role", "Rollout.Read", "--to", ann],
    "cli-sign-in-failed",
    "Please run az login",
  ],
  [
    "when a role is to be given at no application",
    "",
    ["grant", "ballast-dev", "--role", "Rollout.Read", "--to", ann],
    "cli-sign-in-unknown",
    "ballast sign-in create ballast-dev",
  ],
  [
    "when a role is to be given to nobody",
    "created",
    ["grant", "ballast-dev", "--role", "Rollout.Read", "--to", "ann"],
    "cli-sign-in-failed",
    "nobody there",
  ],
] as const)("says what to do %s", (_when, script, words, id, says) => {
  if (script !== undefined) az(script === "" || script === "created" ? undefined : script);
  if (script === "created") signIn("create", "ballast-dev");
  const { code, err } = signIn(...words);
  expect([code, err]).toEqual([1, expect.stringContaining(id)]);
  expect(err).toContain(says);
});

test("a role that there is not is refused before anything is asked", () => {
  az();
  expect(signIn("grant", "ballast-dev", "--role", "Rollout.Delete", "--to", ann)).toMatchObject({
    code: 2,
    err: expect.stringContaining("Rollout.Read, Rollout.Write"),
  });
  expect(existsSync(path.join(folder, "asked"))).toBe(false);
});

test("the Pulumi program of examples/sign-in comes to the same application", () => {
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
  expect([resources.reads, resources.writes].map(({ properties }) => properties.appRoleId)).toEqual(
    appRoles.map(({ id }) => id),
  );
});
