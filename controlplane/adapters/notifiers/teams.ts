// A notice as an Adaptive Card for a workflow of Teams ("When a Teams webhook request is received"). The card's texts are runs, which are never
// read as Markdown, so that a name cannot become a link.
import type { NoticeKind } from "../../../engines/rollout/notifications.ts";
import type { Channel } from "../../runtime/ports.ts";
import { post, type Wire } from "./post.ts";

/** Gives the channel. Its address is all that it takes to write there: a secret. */
export function teamsChannel({ url }: { readonly url: string }, wire: Wire): Channel {
  return {
    name: "teams",
    tell: ({ kind, target, revision, sentence }, cancel) => {
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
          line(sentence, {}),
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

const colours: { readonly [Kind in NoticeKind]: "Default" | "Good" | "Warning" | "Attention" } = {
  started: "Default",
  "step-reached": "Default",
  held: "Warning",
  promoted: "Good",
  equal: "Good",
  "rolled-back": "Attention",
  rejected: "Attention",
  stranded: "Attention",
};
