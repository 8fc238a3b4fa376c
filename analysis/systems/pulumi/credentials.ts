// What stacks declare about credentials that are rotated: in the control plane's variable, or as resources of their
// own. A resource may have values that are known only after the update, so only what rules compare must be known.
import { list, object, oneOf, optional, read, text } from "../../../engines/form.ts";
import { completedCredential, valueForms } from "../../../engines/rotation/declaration.ts";
import type { Place } from "../../place.ts";
import type { ResourceNode } from "./nodes.ts";
import { declaredIn } from "./plane-settings.ts";
import { isRecord, Sealed, Unknown, type Value } from "./value.ts";
import type { StacksView } from "./view.ts";

/** The variable of the control plane's app. */
export const credentialsVariable = "BALLAST_CREDENTIALS";

const seenForm = object({
  vault: text("a vault's name"),
  credential: text("a credential's name"),
  form: optional(oneOf(valueForms), "uri"),
  roles: object({ a: text("a role's name"), b: text("a role's name") }),
  consumers: list(object({ resourceGroup: text("a resource group's name"), app: text("an app's name") })),
  storage: optional(object({ resourceGroup: text("a resource group's name"), account: text("an account's name") })),
  rotator: optional(text("a role's name")),
  preparedBy: optional(object({ resourceGroup: text("a resource group's name"), job: optional(text("a job's name")) })),
});
type Seen = ReturnType<typeof seenForm.read>;

/** A declared credential, as far as a program says it. */
export interface SeenCredential extends Seen {
  /** The resource that declares it. */
  readonly node: ResourceNode;
  readonly place: Place;
}

/** Gives every declared credential. One whose vault, name, roles or consumers are unknown is counted as not judged. */
export const credentialsIn = (view: StacksView): readonly SeenCredential[] => [
  ...declaredIn(view, credentialsVariable, list(completedCredential)).flatMap(({ node, path, declared }) =>
    declared.map((credential) => ({ ...credential, node, place: view.placeOf(node, path) })),
  ),
  ...view.ofType("ballast:index:Credential").flatMap((node) => {
    const parsed = read(seenForm, known(node.inputs.root), "stored");
    if ("value" in parsed) return [{ ...parsed.value, node, place: view.placeOf(node, "") }];
    view.countUnknown(node, "consumers");
    return [];
  }),
];

/** Leaves out what cannot be seen. */
function known(value: Value): Value {
  if (Array.isArray(value)) return value.map(known);
  if (!isRecord(value)) return value;
  const seen = Object.entries(value).filter(([, each]) => !(each instanceof Unknown || each instanceof Sealed));
  return Object.fromEntries(seen.map(([name, each]) => [name, known(each)]));
}

/** The least credential of a database, for the examples of rules. */
export const exampleCredential = {
  vault: "kv-shop",
  credential: "database",
  server: "shop.postgres.database.azure.com",
  database: "shop",
  roles: { a: "shop_a", b: "shop_b" },
  consumers: [{ resourceGroup: "shop", app: "web" }],
};

/** The least credential of a storage account, likewise. */
export const exampleStorage = {
  vault: "kv-shop",
  credential: "data",
  storage: { resourceGroup: "shop", account: "shopdata" },
  roles: { a: "key1", b: "key2" },
  consumers: [{ resourceGroup: "shop", app: "web" }],
};
