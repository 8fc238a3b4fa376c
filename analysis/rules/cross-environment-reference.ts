// One environment's program that names another environment's resource: a staging host in production's settings, or the
// development vault in production's app. Registries are left out, because one image is promoted through all.
import type { Place } from "../place.ts";
import { type Environment, environmentOf, environmentsIn } from "../systems/pulumi/names.ts";
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { hostsIn } from "../systems/pulumi/services.ts";
import { shown } from "../systems/pulumi/value.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

/** Texts that name one resource for certain: an id in Azure, a URL, a host of a service, another stack. */
const naming = new RegExp(
  [
    String.raw`/subscriptions/[^/\s]+/resourceGroups/`,
    "^[a-z][a-z0-9+]*://",
    String.raw`\.(azure|windows)\.(com|net)\b`,
    String.raw`\.azurecontainerapps\.io\b`,
  ].join("|"),
  "i",
);
const registry = /\/providers\/Microsoft\.ContainerRegistry\/|\.azurecr\.(io|cn|us)\b/i;

const judge = (view: StacksView): readonly PulumiDraft[] => [
  ...view.stacks.flatMap((stack) => {
    const own = environmentOf(stack.name);
    if (own === undefined) return [];
    return stack.settings.flatMap(({ key, texts }) =>
      texts().flatMap(({ text, place }) => {
        const other = otherIn(text, own);
        return other
          ? [draft(place, `The setting ${key} of the stack ${stack.name}`, text, other, `${stack.name} ${key}`)]
          : [];
      }),
    );
  }),
  ...view.resources.flatMap((node) => ofResource(view, node)),
];

function ofResource(view: StacksView, node: ResourceNode): readonly PulumiDraft[] {
  const stack = view.stackOf(node);
  const own = environmentOf(stack.name);
  if (own === undefined || !node.isCustom) return [];
  const isReference = node.token === "pulumi:pulumi:StackReference";
  return node.inputs.leaves().flatMap(({ path, value }) => {
    if (typeof value !== "string") return [];
    const other = isReference && path === "name" ? foreign(value, own) : otherIn(value, own);
    if (other === undefined) return [];
    const what = `The value at ${path} of ${called(node)}, in the stack ${stack.name},`;
    return [{ ...draft(view.placeOf(node, path), what, value, other, `${node.urn} ${path}`), urn: node.urn }];
  });
}

const otherIn = (text: string, own: Environment): string | undefined =>
  naming.test(text) && !registry.test(text) ? foreign(text, own) : undefined;

/** The word of another environment; none if the text also names the own one, because then it says nothing. */
function foreign(text: string, own: Environment): string | undefined {
  const found = environmentsIn(namesIn(text));
  if (found.some(({ environment }) => environment === own)) return undefined;
  return found.find(({ environment }) => isApart(environment, own))?.word;
}

/**
 * The part of a text that names a resource: of a URL the host without its last label, because `.dev` is a domain and
 * `/health/live` is a path; anything else as it is.
 */
const namesIn = (text: string): string =>
  /^[a-z][a-z0-9+]*:\/\//i.test(text)
    ? hostsIn(text)
        .join(" ")
        .replaceAll(/\.[a-z]+(?= |$)/g, "")
    : text;

/** Development and test often share resources on purpose. Production and everything else do not. */
const isApart = (one: Environment, other: Environment): boolean => (one === "production") !== (other === "production");

const draft = (place: Place, what: string, text: string, word: string, subject: string): PulumiDraft => ({
  severity: "high",
  known: { inferred: 0.85 },
  place,
  message: `${what} names a resource of another environment (${word}): ${shown(text)}.`,
  cost: "A change or a failure in one environment reaches the other, and data may end up in the wrong one.",
  fix: "take the name from this environment's own resources or settings",
  subject,
});

const settings = (vault: string): Readonly<Record<string, string>> => ({
  "Pulumi.yaml": "name: shop\nruntime: nodejs\n",
  "Pulumi.prod.yaml": `config:
  shop:region: westeurope
  shop:vault: ${vault}
`,
});

export const crossEnvironmentReference = pulumiRule({
  id: "cross-environment-reference",
  title: "One environment uses a resource of another",
  antiPattern: 8,
  focus: "state",
  why:
    "Environments exist so that a failure in one does not reach another. A copied setting that still names the other " +
    "environment's database, vault or host undoes this, and nothing fails: production reads staging's secrets, or " +
    "staging writes into production's queue.",
  severity: "High, and inferred, because environments are told apart by words in names.",
  fix: "Derive names from the stack, or keep each environment's values in its own settings file only.",
  limits:
    "Environments are told apart by words such as dev, staging and prod in the names of stacks and resources. Only " +
    "production against the others is reported. Container registries are left out: one image is promoted through all.",
  isLocal: false,
  failing: [settings("https://shop-staging.vault.azure.net # <- finding")],
  nearMisses: [
    {
      files: settings("https://shop-prod.vault.azure.net"),
      because: "The vault is production's own.",
      edit: { file: "Pulumi.prod.yaml", replace: "shop-prod", by: "shop-dev" },
    },
  ],
  judge,
});
