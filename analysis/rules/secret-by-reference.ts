// Secrets of an app that are written into it, or pinned to one version in Key Vault. Neither changes when the secret
// is rotated, so a rotation needs a deployment, and the old value stays in the state.
import { slotSecret, slots } from "../../engines/rotation/declaration.ts";
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { isRecord, type Properties } from "../systems/pulumi/value.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

/** The address at which telemetry is sent. Its key gives no access when the sender signs in. */
const noCredential = "APPLICATIONINSIGHTS_CONNECTION_STRING";
const versioned = /^https:\/\/[^/]+\.vault\.[^/]+\/secrets\/([^/]+)\/[0-9a-f]{32}\/?$/i;

const judge = (view: StacksView): readonly PulumiDraft[] =>
  view.ofType("app:ContainerApp", "app:Job").flatMap((node) =>
    view.isIgnored(node, "configuration.secrets[].value")
      ? []
      : view.find(node, "configuration.secrets[]").flatMap(({ path, value }) => {
          if (!isRecord(value)) return [];
          return judgeSecret(view, node, path, value, servesTelemetryOnly(view, node, value));
        }),
  );

function judgeSecret(
  view: StacksView,
  node: ResourceNode,
  path: string,
  secret: Properties,
  isHarmless: boolean,
): readonly PulumiDraft[] {
  const { keyVaultUrl, value } = secret;
  const name = typeof secret["name"] === "string" ? `The secret ${secret["name"]}` : "A secret";
  if (typeof keyVaultUrl === "string" && versioned.test(keyVaultUrl))
    return isSlot(view, node, secret)
      ? []
      : [
          draft(view, node, `${path}.keyVaultUrl`, {
            message: `${name} of ${called(node)} is pinned to one version in Key Vault.`,
            fix: "remove the version from keyVaultUrl, so that the app reads the newest one",
          }),
        ];
  if (value === undefined || value === null || keyVaultUrl || isHarmless) return [];
  return [
    draft(view, node, `${path}.value`, {
      message: `${name} of ${called(node)} is written into the app.`,
      fix: "store it in Key Vault and give the app keyVaultUrl and identity",
    }),
  ];
}

/** Whether a secret is one of a credential's two slots: a rotation moves the app from the one to the other. */
function isSlot(view: StacksView, node: ResourceNode, { name }: Properties): boolean {
  const pinned = view
    .texts(node, "configuration.secrets[].keyVaultUrl")
    .map((url) => versioned.exec(url)?.[1]?.toLowerCase());
  return slots.some(
    (slot) =>
      typeof name === "string" &&
      name.endsWith(slotSecret("", slot)) &&
      slots.every((each) => pinned.includes(slotSecret(name.slice(0, -2), each))),
  );
}

/** Whether a secret is used, and only as the address of telemetry. Its name may be sealed; then its index decides. */
function servesTelemetryOnly(view: StacksView, node: ResourceNode, { name }: Properties): boolean {
  const uses = view
    .find(node, "template.containers[].env[]")
    .flatMap(({ value }) => (isRecord(value) && value["secretRef"] !== undefined ? [value] : []));
  const own = uses.filter(({ secretRef }) => typeof name !== "string" || secretRef === name);
  return own.length > 0 && own.every((each) => each["name"] === noCredential);
}

const draft = (
  view: StacksView,
  node: ResourceNode,
  path: string,
  { message, fix }: { readonly message: string; readonly fix: string },
): PulumiDraft => ({
  severity: "medium",
  known: "structural",
  place: view.placeOf(node, path),
  message,
  cost: "A rotation does not reach the app until somebody deploys it, and an emergency rotation stops the service.",
  fix,
  subject: `${node.urn} ${path}`,
  urn: node.urn,
});

const program = (secret: string): string => `name: shop
runtime: yaml
config:
  smtpPassword: { type: string, secret: true }
resources:
  shop:
    type: azure-native:app:ContainerApp
    properties:
      containerAppName: shop
      configuration:
        secrets:
          - name: smtp
${secret}`;

const byReference = program(`            keyVaultUrl: https://shop.vault.azure.net/secrets/smtp
            identity: system
`);

const version = "0123456789abcdef".repeat(2);
const slotsOf = program(
  ["smtp-a", "smtp-b"]
    .map((name) => `keyVaultUrl: https://shop.vault.azure.net/secrets/${name}/${version}`)
    .map((url) => `            ${url}\n            identity: system\n`)
    .join("          - name: smtp-b\n"),
).replace("name: smtp\n", "name: smtp-a\n");

export const secretByReference = pulumiRule({
  id: "secret-by-reference",
  title: "An app holds a secret instead of a reference to it",
  antiPattern: 8,
  focus: "state",
  why:
    "A secret that the program writes into an app exists in the state, in the app, and wherever the program got it " +
    "from. Rotating it means a deployment of each app that has it. A reference to Key Vault is read again by itself, " +
    "unless it names one version.",
  severity: "Medium.",
  fix: "Put the value into Key Vault, and let the app refer to it by keyVaultUrl without a version.",
  limits:
    "A secret that is used only as the connection string of Application Insights is left alone: it is an address, " +
    "and the sender signs in with its identity. So are the two slots of a credential, whose versions rotations move.",
  isLocal: true,
  failing: [
    { "Pulumi.yaml": program("            value: ${smtpPassword} # <- finding\n") },
    {
      "Pulumi.yaml": byReference.replace("secrets/smtp\n", `secrets/smtp/${version} # <- finding\n`),
    },
  ],
  nearMisses: [
    {
      files: { "Pulumi.yaml": byReference },
      because: "The app reads the newest version from Key Vault.",
      edit: {
        file: "Pulumi.yaml",
        replace: "keyVaultUrl: https://shop.vault.azure.net/secrets/smtp\n            identity: system",
        by: "value: ${smtpPassword}",
      },
    },
    {
      files: { "Pulumi.yaml": slotsOf },
      because: "The two secrets are the slots of a credential, which a rotation moves to other versions.",
      edit: { file: "Pulumi.yaml", replace: `secrets/smtp-b/${version}`, by: "secrets/smtp-b" },
    },
  ],
  judge,
});
