// An Entra directory in place of the Azure CLI: started as `az`, it answers what Microsoft Graph's documents say.
// Arguments: the folder of its state, the tenant, then those of `az`. A list in a PATCH replaces the whole list, a
// scope must exist before it is pre-authorized, an audience belongs to one application, and a role is granted once.
import fs from "node:fs";
import path from "node:path";

const [folder, tenant, ...args] = process.argv.slice(2);
const file = path.join(folder, "directory.json");
const kept = fs.existsSync(file)
  ? JSON.parse(fs.readFileSync(file, "utf8"))
  : { applications: [], principals: [], assignments: [] };
const option = (name) => args[args.indexOf(name) + 1];
fs.appendFileSync(path.join(folder, "asked"), `${args.join(" ")}\n`);

function fail(message) {
  console.error(`ERROR: Bad Request(${message})`);
  process.exit(1);
}

function answer(body) {
  fs.writeFileSync(file, JSON.stringify(kept));
  if (body !== undefined) console.log(JSON.stringify(body));
  process.exit(0);
}

function checkApplication({ api, appRoles }) {
  const scopeExists = (id) =>
    kept.applications.some((each) => each.api.oauth2PermissionScopes?.some((scope) => scope.id === id));
  for (const { delegatedPermissionIds } of api?.preAuthorizedApplications ?? [])
    if (!delegatedPermissionIds.every(scopeExists)) fail("a permission that is not found");
  for (const each of appRoles ?? [])
    if (!each.isEnabled || !each.allowedMemberTypes.length) fail("a role that nobody can have");
}

function createApplication(body) {
  const taken = kept.applications.flatMap(({ identifierUris }) => identifierUris);
  if (body.identifierUris.some((each) => taken.includes(each))) fail("another application has that audience");
  if (!body.identifierUris.every((each) => each.includes(tenant))) fail("an audience without a tenant");
  const number = kept.applications.length;
  const created = { id: `object-${number}`, appId: `client-${number}`, appRoles: [], api: {}, ...body };
  kept.applications.push(created);
  return created;
}

function patchApplication(id, body) {
  checkApplication(body);
  const found = kept.applications.find((each) => each.id === id);
  Object.assign(found, body, { api: { ...found.api, ...body.api } });
}

function assignRole(id, body) {
  const { principalId, appRoleId, resourceId } = body;
  if (kept.assignments.some((each) => each.principalId === principalId && each.appRoleId === appRoleId))
    fail("Permission being assigned already exists on the object");
  const hasRole = kept.applications.some(({ appRoles }) => appRoles.some((role) => role.id === appRoleId));
  if (principalId.length !== 36 || !hasRole || id !== resourceId) fail("nobody there");
  kept.assignments.push(body);
  return body;
}

function createPrincipal(body) {
  const created = { id: `principal-of-${body.appId}`, ...body };
  kept.principals.push(created);
  return created;
}

if (args[0] === "account") {
  console.log(tenant);
  process.exit(0);
}
if (args[0] !== "rest" || !option("--url").startsWith("https://graph.microsoft.com/v1.0/")) fail("not Graph");
const url = new URL(option("--url"));
const [kind, objectId, child] = url.pathname.split("/").slice(2);
const sent = args.includes("--body") ? JSON.parse(option("--body")) : undefined;
if (sent && option("--headers") !== "Content-Type=application/json") fail("not JSON");
const [, value] = /eq '(.*)'/.exec(url.searchParams.get("$filter") ?? "") ?? [];
const call = `${option("--method")} ${kind}${child === undefined ? "" : `/${child}`}`;
if (call === "GET applications")
  answer({ value: kept.applications.filter(({ identifierUris }) => identifierUris.includes(value)) });
if (call === "POST applications") answer(createApplication(sent));
if (call === "PATCH applications") answer(patchApplication(objectId, sent));
if (call === "GET servicePrincipals") answer({ value: kept.principals.filter(({ appId }) => appId === value) });
if (call === "POST servicePrincipals/appRoleAssignedTo") answer(assignRole(objectId, sent));
if (call === "POST servicePrincipals") answer(createPrincipal(sent));
fail(call);
