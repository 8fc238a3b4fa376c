// A rollout as a deployment of GitHub's, and each notice as its next status. The deployment is found again by its task, which is made of the
// rollout's name, so that no number has to be kept and none is made twice.
import { createHash } from "node:crypto";
import type { Notice, NoticeKind } from "../../../engines/rollout/notifications.ts";
import type { Channel, Told } from "../../runtime/ports.ts";
import { type Answered, type Sent, send, type Wire } from "./post.ts";

/** Where the deployments are, and who writes them. */
export interface GithubSettings {
  readonly api: string;
  /** `owner/name`. */
  readonly repository: string;
  /** A branch, a tag or a commit that the deployment is said to be of: a template does not tell its commit. */
  readonly ref: string;
  /** May write deployments of this one repository, and nothing else. */
  readonly token: string;
}

/** GitHub takes no longer description. */
const descriptionMax = 140;

/** Gives the channel. */
export function githubChannel({ api, repository, ref, token }: GithubSettings, wire: Wire): Channel {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: "application/vnd.github+json",
    "x-github-api-version": "2022-11-28",
  };
  const deployments = `${api}/repos/${repository}/deployments`;
  return {
    name: "github",
    tell: async (notice, cancel) => {
      const ask = (sent: Sent) => send({ ...sent, headers }, wire, cancel);
      const task = `ballast:${createHash("sha256")
        .update(notice.id.slice(0, notice.id.lastIndexOf("#")))
        .digest("hex")
        .slice(0, 16)}`;
      const found = await ask({ method: "GET", url: `${deployments}?${new URLSearchParams({ task, per_page: "1" })}` });
      if ("told" in found) return found.told;
      let id = idOf((found.taken as readonly unknown[] | undefined)?.[0]);
      if (id === undefined) {
        // Nothing is merged and nothing is waited for: what is told has happened already.
        const made = await ask({
          url: deployments,
          body: JSON.stringify({
            ref,
            task,
            auto_merge: false,
            required_contexts: [],
            environment: environmentOf(notice),
            description: shortened(`${notice.target.app}: ${notice.revision}`),
          }),
        });
        if ("told" in made) return made.told;
        id = idOf(made.taken);
      }
      if (id === undefined) return { kind: "later", reason: "it answered without the id of a deployment" };
      return outcome(
        await ask({
          url: `${deployments}/${id}/statuses`,
          body: JSON.stringify({
            state: states[notice.kind],
            environment: environmentOf(notice),
            description: shortened(notice.sentence),
          }),
        }),
      );
    },
  };
}

const outcome = (answered: Answered): Told => ("told" in answered ? answered.told : { kind: "told" });
const environmentOf = ({ target }: Notice): string => `${target.resourceGroup}/${target.app}`;
const shortened = (text: string): string =>
  text.length <= descriptionMax ? text : `${text.slice(0, descriptionMax - 1)}…`;
const idOf = (deployment: unknown): number | undefined => {
  const { id } = (deployment ?? {}) as { readonly id?: unknown };
  return typeof id === "number" ? id : undefined;
};

const states: { readonly [Kind in NoticeKind]: string } = {
  started: "in_progress",
  "step-reached": "in_progress",
  held: "pending",
  promoted: "success",
  equal: "success",
  "rolled-back": "failure",
  rejected: "failure",
  stranded: "error",
};
