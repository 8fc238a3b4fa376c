// Keeps one open issue for what a person still has to do, such as to find the cause of what was repaired. What happens
// again to the same thing is counted in the open issue. The issue is found again by its hidden first line, so that no
// number has to be stored and a notification that is sent again opens no second one.
import { createHash } from "node:crypto";
import type { Notification } from "../../../engines/kind.ts";
import type { Notifier } from "../../runtime/ports.ts";
import { githubHeaders } from "./github.ts";
import { deliveryOf, type Sent, send, type Wire } from "./post.ts";

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
  const headers = githubHeaders(token);
  const issues = `${api}/repos/${repository}/issues`;
  return {
    name: "github-issues",
    deliver: async (notification, cancel) => {
      if (notification.todo === undefined) return { kind: "delivered" };
      const ask = (sent: Sent) => send({ ...sent, headers }, wire, cancel);
      // The newest hundred that are open: an issue that is older than these is not updated, but opened again.
      const listed = await ask({ method: "GET", url: `${issues}?${new URLSearchParams(openOnes)}` });
      if ("delivery" in listed) return listed.delivery;
      const found = openIssueOf(notification, listed.accepted);
      if (found?.last === wordOf(notification.id)) return { kind: "delivered" };
      const body = bodyOf(notification, (found?.times ?? 0) + 1);
      return deliveryOf(
        await ask(
          found === undefined
            ? { url: issues, body: JSON.stringify({ title: titleOf(notification), body, labels: [label] }) }
            : { method: "PATCH", url: `${issues}/${found.number}`, body: JSON.stringify({ body }) },
        ),
      );
    },
  };
}

const label = "ballast";
const openOnes = { state: "open", labels: label, per_page: "100" };

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

function openIssueOf(notification: Notification, listed: unknown): OpenIssue | undefined {
  for (const issue of Array.isArray(listed) ? (listed as readonly unknown[]) : []) {
    const { number, body } = (issue ?? {}) as { readonly number?: unknown; readonly body?: unknown };
    const [, key, times, last = ""] = marker.exec(typeof body === "string" ? body : "") ?? [];
    if (typeof number === "number" && key === keyOf(notification)) return { number, times: Number(times), last };
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
