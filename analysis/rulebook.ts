// All rules, sorted by id. Add one with a file in `rules/` and a line here.
import type { Rule } from "./rule.ts";
import { agentCannotDelegate } from "./rules/agent-cannot-delegate.ts";
import { agentDangling } from "./rules/agent-dangling.ts";
import { agentDelegationCycle } from "./rules/agent-delegation-cycle.ts";
import { agentDuplicate } from "./rules/agent-duplicate.ts";
import { agentFieldIgnored } from "./rules/agent-field-ignored.ts";
import { agentFileNotLoaded } from "./rules/agent-file-not-loaded.ts";
import { agentSerialDelegation } from "./rules/agent-serial-delegation.ts";
import { agentWithoutTools } from "./rules/agent-without-tools.ts";
import { alertActionLoop } from "./rules/alert-action-loop.ts";
import { alertCanFire } from "./rules/alert-can-fire.ts";
import { alertHasAction } from "./rules/alert-has-action.ts";
import { alertHasOwner } from "./rules/alert-has-owner.ts";
import { appHasObjective } from "./rules/app-has-objective.ts";
import { cacheNeverHits } from "./rules/cache-never-hits.ts";
import { calleePermissions } from "./rules/callee-permissions.ts";
import { credentialRightsMissing } from "./rules/credential-rights-missing.ts";
import { credentialSlotDrifted } from "./rules/credential-slot-drifted.ts";
import { criticalPathOneJob } from "./rules/critical-path-one-job.ts";
import { crossEnvironmentReference } from "./rules/cross-environment-reference.ts";
import { deadlock } from "./rules/deadlock.ts";
import { dependsOnNeedless } from "./rules/depends-on-needless.ts";
import { effectOrderNotResumable } from "./rules/effect-order-not-resumable.ts";
import { endpointHardCoded } from "./rules/endpoint-hard-coded.ts";
import { expiryNotRotated } from "./rules/expiry-not-rotated.ts";
import { gateAfterEffect } from "./rules/gate-after-effect.ts";
import { gateCannotFail } from "./rules/gate-cannot-fail.ts";
import { hookCannotFire } from "./rules/hook-cannot-fire.ts";
import { hookMatcherIgnored } from "./rules/hook-matcher-ignored.ts";
import { hookRace } from "./rules/hook-race.ts";
import { imageByDigest } from "./rules/image-by-digest.ts";
import { jobPassesOnRetry } from "./rules/job-passes-on-retry.ts";
import { matrixFanOutCost } from "./rules/matrix-fan-out-cost.ts";
import { matrixIdleLeg } from "./rules/matrix-idle-leg.ts";
import { noRollback } from "./rules/no-rollback.ts";
import { oidcSubjectMatches } from "./rules/oidc-subject-matches.ts";
import { outputUndeclared } from "./rules/output-undeclared.ts";
import { pendingDropped } from "./rules/pending-dropped.ts";
import { previewSkipped } from "./rules/preview-skipped.ts";
import { probesPresent } from "./rules/probes-present.ts";
import { promptFileMissing } from "./rules/prompt-file-missing.ts";
import { releaseActionUnpinned } from "./rules/release-action-unpinned.ts";
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
import { requiredCheckExists } from "./rules/required-check-exists.ts";
import { resourceOwnedTwice } from "./rules/resource-owned-twice.ts";
import { rollbackNoRevisionKept } from "./rules/rollback-no-revision-kept.ts";
import { rollbackTargetRemoved } from "./rules/rollback-target-removed.ts";
import { rollbackUnsound } from "./rules/rollback-unsound.ts";
import { runnerWait } from "./rules/runner-wait.ts";
import { secretByReference } from "./rules/secret-by-reference.ts";
import { secretExpiry } from "./rules/secret-expiry.ts";
import { secretNotMarked } from "./rules/secret-not-marked.ts";
import { serviceCycle } from "./rules/service-cycle.ts";
import { skillUnreachable } from "./rules/skill-unreachable.ts";
import { stateSharedByEnvironments } from "./rules/state-shared-by-environments.ts";
import { stepsDrifted } from "./rules/steps-drifted.ts";
import { storeSharedByEnvironments } from "./rules/store-shared-by-environments.ts";
import { successUnverified } from "./rules/success-unverified.ts";
import { trafficNotWhole } from "./rules/traffic-not-whole.ts";
import { triggerLoop } from "./rules/trigger-loop.ts";
import { workflowDead } from "./rules/workflow-dead.ts";
import { workflowNeedlessNeeds } from "./rules/workflow-needless-needs.ts";
import { workflowRunWrongCommit } from "./rules/workflow-run-wrong-commit.ts";

export const rulebook: readonly Rule[] = [
  agentCannotDelegate,
  agentDangling,
  agentDelegationCycle,
  agentDuplicate,
  agentFieldIgnored,
  agentFileNotLoaded,
  agentSerialDelegation,
  agentWithoutTools,
  alertActionLoop,
  alertCanFire,
  alertHasAction,
  alertHasOwner,
  appHasObjective,
  cacheNeverHits,
  calleePermissions,
  credentialRightsMissing,
  credentialSlotDrifted,
  criticalPathOneJob,
  crossEnvironmentReference,
  deadlock,
  dependsOnNeedless,
  effectOrderNotResumable,
  endpointHardCoded,
  expiryNotRotated,
  gateAfterEffect,
  gateCannotFail,
  hookCannotFire,
  hookMatcherIgnored,
  hookRace,
  imageByDigest,
  jobPassesOnRetry,
  matrixFanOutCost,
  matrixIdleLeg,
  noRollback,
  oidcSubjectMatches,
  outputUndeclared,
  pendingDropped,
  previewSkipped,
  probesPresent,
  promptFileMissing,
  releaseActionUnpinned,
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
  requiredCheckExists,
  resourceOwnedTwice,
  rollbackNoRevisionKept,
  rollbackTargetRemoved,
  rollbackUnsound,
  runnerWait,
  secretByReference,
  secretExpiry,
  secretNotMarked,
  serviceCycle,
  skillUnreachable,
  stateSharedByEnvironments,
  stepsDrifted,
  storeSharedByEnvironments,
  successUnverified,
  trafficNotWhole,
  triggerLoop,
  workflowDead,
  workflowNeedlessNeeds,
  workflowRunWrongCommit,
];
