// All rules, sorted by id. Add one with a file in `rules/` and a line here.
import type { Rule } from "./rule.ts";
import { calleePermissions } from "./rules/callee-permissions.ts";
import { deadlock } from "./rules/deadlock.ts";
import { effectOrderNotResumable } from "./rules/effect-order-not-resumable.ts";
import { gateAfterEffect } from "./rules/gate-after-effect.ts";
import { gateCannotFail } from "./rules/gate-cannot-fail.ts";
import { noRollback } from "./rules/no-rollback.ts";
import { outputUndeclared } from "./rules/output-undeclared.ts";
import { pendingDropped } from "./rules/pending-dropped.ts";
import { previewSkipped } from "./rules/preview-skipped.ts";
import { releaseBlindCanary } from "./rules/release-blind-canary.ts";
import { releaseCancelledMidway } from "./rules/release-cancelled-midway.ts";
import { releaseDeadChoice } from "./rules/release-dead-choice.ts";
import { releaseDeployWithoutLock } from "./rules/release-deploy-without-lock.ts";
import { releaseGateBypass } from "./rules/release-gate-bypass.ts";
import { releaseLockMissesTarget } from "./rules/release-lock-misses-target.ts";
import { releaseNoTimeoutHoldingALock } from "./rules/release-no-timeout-holding-a-lock.ts";
import { releaseSilentlySkipped } from "./rules/release-silently-skipped.ts";
import { releaseSkippedMasksFailure } from "./rules/release-skipped-masks-failure.ts";
import { releaseUngated } from "./rules/release-ungated.ts";
import { rollbackTargetRemoved } from "./rules/rollback-target-removed.ts";
import { rollbackUnsound } from "./rules/rollback-unsound.ts";
import { stateSharedByEnvironments } from "./rules/state-shared-by-environments.ts";
import { triggerLoop } from "./rules/trigger-loop.ts";
import { workflowDead } from "./rules/workflow-dead.ts";
import { workflowNeedlessNeeds } from "./rules/workflow-needless-needs.ts";
import { workflowRunWrongCommit } from "./rules/workflow-run-wrong-commit.ts";

export const rulebook: readonly Rule[] = [
  calleePermissions,
  deadlock,
  effectOrderNotResumable,
  gateAfterEffect,
  gateCannotFail,
  noRollback,
  outputUndeclared,
  pendingDropped,
  previewSkipped,
  releaseBlindCanary,
  releaseCancelledMidway,
  releaseDeadChoice,
  releaseDeployWithoutLock,
  releaseGateBypass,
  releaseLockMissesTarget,
  releaseNoTimeoutHoldingALock,
  releaseSilentlySkipped,
  releaseSkippedMasksFailure,
  releaseUngated,
  rollbackTargetRemoved,
  rollbackUnsound,
  stateSharedByEnvironments,
  triggerLoop,
  workflowDead,
  workflowNeedlessNeeds,
  workflowRunWrongCommit,
];
