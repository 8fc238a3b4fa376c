// A federated credential whose subject names an environment that no job has, or has in another spelling. Entra compares
// subjects letter by letter, so the sign-in fails. It needs the credential and the workflows in one repository.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { called, StacksView } from "../systems/pulumi/view.ts";
import type { JobNode } from "../systems/workflows/nodes.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

const types = /(managedidentity:FederatedIdentityCredential|:ApplicationFederatedIdentityCredential)$/;
const signIns =
  /^(azure\/login|aws-actions\/configure-aws-credentials|google-github-actions\/auth|pulumi\/auth-actions)@/;

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  const jobs = view.jobs.filter((job) => signsIn(view, job));
  if (jobs.length === 0) return [];
  const stacks = new StacksView(graph);
  return stacks.resources
    .filter(({ type }) => types.test(type))
    .flatMap((node) => ofCredential(stacks, node, jobs, view.jobs));
}

const signsIn = (view: WorkflowsView, job: JobNode): boolean =>
  view.stepsOf(job).some(({ uses }) => signIns.test(uses?.text ?? ""));

/** `repo:owner/name:environment:NAME`; owner and name may carry their ids behind an @, and a colon in NAME is %3A. */
const subjectForm = /^repo:[^:]+:environment:(.+)$/;

function ofCredential(
  stacks: StacksView,
  node: ResourceNode,
  signing: readonly JobNode[],
  all: readonly JobNode[],
): readonly Draft[] {
  const [hit] = stacks.find(node, "subject");
  const wanted = typeof hit?.value === "string" ? subjectForm.exec(hit.value)?.[1]?.replaceAll("%3A", ":") : undefined;
  if (hit === undefined || wanted === undefined) return [];
  const used = all.flatMap(({ environment }) => environment ?? []);
  if (used.some(({ text }) => text === wanted)) return [];
  const near = used.find(({ text }) => text.toLowerCase() === wanted.toLowerCase());
  const isUndecided = used.some(({ text }) => text.includes("${{")) || all.some(({ uses }) => isElsewhere(uses?.text));
  if (near === undefined && isUndecided) return [];
  const [job] = signing;
  return [
    {
      severity: near ? "high" : "medium",
      known: near ? "structural" : { inferred: 0.75 },
      place: stacks.placeOf(node, "subject"),
      message: near
        ? `The subject of ${called(node)} names the environment ${wanted}, but a job has ${near.text}: Entra ` +
          "compares them letter by letter."
        : `The subject of ${called(node)} names the environment ${wanted}, which no job has.`,
      cost: "The sign-in fails with AADSTS700213, and the deployment with it.",
      fix: near ? `write ${near.text} in the subject` : "name the environment of the job that signs in",
      subject: `${node.urn} subject`,
      related: [{ place: near?.place ?? job!.place, message: near ? "this is the environment" : "this job signs in" }],
    },
  ];
}

/** Whether a called workflow is in another repository, where an environment may stand. */
const isElsewhere = (uses: string | undefined): boolean => uses !== undefined && !/^[.$]\//.test(uses);

const program = (environment: string): string => `name: identity
runtime: yaml
resources:
  deploy:
    type: azure-native:managedidentity:FederatedIdentityCredential
    properties:
      resourceName: deploy
      audiences: [api://AzureADTokenExchange]
      issuer: https://token.actions.githubusercontent.com
      subject: ${environment}
`;
const workflow = `name: deploy
on:
  push:
    branches: [main]
concurrency: shop
permissions:
  id-token: write
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    environment: production
    steps:
      - uses: azure/login@v3
      - run: az containerapp up --name shop --resource-group shop
`;

export const oidcSubjectMatches: Rule = {
  id: "oidc-subject-matches",
  title: "The subject of a federated credential fits no job",
  systems: ["github", "pulumi"],
  antiPattern: 5,
  focus: "conflicts",
  why:
    "A job signs in with a token whose subject names its repository and its environment. The credential must have " +
    "the same text, in the same case. After an environment is renamed on one side only, no deployment signs in any " +
    "more.",
  severity: "High if the names differ in case only. Medium, and inferred, if no job has the environment.",
  fix: "Use one name for the environment on both sides; it is also the one that the environment has on GitHub.",
  limits:
    "Only subjects with an environment are compared. An environment that an expression names makes the rule quiet, " +
    "and so does a called workflow of another repository.",
  failing: [
    {
      "Pulumi.yaml": program("repo:acme/shop:environment:Production # <- finding"),
      ".github/workflows/deploy.yml": workflow,
    },
  ],
  nearMisses: [
    {
      files: {
        "Pulumi.yaml": program("repo:acme@12/shop@34:environment:production"),
        ".github/workflows/deploy.yml": workflow,
      },
      because: "The job has the environment, and the ids belong to the immutable form of subjects.",
      edit: { file: "Pulumi.yaml", replace: "environment:production", by: "environment:live" },
    },
    {
      files: {
        "Pulumi.yaml": program("repo:acme/shop:environment:production%3Aeu"),
        ".github/workflows/deploy.yml": workflow.replace(": production", ": production:eu"),
      },
      because: "GitHub writes a colon within the name as %3A.",
      edit: { file: "Pulumi.yaml", replace: "production%3Aeu", by: "production%3Aus" },
    },
  ],
  check,
};
