// A notice as a message of Slack's incoming webhooks. Slack reads < and & as markup, with which a name could call everybody or hide where a
// link leads, so that they are escaped as Slack asks.
import type { Channel } from "../../runtime/ports.ts";
import { post, type Wire } from "./post.ts";

/** Gives the channel. Its address is all that it takes to write there: a secret. */
export function slackChannel({ url }: { readonly url: string }, wire: Wire): Channel {
  return {
    name: "slack",
    tell: ({ kind, target, revision, sentence }, cancel) => {
      const title = escaped(`${target.app} ${kind}`);
      const text = escaped(sentence);
      const place = escaped(`${revision} in ${target.resourceGroup}`);
      const section = (type: "section" | "context", words: string) =>
        type === "section"
          ? { type, text: { type: "mrkdwn", text: words, verbatim: true } }
          : { type, elements: [{ type: "plain_text", text: words }] };
      return post(
        {
          url,
          body: JSON.stringify({
            text: `${title}: ${text}`,
            blocks: [section("section", `*${title}*\n${text}`), section("context", place)],
          }),
        },
        wire,
        cancel,
      );
    },
  };
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
