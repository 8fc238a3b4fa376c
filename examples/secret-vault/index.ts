// The vault in which the control plane keeps what it rotates. The environment and the control plane exist already; they
// have examples of their own.
import { SecretVault } from "ballast";

const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";

const vault = new SecretVault("secrets", {
  scope,
  resourceGroupName: "shop",
  location: "westeurope",
  tenant: "00000000-0000-0000-0000-00000000beef",
  workspaceId: `${scope}/providers/Microsoft.OperationalInsights/workspaces/apps`,
  // The output `identityObjectId` of `ControlPlane`.
  officer: "00000000-0000-0000-0000-0000000c0de5",
});

export const { vaultId, vaultName } = vault;
