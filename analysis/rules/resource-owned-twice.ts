// One resource in two stacks. Each update turns it into what its own program says, and deleting one stack deletes it
// for both.
import { groupedBy } from "../../engines/grouped.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

const judge = (view: StacksView): readonly PulumiDraft[] => {
  const owned = view.resources.filter(
    ({ isCustom, physicalId, token }) => isCustom && physicalId?.startsWith("/") && !token.startsWith("pulumi:"),
  );
  return groupedBy(owned, ({ physicalId }) => physicalId!.toLowerCase()).flatMap((all) => {
    const one = all[0]!;
    const other = all.find((each) => each.urn !== one.urn && !isSameStack(view, one.stack, each.stack));
    if (other === undefined) return [];
    return [
      {
        severity: "critical",
        known: "structural",
        place: other.evidence.place,
        message:
          `The stacks ${view.stackOf(one).name} and ${view.stackOf(other).name} both manage ` +
          `${called(other)} (${other.physicalId}).`,
        cost: "Each update undoes the other stack's, and destroying one stack destroys the resource for both.",
        fix: "remove it from one state with `pulumi state delete`, and read it there instead",
        subject: `${one.urn} ${other.urn}`,
        related: [{ place: one.evidence.place, message: `the stack ${view.stackOf(one).name} manages it here` }],
        urn: other.urn,
      },
    ];
  });
};

/** A state and a preview of one stack name the same resources. */
function isSameStack(view: StacksView, one: string, other: string): boolean {
  const [first, second] = [one, other].map((id) => view.stacks.find((stack) => stack.id === id)!);
  return first!.name === second!.name && first!.project === second!.project;
}

const state = (stack: string, name: string, mark = ""): string => `{
  "version": 3,
  "deployment": {
    "manifest": {},
    "resources": [
      {
        "urn": "urn:pulumi:${stack}::shop::azure-native:dbforpostgresql:Server::${name}",${mark}
        "type": "azure-native:dbforpostgresql:Server",
        "custom": true,
        "id": "/subscriptions/1/resourceGroups/shop/providers/Microsoft.DBforPostgreSQL/flexibleServers/${name}",
        "inputs": { "serverName": "${name}" }
      }
    ]
  }
}
`;

export const resourceOwnedTwice = pulumiRule({
  id: "resource-owned-twice",
  title: "Two stacks manage one resource",
  antiPattern: 3,
  focus: "state",
  why:
    "A stack believes that it alone decides about its resources. If two stacks have the same one, each " +
    "update undoes the " +
    "other's, neither sees why, and `pulumi destroy` of one takes the resource from the other.",
  severity: "Critical.",
  fix: "Let one stack own the resource, and let the other read it by a stack reference or a lookup.",
  limits: "It is seen only if the states of both stacks are in the folder.",
  isLocal: false,
  failing: [
    {
      "stack.blue.json": state("blue", "store"),
      "stack.green.json": state("green", "store", ' "note": "<- finding",'),
    },
  ],
  nearMisses: [
    {
      files: { "stack.blue.json": state("blue", "store"), "stack.green.json": state("green", "store-2") },
      because: "Each stack has a server of its own.",
      edit: { file: "stack.green.json", replace: "flexibleServers/store-2", by: "flexibleServers/store" },
    },
  ],
  judge,
});
