// The rules about stacks, sorted by id. The policy pack loads these alone, because it must start fast and the other
// rules bring parsers that it does not need. A test compares this list with the rulebook.
import { alertActionLoop } from "./rules/alert-action-loop.ts";
import { alertCanFire } from "./rules/alert-can-fire.ts";
import { alertHasAction } from "./rules/alert-has-action.ts";
import { alertHasOwner } from "./rules/alert-has-owner.ts";
import { appHasObjective } from "./rules/app-has-objective.ts";
import { credentialRightsMissing } from "./rules/credential-rights-missing.ts";
import { credentialSlotDrifted } from "./rules/credential-slot-drifted.ts";
import { crossEnvironmentReference } from "./rules/cross-environment-reference.ts";
import { dependsOnNeedless } from "./rules/depends-on-needless.ts";
import { endpointHardCoded } from "./rules/endpoint-hard-coded.ts";
import { expiryNotRotated } from "./rules/expiry-not-rotated.ts";
import { imageByDigest } from "./rules/image-by-digest.ts";
import { probesPresent } from "./rules/probes-present.ts";
import { resourceOwnedTwice } from "./rules/resource-owned-twice.ts";
import { rollbackNoRevisionKept } from "./rules/rollback-no-revision-kept.ts";
import { secretByReference } from "./rules/secret-by-reference.ts";
import { secretExpiry } from "./rules/secret-expiry.ts";
import { secretNotMarked } from "./rules/secret-not-marked.ts";
import { serviceCycle } from "./rules/service-cycle.ts";
import { storeSharedByEnvironments } from "./rules/store-shared-by-environments.ts";
import { trafficNotWhole } from "./rules/traffic-not-whole.ts";
import type { PulumiRule } from "./systems/pulumi/view.ts";

export const stackRules: readonly PulumiRule[] = [
  alertActionLoop,
  alertCanFire,
  alertHasAction,
  alertHasOwner,
  appHasObjective,
  credentialRightsMissing,
  credentialSlotDrifted,
  crossEnvironmentReference,
  dependsOnNeedless,
  endpointHardCoded,
  expiryNotRotated,
  imageByDigest,
  probesPresent,
  resourceOwnedTwice,
  rollbackNoRevisionKept,
  secretByReference,
  secretExpiry,
  secretNotMarked,
  serviceCycle,
  storeSharedByEnvironments,
  trafficNotWhole,
];
