// What each reusable workflow does when all goes well, when something fails, and when it is cancelled, as the journal
// of what it called. A case names the lines that count, in order; lines that every job has are left out.
import { azure, type Case, checkout, closed, id, onEnvironment, onStack, opened, runUrl, trace } from "./case.ts";
import { hostiles } from "./hostile-cases.ts";
import { migrations } from "./migration-cases.ts";
import { rotations } from "./rotation-cases.ts";
import type { Run } from "./run-act.ts";

/** Lines of every job, which the cases do not repeat. */
export const isCommon = (line: string): boolean =>
  /^(actions\/setup-node|npm ci|pulumi\/actions)/.test(line) || line === `azure/login ${id}`;

const pack = "--policy-pack node_modules/ballast/dist/policies/ballast";
const up = `pulumi up --stack prod --yes --non-interactive ${pack} (traced)`;
const preview = `pulumi preview --stack prod --non-interactive --json --show-sames ${pack}`;

const pullRequest = (repository: string): NonNullable<Run["event"]> => ({
  name: "pull_request",
  payload: {
    pull_request: { number: 7, head: { sha: "4f2a9c1d", ref: "topic", repo: { full_name: repository } } },
    repository: { full_name: "nektos/act" },
  },
});
const previewRun = (outcomes: Run["outcomes"] = {}): Run => ({
  workflow: "pulumi-preview",
  inputs: { ...onStack, traffic: "shop 1200 0.5" },
  event: pullRequest("nektos/act"),
  outcomes: {
    "pulumi-preview": "echo '{}'",
    "ballast-policy-check": "echo '{}'",
    "ballast-power": "echo '{}'",
    ...outcomes,
  },
});
const comment = (...more: readonly string[]): string =>
  ["ballast comment write --pull-request 7 --commit 4f2a9c1d", runUrl, "--stack prod", ...more].join(" ");
const base = "ballast policy check --stack prod --format json";
const judged = "ballast policy check --file evidence/preview.json --format json";
const powered = "ballast power --preview evidence/preview.json --traffic shop 1200 0.5 --stack prod --json";
const files =
  "--preview evidence/preview.json --policies evidence/policies.json --base-policies evidence/base-policies.json";
const plan = "--plans evidence/power.json";
const marked = [checkout, "ballast comment mark-stale --pull-request 7"];
const kept = "actions/upload-artifact pulumi-preview-prod";

const previews: readonly Case[] = [
  {
    title: "a preview marks older comments, judges the base and the change, and writes one comment",
    run: previewRun({ "ballast-policy-check": '[ "$3" = --file ] || { echo "{}"; exit 1; }; echo "{}"' }),
    isSuccess: true,
    journal: [...marked, preview, base, powered, judged, comment(files, plan, "--print"), comment(files, plan), kept],
    outputs: ['"result": "success"', '"evidence-artifact": "pulumi-preview-prod"'],
  },
  {
    title: "a preview that fails says so in its comment, and judges nothing",
    run: previewRun({ "pulumi-preview": "exit 255" }),
    isSuccess: false,
    journal: [
      ...marked,
      preview,
      comment("--preview evidence/preview.json --failed --print"),
      comment("--preview evidence/preview.json --failed"),
      kept,
    ],
  },
  {
    title: "a mandatory finding fails the preview after its comment was written with it",
    run: previewRun({ "ballast-policy-check": 'echo "{}"; [ "$3" != --file ] || exit 1' }),
    isSuccess: false,
    journal: [...marked, preview, base, powered, judged, comment(files, plan, "--print"), comment(files, plan), kept],
  },
  {
    title: "a judgement of the base that could not be made fails the preview, which still has its comment",
    run: previewRun({ "ballast-policy-check": "exit 2" }),
    isSuccess: false,
    journal: [
      ...marked,
      preview,
      base,
      comment("--preview evidence/preview.json --print"),
      comment("--preview evidence/preview.json"),
      kept,
    ],
  },
  {
    title: "a pull request from a fork signs in nowhere and writes no comment: its files are analysed",
    run: { ...previewRun(), event: pullRequest("mallory/act") },
    isSuccess: true,
    journal: [checkout, "ballast analyze . --fail-on high"],
  },
];

const upFailed = opened("pulumi-up/prod", "The update of the stack prod failed", "up.txt");

const updates: readonly Case[] = [
  {
    title: "an update takes the commit of the push and closes the issue of an earlier failure",
    run: { workflow: "pulumi-up", inputs: onEnvironment },
    isSuccess: true,
    journal: [checkout, up, closed("pulumi-up/prod"), "actions/upload-artifact pulumi-up-prod"],
    outputs: ['"result": "success"'],
  },
  {
    title: "an update that fails keeps what was printed and opens an issue",
    run: { workflow: "pulumi-up", inputs: onEnvironment, outcomes: { "pulumi-up": "echo broken; exit 1" } },
    isSuccess: false,
    journal: [checkout, up, upFailed, "actions/upload-artifact pulumi-up-prod"],
  },
  {
    title: "a sign-in that fails stops the update before the Pulumi CLI runs, and opens an issue",
    run: { workflow: "pulumi-up", inputs: onEnvironment, outcomes: { "azure-login": "" } },
    isSuccess: false,
    journal: [
      checkout,
      opened("pulumi-up/prod", "The update of the stack prod failed"),
      "actions/upload-artifact pulumi-up-prod",
    ],
  },
  {
    title: "an update that is cancelled opens no issue and closes none",
    run: {
      workflow: "pulumi-up",
      inputs: onEnvironment,
      outcomes: { "pulumi-up": "exec sleep 60" },
      cancelAt: "pulumi up",
    },
    isSuccess: false,
    journal: [checkout, up],
  },
];

const show = "ballast release show shop --stack prod --json";
const abort = "ballast release abort shop --stack prod --message rolled back by a workflow";
const back = [`actions/checkout first`, up, closed("rollback/prod"), "actions/upload-artifact rollback-prod"];
const inFlight = { "ballast-release-show": "echo '{\"result\":null}'" };
const rollbackRun = (inputs: Run["inputs"], outcomes: Run["outcomes"] = {}): Run => ({
  workflow: "rollback",
  inputs: { ...onEnvironment, ...inputs },
  outcomes,
});

const rollbacks: readonly Case[] = [
  {
    title: "a rollback aborts the release in progress once, and only then takes the stack to the commit",
    run: rollbackRun({ app: "shop", commit: "first" }, inFlight),
    isSuccess: true,
    journal: [checkout, show, abort, ...back],
    outputs: ['"aborted": "true"', '"result": "success"'],
  },
  {
    title: "a rollback without a commit leaves the stack as it is",
    run: rollbackRun({ app: "shop" }, inFlight),
    isSuccess: true,
    journal: [checkout, show, abort],
    outputs: ['"aborted": "true"'],
  },
  {
    title: "a rollback without an app aborts nothing",
    run: rollbackRun({ commit: "first" }),
    isSuccess: true,
    journal: [checkout, ...back],
  },
  {
    title: "a rollback after the release has ended aborts nothing, and takes the stack back",
    run: rollbackRun({ app: "shop", commit: "first" }, { "ballast-release-show": 'echo \'{"result":"promoted"}\'' }),
    isSuccess: true,
    journal: [checkout, show, ...back],
    outputs: ['"aborted": "false"'],
  },
  {
    title: "an abort that is refused leaves the stack as it is",
    run: rollbackRun({ app: "shop", commit: "first" }, { ...inFlight, "ballast-release-abort": "exit 1" }),
    isSuccess: false,
    journal: [checkout, show, abort],
  },
];

const released = (result: string): NonNullable<Run["outcomes"]> => ({
  "ballast-release-follow": `echo '{"message":"Planned"}'; ${result === "promoted" ? "exit 0" : "exit 1"}`,
  "ballast-release-show": `echo '{"result":"${result}","message":"as seen"}'`,
});
const releaseRun = { workflow: "release", inputs: { ...onStack, app: "shop" } };
const follow = "ballast release follow shop --stack prod --json";
const releaseKept = "actions/upload-artifact release-prod-shop";

const releases: readonly Case[] = [
  {
    title: "a release that is promoted is followed to its end, with the judge's words as an output",
    run: { ...releaseRun, outcomes: released("promoted") },
    isSuccess: true,
    journal: [checkout, follow, show, closed("release/prod/shop"), releaseKept],
    outputs: ['"result": "promoted"', '"message": "as seen'],
  },
  {
    title: "a release that is rolled back fails, and an issue says how it ended",
    run: { ...releaseRun, outcomes: released("rolled-back") },
    isSuccess: false,
    journal: [
      checkout,
      follow,
      show,
      opened("release/prod/shop", "The release of shop in prod was not promoted", "end.txt"),
      releaseKept,
    ],
  },
];

const drift = "pulumi preview --stack prod --non-interactive --refresh --diff --expect-no-changes";
const nightly: readonly Case[] = [
  {
    title: "a stack without drift has no issue",
    run: { workflow: "drift-detect", inputs: onStack },
    isSuccess: true,
    journal: [checkout, drift, closed("drift-detect/prod"), "actions/upload-artifact drift-detect-prod"],
  },
  {
    title: "a stack of a project below the root has issues and artifacts of its own",
    run: {
      workflow: "drift-detect",
      inputs: { ...onStack, "working-directory": "infra/eu" },
      outcomes: { "pulumi-preview": "echo '~ update'; exit 1" },
    },
    isSuccess: false,
    journal: [
      checkout,
      drift,
      opened("drift-detect/prod/infra/eu", "The stack prod has drifted (infra/eu)", "drift.txt"),
      "actions/upload-artifact drift-detect-prod-infra-eu",
    ],
  },
  {
    title: "a stack that has drifted has an issue with the differences",
    run: { workflow: "drift-detect", inputs: onStack, outcomes: { "pulumi-preview": "echo '~ update'; exit 1" } },
    isSuccess: false,
    journal: [
      checkout,
      drift,
      opened("drift-detect/prod", "The stack prod has drifted", "drift.txt"),
      "actions/upload-artifact drift-detect-prod",
    ],
  },
  {
    title: "a stack that breaks a policy has an issue with the findings",
    run: { workflow: "policy-nightly", inputs: onStack, outcomes: { "ballast-policy-check": "echo a; exit 1" } },
    isSuccess: false,
    journal: [
      checkout,
      "ballast policy check --stack prod",
      opened("policy-nightly/prod", "The stack prod breaks a policy", "findings.txt"),
      "actions/upload-artifact policy-nightly-prod",
    ],
  },
];

const image = `shop123.azurecr.io/storefront@sha256:${"c".repeat(64)}`;
const buildRun = { workflow: "image-build", inputs: { image: "storefront", registry: "shop123", ...azure } };
const build = "ballast image build storefront --registry shop123 --json";

const images: readonly Case[] = [
  {
    title: "an image is built, listed and signed by its digest",
    run: { ...buildRun, outcomes: { "ballast-image-build": `echo '{"image":"${image}"}'` } },
    isSuccess: true,
    journal: [
      checkout,
      build,
      "az acr login --name shop123",
      `anchore/sbom-action ${image}`,
      `actions/attest-sbom sha256:${"c".repeat(64)}`,
      `actions/attest-build-provenance sha256:${"c".repeat(64)}`,
    ],
    outputs: [`"image": "${image}"`],
  },
  {
    title: "nothing is signed of an image that could not be built",
    run: { ...buildRun, outcomes: { "ballast-image-build": "exit 1" } },
    isSuccess: false,
    journal: [checkout, build],
  },
];

const drillRun: Run = {
  workflow: "alert-drill",
  inputs: { ...onStack, target: "app/shop/web", rule: "app-failing" },
  outcomes: { "ballast-remediation-drill": 'echo \'{"id":"remediation/app/shop/web/drill-1"}\'' },
};
const drill = [
  "ballast remediation drill app/shop/web --rule app-failing --message a drill by a workflow --stack prod --json " +
    "(traced)",
  "ballast remediation follow app/shop/web/drill-1 --stack prod (traced)",
];
const analyses = [
  "ballast analyze . --format html",
  "ballast analyze . --format sarif",
  "ballast analyze . --output full --depth deep --fail-on high",
];

const others: readonly Case[] = [
  {
    title: "a drill is held and followed to its end",
    run: drillRun,
    isSuccess: true,
    journal: [checkout, ...drill, closed("alert-drill/prod/app-failing"), "actions/upload-artifact alert-drill-prod"],
    summary: `Trace: \`${trace}\`.`,
  },
  {
    title: "a drill that is refused is followed nowhere, and an issue is opened",
    run: { ...drillRun, outcomes: { "ballast-remediation-drill": "exit 1" } },
    isSuccess: false,
    journal: [
      checkout,
      drill[0]!,
      opened("alert-drill/prod/app-failing", "The drill of app-failing in prod failed"),
      "actions/upload-artifact alert-drill-prod",
    ],
  },
  {
    title: "an analysis with a severe finding keeps all its reports and opens an issue",
    run: { workflow: "improve-orchestration", inputs: {}, outcomes: { "ballast-analyze": "echo report; exit 1" } },
    isSuccess: false,
    journal: [
      checkout,
      ...analyses,
      opened("improve-orchestration", "The orchestration of this repository has a severe finding", "report.md"),
      "actions/upload-artifact improve-orchestration",
    ],
  },
];

const scripts: readonly Case[] = [
  {
    title: "a script of package.json runs on the commit of the run",
    run: { workflow: "npm-script", inputs: { script: "test:report" } },
    isSuccess: true,
    journal: [checkout, "npm run test:report"],
    outputs: ['"result": "success"'],
  },
];

export const cases: readonly Case[] = [
  ...previews,
  ...updates,
  ...rollbacks,
  ...releases,
  ...nightly,
  ...images,
  ...scripts,
  ...rotations,
  ...migrations,
  ...others,
  ...hostiles,
];
