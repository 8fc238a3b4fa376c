// What passes from one job to another: outputs, results, artifacts, caches, images and branches. Rules call an edge
// needless only if nothing of this passes, and if the earlier job is known to change nothing outside.
import { expressionsIn, pathsIn } from "./expressions.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { isOnOwnMachine } from "./roles.ts";
import { commandsIn, type ShellCommand } from "./shell.ts";
import { isTest } from "./tests.ts";
import type { WorkflowsView } from "./view.ts";

/** Whether a later job uses anything of an earlier one. */
export function passesBetween(view: WorkflowsView, earlier: JobNode, later: JobNode): boolean {
  return readsOutputs(earlier, later) || sharesArtifact(view, earlier, later) || sharesCache(view, earlier, later);
}

const readsOutputs = (earlier: JobNode, later: JobNode): boolean =>
  later.templates.some(({ text }) =>
    expressionsIn(text, true)
      .flatMap(pathsIn)
      .some(([context, key]) => context === "needs" && (key === undefined || key === "*" || key === earlier.key)),
  );

const uses = (step: StepNode, action: RegExp): boolean => action.test(step.uses?.text.split("@")[0] ?? "");
const inputOf = (step: StepNode, name: string): string | undefined =>
  step.with.find(({ key }) => key.text === name)?.value.text;

const upload = /upload-(pages-)?artifact(s)?(\/merge)?$|^actions\/upload-/;
const download = /download-artifact(s)?$|^actions\/deploy-pages$|dawidd6\/action-download-artifact|actions\/attest/;

/** An artifact without a name, or with a pattern, may be any. A callee may upload or download anything. */
function sharesArtifact(view: WorkflowsView, earlier: JobNode, later: JobNode): boolean {
  const uploads = stepsBelow(view, earlier).filter((step) => uses(step, upload));
  const downloads = stepsBelow(view, later).filter(
    (step) => uses(step, download) || /gh run download|artifacts\//.test(step.run?.text ?? ""),
  );
  if (earlier.uses && view.calleeOf(earlier) === undefined) return true;
  if (later.uses && view.calleeOf(later) === undefined) return true;
  return uploads.some((up) =>
    downloads.some((down) => {
      const [one, other] = [inputOf(up, "name"), inputOf(down, "name")];
      return one === undefined || other === undefined || one === other || `${one}${other}`.includes("${{");
    }),
  );
}

const stepsBelow = (view: WorkflowsView, job: JobNode): readonly StepNode[] => {
  const callee = view.calleeOf(job);
  return callee ? view.jobsOf(callee).flatMap(view.stepsOf) : view.stepsOf(job);
};

const explicitCache = /^actions\/cache(\/save|\/restore)?$/;
const setup =
  /^(actions\/setup-(node|python|go|java|dotnet|ruby)|ruby\/setup-ruby|astral-sh\/setup-uv|pnpm\/action-setup)$/;

/** An explicit cache with the same key, or the same setup action with a cache, which the earlier job may fill. */
function sharesCache(view: WorkflowsView, earlier: JobNode, later: JobNode): boolean {
  const keys = (job: JobNode): readonly string[] =>
    view
      .stepsOf(job)
      .filter((step) => uses(step, explicitCache))
      .map((step) => inputOf(step, "key") ?? "");
  const [ones, others] = [keys(earlier), keys(later)];
  if (ones.some((key) => others.includes(key))) return true;
  // A job that only installs fills the cache for those after it.
  const isInstall = view.stepsOf(earlier).every((step) => step.run === undefined || isInstallOnly(step));
  const caches = (job: JobNode): boolean =>
    view.stepsOf(job).some((step) => uses(step, setup) && inputOf(step, "cache") !== undefined);
  return isInstall && caches(earlier) && caches(later);
}

const installs =
  /^((npm|pnpm|yarn|bun) (ci|install|i)\b|pip3? install|uv (sync|pip)|poetry install|go mod download|bundle install)/;
const isInstallOnly = ({ run }: StepNode): boolean =>
  commandsIn(run?.text ?? "").every(({ words }) => installs.test(words.join(" ")));

const harmlessActions = [
  "actions/checkout",
  "actions/setup-",
  "actions/cache",
  "actions/upload-artifact",
  "actions/download-artifact",
  "pnpm/action-setup",
  "oven-sh/setup-bun",
  "astral-sh/",
  "ruby/setup-ruby",
  "dtolnay/rust-toolchain",
  "swatinem/rust-cache",
  "actions-rs/toolchain",
  "actions-rs/cargo",
  "golangci/golangci-lint-action",
  "codecov/codecov-action",
  "pre-commit/action",
  "hashicorp/setup-terraform",
  "gradle/",
  "docker/setup-",
  "step-security/harden-runner",
  "cypress-io/github-action",
  "subosito/flutter-action",
  "denoland/setup-deno",
  "dorny/paths-filter",
  "arduino/setup-",
  "shivammathur/setup-php",
];

const harmlessCommand = new RegExp(
  "^(" +
    [
      "echo|printf|cd|ls|cat|pwd|true|test|export|set|mkdir|cp|mv|rm|touch|chmod|grep|sed|awk|jq|head|tail|find",
      "which|env",
      "sort|diff|wc|tar|unzip|source|pushd|popd|sleep|node|python3?|ruby|tsc|fi|done|esac|else|exit|return|shift|local",
      "npm (ci|install|i)|npm run (build|compile|format|generate)|(pnpm|yarn|bun)( (install|i|build|run build))?",
      "pip3? install|uv (sync|pip|build)|poetry (install|build|check)|python3? -m (pip|build|venv)|apt-get|apt|brew",
      "go (build|mod|install|generate|fmt)|cargo (build|check|fmt|doc|install|bench)|rustup|dotnet " +
        "(restore|build|format)",
      String.raw`(\./)?(mvnw?|gradlew?) .*(compile|package|build|assemble|install)`,
      "make (build|all|fmt|deps)|cmake|ctest|bundle (install|exec)|composer (install|validate)|corepack",
      "git (diff|status|fetch|log|merge-base|rev-parse|describe|show|ls-remote|ls-files)",
      "gh (run|pr|release|workflow|issue) (list|view|download)|gh api (?!.*( -X| --method| -f| -F| --field| --input))",
    ].join("|") +
    String.raw`)(\s|$)`,
);

const isHarmless = (command: ShellCommand): boolean =>
  isTest(command) || harmlessCommand.test(command.words.join(" ")) || /^[[({}]|^\[\[/.test(command.words[0] ?? "");

/** Whether a job is known to change nothing outside of its own machine. */
export function isHarmlessJob(view: WorkflowsView, job: JobNode): boolean {
  if (job.uses !== undefined || isOnOwnMachine(job)) return false;
  return (
    view.effectsOf(job).length === 0 &&
    view
      .stepsOf(job)
      .every(
        (step) =>
          (step.uses === undefined && commandsIn(step.run?.text ?? "").every(isHarmless)) ||
          harmlessActions.some((name) => step.uses?.text.toLowerCase().startsWith(name)) ||
          step.uses?.text.startsWith("./") === true,
      )
  );
}
