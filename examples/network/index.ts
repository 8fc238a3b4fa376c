// A network with an internal environment and a private database; the internet can reach neither.
import { ContainerEnvironment, JournalDatabase, Network } from "ballast";

const place = {
  scope: "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop",
  resourceGroupName: "shop",
  location: "westeurope",
};
const network = new Network("network", { ...place, range: "10.40.0.0/22" });

const environment = new ContainerEnvironment("apps", { ...place, subnet: network.environmentSubnetId, internal: true });

const journal = new JournalDatabase("journal", {
  ...place,
  tenant: "00000000-0000-0000-0000-00000000beef",
  network: { subnet: network.databaseSubnetId, zone: network.databaseZoneId },
});

export const { environmentId, domain } = environment;
export const { host, databaseName } = journal;
