// Something that cannot be done twice stands before something that can fail. When the second part fails, running the
// job again fails at the first part, so the release can only be finished by hand.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { Effect } from "../systems/workflows/effects.ts";
import { isUndoStep } from "../systems/workflows/roles.ts";
import { viewOf } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job): readonly Draft[] => {
    const effects = view.ownEffectsOf(job).filter(({ step }) => !isUndoStep(step, []));
    const at = effects.findIndex(isOnce);
    const once = effects[at];
    const after = effects.slice(at + 1).find((each) => canFail(each) && !(each.step === once?.step && isChained(each)));
    if (once === undefined || after === undefined) return [];
    return [
      {
        severity: "low",
        known: { inferred: 0.75 },
        place: once.place,
        message:
          `Job ${job.key} does something that cannot be repeated (${said(once)}) before something that can fail ` +
          `(${said(after)}).`,
        cost: "If the later part fails, a second attempt fails at the first one; the release is finished by hand.",
        fix: "let the first part pass if it was done before, or do it last",
        subject: `${job.id} ${once.verb} ${after.verb}`,
        related: [{ place: after.place, message: "this can fail afterwards" }],
      },
    ];
  });
}

const said = ({ verb, category, command }: Effect): string =>
  command ? command.words.slice(0, 3).join(" ") : `${verb} ${category}`;

/** Publications of a version that exists fail, unless the command or the script allows for it. */
function isOnce({ category, step, command }: Effect): boolean {
  if (!/^(npm-package|python-package|crate|package)$/.test(category)) return false;
  const inputs = step.with.map(({ key, value }) => `${key.text}=${value.text}`);
  const text = [step.run?.text, step.condition?.text, ...inputs].join(" ");
  if (/skip-existing|tolerate-republish|--skip-duplicate|\|\|| view |already|exists|if \[/.test(text)) return false;
  return command === undefined || command.next !== "||";
}

const canFail = ({ verb, category }: Effect): boolean =>
  verb === "publish" || verb === "release" || verb === "deploy" || (verb === "push" && category === "branch");

const isChained = ({ command }: Effect): boolean => command?.next === "||";

const example = (flags: string): string => `name: release
on:
  push:
    tags: ["v*"]
jobs:
  publish:
    runs-on: ubuntu-24.04
    steps:
      - run: poetry publish${flags}
      - run: gh release create "$GITHUB_REF_NAME"
`;

export const effectOrderNotResumable: Rule = {
  id: "effect-order-not-resumable",
  title: "A release that fails half-way cannot be resumed",
  systems: ["github"],
  antiPattern: 7,
  focus: "resilience",
  why:
    "Registries refuse a version that exists. If the step after the publication fails, running the job " +
    "again fails at " +
    "the publication, and everything after it is never done.",
  severity: "Low: it costs a manual repair, and only after a failure.",
  fix: "Let the publication pass if the version exists (--skip-existing), or publish last.",
  limits: "Any text that looks like a check for an existing version makes the rule quiet.",
  failing: [{ ".github/workflows/release.yml": example(" # <- finding") }],
  nearMisses: [
    {
      files: { ".github/workflows/release.yml": example(" --skip-existing") },
      because: "A version that exists is passed over, so the job can run again.",
      edit: { file: ".github/workflows/release.yml", replace: " --skip-existing", by: "" },
    },
  ],
  check,
};
