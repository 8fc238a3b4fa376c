// A lock that exists, but does not keep two deployments of one target apart: it is unique for every run, different for
// every branch, or two workflows that deploy the same thing use different names.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import { type Draft, type Rule, rankOf, type Severity } from "../rule.ts";
import {
  type Deployment,
  deploymentsIn,
  isPreview,
  missesRefs,
  sharedLocks,
} from "../systems/workflows/deployments.ts";
import { expressionsIn, pathsIn } from "../systems/workflows/expressions.ts";
import { fromFixedBranches } from "../systems/workflows/fixed-branches.ts";
import type { Lock } from "../systems/workflows/locks.ts";
import { viewOf } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  const all = deploymentsIn(view).filter((each) => !isPreview(each) && each.world.event !== "workflow_call");
  const byJob = groupedBy(all, ({ job }) => job.id);
  const perBranch = byJob.flatMap((each) => betweenBranches(fromFixedBranches(view, each)));
  const partial = [...byJob.flatMap(perRef), ...perBranch, ...byJob.flatMap(perChoice)];
  return [...byJob.flatMap(inert), ...onePerGroup(partial), ...twoNames(all)];
}

/** One finding for a group, for the deployment that matters most, however many jobs are under it. */
const onePerGroup = (drafts: readonly Draft[]): readonly Draft[] =>
  groupedBy(drafts, ({ place }) => `${place.file}:${place.line}`).map((same) => {
    const [first, ...others] = same.toSorted((one, other) => rankOf(other.severity) - rankOf(one.severity));
    const related = [...(first!.related ?? []), ...others.flatMap((each) => each.related ?? [])];
    return { ...first!, related };
  });

const severityOf = ({ tier, effects }: Deployment, most: Severity): Severity =>
  tier === "lesser" || effects.every(({ isAtomic }) => isAtomic) ? "low" : most;

/** Locks that no second run can ever have. */
function inert(all: readonly Deployment[]): readonly Draft[] {
  const found = all.find((each) => each.locks.length > 0 && sharedLocks(each).length === 0);
  if (found === undefined) return [];
  const [lock] = found.locks;
  return [
    {
      severity: severityOf(found, "high"),
      known: found.effects[0]!.known,
      place: lock!.concurrency.group.place,
      message:
        `On ${found.world.label}, the group of ${lock!.ownerName} is ${lock!.group}, which is different for every ` +
        `run: nothing keeps two deployments of job ${found.job.key} apart.`,
      cost: "Two runs deploy at once although a lock is written down; the older version may stay.",
      fix: "name the target in the group, without the run's id or commit",
      subject: `${found.job.id} inert`,
      related: [{ place: found.effects[0]!.place, message: "this deploys" }],
    },
  ];
}

/** Locks that are different for each ref, around a target that is not. */
function perRef(all: readonly Deployment[]): readonly Draft[] {
  const missing = all.filter(missesRefs).filter((each) => !variesByRef(each));
  const refs = new Set(
    missing.map(({ world }) => (typeof world.ref === "string" ? world.ref : `${world.ref.prefix}*`)),
  );
  const isMany = refs.size > 1 || missing.some(({ world }) => typeof world.ref !== "string");
  const found = missing[0];
  if (found === undefined || !isMany || onlyDefaultBranch(missing)) return [];
  const [lock] = sharedLocks(found);
  const onlyDispatch = missing.every(
    ({ world }) => world.event === "workflow_dispatch" || typeof world.ref === "string",
  );
  const labels = [...new Set(missing.map(({ world }) => world.label.replace(/ with .*/, "")))];
  return [
    {
      severity: missing.every(isRelease) ? "low" : severityOf(found, onlyDispatch ? "medium" : "high"),
      known: found.effects[0]!.known,
      place: lock!.concurrency.group.place,
      message:
        `The group ${lock!.concurrency.group.text} is different for every branch or tag, but job ${found.job.key} ` +
        `deploys to the same place from each of them (${labels.join(", ")}).`,
      cost: "Runs of two branches or tags deploy at once; the last to finish wins.",
      fix: "name the target, such as the environment, in the group instead of the ref",
      subject: `${found.job.id} per ref`,
      related: [{ place: found.effects[0]!.place, message: "this deploys" }],
    },
  ];
}

/** Locks that are different for each of the branches that deploy to one place. */
function betweenBranches([one, other]: readonly Deployment[]): readonly Draft[] {
  if (one === undefined || other === undefined) return [];
  const [lock] = sharedLocks(one);
  return [
    {
      severity: severityOf(one, "medium"),
      known: { inferred: 0.75 },
      place: lock!.concurrency.group.place,
      message:
        `The group ${lock!.concurrency.group.text} is different for every branch, but job ${one.job.key} deploys to ` +
        `the same place on ${one.world.label} and on ${other.world.label}.`,
      cost: "Runs of two branches deploy at once; the last to finish wins.",
      fix: "name the target, such as the environment, in the group instead of the ref",
      subject: `${one.job.id} per branch`,
      related: [{ place: one.effects[0]!.place, message: "this deploys" }],
    },
  ];
}

const everything = /^(all|both|every(thing)?)$/i;

/** Locks that name the part that somebody chose, where one of the choices is all parts. */
function perChoice(all: readonly Deployment[]): readonly Draft[] {
  const [first] = all;
  const choices = first!.workflow.inputs.filter(
    ({ event, options }) =>
      event === "workflow_dispatch" && options.length > 1 && options.some((option) => everything.test(option)),
  );
  return choices.flatMap(({ name }): readonly Draft[] => {
    const chosen = all.filter(({ world }) => world.event === "workflow_dispatch" && world.inputs.has(name));
    const isWhole = ({ world }: Deployment): boolean => everything.test(String(world.inputs.get(name)));
    const [whole, part] = [chosen.find(isWhole), chosen.find((each) => !isWhole(each))];
    if (whole === undefined || part === undefined) return [];
    const locks = sharedLocks(whole);
    const groups = [...locks, ...sharedLocks(part)].map(({ group }) => group);
    if (locks.length === 0 || new Set(groups).size < groups.length) return [];
    const { concurrency } = locks[0]!;
    if (!locks.every((each) => namesInput(each, name))) return [];
    return [
      {
        severity: severityOf(whole, "medium"),
        known: { inferred: 0.8 },
        place: concurrency.group.place,
        message:
          `The group ${concurrency.group.text} is another one for ${name}: ${String(whole.world.inputs.get(name))}, ` +
          `which also deploys what ${name}: ${String(part.world.inputs.get(name))} deploys.`,
        cost: "A run of everything and a run of one part deploy that part at once; the last to finish wins.",
        fix: `leave ${name} out of the group, or deploy each part in a job that has a group of its own`,
        subject: `${whole.job.id} per ${name}`,
        related: [{ place: whole.effects[0]!.place, message: "this deploys" }],
      },
    ];
  });
}

const namesInput = ({ concurrency }: Lock, name: string): boolean =>
  expressionsIn(concurrency.group.text)
    .flatMap(pathsIn)
    .some((path) => path.includes("inputs") && path.at(-1) === name);

const variesByRef = ({ targets, job }: Deployment): boolean =>
  [...targets, job.environment?.text ?? ""].some((text) =>
    /github\.(ref|ref_name|head_ref|base_ref|event_name)/.test(text),
  );

/** Two releases seldom come at once. */
const isRelease = ({ world }: Deployment): boolean => world.event === "release";

/** Events whose runs all belong to the default branch. */
const onlyDefaultBranch = (all: readonly Deployment[]): boolean =>
  all.every(({ world }) => ["schedule", "repository_dispatch", "workflow_run"].includes(world.event));

/** Two jobs of different workflows that deploy one target under locks that differ. */
function twoNames(all: readonly Deployment[]): readonly Draft[] {
  const found = new Map<string, Draft>();
  const sorted = all.toSorted((one, other) => (one.job.id < other.job.id ? -1 : 1));
  for (const [at, one] of sorted.entries())
    for (const other of sorted.slice(at + 1)) {
      const common = one.targets.find((each) => other.targets.includes(each));
      const target = common ?? undoneBy(one, other);
      const key = [one, other]
        .map(({ locks }) => locks[0]?.concurrency.place)
        .map((place) => `${place?.file} ${place?.line}`)
        .join(" ");
      if (target === undefined || found.has(key) || one.root.id === other.root.id || one.job.id === other.job.id)
        continue;
      // One template for both: what it misses is said of each alone.
      if (one.locks[0]?.concurrency.group.text === other.locks[0]?.concurrency.group.text) continue;
      const [ones, others] = [sharedLocks(one), sharedLocks(other)];
      if (one.locks.length === 0 || other.locks.length === 0 || haveCommon(ones, others)) continue;
      const [lock] = other.locks;
      found.set(key, {
        severity: severityOf(one, "high"),
        known: common === undefined ? { inferred: 0.75 } : "structural",
        place: lock!.concurrency.group.place,
        message:
          `${other.root.title} (job ${other.job.key}) and ${one.root.title} (job ${one.job.key}) both change ` +
          `${target}, but under different concurrency groups: ${lock!.group} and ${one.locks[0]!.group}.`,
        cost: "Both run at once on one target; the state is locked half-way, or the older version stays.",
        fix: "use one group that names the target in both workflows",
        subject: key,
        related: [
          { place: one.locks[0]!.concurrency.group.place, message: "the other group" },
          { place: one.effects[0]!.place, message: "this changes the same target" },
          { place: other.effects[0]!.place, message: "this changes it too" },
        ],
        path: [one.root.id, one.job.id, other.root.id, other.job.id],
      });
    }
  return [...found.values()];
}

const undoName = /roll[- ]?back/i;

/** The environment in which one workflow deploys and another goes back, by the same tool. */
function undoneBy(one: Deployment, other: Deployment): string | undefined {
  const undoes = [one, other].filter(({ root, job }) => undoName.test(`${root.title} ${job.key}`));
  const environment = one.job.environment?.text;
  const follows = (from: Deployment, to: Deployment): boolean =>
    from.root.triggers.some(({ filters }) => filters["workflows"]?.some(({ text }) => text === to.root.title) === true);
  const deploys = undoes[0] === one ? other : one;
  if (undoes.length === 1 && follows(undoes[0]!, deploys)) return `what ${deploys.job.key} deploys`;
  if (undoes.length !== 1 || environment === undefined || environment.includes("${{")) return undefined;
  if (other.job.environment?.text !== environment) return undefined;
  const isSame = one.effects.some(({ category }) => other.effects.some((each) => each.category === category));
  return isSame ? `the environment ${environment}` : undefined;
}

const haveCommon = (ones: readonly Lock[], others: readonly Lock[]): boolean =>
  ones.some(({ group }) => others.some((other) => other.group.toLowerCase() === group.toLowerCase()));

const example = (group: string, on: string): string => `name: deploy
on:
${on}
concurrency:
  group: ${group}
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    environment: production
    steps:
      - run: az containerapp update --resource-group shop --name web --image "shop@$DIGEST"
`;
const goingBack = (group: string): string =>
  example(group, "  workflow_dispatch:\n    inputs:\n      revision: { type: string }")
    .replace("name: deploy", "name: rollback")
    .replace(/deploy:\n {4}runs-on/, "rollback:\n    runs-on")
    .replace(/- run: .*/, "- run: az containerapp revision activate -g shop -n web --revision ${{ inputs.revision }}");
const stack = (name: string, group: string, on: string): string => `name: ${name}
on:
${on}
concurrency:
  group: ${group}
  cancel-in-progress: false
jobs:
  up:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    steps:
      - run: pulumi up --yes --stack acme/prod
`;

export const releaseLockMissesTarget: Rule = {
  id: "release-lock-misses-target",
  title: "A lock does not cover what is deployed",
  systems: ["github"],
  antiPattern: 3,
  focus: "conflicts",
  why:
    "A concurrency group keeps only runs with the same name apart. If the name contains the branch, the run or the " +
    "workflow, runs of another branch, run or workflow deploy to the same target at the same time, although the file " +
    "looks safe.",
  severity:
    "High. Medium if only a manual start reaches a second branch, or if the group names a part and all parts can be " +
    "chosen. Low for lesser environments, atomic replacements and releases.",
  fix: "Let the group name the target, and nothing else: the stack, the app, or the environment.",
  limits:
    "Targets are equal if their names are the same text. A name from a secret or variable is compared within one " +
    "environment only. A way back belongs to the deployments of its environment that use the same tool.",
  failing: [
    {
      ".github/workflows/deploy.yml": example("deploy-production", "  push:\n    branches: [main]"),
      ".github/workflows/rollback.yml": goingBack("rollback-production # <- finding"),
    },
    {
      ".github/workflows/deploy.yml": example(
        "${{ github.head_ref || github.run_id }} # <- finding",
        "  push:\n    branches: [main]",
      ),
    },
    {
      ".github/workflows/deploy.yml": example(
        "deploy-${{ github.ref }} # <- finding",
        "  push:\n    branches: [main, 'release/**']",
      ),
    },
    {
      ".github/workflows/infra.yml": stack("infra", "infra", "  push:\n    branches: [main]"),
      ".github/workflows/nightly.yml": stack("nightly", "nightly # <- finding", '  schedule:\n    - cron: "0 4 * * *"'),
    },
  ],
  nearMisses: [
    {
      files: {
        ".github/workflows/deploy.yml": example("deploy-production", "  push:\n    branches: [main]"),
        ".github/workflows/rollback.yml": goingBack("deploy-production"),
      },
      because: "The way back waits for a deployment that is under way.",
      edit: { file: ".github/workflows/rollback.yml", replace: "deploy-production", by: "rollback-production" },
    },
    {
      files: { ".github/workflows/deploy.yml": example("deploy-${{ github.ref }}", "  push:\n    branches: [main]") },
      because: "Only one branch can start it.",
      edit: { file: ".github/workflows/deploy.yml", replace: "[main]", by: "[main, 'release/**']" },
    },
    {
      files: {
        ".github/workflows/infra.yml": stack("infra", "stack-prod", "  push:\n    branches: [main]"),
        ".github/workflows/nightly.yml": stack("nightly", "stack-prod", '  schedule:\n    - cron: "0 4 * * *"'),
      },
      because: "Both workflows use one group for the stack.",
      edit: { file: ".github/workflows/nightly.yml", replace: "group: stack-prod", by: "group: nightly" },
    },
  ],
  check,
};
