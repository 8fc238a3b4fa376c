// All rules, sorted by id. Add one with a file in `rules/` and a line here.
import type { Rule } from "./rule.ts";
import { deadlock } from "./rules/deadlock.ts";
import { releaseCancelledMidway } from "./rules/release-cancelled-midway.ts";
import { releaseDeployWithoutLock } from "./rules/release-deploy-without-lock.ts";
import { releaseLockMissesTarget } from "./rules/release-lock-misses-target.ts";
import { releaseSilentlySkipped } from "./rules/release-silently-skipped.ts";
import { releaseSkippedMasksFailure } from "./rules/release-skipped-masks-failure.ts";

export const rulebook: readonly Rule[] = [
  deadlock,
  releaseCancelledMidway,
  releaseDeployWithoutLock,
  releaseLockMissesTarget,
  releaseSilentlySkipped,
  releaseSkippedMasksFailure,
];
