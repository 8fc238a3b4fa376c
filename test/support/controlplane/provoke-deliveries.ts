// Deliveries of alerts and of events that provoke every answer which the API description names for them.
import type { Hint, Parts } from "../../../controlplane/api/call.ts";
import { azureMonitor } from "../../../controlplane/api/deliver-alert.ts";
import { eventGrid } from "../../../controlplane/api/deliver-events.ts";
import { replicaEnding } from "../../../errors/api.ts";
import type { Service, servicesForTests } from "./service.ts";

/** What delivers hints: where to, its app role, its application, and how the parts of a service judge it. */
const deliveries = [
  {
    to: "/alerts",
    role: "ActionGroupsSecureWebhook",
    azp: azureMonitor,
    judged: (hint: () => Hint) => ({ hint }),
  },
  {
    to: "/events",
    role: "AzureEventGridSecureWebhookSubscriber",
    azp: eventGrid,
    judged: (hint: () => Hint) => ({ eventHint: async () => hint() }),
  },
];

/** What deliveries are made with. */
interface Deliverer {
  readonly service: (judging?: Pick<Parts, "hint" | "eventHint">) => Service;
  readonly token: ReturnType<typeof servicesForTests>["token"];
  /** A service that cannot ask for the issuer's keys. */
  readonly deaf: Service;
  /** Tokens that are refused. */
  readonly refused: readonly string[];
}

/** Delivers every kind of hint, right and wrong, to services whose judgement works and fails. */
export async function provokeDeliveries(deliverer: Deliverer): Promise<void> {
  for (const delivery of deliveries) await provokeOne(delivery, deliverer);
}

async function provokeOne(
  { to, role, azp, judged }: (typeof deliveries)[number],
  { service, token, deaf, refused }: Deliverer,
): Promise<void> {
  const roles = [role];
  const [sender, other] = await Promise.all([token({ roles, azp }), token({ roles, azp: "other" })]);
  const throwing = (error: Error) =>
    service(
      judged(() => {
        throw error;
      }),
    );
  const plain = service();
  for (const method of ["POST", "OPTIONS"]) await plain.app.request(to, { method });
  for (const bearer of [...refused, other, sender]) await plain.call("POST", to, {}, bearer);
  await deaf.call("POST", to, {}, sender);
  await service(judged(() => ({ says: "refuse", why: "It is none." }))).call("POST", to, {}, sender);
  await plain.call("POST", to, "{", sender);
  await plain.call("POST", to, "x".repeat(1_200_000), sender);
  await plain.call("POST", to, {}, sender, { "content-type": "text/plain" });
  await throwing(new Error("broken inside")).call("POST", to, {}, sender);
  const lost = Object.assign(new Error("the connection broke"), { code: "ECONNRESET" });
  await throwing(lost).call("POST", to, {}, sender);
  await throwing(replicaEnding()).call("POST", to, {}, sender);
}
