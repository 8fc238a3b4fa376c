// Posts a notification as an Adaptive Card to a Teams workflow ("When a Teams webhook request is received"). The card's
// texts are text runs, which Teams never reads as Markdown, so that a name cannot become a link.
import type { Tone } from "../../../engines/kind.ts";
import type { Notifier } from "../../runtime/ports.ts";
import { post, type Wire } from "../wire/post.ts";

/** Gives the notifier for Teams. Whoever has the address can post, so the address is a secret. */
export function teamsNotifier({ url }: { readonly url: string }, wire: Wire): Notifier {
  return {
    name: "teams",
    deliver: ({ kind, tone, subject, item, place, message }, cancel) => {
      const line = (text: string, look: object) => ({
        type: "RichTextBlock",
        inlines: [{ type: "TextRun", text, ...look }],
      });
      const card = {
        type: "AdaptiveCard",
        $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
        version: "1.4",
        body: [
          line(`${subject} ${kind}`, { weight: "Bolder", size: "Medium", color: colours[tone] }),
          line(message, {}),
          line(`${item} in ${place}`, { isSubtle: true, size: "Small" }),
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

const colours: { readonly [Each in Tone]: "Default" | "Good" | "Warning" | "Attention" } = {
  progress: "Default",
  waiting: "Warning",
  good: "Good",
  bad: "Attention",
  broken: "Attention",
};
