// Reports a stream as a GitHub deployment, and each notification as the deployment's next status. The
// deployment is found again by its task, a hash of the stream's name, so that no id has to be stored and no
// deployment is created twice.
import { createHash } from "node:crypto";
import type { Notification, Tone } from "../../../engines/kind.ts";
import type { Notifier } from "../../runtime/ports.ts";
import { githubHeaders } from "../github/headers.ts";
import { deliveryOf, type Sent, send, type Wire } from "../wire/post.ts";

/** The repository that gets the deployments, and the token that writes them. */
export interface GithubSettings {
  readonly api: string;
  /** `owner/name`. */
  readonly repository: string;
  /** The branch, tag or commit that deployments refer to. A template does not contain its commit. */
  readonly ref: string;
  /** It needs the right to write deployments of this repository, and no other. */
  readonly token: string;
}

/** The longest description that GitHub accepts. */
const descriptionMax = 140;

/** Gives the notifier for GitHub. */
export function githubNotifier({ api, repository, ref, token }: GithubSettings, wire: Wire): Notifier {
  const headers = githubHeaders(token);
  const deployments = `${api}/repos/${repository}/deployments`;
  return {
    name: "github",
    deliver: async (notification, cancel) => {
      const ask = (sent: Sent) => send({ ...sent, headers }, wire, cancel);
      const task = `ballast:${createHash("sha256")
        .update(notification.id.slice(0, notification.id.lastIndexOf("#")))
        .digest("hex")
        .slice(0, 16)}`;
      const found = await ask({ method: "GET", url: `${deployments}?${new URLSearchParams({ task, per_page: "1" })}` });
      if ("delivery" in found) return found.delivery;
      let id = idOf((found.accepted as readonly unknown[] | undefined)?.[0]);
      if (id === undefined) {
        // GitHub must neither merge nor wait for checks: what is reported has already happened.
        const made = await ask({
          url: deployments,
          body: JSON.stringify({
            ref,
            task,
            auto_merge: false,
            required_contexts: [],
            environment: environmentOf(notification),
            description: shortened(`${notification.subject}: ${notification.item}`),
          }),
        });
        if ("delivery" in made) return made.delivery;
        id = idOf(made.accepted);
      }
      if (id === undefined) return { kind: "later", reason: "it answered without the id of a deployment" };
      return deliveryOf(
        await ask({
          url: `${deployments}/${id}/statuses`,
          body: JSON.stringify({
            state: states[notification.tone],
            environment: environmentOf(notification),
            description: shortened(notification.message),
          }),
        }),
      );
    },
  };
}

const environmentOf = ({ place, subject }: Notification): string => `${place}/${subject}`;
const shortened = (text: string): string =>
  text.length <= descriptionMax ? text : `${text.slice(0, descriptionMax - 1)}…`;
const idOf = (deployment: unknown): number | undefined => {
  const { id } = (deployment ?? {}) as { readonly id?: unknown };
  return typeof id === "number" ? id : undefined;
};

const states: { readonly [Each in Tone]: string } = {
  progress: "in_progress",
  waiting: "pending",
  good: "success",
  bad: "failure",
  broken: "error",
};
