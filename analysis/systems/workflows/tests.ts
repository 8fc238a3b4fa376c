// Which commands, actions and steps are tests: they can tell good from bad, whatever their job is for.
import type { StepNode } from "./nodes.ts";
import { commandsIn, type Worded } from "./shell.ts";

const scriptNames = String.raw`(t|test|lint|typecheck|check|e2e|verify|audit|smoke|health-?check)([:-][\w:-]+)?`;
const testCommand = new RegExp(
  "^(" +
    [
      `(npm|pnpm|yarn|bun)( run)?( -\\S+)* ${scriptNames}`,
      "(python3? -m )?(pytest|unittest|tox|nox|mypy|ruff|flake8|pylint|bandit|pip-audit)",
      "(go|cargo|dotnet|swift|flutter|deno|mix|sbt|rake|rails) (test|vet|clippy|nextest)",
      String.raw`(\./)?(mvnw?|gradlew?)( \S+)* (test|verify|check)`,
      "(jest|vitest|mocha|playwright|cypress|phpunit|rspec|eslint|tsc|golangci-lint|staticcheck|biome|prettier)",
      String.raw`(make|just|task|turbo( run)?|nx( \S+)*) \S*(test|lint|check|verify)\S*`,
      "(trivy|snyk|semgrep|checkov|tfsec|tflint|kubeconform|hadolint|shellcheck|gitleaks|grype)",
      "newman run",
      "(terraform|tofu) validate",
      "helm lint",
      "(actionlint|yamllint|ansible-lint|cfn-lint|kubeval|kube-score|kube-linter|spectral|markdownlint)",
      String.raw`(bash |sh |\./|python3? )\S*(test|lint|check)s?(\.\w+)`,
    ].join("|") +
    String.raw`)(\s|$)`,
);
const testActions = [
  "golangci/golangci-lint-action",
  "aquasecurity/trivy-action",
  "snyk/actions",
  "github/codeql-action/analyze",
  "cypress-io/github-action",
  "pre-commit/action",
  "super-linter/super-linter",
  "sonarsource/",
  "returntocorp/semgrep",
  "dorny/test-reporter",
];
const isTestAction = (uses: string): boolean => testActions.some((name) => uses.toLowerCase().startsWith(name));
/** What a container runs stands behind fewer options than this. */
const wordsMax = 100;

/** Whether a command can tell good from bad, also if a container runs it. */
export const isTest = ({ words }: Worded): boolean =>
  testCommand.test(words.join(" ")) ||
  (/^(docker|docker-compose|podman)$/.test(words[0] ?? "") &&
    words.some((word) => word === "run" || word === "exec") &&
    words.slice(0, wordsMax).some((_word, at) => at > 1 && testCommand.test(words.slice(at, at + 8).join(" "))));

export const isTestStep = (step: StepNode): boolean =>
  (step.run !== undefined && commandsIn(step.run.text).some(isTest)) || isTestAction(step.uses?.text ?? "");
