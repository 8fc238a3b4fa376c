// The rules as policies of Pulumi's own SDK, for `pulumi policy publish`, which takes no executable. The SDK unwraps
// every secret before a policy sees it, so the rule about unmarked secrets is left out here: it would report each of
// them. The SDK also ends a policy at the first unknown value; here each value is read on its own, and what is unknown
// stays so.
import type {
  Policies,
  PolicyResource,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationArgs,
  StackValidationPolicy,
} from "@pulumi/policy";
import { describeFailed } from "../../analysis/failed-rule.ts";
import { joinFragments } from "../../analysis/graph.ts";
import type { Place } from "../../analysis/place.ts";
import { stackRules } from "../../analysis/stack-rules.ts";
import { fragmentOf } from "../../analysis/systems/pulumi/fragment.ts";
import { nameOf, ownerOf } from "../../analysis/systems/pulumi/names.ts";
import type { Declared } from "../../analysis/systems/pulumi/nodes.ts";
import { type Properties, unknown, type Value } from "../../analysis/systems/pulumi/value.ts";
import { type Judged, judgeStacks, type PulumiFinding, type PulumiRule } from "../../analysis/systems/pulumi/view.ts";

/** Rules that need to know which values are secret. */
const notPublished: ReadonlySet<string> = new Set(["secret-not-marked"]);

/** A policy sees no file of the program. */
const nowhere: Place = { file: "Pulumi.yaml", line: 1, column: 1, endLine: 1, endColumn: 1 };

/** Makes the policies. The inputs of a stack's resources are kept between them, because stack policies see outputs. */
export function publishedPolicies(): Policies {
  const inputs = new Map<string, Properties>();
  const rules = stackRules.filter(({ id }) => !notPublished.has(id));
  const policies = rules.map((rule) => (rule.isLocal ? localPolicy(rule, inputs) : stackPolicy(rule, inputs)));
  return [collector(inputs), ...policies];
}

/** Keeps the inputs of every resource for the policies about the stack. It reports nothing. */
const collector = (inputs: Map<string, Properties>): ResourceValidationPolicy => ({
  name: "collect-inputs",
  description: "Keeps the inputs of resources for the policies about the whole stack. It reports nothing.",
  enforcementLevel: "mandatory",
  validateResource: ({ urn, props }) => void inputs.set(urn, propertiesOf(props)),
});

const common = ({ id, title, fix }: PulumiRule) => ({
  name: id,
  displayName: title,
  description: `${title}.`,
  remediationSteps: fix,
  enforcementLevel: "advisory" as const,
});

const localPolicy = (rule: PulumiRule, inputs: Map<string, Properties>): ResourceValidationPolicy => ({
  ...common(rule),
  validateResource: (args: ResourceValidationArgs, report) => {
    const { urn, type, opts } = args;
    const properties = inputs.get(urn) ?? propertiesOf(args.props);
    const { ignoreChanges, parent } = opts;
    const alone = declaredOf({ urn, type, ignoreChanges, isCustom: true, parent: parent || undefined }, properties);
    const { findings, failed } = judged([alone], rule);
    for (const finding of findings) report(messageOf(finding));
    if (failed.length > 0) report(failureOf(failed));
  },
});

const stackPolicy = (rule: PulumiRule, inputs: Map<string, Properties>): StackValidationPolicy => ({
  ...common(rule),
  validateStack: ({ resources }: StackValidationArgs, report) => {
    const declared = resources.map((each): Declared => {
      const { urn, type, opts, provider, parent, dependencies, propertyDependencies } = each;
      const properties = inputs.get(urn) ?? propertiesOf(each.props);
      const { ignoreChanges } = opts;
      const head = { urn, type, ignoreChanges, isCustom: provider !== undefined, parent: parent?.urn };
      return {
        ...declaredOf(head, properties),
        dependencies: urnsOf(dependencies),
        propertyDependencies: Object.fromEntries(
          Object.entries(propertyDependencies).map(([property, all]) => [property, urnsOf(all)]),
        ),
      };
    });
    const { findings, failed } = judged(declared, rule);
    for (const finding of findings) report(messageOf(finding), finding.urn);
    if (failed.length > 0) report(failureOf(failed));
  },
});

const urnsOf = (resources: readonly PolicyResource[]): readonly string[] => resources.map(({ urn }) => urn);

interface Head {
  readonly urn: string;
  readonly type: string;
  readonly ignoreChanges: readonly string[];
  readonly isCustom: boolean;
  readonly parent: string | undefined;
}

const declaredOf = ({ urn, type, ignoreChanges, isCustom, parent }: Head, inputs: Properties): Declared => ({
  urn,
  token: type,
  isCustom,
  parent,
  ignoreChanges,
  inputs,
  dependencies: [],
  propertyDependencies: {},
  evidence: { place: nowhere, known: "structural" },
});

function judged(resources: readonly Declared[], rule: PulumiRule): Judged {
  const { stack, project } = ownerOf(resources[0]?.urn ?? "");
  const evidence = { place: nowhere, known: "structural" } as const;
  const fragment = fragmentOf({ name: stack, project, file: nowhere.file, origin: "wire", evidence, resources });
  return judgeStacks(joinFragments([fragment]), [rule]);
}

const failureOf = (failed: Judged["failed"]): string => `Not judged: ${describeFailed(failed)}.`;

const messageOf = ({ message, cost, fix, severity, urn }: PulumiFinding): string =>
  `${severity}: ${message} ${cost} Fix: ${fix}.${urn === undefined ? "" : ` (${nameOf(urn)})`}`;

/** Reads properties one by one: the SDK's proxy throws at each that is unknown. */
const propertiesOf = (props: Record<string, unknown>): Properties => readValue(props, 0) as Properties;

function readValue(value: unknown, depth: number): Value {
  if (value === null || value === undefined || depth > 40) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return Array.from({ length: value.length }, (_, at) => readPart(value, at, depth));
  if (typeof value !== "object") return null;
  return Object.fromEntries(Object.keys(value).map((key) => [key, readPart(value, key, depth)]));
}

function readPart(whole: object, key: string | number, depth: number): Value {
  try {
    return readValue((whole as Record<string | number, unknown>)[key], depth + 1);
  } catch {
    return unknown;
  }
}
