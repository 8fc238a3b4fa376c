// A ruleset or a branch protection that requires a check which no job reports under that name, or which a path filter
// keeps from being reported: the pull request waits for it for ever. It needs the ruleset and the workflows in one
// repository.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { called, StacksView } from "../systems/pulumi/view.ts";
import { type CheckName, checkNamesOf } from "../systems/workflows/check-names.ts";
import { viewOf } from "../systems/workflows/view.ts";

const types = /^github:(index\/\w+:)?(RepositoryRuleset|OrganizationRuleset|BranchProtection|BranchProtectionV3)$/;
const paths = [
  "rules.requiredStatusChecks.requiredChecks[].context",
  "requiredStatusChecks[].contexts[]",
  "requiredStatusChecks.contexts[]",
  "requiredStatusChecks.checks[]",
];

interface Required {
  readonly name: string;
  readonly path: string;
}

function check(graph: Graph): readonly Draft[] {
  const names = checkNamesOf(viewOf(graph));
  if (names.length === 0) return [];
  const stacks = new StacksView(graph);
  return stacks.resources.filter(({ token }) => types.test(token)).flatMap((node) => ofRuleset(stacks, node, names));
}

function ofRuleset(stacks: StacksView, node: ResourceNode, names: readonly CheckName[]): readonly Draft[] {
  const required = paths
    .flatMap((path) => stacks.find(node, path))
    .flatMap(({ path, value }): readonly Required[] => (typeof value === "string" ? [{ path, name: value }] : []));
  // A ruleset of which no check is reported here may be another repository's.
  const isOurs = required.some(({ name }) => names.some((each) => matches(each, name)));
  return required.flatMap((each) => {
    const reporting = names.filter((name) => matches(name, each.name));
    if (reporting.length > 0) return filtered(stacks, node, each, reporting);
    const near = names.find((name) => isNear(name.name, each.name));
    return near || isOurs ? [missing(stacks, node, each, near)] : [];
  });
}

const partsMax = 5;

/** Whether a check may have a name. What an expression makes may be anything. */
function matches({ name }: CheckName, required: string): boolean {
  if (!name.includes("${{")) return name === required;
  const parts = name.split(/\$\{\{.*?\}\}/s).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  // A pattern with many gaps could take for ever on a text of some length.
  return parts.length > partsMax || new RegExp(`^${parts.join(".*")}$`, "s").test(required);
}

/** Whether two names differ in case and punctuation only, or in the caller or the matrix that GitHub adds. */
const isNear = (name: string, required: string): boolean => {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "");
  const bare = name.replace(/ \([^()]*\)$/, "");
  return [name, bare, bare.split(" / ").at(-1)!].some((each) => plain(each) === plain(required));
};

const missing = (stacks: StacksView, node: ResourceNode, { name, path }: Required, near?: CheckName): Draft => ({
  severity: near ? "high" : "low",
  known: near ? "structural" : { inferred: 0.6 },
  place: stacks.placeOf(node, path),
  message: `${called(node)} requires the check "${name}", but ${
    near ? `the job ${near.job.key} reports it as "${near.name}"` : "no job of this repository reports it"
  }.`,
  cost: "Pull requests wait for a check that is never reported, and cannot be merged without a bypass.",
  fix: near ? `require "${near.name}"` : "require a check that a job reports, or name the app that reports it",
  subject: `${node.urn} ${name}`,
  ...(near && { related: [{ place: near.job.place, message: "this job reports the check" }] }),
});

/** A required check whose every workflow has a filter of paths. */
function filtered(
  stacks: StacksView,
  node: ResourceNode,
  { name, path }: Required,
  reporting: readonly CheckName[],
): readonly Draft[] {
  const triggers = reporting.map(({ root }) =>
    root.triggers.find(
      ({ event, filters }) => /^pull_request/.test(event) && (filters["paths"] || filters["paths-ignore"]),
    ),
  );
  const [first] = triggers;
  if (first === undefined || triggers.includes(undefined)) return [];
  return [
    {
      severity: "high",
      known: "structural",
      place: first.place,
      message: `${called(node)} requires the check "${name}", but its workflow runs only for some paths.`,
      cost: "A pull request that touches no such path waits for the check for ever.",
      fix: "drop the filter and skip the work inside of the job, whose skipped check counts as passed",
      subject: `${node.urn} ${name} paths`,
      related: [{ place: stacks.placeOf(node, path), message: "the check is required here" }],
    },
  ];
}

const ruleset = (name: string): string => `name: repository
runtime: yaml
resources:
  main:
    type: github:RepositoryRuleset
    properties:
      repository: shop
      target: branch
      enforcement: active
      rules:
        requiredStatusChecks:
          requiredChecks:
            - context: lint
            - context: ${name}
`;
const ci = (filter: string): string => `name: ci
on:
  pull_request:${filter}
jobs:
  lint:
    runs-on: ubuntu-24.04
    steps:
      - run: npm run lint
  test:
    runs-on: ubuntu-24.04
    strategy:
      matrix:
        node: [22, 24]
    steps:
      - run: npm test
`;
const onlySources = "\n    paths: [src/**]";

export const requiredCheckExists: Rule = {
  id: "required-check-exists",
  title: "A required check is never reported",
  systems: ["github", "pulumi"],
  antiPattern: 5,
  focus: "conflicts",
  why:
    "A ruleset knows a check by its name only. GitHub makes the name of the job's name, of the matrix, and of the " +
    "caller if the job is called. After a rename, a new axis, or a filter of paths, the name is never reported, and " +
    "every pull request waits for it.",
  severity: "High. Low, and inferred, if no job has a similar name, because another app may report the check.",
  fix: "Require the name that GitHub shows, best that of one job which gathers all others and always runs.",
  limits:
    "Judged if the ruleset is in a Pulumi program in YAML, a state or a preview beside the workflows. The `exclude` " +
    "of a matrix is not applied.",
  failing: [
    { "Pulumi.yaml": ruleset("test # <- finding"), ".github/workflows/ci.yml": ci("") },
    {
      "Pulumi.yaml": ruleset("test (22)").replace("            - context: lint\n", ""),
      ".github/workflows/ci.yml": ci(onlySources).replace("pull_request:", "pull_request: # <- finding"),
    },
  ],
  nearMisses: [
    {
      files: { "Pulumi.yaml": ruleset("test (22)"), ".github/workflows/ci.yml": ci("") },
      because: "The check of one leg of the matrix is required under its whole name.",
      edit: { file: "Pulumi.yaml", replace: "test (22)", by: "Test" },
    },
  ],
  check,
};
