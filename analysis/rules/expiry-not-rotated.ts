// Values with an expiry that nobody replaces: secrets in Key Vault, keys of storage accounts, passwords in Entra.
import { sameName } from "../../engines/rollout/weights.ts";
import { isRotatedBy } from "../../engines/rotation/condition.ts";
import {
  credentialsIn,
  credentialsVariable,
  exampleCredential,
  exampleStorage,
  type SeenCredential,
} from "../systems/pulumi/credentials.ts";
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { exampleProgram } from "../systems/pulumi/plane-settings.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

const expiry = "properties.attributes.expires";
const period = "keyPolicy.keyExpirationPeriodInDays";
const passwords = [
  "azuread:index/applicationPassword:ApplicationPassword",
  "azuread:index/servicePrincipalPassword:ServicePrincipalPassword",
] as const;

function judge(view: StacksView): readonly PulumiDraft[] {
  const credentials = credentialsIn(view);
  // One that is not known yet may be the rotation of anything.
  const isWhole = view
    .ofType("ballast:index:Credential")
    .every((node) => credentials.some((credential) => credential.node === node));
  if (!isWhole) return [];
  return [
    ...(isAnnounced(view) ? [] : view.ofType("keyvault:Secret").flatMap((node) => ofSecret(view, node, credentials))),
    ...view.ofType("storage:StorageAccount").flatMap((node) => ofAccount(view, node, credentials)),
    ...view.ofType(...passwords).flatMap((node) => ofPassword(view, node)),
  ];
}

/** Whether somebody is told of an expiry. A subscription without a filter gets every event. */
const isAnnounced = (view: StacksView): boolean =>
  view
    .ofType("eventgrid:SystemTopicEventSubscription", "eventgrid:EventSubscription")
    .some(
      (node) =>
        !view.exists(node, "filter.includedEventTypes") ||
        view.isUnknown(node, "filter.includedEventTypes[]") ||
        view.texts(node, "filter.includedEventTypes[]").some((type) => /SecretNearExpiry|SecretExpired/.test(type)),
    );

function ofSecret(
  view: StacksView,
  node: ResourceNode,
  credentials: readonly SeenCredential[],
): readonly PulumiDraft[] {
  const [vault] = view.texts(node, "vaultName");
  const [secret] = view.texts(node, "secretName");
  const isOff = view.find(node, "properties.attributes.enabled").some(({ value }) => value === false);
  const isOthers = view.isIgnored(node, "properties.value") || view.isIgnored(node, expiry);
  if (isOff || isOthers || isMade(node, "properties")) return [];
  if (vault === undefined || secret === undefined || view.find(node, expiry).length === 0) return [];
  if (credentials.some((credential) => isRotatedBy(credential, { vault, secret }))) return [];
  return [draft(view, node, expiry, `The Key Vault secret ${called(node)} expires, and nothing replaces it.`)];
}

/** Whether a value follows from another resource, which may make it anew. */
const isMade = ({ needs }: ResourceNode, property: string): boolean => (needs[property] ?? []).length > 0;

function ofAccount(
  view: StacksView,
  node: ResourceNode,
  credentials: readonly SeenCredential[],
): readonly PulumiDraft[] {
  const [account] = view.texts(node, "accountName");
  const isClosed = view.find(node, "allowSharedKeyAccess").some(({ value }) => value === false);
  if (isClosed || account === undefined || view.find(node, period).length === 0) return [];
  if (credentials.some(({ storage }) => storage !== undefined && sameName(storage.account, account))) return [];
  return [
    draft(view, node, period, `The keys of the storage account ${called(node)} expire, and nothing replaces them.`),
  ];
}

function ofPassword(view: StacksView, node: ResourceNode): readonly PulumiDraft[] {
  const ends = ["endDate", "endDateRelative"].find((path) => view.find(node, path).length > 0);
  if (ends === undefined || view.exists(node, "rotateWhenChanged") || isMade(node, ends)) return [];
  return [draft(view, node, ends, `The password ${called(node)} in Entra expires, and nothing replaces it.`)];
}

const draft = (view: StacksView, node: ResourceNode, path: string, message: string): PulumiDraft => ({
  severity: "medium",
  known: "structural",
  place: view.placeOf(node, path),
  message,
  cost: "Whoever uses it is refused once it has expired, or the expiry is ignored and means nothing.",
  fix: "declare a credential that rotates it, or subscribe to the event that announces its expiry",
  subject: `${node.urn} ${path}`,
  urn: node.urn,
});

const plane = (declared: object): string => exampleProgram(credentialsVariable, [declared]);
const secret = (name: string, marked = ""): string => `
  entry:
    type: azure-native:keyvault:Secret
    properties:
      vaultName: kv-shop
      secretName: ${name}
      properties:
        value: { "fn::secret": in-use }
        attributes:
          expires: 1798761600${marked}
`;
const account = (name: string, marked = ""): string => `
  account:
    type: azure-native:storage:StorageAccount
    properties:
      accountName: ${name}
      resourceGroupName: shop
      kind: StorageV2
      sku: { name: Standard_LRS }
      keyPolicy:
        keyExpirationPeriodInDays: 90${marked}
  operator:
    type: azure-native:authorization:RoleAssignment
    properties:
      scope: \${account.id}
      principalId: 00000000-0000-0000-0000-000000000001
      principalType: ServicePrincipal
      roleDefinitionId: /providers/Microsoft.Authorization/roleDefinitions/81a9662b-bebf-436f-a333-f67b29880f12
`;
const password = (more: string, marked = ""): string => `name: shop
runtime: yaml
resources:
  password:
    type: azuread:index/applicationPassword:ApplicationPassword
    properties:
      applicationId: /applications/00000000-0000-0000-0000-000000000001
      endDate: "2027-01-01T00:00:00Z"${marked}${more}
`;
const mark = " # <- finding";

export const expiryNotRotated = pulumiRule({
  id: "expiry-not-rotated",
  title: "An expiry that nobody rotates",
  antiPattern: 4,
  focus: "state",
  why:
    "An expiry says when a value must be replaced. If nothing replaces it, its users are refused at that moment, " +
    "all at once.",
  severity: "Medium.",
  fix:
    "Declare a credential whose rotation replaces the value, subscribe to the vault's event SecretNearExpiry, or let " +
    "`rotateWhenChanged` follow a clock.",
  limits:
    "Only what the stacks declare is known. A value that follows from another resource, that the program ignores or " +
    "that is disabled is left alone, and so are all secrets once a subscription may announce an expiry.",
  isLocal: false,
  failing: [
    { "Pulumi.yaml": `${plane(exampleCredential)}${secret("smtp", mark)}` },
    { "Pulumi.yaml": `${plane(exampleStorage)}${account("shoplogs", mark)}` },
    { "Pulumi.yaml": password("", mark) },
  ],
  nearMisses: [
    {
      files: { "Pulumi.yaml": `${plane(exampleStorage)}${account("shopdata")}` },
      because: "A credential rotates the keys of the account.",
      edit: { file: "Pulumi.yaml", replace: "accountName: shopdata", by: "accountName: shoplogs" },
    },
    {
      files: { "Pulumi.yaml": `${plane(exampleCredential)}${secret("database-a")}` },
      because: "The secret is a slot of a credential.",
      edit: { file: "Pulumi.yaml", replace: "secretName: database-a", by: "secretName: smtp" },
    },
    {
      files: { "Pulumi.yaml": password("\n      rotateWhenChanged:\n        month: ${clock.month}") },
      because: "The password is made anew whenever a clock says so.",
      edit: { file: "Pulumi.yaml", replace: "rotateWhenChanged", by: "keeps" },
    },
  ],
  judge,
});
