// Apps whose secrets differ from the slots of the credential that they are declared to log in with.
import { sameName } from "../../engines/rollout/weights.ts";
import { type ConsumerSecrets, slotDrifts } from "../../engines/rotation/condition.ts";
import {
  credentialsIn,
  credentialsVariable,
  exampleCredential,
  type SeenCredential,
} from "../systems/pulumi/credentials.ts";
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { exampleProgram } from "../systems/pulumi/plane-settings.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

const secrets = "configuration.secrets";
/** What the judgement needs; what is known only after the update cannot be judged. */
const needed = [secrets, `${secrets}[].name`, `${secrets}[].keyVaultUrl`];

const judge = (view: StacksView): readonly PulumiDraft[] =>
  credentialsIn(view).flatMap((credential) =>
    credential.consumers
      .flatMap((consumer) => appsOf(view, credential.node, consumer))
      .flatMap((app) => judgeOne(view, app, credential)),
  );

/** Gives the app of a consumer in the stack of the declaration. A resource group that is unknown may be the one. */
const appsOf = (
  view: StacksView,
  { stack }: ResourceNode,
  { app, resourceGroup }: SeenCredential["consumers"][number],
): readonly ResourceNode[] =>
  view.ofType("app:ContainerApp").filter((node) => {
    const isGroupUnknown = view.isUnknown(node, "resourceGroupName");
    const groups = isGroupUnknown ? [] : view.texts(node, "resourceGroupName");
    return (
      node.stack === stack &&
      view.texts(node, "containerAppName").some((name) => sameName(name, app)) &&
      (groups.length === 0 || groups.some((group) => sameName(group, resourceGroup)))
    );
  });

function judgeOne(view: StacksView, app: ResourceNode, credential: SeenCredential): readonly PulumiDraft[] {
  const unknown = needed.filter((path) => view.isUnknown(app, path));
  for (const path of unknown) view.countUnknown(app, path);
  if (unknown.length > 0 || view.isIgnored(app, secrets)) return [];
  return slotDrifts(credential, secretsOf(view, app)).map((drift) => ({
    severity: "high",
    known: "structural",
    place: view.placeOf(app, secrets),
    message: `The app ${called(app)} drifted from the credential ${credential.credential}: ${drift}.`,
    cost: "A rotation cannot move the app to the new version, and closing the old one locks it out.",
    fix: "give the app the credential by `credentials` of CanaryApp, or take it out of the credential's consumers",
    subject: `${app.urn} ${credential.credential} ${drift}`,
    urn: app.urn,
    related: [{ place: credential.place, message: "the credential is declared here" }],
  }));
}

/** Reads what an app says of its secrets. */
function secretsOf(view: StacksView, app: ResourceNode): ConsumerSecrets {
  const urls = view.find(app, `${secrets}[].keyVaultUrl`);
  return {
    urls: new Map(
      view.find(app, `${secrets}[].name`).map(({ value, path }) => {
        const url = urls.find((each) => each.path === path.replace(/name$/, "keyVaultUrl"))?.value;
        return [String(value), typeof url === "string" ? url : null];
      }),
    ),
    named: view.texts(app, "template.containers[].env[].secretRef"),
  };
}

const program = (vault: string, mark = ""): string => `${exampleProgram(credentialsVariable, [exampleCredential])}
  web:
    type: azure-native:app:ContainerApp
    properties:
      containerAppName: web
      resourceGroupName: shop
      configuration:
        secrets:${mark}
          - name: database-a
            keyVaultUrl: https://${vault}.vault.azure.net/secrets/database-a/1
            identity: system
      template:
        containers:
          - name: web
            env:
              - { name: DATABASE_URL, secretRef: database-a }
`;

export const credentialSlotDrifted = pulumiRule({
  id: "credential-slot-drifted",
  title: "An app differs from the credential that it logs in with",
  antiPattern: 4,
  focus: "state",
  why:
    "A rotation moves each consumer from one slot to the other, and then closes the old role. An app that has " +
    "neither slot, has a value of its own or refers to another vault is not moved, and its next login is refused.",
  severity: "High: the next rotation stops at the app, or locks it out.",
  fix: "Give the app the slots of the credential with `credentials` of CanaryApp, or remove it from the consumers.",
  limits:
    "Only apps of the stack that declares the credential are judged, by what the program says. Which slot an app in " +
    "Azure has is compared by `ballast doctor`.",
  isLocal: false,
  failing: [{ "Pulumi.yaml": program("kv-other", " # <- finding") }],
  nearMisses: [
    {
      files: { "Pulumi.yaml": program("kv-shop") },
      because: "The app refers to a slot of the credential, in its vault.",
      edit: { file: "Pulumi.yaml", replace: "https://kv-shop", by: "https://kv-other" },
    },
  ],
  judge,
});
