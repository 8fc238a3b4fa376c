// Posts a notification to a Slack incoming webhook. Slack reads < and & as markup, with which a name could mention
// everyone or disguise a link, so they are escaped as Slack requires.
import type { Notifier } from "../../runtime/ports.ts";
import { post, type Wire } from "../wire/post.ts";

/** Gives the notifier for Slack. Whoever has the address can post, so the address is a secret. */
export function slackNotifier({ url }: { readonly url: string }, wire: Wire): Notifier {
  return {
    name: "slack",
    deliver: ({ kind, subject, item, place, message }, cancel) => {
      const title = escaped(`${subject} ${kind}`);
      const text = escaped(message);
      const where = escaped(`${item} in ${place}`);
      return post(
        {
          url,
          body: JSON.stringify({
            text: `${title}: ${text}`,
            blocks: [
              { type: "section", text: { type: "mrkdwn", text: `*${title}*\n${text}`, verbatim: true } },
              { type: "context", elements: [{ type: "plain_text", text: where }] },
            ],
          }),
        },
        wire,
        cancel,
      );
    },
  };
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
