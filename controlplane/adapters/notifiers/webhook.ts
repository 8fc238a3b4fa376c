// Posts a notification as a signed webhook in the format of Standard Webhooks, for which libraries exist. The
// signature covers the id, the time of sending and the body, so that a receiver detects a changed body and a copy that
// is replayed later.
import { createHmac } from "node:crypto";
import { kindOf, type Notification } from "../../../engines/kind.ts";
import type { Notifier } from "../../runtime/ports.ts";
import { post, type Wire } from "./post.ts";

/** Gives the notifier. The secret is `whsec_` with the key in base64, the form of receivers' libraries, or any text. */
export function webhookNotifier(
  { url, secret }: { readonly url: string; readonly secret: string },
  wire: Wire,
): Notifier {
  return {
    name: "webhook",
    deliver: (notification, cancel) => {
      const body = bodyOf(notification);
      const id = headerId(notification);
      const timestamp = String(Math.floor(Date.now() / 1000));
      const digest = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest("base64");
      return post(
        {
          url,
          body,
          headers: {
            "webhook-id": id,
            "webhook-timestamp": timestamp,
            "webhook-signature": `v1,${digest}`,
            "idempotency-key": id,
          },
        },
        wire,
        cancel,
      );
    },
  };
}

const keyOf = (secret: string): Buffer =>
  secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : Buffer.from(secret);

/** A resource group may have letters that a header cannot carry. */
const headerId = ({ id }: Notification): string => encodeURIComponent(id);

const bodyOf = (notification: Notification): string => {
  const { kind, at, id, data, message } = notification;
  return JSON.stringify({
    type: `${kindOf(id)}.${kind}`,
    timestamp: new Date(at).toISOString(),
    data: { id, ...data, message },
  });
};
