// A job that ships with secrets and uses an action of others by a tag that its owner can move, although this repository
// pins the same action to a commit elsewhere. Pins are zizmor's subject; this rule is about the one that was forgotten,
// and it knows the commit that the repository trusts.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { StepNode } from "../systems/workflows/nodes.ts";
import { shipmentsOf } from "../systems/workflows/roles.ts";
import { viewOf } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  const pins = pinsIn(view.jobs.flatMap(view.stepsOf));
  return view.jobs
    .filter((job) => job.uses === undefined && shipmentsOf(view, job).length > 0)
    .flatMap((job) =>
      view.stepsOf(job).flatMap((step) => {
        const [action = "", ref = ""] = step.uses?.text.split("@") ?? [];
        const pin = pins.get(action.toLowerCase());
        return step.via === undefined && pin && !isCommit(ref) && isOfOthers(action) ? [draft(step, pin)] : [];
      }),
    );
}

const isCommit = (ref: string): boolean => /^[0-9a-f]{40}$/.test(ref);
const isOfOthers = (action: string): boolean => !/^(\.|\$|docker:|actions\/|github\/|azure\/)/.test(action);

interface Pin {
  readonly text: string;
  readonly step: StepNode;
}

/** The commits to which actions are pinned; an action with two different ones has none that could be taken. */
function pinsIn(steps: readonly StepNode[]): ReadonlyMap<string, Pin> {
  const pins = new Map<string, Pin | undefined>();
  for (const step of steps) {
    const [action = "", ref = ""] = step.uses?.text.split("@") ?? [];
    if (!isCommit(ref)) continue;
    const key = action.toLowerCase();
    const known = pins.get(key);
    const isSame = known === undefined || known.text === step.uses!.text;
    pins.set(key, pins.has(key) && !isSame ? undefined : { text: step.uses!.text, step });
  }
  return new Map([...pins].flatMap(([key, pin]) => (pin ? [[key, pin] as const] : [])));
}

const draft = ({ uses, id }: StepNode, pin: Pin): Draft => ({
  severity: "low",
  known: "structural",
  place: uses!.place,
  message:
    `A job that ships uses ${uses!.text}, which its owner can move, although the same action is pinned to a commit ` +
    "elsewhere.",
  cost: "Whoever takes over the action's repository runs code with the secrets of the release.",
  fix: `use ${pin.text}, as the rest of the repository does`,
  subject: `${id} unpinned`,
  related: [{ place: pin.step.uses!.place, message: "here it is pinned" }],
  repair: {
    title: "Pin the action to the commit that is used elsewhere",
    edits: [{ place: uses!.place, text: pin.text }],
  },
});

const commit = "4f1c0a6e5d2b7c8990a1b2c3d4e5f60718293a4b";
const example = (ref: string): Readonly<Record<string, string>> => ({
  ".github/workflows/ci.yml": `name: ci
on:
  pull_request:
jobs:
  lint:
    runs-on: ubuntu-24.04
    steps:
      - uses: acme/setup-shop@${commit}
      - run: npm run lint
`,
  ".github/workflows/deploy.yml": `name: deploy
on:
  push:
    branches: [main]
concurrency: shop
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: acme/setup-shop@${ref}
      - run: fly deploy --app shop
`,
});

export const releaseActionUnpinned: Rule = {
  id: "release-action-unpinned",
  title: "A job that ships uses an action that is pinned only elsewhere",
  systems: ["github"],
  antiPattern: 5,
  focus: "resilience",
  why:
    "A tag of an action is whatever its owner says today. A repository that pins an action has decided to trust one " +
    "commit of it; the job that ships, with the secrets of production, is the last that should take another.",
  severity: "Low.",
  fix: "Use the same commit everywhere, and let a bot renew it everywhere at once.",
  limits:
    "Actions that are pinned nowhere are not reported; zizmor does that. Actions of GitHub and Azure are left out.",
  failing: [example("v2 # <- finding")],
  nearMisses: [
    {
      files: example(commit),
      because: "The job that ships uses the same commit.",
      edit: { file: ".github/workflows/deploy.yml", replace: commit, by: "main" },
    },
  ],
  check,
};
