// The codes by which Container Apps refuses a body, as data: each with the public text that shows it, or marked as
// ours. A refusal whose code on Azure nobody has published is `EmulatorUnsupported`, so that no client can come to
// rely on a code that Azure never sends.
import { refusedToo, unsupported } from "../../arm/refusals.ts";
import { ArmError } from "../../arm/resource.ts";

/** Where a code comes from. `aca` is microsoft/azure-container-apps, `bicep` is Azure/bicep-types-az. */
export const codes = {
  ContainerAppImageRequired: "aca#436",
  ContainerAppInvalidEnvVarName: "Azure/reddog-containerapps#32",
  ContainerAppInvalidIngressStickySessionRevisionMode: "reports of refused deployments in public repositories, 2026",
  ContainerAppInvalidName: "MicrosoftDocs/azure-docs#95762",
  ContainerAppInvalidRegistryServerValue: "reports of refused deployments in public repositories, 2026",
  ContainerAppInvalidResourceTotal: "bicep#1924",
  ContainerAppInvalidRevisionName: "aca#1443",
  ContainerAppInvalidScaleSpec: "reports of refused deployments in public repositories, 2025",
  ContainerAppInvalidSchema: "aca#1395",
  ContainerAppInvalidSecretName: "Azure/container-apps-deploy-action#116",
  ContainerAppInvalidVolumeMount: "MicrosoftDocs/azure-docs#103756",
  ContainerAppProbeFailureThresholdOutOfRange: "aca#1100",
  ContainerAppSecretInvalid: "pulumi/pulumi-azure-native#2673",
  ContainerAppSecretKeyVaultUrlInvalid: "aca#733",
  ContainerAppSecretRefNotFound: "reports of refused deployments in public repositories, 2026",
  ContainerAppTcpRequiresVnet: "Learn: ingress",
  FailedIdentityOperation: "Resource Manager's answer to an unknown user-assigned identity",
  ManagedEnvironmentStorageNotFound: "DFE-Digital/terraform-azurerm-container-apps-hosting#281",
  ContainerAppInvalidTraffic: "ours",
  ContainerAppInvalidTrafficWeight: "ours",
  ContainerAppRevisionNotFound: "ours",
  EmulatorUnsupported: "ours: Azure refuses this too, with a code that is not public",
} as const;

/** The code of a refusal. */
export type RefusalCode = keyof typeof codes;

/** Refuses a body with Azure's code. @throws ArmError 400 */
export function refuse(code: RefusalCode, message: string): never {
  throw new ArmError(400, code, message);
}

/** Refuses what Azure refuses as well, with a code that is not public. @throws ArmError 400 */
export function refuseLikeAzure(problem: string): never {
  throw refusedToo(problem);
}

/** Refuses what Azure runs and the emulator does not. @throws ArmError 400 */
export function refuseUnsupported(what: string): never {
  throw unsupported(what);
}
