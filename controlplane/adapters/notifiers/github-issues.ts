// Keeps one open issue for what a person still has to do, such as to find the cause of what was repaired. What happens
// again to the same thing is counted in the open issue. The issue is found again by its hidden first line, so that no
// number has to be stored and a notification that is sent again opens no second one.
import { createHash } from "node:crypto";
import type { Notification } from "../../../engines/kind.ts";
import type { Notifier } from "../../runtime/ports.ts";
import { issueCalls, type ListedIssue } from "../github/issue-calls.ts";
import { deliveryOf, type Wire } from "../wire/post.ts";

/** The repository that gets the issues, and the token that writes them. */
export interface GithubIssuesSettings {
  readonly api: string;
  /** `owner/name`. */
  readonly repository: string;
  /** It needs the right to write issues of this repository, and no other. */
  readonly token: string;
}

/** Gives the notifier for issues. What leaves nothing to do is delivered without a request. */
export function githubIssuesNotifier({ api, repository, token }: GithubIssuesSettings, wire: Wire): Notifier {
  const issues = issueCalls({ api, token }, wire);
  return {
    name: "github-issues",
    deliver: async (notification, cancel) => {
      if (notification.todo === undefined) return { kind: "delivered" };
      const listed = await issues.list(repository, "open", cancel);
      if ("delivery" in listed) return listed.delivery;
      const found = openIssueOf(notification, listed.accepted);
      if (found?.last === wordOf(notification.id)) return { kind: "delivered" };
      const body = bodyOf(notification, (found?.times ?? 0) + 1);
      return deliveryOf(
        found === undefined
          ? await issues.open(repository, titleOf(notification), body, cancel)
          : await issues.edit(repository, found.number, body, cancel),
      );
    },
  };
}

/** An open issue about the same thing: how often that happened, and the notification that it was written for. */
interface OpenIssue {
  readonly number: number;
  readonly times: number;
  readonly last: string;
}

/** A word that stands for a name in a comment of HTML, whatever the name is. */
const wordOf = (name: string): string => createHash("sha256").update(name).digest("hex").slice(0, 16);

const keyOf = ({ place, subject, item }: Notification): string => wordOf(`${place}/${subject}/${item}`);

const marker = /^<!-- ballast:todo ([0-9a-f]{16}) (\d{1,9}) ([0-9a-f]{16}) -->/;

function openIssueOf(notification: Notification, listed: readonly ListedIssue[]): OpenIssue | undefined {
  for (const { number, body } of listed) {
    const [, key, times, last = ""] = marker.exec(body) ?? [];
    if (key === keyOf(notification)) return { number, times: Number(times), last };
  }
  return undefined;
}

const titleMax = 200;
const titleOf = ({ subject, item, kind }: Notification): string => `${subject}: ${item} (${kind})`.slice(0, titleMax);

/** Whatever comes from outside stands in a block, where it can neither mention anybody nor be a link. */
function bodyOf(notification: Notification, times: number): string {
  const { id, todo = "", message, data } = notification;
  const fields = Object.entries(data).filter(([, value]) => value !== null);
  const lines = [message, "", ...fields.map(([name, value]) => `${name}: ${value}`)].join("\n");
  const fence = "`".repeat(1 + Math.max(2, ...[...lines.matchAll(/`+/g)].map(([ticks]) => ticks.length)));
  return [
    `<!-- ballast:todo ${keyOf(notification)} ${times} ${wordOf(id)} -->`,
    times === 1 ? todo : `${todo} It has happened ${times} times.`,
    `${fence}text\n${lines}\n${fence}`,
    "<sub>Ballast counts here what happens again. Close the issue once the cause is gone.</sub>",
    "",
  ].join("\n\n");
}
