// Credentials whose rotation lacks a right: in the vault, at the storage account, or on the database server.
import { list, object, read, text } from "../../engines/form.ts";
import { parsedJson } from "../../engines/parsed-json.ts";
import { sameName } from "../../engines/rollout/weights.ts";
import { type Grants, rightsLacking } from "../../engines/rotation/condition.ts";
import {
  credentialsIn,
  credentialsVariable,
  exampleCredential,
  type SeenCredential,
} from "../systems/pulumi/credentials.ts";
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { exampleProgram } from "../systems/pulumi/plane-settings.ts";
import { variablesOf } from "../systems/pulumi/services.ts";
import { type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

/** Built-in roles that let nobody write a secret of a vault or make a key anew. Any other role is taken for enough. */
const powerless = {
  vault: [
    "4633458b-17de-408a-b874-0445c86b69e6", // Key Vault Secrets User
    "21090545-7ca7-4776-b22c-e363652d74d2", // Key Vault Reader
    "acdd72a7-3385-48ef-bd42-f606fba81ae7", // Reader
    "b24988ac-6180-42a0-ab88-20f7382dd24c", // Contributor: actions, and no data actions
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", // Owner: likewise
    "f25e0fa2-a7c8-4377-a976-54943a77a395", // Key Vault Contributor: likewise
  ],
  account: [
    "acdd72a7-3385-48ef-bd42-f606fba81ae7", // Reader
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", // Storage Blob Data Reader
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe", // Storage Blob Data Contributor
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", // Storage Blob Data Owner
  ],
} as const;

const judge = (view: StacksView): readonly PulumiDraft[] =>
  credentialsIn(view).flatMap((credential) =>
    rightsLacking({ ...credential, rotator: rotatorOf(view, credential) }, grantsOf(view, credential)).map((lack) => ({
      severity: "high",
      known: "structural",
      place: credential.place,
      message: `The credential ${credential.credential} cannot be rotated: ${lack}.`,
      cost: "Its version expires and no rotation replaces it.",
      fix: "give the control plane's identity the right, or let a SecretVault or a DatabaseRole give it",
      subject: `${credential.node.urn} ${credential.credential} ${lack}`,
      urn: credential.node.urn,
    })),
  );

/** Gives as whom a credential is rotated; the default is that of the declaration. */
const rotatorOf = (view: StacksView, { node, rotator }: SeenCredential): string | undefined =>
  rotator ?? (view.isUnknown(node, "rotator") ? undefined : "ballast_rotator");

/** Reads what the stacks give. Of a vault or an account that they do not declare, they need not give a right. */
function grantsOf(view: StacksView, { vault, storage, preparedBy }: SeenCredential): Grants {
  const vaults = view
    .ofType("keyvault:Vault")
    .filter((node) => names(view, node, "vaultName", vault) && usesRoles(view, node));
  const accounts = view
    .ofType("storage:StorageAccount")
    .filter((node) => storage !== undefined && names(view, node, "accountName", storage.account));
  return {
    isVaultWritten: vaults.length === 0 ? undefined : vaults.some((node) => isReached(view, node, vault, "vault")),
    areKeysMade:
      accounts.length === 0 || storage === undefined
        ? undefined
        : accounts.some((node) => isReached(view, node, storage.account, "account")),
    prepared: preparedBy?.job === undefined ? undefined : preparedIn(view, preparedBy.job),
  };
}

const names = (view: StacksView, node: ResourceNode, path: string, name: string): boolean =>
  view.texts(node, path).some((each) => sameName(each, name));

/** Whether roles decide who may use a vault. Whom its access policies name, a program often cannot know. */
const usesRoles = (view: StacksView, vault: ResourceNode): boolean =>
  view.find(vault, "properties.enableRbacAuthorization").some(({ value }) => value === true);

/** Whether a role that may be enough is assigned at a resource or above it. What is unknown may be such a role. */
const isReached = (view: StacksView, node: ResourceNode, name: string, at: keyof typeof powerless): boolean =>
  view
    .ofType("authorization:RoleAssignment")
    .some(
      (role) =>
        !view.texts(role, "roleDefinitionId").some((id) => powerless[at].some((guid) => id.endsWith(guid))) &&
        reaches(view, role, node, name),
    );

function reaches(view: StacksView, role: ResourceNode, node: ResourceNode, name: string): boolean {
  // A scope that follows from the outputs of another resource is not at this one.
  if (view.isUnknown(role, "scope")) {
    const sources = role.needs["scope"] ?? [];
    return sources.length === 0 || sources.includes(node.urn) || sources.some((urn) => isGroup(view, role, urn));
  }
  return view.texts(role, "scope").some((scope) => {
    const [, type = "", resource = "", below] = /\/providers\/([^/]+\/[^/]+)\/([^/]+)(\/.+)?$/.exec(scope) ?? [];
    return type === "" || (sameName(resource, name) && below === undefined);
  });
}

const isGroup = (view: StacksView, near: ResourceNode, urn: string): boolean => {
  const source = view.byUrn(near, urn);
  return source === undefined || source.type === "resources:ResourceGroup" || !source.isCustom;
};

const pairsForm = list(object({ a: text("a role's name"), b: text("a role's name") }));

/** Reads which roles a job prepares; undefined if the stacks have no such job, or do not say. */
function preparedIn(view: StacksView, job: string): Grants["prepared"] {
  const [node] = view.ofType("app:Job").filter((each) => names(view, each, "jobName", job));
  if (node === undefined) return undefined;
  const said = (name: string): string | undefined => variablesOf(node).find((each) => each.name === name)?.text;
  const pairs = read(pairsForm, parsedJson(said("BALLAST_DATABASE_CREDENTIALS") ?? ""), "stored");
  return "value" in pairs ? { job, pairs: pairs.value, rotator: said("BALLAST_DATABASE_GRANTEE") } : undefined;
}

const declared = { ...exampleCredential, rotator: "plane", preparedBy: { resourceGroup: "shop", job: "roles" } };
const program = (credentials: string, role: string, marked = ""): string =>
  `${exampleProgram(credentialsVariable, [declared])}${marked}
  vault:
    type: azure-native:keyvault:Vault
    properties:
      vaultName: kv-shop
      resourceGroupName: shop
      properties:
        tenantId: 00000000-0000-0000-0000-000000000000
        sku: { family: A, name: standard }
        enableRbacAuthorization: true
  role:
    type: azure-native:authorization:RoleAssignment
    properties:
      scope: \${vault.id}
      principalId: 00000000-0000-0000-0000-000000000001
      principalType: ServicePrincipal
      roleDefinitionId: /providers/Microsoft.Authorization/roleDefinitions/${role}
  roles:
    type: azure-native:app:Job
    properties:
      jobName: roles
      resourceGroupName: shop
      configuration: { triggerType: Manual, replicaTimeout: 600 }
      template:
        containers:
          - name: roles
            env:
              - { name: BALLAST_DATABASE_GRANTEE, value: plane }
              - { name: BALLAST_DATABASE_CREDENTIALS, value: '${credentials}' }
`;
const officer = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7";
const user = "4633458b-17de-408a-b874-0445c86b69e6";
const pair = '[{"owner":"shop_owner","a":"shop_a","b":"shop_b"}]';
const otherPair = '[{"owner":"shop_owner","a":"shop_1","b":"shop_2"}]';
const mark = " # <- finding";

export const credentialRightsMissing = pulumiRule({
  id: "credential-rights-missing",
  title: "A rotation lacks a right",
  antiPattern: 4,
  focus: "state",
  why:
    "A rotation writes versions into the vault, makes the keys of a storage account anew, or changes two roles of a " +
    "database. Without the right it is rejected, and nobody notices before the version expires.",
  severity: "High: the credential is never rotated.",
  fix:
    "Give the control plane's identity the role Key Vault Secrets Officer at the vault, and Storage Account Key " +
    "Operator Service Role at the account. Let the job of `preparedBy` prepare the pair, for the role that rotates it.",
  limits:
    "Only vaults, accounts and jobs of the same stacks are judged. Who has a role is not compared, and any role but " +
    "the built-in ones that are known to be too small counts as enough. What an identity has in Azure, and the " +
    "rotator on its server, is checked by `ballast doctor`.",
  isLocal: false,
  failing: [
    { "Pulumi.yaml": program(pair, user, mark) },
    { "Pulumi.yaml": program(otherPair, officer, mark) },
    { "Pulumi.yaml": program(pair, officer, mark).replace("value: plane", "value: another") },
  ],
  nearMisses: [
    {
      files: { "Pulumi.yaml": program(pair, officer) },
      because: "An identity may write the secrets of the vault.",
      edit: { file: "Pulumi.yaml", replace: officer, by: user },
    },
    {
      files: { "Pulumi.yaml": program(pair, officer) },
      because: "The job prepares the pair.",
      edit: { file: "Pulumi.yaml", replace: `"a":"shop_a","b":"shop_b"}]'`, by: `"a":"shop_1","b":"shop_2"}]'` },
    },
  ],
  judge,
});
