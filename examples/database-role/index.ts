// The job that makes the control plane's role in its database, so that the control plane need not be the server's administrator.
import { DatabaseRole, ImageRegistry, JournalDatabase } from "ballast";

const tenant = "00000000-0000-0000-0000-00000000beef";
const place = {
  scope: "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop",
  resourceGroupName: "shop",
  location: "westeurope",
};

const images = new ImageRegistry("images", { ...place, registry: "shopimages" });
const journal = new JournalDatabase("journal", { ...place, tenant });

const role = new DatabaseRole(
  "database-role",
  {
    ...place,
    tenant,
    image: "shopimages.azurecr.io/control-plane:0.1.0",
    pull: images.pull,
    environmentId: `${place.scope}/providers/Microsoft.App/managedEnvironments/apps`,
    database: { serverName: journal.serverName, host: journal.host, name: journal.databaseName },
    grantee: { name: "control-plane", objectId: "00000000-0000-0000-0000-0000000c0de5" }, // what `ControlPlane` gives as identityName and identityObjectId
  },
  { dependsOn: images },
);

// Start it once: az containerapp job start --resource-group shop --name database-role
export const { job } = role;
