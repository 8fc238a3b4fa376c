// A stack that is changed without being looked at first: `pulumi up --skip-preview`. Policies that judge the stack as
// a whole run in the preview, so they are skipped as well, and see the stack only when it has changed.
import type { Graph } from "../graph.ts";
import { lineOf } from "../place.ts";
import type { Draft, Rule } from "../rule.ts";
import { commandsIn } from "../systems/workflows/shell.ts";
import { viewOf } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => {
    const steps = view.stepsOf(job);
    const texts = [...steps, ...view.ancestorsOf(job).flatMap(view.stepsOf)].map(({ run }) => run?.text ?? "");
    if (texts.some((text) => /\bpulumi (.* )?preview\b/.test(text))) return [];
    return steps.flatMap(({ run, id }) =>
      commandsIn(run?.text ?? "")
        .filter(({ words }) => words[0] === "pulumi" && words.includes("up") && isSkipping(words))
        .map(
          (command): Draft => ({
            severity: "medium",
            known: "structural",
            place: lineOf(run!, command.line),
            message: `Job ${job.key} changes a stack with --skip-preview, and nothing previews it before.`,
            cost: "Stack policies see the change only after it was made; a replacement of a database is not stopped.",
            fix: "remove --skip-preview, or preview with the same commit in a job before",
            subject: `${id} skip-preview`,
          }),
        ),
    );
  });
}

const isSkipping = (words: readonly string[]): boolean =>
  words.some((word) => /^(-f|--skip-preview(=true)?)$/.test(word));

const example = (flags: string): string => `name: infra
on:
  push:
    branches: [main]
concurrency: stack-prod
jobs:
  up:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    steps:
      - run: pulumi up --yes ${flags}--stack acme/prod
`;

export const previewSkipped: Rule = {
  id: "preview-skipped",
  title: "A stack is changed without a preview",
  systems: ["github"],
  antiPattern: 4,
  focus: "resilience",
  why:
    "The preview is what stops an update: its diff can be read, and stack policies judge it before anything changes. " +
    "With --skip-preview they run when the resources already exist.",
  severity: "Medium.",
  fix: "Let `pulumi up` preview, or preview the same commit in an earlier job.",
  limits: "A preview in another workflow is not counted, because another commit may be updated.",
  failing: [
    { ".github/workflows/infra.yml": example("--skip-preview ").replace("acme/prod", "acme/prod # <- finding") },
  ],
  nearMisses: [
    {
      files: { ".github/workflows/infra.yml": example("") },
      because: "`pulumi up` previews.",
      edit: { file: ".github/workflows/infra.yml", replace: "--yes ", by: "--yes --skip-preview " },
    },
  ],
  check,
};
