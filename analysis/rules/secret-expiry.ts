// Secrets in Key Vault that never expire. Nothing then says when they are due, and no event starts their rotation.
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

const expiry = "properties.attributes.expires";

const judge = (view: StacksView): readonly PulumiDraft[] =>
  view.ofType("keyvault:Secret").flatMap((node) => {
    const isOff = view.find(node, "properties.attributes.enabled").some(({ value }) => value === false);
    if (isOff || view.isIgnored(node, expiry) || view.isUnknown(node, expiry)) {
      view.find(node, expiry);
      return [];
    }
    if (view.find(node, expiry).length > 0) return [];
    return [
      {
        severity: "medium",
        known: "structural",
        place: view.placeOf(node, "properties"),
        message: `The Key Vault secret ${called(node)} never expires.`,
        cost: "No event announces that it is due, so it is rotated when it has leaked, or never.",
        fix: "set properties.attributes.expires, and renew the secret before that time",
        subject: `${node.urn} expiry`,
        urn: node.urn,
      },
    ];
  });

const program = `name: vault
runtime: yaml
config:
  smtpPassword: { type: string, secret: true }
resources:
  smtp:
    type: azure-native:keyvault:Secret
    properties:
      vaultName: shop
      secretName: smtp
      properties:
        value: \${smtpPassword}
`;
const expiring = `${program}        attributes:
          expires: 1798761600
  renewal:
    type: azure-native:eventgrid:SystemTopicEventSubscription
    properties:
      systemTopicName: shop
      filter:
        includedEventTypes: [Microsoft.KeyVault.SecretNearExpiry]
`;

export const secretExpiry = pulumiRule({
  id: "secret-expiry",
  title: "A secret in Key Vault never expires",
  antiPattern: 4,
  focus: "state",
  why:
    "Key Vault sends its near-expiry event only for a secret with an expiry. Without one, nothing starts a " +
    "rotation and " +
    "no report lists the secret as overdue.",
  severity: "Medium.",
  fix: "Give each secret an expiry and something that renews it: a rotation, or an alert that a person answers.",
  limits:
    "Only that there is an expiry is judged, because a rule has no clock. A secret that the program ignores " +
    "or that is " +
    "disabled is left alone.",
  isLocal: true,
  failing: [
    {
      "Pulumi.yaml": program.replace(
        "      properties:\n        value",
        "      properties: # <- finding\n        value",
      ),
    },
  ],
  nearMisses: [
    {
      files: { "Pulumi.yaml": expiring },
      because: "The secret has an expiry, and an event announces it.",
      edit: { file: "Pulumi.yaml", replace: "expires: 1798761600", by: "enabled: true" },
    },
  ],
  judge,
});
