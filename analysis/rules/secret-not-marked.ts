// Secrets that Pulumi does not know as secrets: it then shows them in previews and keeps them in plain text in the
// state. Inside the policy pack the Pulumi CLI says which values are secret, so a copy that lost its mark is certain.

import type { Known, Place } from "../place.ts";
import type { ResourceNode, Setting, StackNode } from "../systems/pulumi/nodes.ts";
import { isHarmless, isSecretValue, secretIn, secretPaths } from "../systems/pulumi/secret-names.ts";
import { variablesOf } from "../systems/pulumi/services.ts";
import { type Hit, Sealed, SealedTexts } from "../systems/pulumi/value.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";
import { valueIn } from "../word-in.ts";

/** Shorter texts occur by chance. */
const lengthMin = 8;

const judge = (view: StacksView): readonly PulumiDraft[] => [
  ...view.stacks.flatMap((stack) => stack.settings.flatMap((setting) => ofSetting(stack, setting))),
  ...view.resources.flatMap((node) =>
    onePerPath([...byPath(view, node), ...byName(view, node), ...byShape(view, node)]),
  ),
  ...copies(view),
];

/** One value is reported once, by the surest way to know it. */
function onePerPath(drafts: readonly PulumiDraft[]): readonly PulumiDraft[] {
  const seen = new Set<string>();
  return drafts.filter(({ subject }) => !seen.has(subject) && seen.add(subject));
}

function byPath(view: StacksView, node: ResourceNode): readonly PulumiDraft[] {
  return (valueIn(secretPaths, node.type) ?? []).flatMap((path) =>
    view
      .find(node, path)
      .filter(({ value }) => typeof value === "string" && !isHarmless(value))
      .map((hit) => draft(view, node, hit.path, "is a secret that is not marked as one", "structural")),
  );
}

const byName = (view: StacksView, node: ResourceNode): readonly PulumiDraft[] =>
  variablesOf(node)
    .filter(({ name, text }) => isSecretValue(name, text))
    .map(({ name, path }) =>
      draft(view, node, path, `(${name}) is a secret by its name and is not marked as one`, { inferred: 0.85 }),
    );

const byShape = (view: StacksView, node: ResourceNode): readonly PulumiDraft[] =>
  node.inputs.leaves().flatMap(({ path, value }) => {
    const what = typeof value === "string" && value.length >= lengthMin ? secretIn(value) : undefined;
    return what === undefined
      ? []
      : [draft(view, node, path, `holds ${what} that is not marked as secret`, { inferred: 0.9 })];
  });

/** Plain texts that contain what is marked as a secret elsewhere in the stack. */
function copies(view: StacksView): readonly PulumiDraft[] {
  return view.stacks.flatMap((stack) => {
    const own = view.resources.filter((node) => node.stack === stack.id);
    const secrets = new SealedTexts();
    for (const node of own)
      for (const hit of node.inputs.leaves())
        for (const secret of sureSecret(node, hit)) secrets.add(secret, isTelling);
    return own.flatMap((node) =>
      node.inputs
        .leaves()
        .filter(({ path, value }) => typeof value === "string" && secrets.occurIn(value) && !isSecretPath(node, path))
        .map(({ path }) =>
          draft(view, node, path, "contains a secret of this stack that is not marked here", "structural"),
        ),
    );
  });
}

const sureSecret = (node: ResourceNode, { path, value }: Hit): readonly Sealed[] =>
  value instanceof Sealed && (value.isSure || isSecretPath(node, path)) ? [value] : [];

/** A word or a number may occur anywhere; a secret has several kinds of characters. An address of telemetry is none. */
const isTelling = (text: string): boolean =>
  !text.startsWith("InstrumentationKey=") &&
  [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(text)).length >= 3;

/** Whether a property always holds a secret; `byPath` reports these. */
const isSecretPath = (node: ResourceNode, path: string): boolean =>
  (valueIn(secretPaths, node.type) ?? []).some((each) => each === path.replaceAll(/\[\d+\]/g, "[]"));

const draft = (view: StacksView, node: ResourceNode, path: string, what: string, known: Known): PulumiDraft => ({
  ...common(view.placeOf(node, path), known, `${node.urn} ${path}`),
  message: `The value at ${path} of ${called(node)} ${what}.`,
  fix: "read it with requireSecret, or wrap it in pulumi.secret or fn::secret",
  urn: node.urn,
});

function ofSetting({ name, project }: StackNode, setting: Setting): readonly PulumiDraft[] {
  const { key, isSecret, texts } = setting;
  if (isSecret) return [];
  const all = texts();
  const shape = all.find(({ text }) => secretIn(text) !== undefined);
  const named = all.find(({ text }) => isSecretValue(key.replace(/^.*:/, ""), text));
  const found = shape ?? named;
  if (found === undefined) return [];
  return [
    {
      ...common(found.place, { inferred: shape ? 0.9 : 0.85 }, `${project} ${name} ${key}`),
      message: `The setting ${key} of the stack ${name} is a secret in plain text.`,
      fix: `replace the secret, and set the new one with \`pulumi config set --secret ${key}\``,
    },
  ];
}

const common = (place: Place, known: Known, subject: string) => ({
  severity: "high" as const,
  known,
  place,
  cost: "Everyone who reads the state, the preview's output or the repository can read the secret.",
  subject,
});

const program = (password: string): string => `name: store
runtime: yaml
config:
  databasePassword: { type: string, secret: true }
resources:
  database:
    type: azure-native:dbforpostgresql:Server
    properties:
      serverName: store
      administratorLogin: store
      administratorLoginPassword: ${password}
`;

const settings = (value: string): Readonly<Record<string, string>> => ({
  "Pulumi.yaml": "name: store\nruntime: nodejs\n",
  "Pulumi.prod.yaml": `config:
  store:region: westeurope
  store:smtpPassword: ${value}
`,
});

export const secretNotMarked = pulumiRule({
  id: "secret-not-marked",
  title: "A secret is not marked as secret",
  antiPattern: 6,
  focus: "state",
  why:
    "Pulumi encrypts only what it knows to be secret. A value that lost its mark, or never had one, stands " +
    "in plain text " +
    "in the state, in the output of previews, and in whatever collects that output. A secret in a stack's file is in " +
    "the history of the repository for ever.",
  severity: "High. It is certain if the property always holds a secret, or if the same text is marked elsewhere.",
  fix: "Mark the value where it enters the program: `pulumi config set --secret`, `requireSecret`, `pulumi.secret`.",
  limits:
    "Copies of a secret are found by the policy pack and by `ballast policy check --stack dev`; a state in a file " +
    "holds " +
    "secrets encrypted. Names and shapes are read narrowly, and such findings say that they are inferred.",
  isLocal: false,
  failing: [
    { "Pulumi.yaml": program("Tr0ub4dor-and-3 # <- finding").replace(/config:\n.*\n/, "") },
    settings("Tr0ub4dor-and-3 # <- finding"),
  ],
  nearMisses: [
    {
      files: { "Pulumi.yaml": program("${databasePassword}") },
      because: "The configuration marks the value as secret, and the mark goes with it.",
      edit: { file: "Pulumi.yaml", replace: "${databasePassword}", by: "Tr0ub4dor-and-3" },
    },
    {
      files: settings("{ secure: AAABAKu3ZJ8y }"),
      because: "The value is encrypted in the file.",
      edit: { file: "Pulumi.prod.yaml", replace: "{ secure: AAABAKu3ZJ8y }", by: "Tr0ub4dor-and-3" },
    },
  ],
  judge,
});
