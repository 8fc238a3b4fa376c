// `ballast sign-in`: creates the Entra application that the control plane's tokens are for, and grants its roles to
// people, groups and workflows. It calls Microsoft Graph through the Azure CLI. The Pulumi program in examples/sign-in
// does the same.
import { type Command, Option } from "commander";
import type { Role } from "../controlplane/api/roles.ts";
import { signInAzMissing, signInFailed, signInUnknown } from "../errors/cli.ts";
import { az } from "./az.ts";
import { print, printJson } from "./terminal.ts";

/** The application's roles. The ids are the same in every tenant: an id names a role within its application only. */
export const appRoles: readonly {
  readonly id: string;
  readonly value: Role;
  readonly displayName: string;
  readonly description: string;
}[] = [
  {
    id: "45415379-ba97-4956-ad9a-f484de8c3aa0",
    value: "Rollout.Read",
    displayName: "Read rollouts",
    description: "Sees rollouts and their journals.",
  },
  {
    id: "0b453281-e194-4945-a0bc-8fad5a988c13",
    value: "Rollout.Write",
    displayName: "Release",
    description: "Asks for rollouts and sends signals to them.",
  },
  {
    id: "6f4c9d0e-5b1f-4f0a-9c52-3d6f0f8f3b7a",
    value: "Rollout.Approve",
    displayName: "Approve",
    description: "Approves the rollouts that others asked for.",
  },
  {
    id: "c2d9a3f4-7be1-4c0d-8f6a-92b1e0d47c35",
    value: "Remediation.Approve",
    displayName: "Approve remediations",
    description: "Approves the actions of remediations that wait for a person.",
  },
  {
    id: "8d1f0c52-3a0b-4f5e-9a67-5e2b7c94d1e8",
    value: "ActionGroupsSecureWebhook",
    displayName: "Deliver alerts",
    description: "Delivers alerts of Azure Monitor. For Azure Monitor alone.",
  },
  {
    id: "5f0a6f0e-3c57-4a0b-8f0e-9d2b6c1e7a44",
    value: "AzureEventGridSecureWebhookSubscriber",
    displayName: "Deliver events",
    description: "Delivers events of vaults. For Event Grid, and for whoever creates its subscription.",
  },
];
/** Lets a person's Azure CLI request a token. What the token permits depends on the person's roles. */
const scopeId = "2a7aa7e8-748f-4c6f-8ab7-601c8079b1ee";
/** The Azure CLI, by the id that it has in every tenant. */
const azureCli = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
const graph = "https://graph.microsoft.com/v1.0";

interface Application {
  readonly id: string;
  readonly appId: string;
  readonly appRoles: readonly { readonly id: string }[];
  readonly api: {
    readonly preAuthorizedApplications?: readonly { readonly appId: string }[];
    readonly oauth2PermissionScopes?: readonly { readonly id: string }[];
  };
}

/** Adds the group of commands about access to the control plane. */
export function addSignIn(program: Command): void {
  const group = program
    .command("sign-in")
    .description("set up the Entra application that callers sign in to, and grant its roles");
  group
    .command("create")
    .description("create or repair the application, and print its audience")
    .argument("<name>", "name of the application; use one per stack, so that a token for dev is not valid for prod")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Needs \`az login\` with the role Application Developer. Running it again is safe: it keeps roles and applications that
others have added.

Examples:
  ballast sign-in create ballast-dev
  pulumi config set ballast:audience $(ballast sign-in create ballast-dev --json | jq -r .audience) --stack dev`,
    )
    .action(create);
  group
    .command("grant")
    .description("grant one of the application's roles")
    .argument("<name>", "name of the application")
    .addOption(
      new Option("--role <role>", "role to grant").choices(appRoles.map(({ value }) => value)).makeOptionMandatory(),
    )
    .requiredOption(
      "--to <object id>",
      "object id of a person, a group, or the service principal of an application or identity",
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Needs \`az login\` as an owner of the application's service principal, or as a Cloud Application Administrator.
To grant a role to an application, pass the object id of its service principal, not the application's own.
No role includes another: grant Rollout.Write and Rollout.Read to whoever releases, and Rollout.Approve and Rollout.Read
to whoever approves.

Examples:
  ballast sign-in grant ballast-dev --role Rollout.Write --to $(az ad signed-in-user show --query id --output tsv)
  ballast sign-in grant ballast-dev --role Rollout.Write \\
    --to $(az ad sp show --id <client id of the workflow> --query id --output tsv)`,
    )
    .action(grant);
}

const run = (step: string, args: readonly string[]): Promise<string> =>
  az(args, { missing: signInAzMissing, failed: (output) => signInFailed({ step, output }) });

/** Calls Microsoft Graph. An empty answer gives undefined. */
async function call<Answer>(step: string, method: string, path: string, body?: object): Promise<Answer> {
  const output = await run(step, [
    "rest",
    "--method",
    method,
    "--url",
    `${graph}${path}`,
    "--output",
    "json",
    ...(body === undefined ? [] : ["--headers", "Content-Type=application/json", "--body", JSON.stringify(body)]),
  ]);
  return (output.trim() === "" ? undefined : JSON.parse(output)) as Answer;
}

/**
 * Gives the application's audience.
 *
 * It includes the tenant's id, since Entra refuses one that another tenant could use.
 */
async function audienceOf(name: string): Promise<string> {
  const tenant = await run("reading the signed-in account", [
    "account",
    "show",
    "--query",
    "tenantId",
    "--output",
    "tsv",
  ]);
  return `api://${tenant.trim()}/${name}`;
}

async function find(audience: string): Promise<Application | undefined> {
  const uri = audience.replaceAll("'", "''");
  const filter = encodeURIComponent(`identifierUris/any(uri:uri eq '${uri}')`);
  const { value } = await call<{ value: readonly Application[] }>(
    "searching for the application",
    "GET",
    `/applications?$filter=${filter}&$select=id,appId,appRoles,api`,
  );
  return value[0];
}

/** Finds or creates the application's service principal, on which roles are granted. */
async function principalOf({ appId }: Application): Promise<string> {
  const {
    value: [found],
  } = await call<{ value: readonly { id: string }[] }>(
    "searching for its service principal",
    "GET",
    `/servicePrincipals?$filter=${encodeURIComponent(`appId eq '${appId}'`)}&$select=id`,
  );
  return (
    found ?? (await call<{ id: string }>("creating its service principal", "POST", "/servicePrincipals", { appId }))
  ).id;
}

/** Gives our items and those that others have added. A PATCH replaces the whole list. */
const beside = <Item extends object>(
  ours: readonly Item[],
  theirs: readonly Item[] | undefined,
  key: keyof Item,
): readonly Item[] => [...ours, ...(theirs ?? []).filter((each) => !ours.some((own) => own[key] === each[key]))];

async function create(name: string, { json }: { json?: boolean }): Promise<void> {
  const audience = await audienceOf(name);
  const found =
    (await find(audience)) ??
    (await call<Application>("creating the application", "POST", "/applications", {
      displayName: name,
      signInAudience: "AzureADMyOrg",
      identifierUris: [audience],
    }));
  const path = `/applications/${found.id}`;
  const scope = {
    id: scopeId,
    value: "access",
    type: "User",
    isEnabled: true,
    adminConsentDisplayName: "Call the control plane",
    adminConsentDescription:
      "Calls Ballast's control plane as the person who is signed in, within that person's roles.",
  };
  const api = {
    // Version 1 tokens carry the requested audience; version 2 tokens carry the client id instead.
    requestedAccessTokenVersion: 1,
    oauth2PermissionScopes: beside<{ id: string }>([scope], found.api?.oauth2PermissionScopes, "id"),
  };
  await call("writing its roles", "PATCH", path, {
    appRoles: beside<{ id: string }>(
      appRoles.map((role) => ({ ...role, isEnabled: true, allowedMemberTypes: ["User", "Application"] })),
      found.appRoles,
      "id",
    ),
    api,
  });
  // Graph accepts a reference to a scope only after the scope is written.
  const preAuthorizedApplications = beside<{ appId: string }>(
    [{ appId: azureCli, delegatedPermissionIds: [scopeId] } as { appId: string }],
    found.api?.preAuthorizedApplications,
    "appId",
  );
  await call("authorizing the Azure CLI to request tokens", "PATCH", path, {
    api: { ...api, preAuthorizedApplications },
  });
  const principal = await principalOf(found);
  if (json) return printJson({ name, audience, clientId: found.appId, servicePrincipal: principal });
  print(
    [
      audience,
      `Next, configure it in a stack: pulumi config set ballast:audience ${audience} --stack <stack>`,
      "and grant its roles, since no caller has one at first: " +
        `ballast sign-in grant ${name} --role Rollout.Write --to <object id>`,
    ].join("\n"),
  );
}

async function grant(name: string, { role, to, json }: { role: Role; to: string; json?: boolean }): Promise<void> {
  const audience = await audienceOf(name);
  const found = await find(audience);
  if (found === undefined) throw signInUnknown({ name, audience });
  const resourceId = await principalOf(found);
  const { id: appRoleId } = appRoles.find(({ value }) => value === role)!;
  await call("granting the role", "POST", `/servicePrincipals/${resourceId}/appRoleAssignedTo`, {
    principalId: to,
    resourceId,
    appRoleId,
  }).catch((error: Error) => {
    if (!/already exists/i.test(error.message)) throw error;
  });
  if (json) return printJson({ name, audience, role, to });
  print(`Granted ${role} on ${audience} to ${to}. Tokens issued earlier do not include it: sign in again.`);
}
