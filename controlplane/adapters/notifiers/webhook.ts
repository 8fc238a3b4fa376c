// Posts a notification as a webhook that is signed in the format of Standard Webhooks.
import { kindOf, type Notification } from "../../../engines/kind.ts";
import type { Notifier } from "../../runtime/ports.ts";
import { post, type Wire } from "../wire/post.ts";
import { signerOf } from "../wire/signing.ts";

/**
 * Gives the notifier.
 *
 * @throws if the secret gives no key to sign with: a signature that anyone can make is worse than none
 */
export function webhookNotifier(
  { url, secret }: { readonly url: string; readonly secret: string },
  wire: Wire,
): Notifier {
  const signed = signerOf(secret);
  return {
    name: "webhook",
    deliver: (notification, cancel) => {
      const body = bodyOf(notification);
      const id = headerId(notification);
      return post({ url, body, headers: { ...signed(id, body), "idempotency-key": id } }, wire, cancel);
    },
  };
}

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
