// The job that creates the control plane's role in its database, so that the control plane need not be administrator.
import { DatabaseRole, ImageRegistry, JournalDatabase } from "ballast";

const tenant = "00000000-0000-0000-0000-00000000beef";
const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";
const place = { scope, resourceGroupName: "shop", location: "westeurope" };

const images = new ImageRegistry("images", { ...place, registry: "shopimages" });
const journal = new JournalDatabase("journal", { ...place, tenant });

const role = new DatabaseRole(
  "database-role",
  {
    ...place,
    tenant,
    image: "shopimages.azurecr.io/control-plane:0.1.0",
    pull: images.pull,
    environmentId: `${scope}/providers/Microsoft.App/managedEnvironments/apps`,
    database: { serverName: journal.serverName, host: journal.host, name: journal.databaseName },
    // The outputs `identityName` and `identityObjectId` of `ControlPlane`.
    grantee: { name: "control-plane", objectId: "00000000-0000-0000-0000-0000000c0de5" },
  },
  { dependsOn: images },
);

// Start it once: az containerapp job start --resource-group shop --name database-role
export const { job } = role;
