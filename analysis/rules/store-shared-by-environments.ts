// One store of data for production and for another environment: the settings or the apps of both name the same
// database, vault, cache, queue or storage account.

import { groupedBy } from "../../engines/grouped.ts";
import type { Place } from "../place.ts";
import { type Environment, environmentOf } from "../systems/pulumi/names.ts";
import type { StackNode } from "../systems/pulumi/nodes.ts";
import { hostsIn } from "../systems/pulumi/services.ts";
import { type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

/** Hosts of services that hold data. A registry is none: one image is promoted through all environments. */
const suffixes = [
  "postgres.database.azure.com",
  "mysql.database.azure.com",
  "database.windows.net",
  "vault.azure.net",
  "documents.azure.com",
  "servicebus.windows.net",
  "redis.cache.windows.net",
  ...["blob", "queue", "table", "file", "dfs"].map((kind) => `${kind}.core.windows.net`),
];
const store = new RegExp(`^[a-z0-9-]+\\.(${suffixes.map((each) => each.replaceAll(".", "\\.")).join("|")})$`);

/** One place that names a store. */
interface Use {
  readonly host: string;
  readonly stack: StackNode;
  readonly environment: Environment;
  readonly place: Place;
}

const judge = (view: StacksView): readonly PulumiDraft[] =>
  groupedBy([...inSettings(view), ...inResources(view)], ({ host, stack }) => `${stack.project} ${host}`).flatMap(
    (uses) => {
      const production = uses.find(({ environment }) => environment === "production");
      const other = uses.find(({ environment }) => environment !== "production");
      return production && other ? [draft(production, other)] : [];
    },
  );

const inSettings = (view: StacksView): readonly Use[] =>
  view.stacks.flatMap((stack) =>
    stack.settings.flatMap(({ texts }) => texts().flatMap(({ text, place }) => usesIn(stack, text, place))),
  );

const inResources = (view: StacksView): readonly Use[] =>
  view.resources.flatMap((node) =>
    node.inputs
      .leaves()
      .flatMap(({ path, value }) =>
        typeof value === "string" && /\.(net|com)\b/.test(value)
          ? usesIn(view.stackOf(node), value, view.placeOf(node, path))
          : [],
      ),
  );

function usesIn(stack: StackNode, text: string, place: Place): readonly Use[] {
  const environment = environmentOf(stack.name);
  if (environment === undefined) return [];
  const bare = /^[a-z0-9.-]+$/i.test(text) ? [text.toLowerCase()] : hostsIn(text);
  return bare.filter((host) => store.test(host)).map((host) => ({ host, stack, environment, place }));
}

const draft = (production: Use, other: Use): PulumiDraft => ({
  severity: "critical",
  known: { inferred: 0.9 },
  place: other.place,
  message: `The stacks ${other.stack.name} and ${production.stack.name} both use ${other.host}.`,
  cost: `What ${other.stack.name} writes, deletes or rotates, production reads.`,
  fix: `give ${other.stack.name} a store of its own`,
  subject: `${other.stack.project} ${other.host}`,
  related: [{ place: production.place, message: `the stack ${production.stack.name} names it here` }],
});

const files = (dev: string): Readonly<Record<string, string>> => ({
  "Pulumi.yaml": "name: shop\nruntime: nodejs\n",
  "Pulumi.dev.yaml": `config:\n  shop:database: ${dev}\n`,
  "Pulumi.prod.yaml": "config:\n  shop:database: shop-1.postgres.database.azure.com\n",
});

export const storeSharedByEnvironments = pulumiRule({
  id: "store-shared-by-environments",
  title: "Production shares a store of data with another environment",
  antiPattern: 3,
  focus: "state",
  why:
    "A test that clears its tables, a migration that is tried out, a secret that is rotated: in an environment of " +
    "its own each is harmless. If both environments name one database, vault or queue, production has it too.",
  severity: "High: critical in its effect, but inferred from the names of stacks.",
  fix: "Give each environment its own stores, and let the settings of each name only these.",
  limits:
    "Stores are known by the host names that Azure gives them, environments by words in the names of stacks. It is " +
    "seen only if the settings or the states of both stacks are in the folder.",
  isLocal: false,
  failing: [files("shop-1.postgres.database.azure.com # <- finding")],
  nearMisses: [
    {
      files: files("shop-2.postgres.database.azure.com"),
      because: "Each environment has a server of its own.",
      edit: { file: "Pulumi.dev.yaml", replace: "shop-2", by: "shop-1" },
    },
  ],
  judge,
});
