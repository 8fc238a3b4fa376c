// The orders in which other tools change a password, as their documentation and sources have them. Each is written here
// over the same server, the same vault and the same clients; none of the tools itself runs.
import { lagMilliseconds, microsoftOrder, type Order } from "../../demo/rotation/other-order.ts";

/** AWS Secrets Manager with a single user: the database first, the label of the current version last. */
const awsSingleUser: Order = {
  name: "AWS, single user",
  rotate: async ({ setPassword, publish, rest }) => {
    const password = crypto.randomUUID();
    await setPassword("one", password);
    await rest(lagMilliseconds);
    await publish("one", password);
  },
};

/** Vault's static role: its own log has the new password before the database, and readers get it right after. */
const vaultStaticRole: Order = {
  name: "Vault, static role",
  rotate: async ({ setPassword, publish }) => {
    const password = crypto.randomUUID();
    await setPassword("one", password);
    await publish("one", password);
  },
};

/** Two users that alternate, without a gate: the second rotation comes before every reader has read the first one. */
const twoUsers: Order = {
  name: "two users without a gate, twice",
  rotate: async ({ setPassword, publish, rest }) => {
    for (const role of ["other", "one"] as const) {
      const password = crypto.randomUUID();
      await setPassword(role, password);
      await publish(role, password);
      await rest(500);
    }
  },
};

export const otherOrders: readonly Order[] = [microsoftOrder, awsSingleUser, twoUsers, vaultStaticRole];
