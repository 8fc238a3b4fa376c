// Posts a notification as an Adaptive Card to a Teams workflow ("When a Teams webhook request is received"). The card's
// texts are text runs, which Teams never reads as Markdown, so that a name cannot become a link.
import type { NotificationKind } from "../../../engines/rollout/notifications.ts";
import type { Notifier } from "../../runtime/ports.ts";
import { post, type Wire } from "./post.ts";

/** Gives the notifier for Teams. Whoever has the address can post, so the address is a secret. */
export function teamsNotifier({ url }: { readonly url: string }, wire: Wire): Notifier {
  return {
    name: "teams",
    deliver: ({ kind, target, revision, message }, cancel) => {
      const line = (text: string, look: object) => ({
        type: "RichTextBlock",
        inlines: [{ type: "TextRun", text, ...look }],
      });
      const card = {
        type: "AdaptiveCard",
        $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
        version: "1.4",
        body: [
          line(`${target.app} ${kind}`, { weight: "Bolder", size: "Medium", color: colours[kind] }),
          line(message, {}),
          line(`${revision} in ${target.resourceGroup}`, { isSubtle: true, size: "Small" }),
        ],
      };
      return post(
        {
          url,
          body: JSON.stringify({
            type: "message",
            attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content: card }],
          }),
        },
        wire,
        cancel,
      );
    },
  };
}

const colours: { readonly [Kind in NotificationKind]: "Default" | "Good" | "Warning" | "Attention" } = {
  started: "Default",
  "step-reached": "Default",
  waiting: "Warning",
  promoted: "Good",
  unchanged: "Good",
  "rolled-back": "Attention",
  rejected: "Attention",
  degraded: "Attention",
};
