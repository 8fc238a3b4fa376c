// A notice as a signed webhook, in the form of Standard Webhooks, for which receivers have libraries: what is signed is the id, the moment of
// sending and the body, so that a copy that is sent again much later, or a changed one, is known.
import { createHmac } from "node:crypto";
import type { Notice } from "../../../engines/rollout/notifications.ts";
import type { Channel } from "../../runtime/ports.ts";
import { post, type Wire } from "./post.ts";

/** Gives the channel. The secret is `whsec_` and the key in base64, as receivers' libraries want it, or any text. */
export function webhookChannel(
  { url, secret }: { readonly url: string; readonly secret: string },
  wire: Wire,
): Channel {
  return {
    name: "webhook",
    tell: (notice, cancel) => {
      const body = bodyOf(notice);
      const id = headerId(notice);
      const timestamp = String(Math.floor(Date.now() / 1000));
      const signature = `v1,${createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
      return post(
        {
          url,
          body,
          headers: {
            "webhook-id": id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature,
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

/** Resource groups may have letters that a header may not. */
const headerId = ({ id }: Notice): string => encodeURIComponent(id);

const bodyOf = (notice: Notice): string => {
  const { kind, at, id, target, revision, release, sentence } = notice;
  return JSON.stringify({
    type: `rollout.${kind}`,
    timestamp: new Date(at).toISOString(),
    data: { id, ...target, revision, release, sentence },
  });
};
