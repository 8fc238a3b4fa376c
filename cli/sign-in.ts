// `ballast sign-in`: makes the Entra application that the control plane's tokens are for, and gives its roles to people, groups, workflows.
// Everything goes through Azure's command line to Microsoft Graph; examples/sign-in is the same for Pulumi. Knows no stack and no control plane.
import { type Command, Option } from "commander";
import type { Role } from "../controlplane/api/authenticate.ts";
import { signInAzMissing, signInFailed, signInUnknown } from "../errors/cli.ts";
import { az } from "./az.ts";
import { print, printJson } from "./terminal.ts";

/** The application's roles. Their ids are ours in every tenant: an id names a role within its application only. */
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
];
/** What lets a person's command line ask for a token at all; what it may do is in the person's roles. */
const scopeId = "2a7aa7e8-748f-4c6f-8ab7-601c8079b1ee";
/** Azure's own command line, by the id that it has in every tenant. */
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

/** Adds the group of commands about who may call the control plane. */
export function addSignIn(program: Command): void {
  const group = program
    .command("sign-in")
    .description("make the application that callers sign in for, and give its roles");
  group
    .command("create")
    .description("make the application, or mend it, and say its audience")
    .argument("<name>", "what it is called; one a stack, so that a token for dev is none for prod")
    .option("--json", "answer in JSON")
    .addHelpText(
      "after",
      `
Needs \`az login\` as somebody who may register applications (Application Developer). May be run again: roles and applications that others
have added stay.

Examples:
  ballast sign-in create ballast-dev
  pulumi config set ballast:audience $(ballast sign-in create ballast-dev --json | jq -r .audience) --stack dev`,
    )
    .action(create);
  group
    .command("grant")
    .description("give one of its roles to somebody")
    .argument("<name>", "the application")
    .addOption(new Option("--role <role>", "which").choices(appRoles.map(({ value }) => value)).makeOptionMandatory())
    .requiredOption("--to <object id>", "a person, a group, or the service principal of an application or identity")
    .addHelpText(
      "after",
      `
Needs \`az login\` as an owner of the application's service principal or a Cloud Application Administrator. Of an application, it is the
service principal's object id that counts, not the application's. Writing does not include reading: give both to whoever follows a release.

Examples:
  ballast sign-in grant ballast-dev --role Rollout.Write --to $(az ad signed-in-user show --query id --output tsv)
  ballast sign-in grant ballast-dev --role Rollout.Write --to $(az ad sp show --id <client id of the workflow> --query id --output tsv)`,
    )
    .action(grant);
}

const ask = (step: string, args: readonly string[]): Promise<string> =>
  az(args, { missing: signInAzMissing, failed: (words) => signInFailed({ step, words }) });

/** Asks Microsoft Graph; what answers nothing gives undefined. */
async function asked<Answer>(step: string, method: string, path: string, body?: object): Promise<Answer> {
  const words = await ask(step, [
    "rest",
    "--method",
    method,
    "--url",
    `${graph}${path}`,
    "--output",
    "json",
    ...(body === undefined ? [] : ["--headers", "Content-Type=application/json", "--body", JSON.stringify(body)]),
  ]);
  return (words.trim() === "" ? undefined : JSON.parse(words)) as Answer;
}

/** The tenant is in it because Entra refuses audiences that another tenant could have as well. */
const audienceOf = async (name: string): Promise<string> =>
  `api://${(await ask("the question who you are", ["account", "show", "--query", "tenantId", "--output", "tsv"])).trim()}/${name}`;

async function find(audience: string): Promise<Application | undefined> {
  const uri = audience.replaceAll("'", "''");
  const { value } = await asked<{ value: readonly Application[] }>(
    "the search for the application",
    "GET",
    `/applications?$filter=${encodeURIComponent(`identifierUris/any(uri:uri eq '${uri}')`)}&$select=id,appId,appRoles,api`,
  );
  return value[0];
}

/** Finds what stands for the application in the tenant, which roles are given at, or makes it. */
async function principalOf({ appId }: Application): Promise<string> {
  const {
    value: [found],
  } = await asked<{ value: readonly { id: string }[] }>(
    "the search for its service principal",
    "GET",
    `/servicePrincipals?$filter=${encodeURIComponent(`appId eq '${appId}'`)}&$select=id`,
  );
  return (
    found ?? (await asked<{ id: string }>("making its service principal", "POST", "/servicePrincipals", { appId }))
  ).id;
}

/** Ours, and what others have added. */
const beside = <Item extends object>(
  ours: readonly Item[],
  theirs: readonly Item[] | undefined,
  key: keyof Item,
): readonly Item[] => [...ours, ...(theirs ?? []).filter((each) => !ours.some((own) => own[key] === each[key]))];

async function create(name: string, { json }: { json?: boolean }): Promise<void> {
  const audience = await audienceOf(name);
  const found =
    (await find(audience)) ??
    (await asked<Application>("making the application", "POST", "/applications", {
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
    // Tokens of the first shape are for the audience that was asked for; those of the second would be for the client id.
    requestedAccessTokenVersion: 1,
    oauth2PermissionScopes: beside<{ id: string }>([scope], found.api?.oauth2PermissionScopes, "id"),
  };
  await asked("writing its roles", "PATCH", path, {
    appRoles: beside<{ id: string }>(
      appRoles.map((role) => ({ ...role, isEnabled: true, allowedMemberTypes: ["User", "Application"] })),
      found.appRoles,
      "id",
    ),
    api,
  });
  // Graph knows a scope only after it was written.
  const preAuthorizedApplications = beside<{ appId: string }>(
    [{ appId: azureCli, delegatedPermissionIds: [scopeId] } as { appId: string }],
    found.api?.preAuthorizedApplications,
    "appId",
  );
  await asked("letting Azure's command line ask for tokens", "PATCH", path, {
    api: { ...api, preAuthorizedApplications },
  });
  const principal = await principalOf(found);
  if (json) return printJson({ name, audience, clientId: found.appId, servicePrincipal: principal });
  print(
    `${audience}\nName it in a stack: pulumi config set ballast:audience ${audience} --stack <stack>\nNobody has a role yet: ballast sign-in grant ${name} --role Rollout.Write --to <object id>`,
  );
}

async function grant(name: string, { role, to }: { role: Role; to: string }): Promise<void> {
  const audience = await audienceOf(name);
  const found = await find(audience);
  if (found === undefined) throw signInUnknown({ name, audience });
  const resourceId = await principalOf(found);
  const { id: appRoleId } = appRoles.find(({ value }) => value === role)!;
  await asked("giving the role", "POST", `/servicePrincipals/${resourceId}/appRoleAssignedTo`, {
    principalId: to,
    resourceId,
    appRoleId,
  }).catch((error: Error) => {
    if (!/already exists/i.test(error.message)) throw error;
  });
  print(`${to} has ${role} of ${audience}. Tokens that were issued before do not say so: sign in anew.`);
}
