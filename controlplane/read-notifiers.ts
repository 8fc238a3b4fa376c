// Reads BALLAST_NOTIFY and opens the notifiers that it configures. The variable is a secret, because whoever has an
// address of Slack or Teams can post there. A complaint therefore names a field and never its value.

import { list, object, oneOf, optional, read, text } from "../engines/form.ts";
import { parsedJson } from "../engines/parsed-json.ts";
import { type GithubSettings, githubNotifier } from "./adapters/notifiers/github.ts";
import { type GithubIssuesSettings, githubIssuesNotifier } from "./adapters/notifiers/github-issues.ts";
import { slackNotifier } from "./adapters/notifiers/slack.ts";
import { teamsNotifier } from "./adapters/notifiers/teams.ts";
import { webhookNotifier } from "./adapters/notifiers/webhook.ts";
import type { Wire } from "./adapters/wire/post.ts";
import { signingKeyBytesMin, signingKeyOf } from "./adapters/wire/signing.ts";
import type { Notifier } from "./runtime/ports.ts";

/** The configured notifiers. */
export interface NotifierSettings {
  readonly webhook?: { readonly url: string; readonly secret: string };
  readonly slack?: { readonly url: string };
  readonly teams?: { readonly url: string };
  readonly github?: GithubSettings;
  readonly githubIssues?: GithubIssuesSettings;
}

const address = text("an https address", { most: 2_000, pattern: "^https://\\S+$" });
/** Loopback is for tests and stories on one machine. */
const githubAddress = text("an https address", {
  most: 2_000,
  pattern: "^(https://\\S+|http://127\\.0\\.0\\.1(:\\d+)?)$",
});
const url = optional(address);
const word = optional(text("a text without spaces", { most: 2_000, pattern: "^\\S+$" }));
const form = object({
  webhookUrl: url,
  webhookSecret: word,
  slackUrl: url,
  teamsUrl: url,
  githubToken: word,
  githubRepository: optional(text("of the form owner/name", { most: 200, pattern: "^[\\w.-]+/[\\w.-]+$" })),
  githubRef: optional(text("a branch, a tag or a commit", { most: 250, pattern: "^\\S+$" }), "main"),
  githubWrites: optional(list(oneOf(["deployments", "issues"]), { least: 1 }), ["deployments"]),
  githubApi: optional(githubAddress, "https://api.github.com"),
});

/** Reads the variable. An incomplete notifier is a complaint, because someone expects its notifications. */
export function readNotifiers(variable: string | undefined, complaints: string[]): NotifierSettings {
  if (!variable?.trim()) return {};
  const parsed = read(form, parsedJson(variable));
  const complain = (what: string): void => void complaints.push(`BALLAST_NOTIFY: ${what}`);
  if ("complaints" in parsed) {
    parsed.complaints.forEach(complain);
    return {};
  }
  const { webhookUrl, webhookSecret, slackUrl, teamsUrl } = parsed.value;
  const { githubRepository, githubToken, githubRef, githubWrites, githubApi } = parsed.value;
  if ((webhookUrl === undefined) !== (webhookSecret === undefined))
    complain("webhookUrl and webhookSecret must be set together.");
  if (webhookSecret !== undefined && signingKeyOf(webhookSecret) === undefined)
    complain(
      `webhookSecret must be whsec_ and a key in base64, or any text, of ${signingKeyBytesMin} bytes or more; ` +
        "a shorter key can be guessed.",
    );
  if ((githubRepository === undefined) !== (githubToken === undefined))
    complain("githubRepository and githubToken must be set together.");
  return {
    ...(webhookUrl && webhookSecret ? { webhook: { url: webhookUrl, secret: webhookSecret } } : {}),
    ...(slackUrl ? { slack: { url: slackUrl } } : {}),
    ...(teamsUrl ? { teams: { url: teamsUrl } } : {}),
    ...(githubRepository && githubToken
      ? githubOf(githubWrites, { api: githubApi, repository: githubRepository, ref: githubRef, token: githubToken })
      : {}),
  };
}

/** Gives the notifiers of a repository: one for each thing that is written there. */
const githubOf = (
  writes: readonly ("deployments" | "issues")[],
  { ref, ...repository }: GithubSettings,
): Pick<NotifierSettings, "github" | "githubIssues"> => ({
  ...(writes.includes("deployments") ? { github: { ...repository, ref } } : {}),
  ...(writes.includes("issues") ? { githubIssues: repository } : {}),
});

/** Opens the notifiers. Nothing is sent yet. */
export const openNotifiers = (
  { webhook, slack, teams, github, githubIssues }: NotifierSettings,
  wire: Wire,
): readonly Notifier[] => [
  ...(webhook === undefined ? [] : [webhookNotifier(webhook, wire)]),
  ...(slack === undefined ? [] : [slackNotifier(slack, wire)]),
  ...(teams === undefined ? [] : [teamsNotifier(teams, wire)]),
  ...(github === undefined ? [] : [githubNotifier(github, wire)]),
  ...(githubIssues === undefined ? [] : [githubIssuesNotifier(githubIssues, wire)]),
];
