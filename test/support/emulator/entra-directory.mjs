// An Entra directory in place of the Azure CLI: started as `az`, it answers what Microsoft Graph's documents say.
// Arguments: the folder of its state, the tenant, then those of `az`. A list in a PATCH replaces the whole list, a
// scope must exist before it is pre-authorized, an audience belongs to one application, and a role is granted once.
import fs from "node:fs";
import path from "node:path";

const [folder = "", tenant = "", ...args] = process.argv.slice(2);
const file = path.join(folder, "directory.json");
/** @type {Record<"applications" | "principals" | "assignments", any[]>} */
const kept = fs.existsSync(file)
  ? JSON.parse(fs.readFileSync(file, "utf8"))
  : { applications: [], principals: [], assignments: [] };
const option = (/** @type {string} */ name) => args[args.indexOf(name) + 1] ?? "";
fs.appendFileSync(path.join(folder, "asked"), `${args.join(" ")}\n`);

/** @type {(message: string) => never} */
function fail(message) {
  console.error(`ERROR: Bad Request(${message})`);
  process.exit(1);
}

/** @type {(body: unknown) => never} */
function answer(body) {
  fs.writeFileSync(file, JSON.stringify(kept));
  if (body !== undefined) console.log(JSON.stringify(body));
  process.exit(0);
}

/** @type {(body: any) => void} */
function checkApplication({ api, appRoles }) {
  const scopeExists = (/** @type {string} */ id) =>
    kept.applications.some((each) =>
      each.api.oauth2PermissionScopes?.some((/** @type {any} */ scope) => scope.id === id),
    );
  for (const { delegatedPermissionIds } of api?.preAuthorizedApplications ?? [])
    if (!delegatedPermissionIds.every(scopeExists)) fail("a permission that is not found");
  for (const each of appRoles ?? [])
    if (!each.isEnabled || !each.allowedMemberTypes.length) fail("a role that no member type can have");
}

/** @type {(body: any) => unknown} */
function createApplication(body) {
  const taken = kept.applications.flatMap(({ identifierUris }) => identifierUris);
  if (body.identifierUris.some((/** @type {string} */ each) => taken.includes(each)))
    fail("another application has that audience");
  if (!body.identifierUris.every((/** @type {string} */ each) => each.includes(tenant)))
    fail("an audience without a tenant");
  const number = kept.applications.length;
  const created = { id: `object-${number}`, appId: `client-${number}`, appRoles: [], api: {}, ...body };
  kept.applications.push(created);
  return created;
}

/** @type {(id: string | undefined, body: any) => void} */
function patchApplication(id, body) {
  checkApplication(body);
  const found = kept.applications.find((each) => each.id === id);
  Object.assign(found, body, { api: { ...found.api, ...body.api } });
}

/** @type {(id: string | undefined, body: any) => unknown} */
function assignRole(id, body) {
  const { principalId, appRoleId, resourceId } = body;
  if (kept.assignments.some((each) => each.principalId === principalId && each.appRoleId === appRoleId))
    fail("Permission being assigned already exists on the object");
  const hasRole = kept.applications.some(({ appRoles }) =>
    appRoles.some((/** @type {any} */ role) => role.id === appRoleId),
  );
  if (principalId.length !== 36 || !hasRole || id !== resourceId) fail("no such principal");
  kept.assignments.push(body);
  return body;
}

/** @type {(body: any) => unknown} */
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
