// The jobs that change the schema of an app's database around a rollout. The workflow `db-migrate` starts them.
import { DatabaseMigration, ImageRegistry } from "ballast";

const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";
const place = { scope, resourceGroupName: "shop", location: "westeurope" };

const images = new ImageRegistry("images", { ...place, registry: "shopimages" });

const migration = new DatabaseMigration(
  "shop-migrate",
  {
    ...place,
    image: "shopimages.azurecr.io/shop:2.1.0", // the app's own image: it has the folder `migrations` of its commit
    pull: images.pull,
    environmentId: `${scope}/providers/Microsoft.App/managedEnvironments/apps`,
    database: { host: "shop.postgres.database.azure.com", name: "shop" },
  },
  { dependsOn: images },
);

// `job` of the workflow `db-migrate` in each phase.
export const { expandJob, contractJob } = migration;
// `migrator` of a `DatabaseRole` with `credentials`: it gives the jobs the rights of the owner of the app's tables.
export const { identityName, identityObjectId } = migration;
