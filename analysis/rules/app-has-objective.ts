// Apps on which a policy acts although nothing says what they promise to users.
import { unpromisedIn } from "../../engines/remediation/rules/answered.ts";
import { exampleRemediations, remediationsIn } from "../systems/pulumi/remediations.ts";
import { type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

const judge = (view: StacksView): readonly PulumiDraft[] =>
  remediationsIn(view).flatMap(({ node, path, declared }) =>
    unpromisedIn(declared).map((target) => ({
      severity: "medium",
      known: "structural",
      place: view.placeOf(node, path),
      message: `Alerts on ${target} are acted on, and it has no objective.`,
      cost: "Its error budget counts as whole, so no action waits until the risk of it is worth taking.",
      fix: "declare a ServiceObjectives for the app, and pass its objectives on to the control plane",
      subject: `${node.urn} ${target}`,
      urn: node.urn,
    })),
  );

const program = (objectives: readonly object[], mark = ""): string =>
  `${exampleRemediations("app-failing", "restart-revision", objectives)}${mark}\n`;
const promise = {
  target: "app/shop/web",
  measures: "availability",
  goodPercent: 99.9,
  periodDays: 28,
  failuresMin: 10,
};

export const appHasObjective = pulumiRule({
  id: "app-has-objective",
  title: "An app is acted on and promises nothing",
  antiPattern: 4,
  focus: "resilience",
  why:
    "Whether an action is worth its risk depends on how much of the error budget is left. Without an objective there " +
    "is no budget: each alert is answered by an action, also one that no user would have noticed.",
  severity: "Medium: actions are taken that a person would not have taken.",
  fix: "Declare what the app promises with ServiceObjectives.",
  limits: "Only apps whose alerts are acted on are judged. Objectives of other control planes are not read.",
  isLocal: true,
  failing: [{ "Pulumi.yaml": program([], " # <- finding") }],
  nearMisses: [
    {
      files: { "Pulumi.yaml": program([promise]) },
      because: "The app has an objective.",
      edit: { file: "Pulumi.yaml", replace: JSON.stringify([promise]), by: "[]" },
    },
  ],
  judge,
});
