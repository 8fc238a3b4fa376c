// Exit codes have one meaning in the whole catalogue of errors: 2 is invalid usage, 3 means that the control plane or
// the emulator is unavailable, and everything else is 1. A new error of a command has to be placed in one of the lists.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { refusal } from "../../client/requests.ts";
import { catalogue, exitCodeMeanings } from "../../errors/catalogue.ts";
import { importErrors } from "../../toolchain/package/reference-errors.ts";

const root = join(import.meta.dirname, "..", "..");
const files = [...(await importErrors()).keys()];

const idsIn = (name: string): readonly string[] =>
  [...readFileSync(join(root, "errors", `${name}.ts`), "utf8").matchAll(/\bentry(?:<[^(]*>)?\(\s*"([^"]+)"/g)].map(
    ([, id]) => id!,
  );
const idsWith = (exitCode: number): readonly string[] =>
  [...catalogue()].filter(([, listed]) => listed.exitCode === exitCode).map(([id]) => id);

/** The command fails again in the same way until its options, its arguments or the files that it reads are changed. */
const usage = [
  "cli-alert-file-malformed",
  "cli-analyze-baseline-unreadable",
  "cli-analyze-baseline-unwritable",
  "cli-analyze-folder-missing",
  "cli-analyze-history-unreadable",
  "cli-emulator-folder-foreign",
  "cli-emulator-image-unclear",
  "cli-emulator-port-kept",
  "cli-emulator-reset-unasked",
  "cli-emulator-time-unclear",
  "cli-endpoint-unbound",
  "cli-endpoint-unknown",
  "cli-file-refused",
  "cli-image-sources-missing",
  "cli-journal-unmeasured",
  "cli-plan-malformed",
  "cli-plan-unreadable",
  "cli-promote-mutable",
  "cli-rollout-ambiguous",
  "cli-rollout-name-unclear",
  "cli-stack-unreadable",
  "cli-traffic-unknown",
  "cli-usage-wrong",
  "comment-source-unreadable",
  "demo-option-unclear",
  "demo-seed-unclear",
  "doctor-plane-undeployed",
  "doctor-stack-unnamed",
  "doctor-stack-unreadable",
  "github-access-unclear",
  "migration-database-unclear",
  "migration-folder-unclear",
  "migration-phase-other",
  "policy-baseline-unreadable",
  "policy-settings-refused",
  "policy-state-unreadable",
  "release-endpoint-insecure",
  "toolchain-pulumi-missing",
  "workflows-project-missing",
  "workflows-root-elsewhere",
  "workflows-side-unreadable",
];

/** The control plane or the emulator does not run, cannot be reached, or answers that it cannot work now (503). */
const unavailable = [
  "call-issuer-unreachable",
  "call-replica-ending",
  "cli-emulator-not-up",
  "journal-unreachable",
  "release-control-plane-unreachable",
];

/** Valid usage of a command that then failed or was refused. */
const failed = [
  "cli-analyze-tree-dirty",
  "cli-emulator-app-unknown",
  "cli-emulator-port-taken",
  "cli-emulator-refused",
  "cli-emulator-start-failed",
  "cli-emulator-state-unreadable",
  "cli-emulator-up-already",
  "cli-image-az-missing",
  "cli-image-build-failed",
  "cli-replay-differs",
  "cli-rollout-unknown",
  "cli-sign-in-az-missing",
  "cli-sign-in-failed",
  "cli-sign-in-unknown",
  "cli-stream-name-ambiguous",
  "cli-stream-name-unknown",
  "cli-stream-none",
  "demo-already-running",
  "demo-folder-foreign",
  "demo-machine-too-busy",
  "github-refused",
  "github-unreachable",
  "migration-failed",
  "migration-linter-missing",
  "migration-out-of-order",
  "workflows-check-unknown",
  "workflows-checks-failed",
  "workflows-credentials-too-many",
  "workflows-environments-misnamed",
  "workflows-file-edited",
  "workflows-file-exists",
  "workflows-head-moving",
  "workflows-plan-too-small",
  "workflows-repository-archived",
  "workflows-reviewers-unusable",
  "workflows-scope-missing",
];

test("exactly the errors of invalid usage have exit code 2", () => expect(idsWith(2).toSorted()).toEqual(usage));

test("exactly the errors of an unavailable control plane or emulator have exit code 3", () =>
  expect(idsWith(3).toSorted()).toEqual(unavailable));

test("every error of the command and of the demo has its place in one of the lists", () => {
  const ids = ["analysis", "cli", "demo", "github", "migration", "workflows"].flatMap(idsIn);
  expect(ids.length).toBeGreaterThan(30);
  expect(ids.toSorted()).toEqual(
    [...usage, ...unavailable, ...failed]
      .filter((id) => /^(cli|comment|demo|github|migration|workflows)-/.test(id))
      .toSorted(),
  );
});

test("a warning has no exit code of its own", () =>
  expect(
    [...catalogue().values()].filter(({ severity, exitCode }) => severity === "warning" && exitCode !== 1),
  ).toEqual([]));

test("an error of the API has the exit code of the catalogue, or the default if its id is unknown here", () => {
  const access = { endpoint: "https://plane.example", token: async () => "" };
  const arriving = (id: string) =>
    refusal(access, { status: 503, body: { error: { id, message: "It failed.", fix: "wait" } } });
  expect(arriving("journal-unreachable")).toMatchObject({ severity: "error", exitCode: 3 });
  expect(arriving("call-invented-later")).toMatchObject({ severity: "error", exitCode: 1 });
});

test("the help and the reference give the exit codes these meanings", () => {
  expect(exitCodeMeanings).toMatchObject({
    2: expect.stringContaining("invalid usage"),
    3: "the control plane or the emulator is unavailable",
  });
  const page = (name: string): string => readFileSync(join(root, "docs", name), "utf8");
  for (const [code, meaning] of Object.entries(exitCodeMeanings)) {
    expect(page("reference/commands.md")).toContain(`\n  ${code}  ${meaning}\n`);
    expect(page("reference/errors.md")).toContain(`\n- ${code}: ${meaning}\n`);
  }
});

test("an error whose texts depend on the case declares its variants, so that the reference shows each wording", () => {
  const undeclared = files
    .flatMap((file) => readFileSync(join(root, file), "utf8").split(/^export /m))
    .filter((text) => /\bentry\b/.test(text) && / \?\?? | \|\| /.test(text) && !/^ +variants: /m.test(text));
  expect(undeclared).toEqual([]);
  expect([...catalogue()].filter(([, { variants }]) => variants.length > 1).length).toBeGreaterThan(9);
});
