// The PostgreSQL server that stores every decision of the control plane. It accepts Entra tokens and no passwords.
import { JournalDatabase } from "ballast";

const journal = new JournalDatabase("journal", {
  scope: "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop",
  resourceGroupName: "shop",
  location: "westeurope",
  tenant: "00000000-0000-0000-0000-00000000beef",
});

export const { serverName, host, databaseName } = journal;
