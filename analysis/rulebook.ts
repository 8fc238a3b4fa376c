// All rules, sorted by id. Add one with a file in `rules/` and a line here.
import type { Rule } from "./rule.ts";
import { deadlock } from "./rules/deadlock.ts";
import { gateAfterEffect } from "./rules/gate-after-effect.ts";
import { gateCannotFail } from "./rules/gate-cannot-fail.ts";
import { releaseCancelledMidway } from "./rules/release-cancelled-midway.ts";
import { releaseDeployWithoutLock } from "./rules/release-deploy-without-lock.ts";
import { releaseLockMissesTarget } from "./rules/release-lock-misses-target.ts";
import { releaseSilentlySkipped } from "./rules/release-silently-skipped.ts";
import { releaseSkippedMasksFailure } from "./rules/release-skipped-masks-failure.ts";
import { releaseUngated } from "./rules/release-ungated.ts";
import { rollbackUnsound } from "./rules/rollback-unsound.ts";
import { workflowDead } from "./rules/workflow-dead.ts";
import { workflowNeedlessNeeds } from "./rules/workflow-needless-needs.ts";
import { workflowRunWrongCommit } from "./rules/workflow-run-wrong-commit.ts";

export const rulebook: readonly Rule[] = [
  deadlock,
  gateAfterEffect,
  gateCannotFail,
  releaseCancelledMidway,
  releaseDeployWithoutLock,
  releaseLockMissesTarget,
  releaseSilentlySkipped,
  releaseSkippedMasksFailure,
  releaseUngated,
  rollbackUnsound,
  workflowDead,
  workflowNeedlessNeeds,
  workflowRunWrongCommit,
];
