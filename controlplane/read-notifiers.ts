// BALLAST_NOTIFY → the channels that are told of rollouts. It is one secret, since an address of Slack or Teams is as good as a key, so that a
// complaint names the field and never what is in it.

import { object, optional, read, text } from "../engines/form.ts";
import { type GithubSettings, githubChannel } from "./adapters/notifiers/github.ts";
import type { Wire } from "./adapters/notifiers/post.ts";
import { slackChannel } from "./adapters/notifiers/slack.ts";
import { teamsChannel } from "./adapters/notifiers/teams.ts";
import { webhookChannel } from "./adapters/notifiers/webhook.ts";
import type { Channel } from "./runtime/ports.ts";

/** Whom to tell; what is absent is told nothing. */
export interface ChannelSettings {
  readonly webhook?: { readonly url: string; readonly secret: string };
  readonly slack?: { readonly url: string };
  readonly teams?: { readonly url: string };
  readonly github?: GithubSettings;
}

const url = optional<string | undefined>(text("an https address", 2_000, "^https://\\S+$"), undefined);
const word = optional<string | undefined>(text("a text without spaces", 2_000, "^\\S+$"), undefined);
const form = object({
  webhookUrl: url,
  webhookSecret: word,
  slackUrl: url,
  teamsUrl: url,
  githubToken: word,
  githubRepository: optional<string | undefined>(text("of the form owner/name", 200, "^[\\w.-]+/[\\w.-]+$"), undefined),
  githubRef: optional(text("a branch, a tag or a commit", 250, "^\\S+$"), "main"),
  githubApi: optional(text("an https address", 2_000, "^https://\\S+$"), "https://api.github.com"),
});

/** Reads the variable. What is half there is a complaint: somebody believes that he is told. */
export function readChannels(variable: string | undefined, complaints: string[]): ChannelSettings {
  if (!variable?.trim()) return {};
  const parsed = read(form, json(variable));
  const complain = (what: string): void => void complaints.push(`BALLAST_NOTIFY: ${what}`);
  if ("complaints" in parsed) {
    parsed.complaints.forEach(complain);
    return {};
  }
  const { webhookUrl, webhookSecret, slackUrl, teamsUrl, githubRepository, githubToken, githubRef, githubApi } =
    parsed.value;
  if ((webhookUrl === undefined) !== (webhookSecret === undefined))
    complain("webhookUrl and webhookSecret go together.");
  if ((githubRepository === undefined) !== (githubToken === undefined))
    complain("githubRepository and githubToken go together.");
  return {
    ...(webhookUrl && webhookSecret ? { webhook: { url: webhookUrl, secret: webhookSecret } } : {}),
    ...(slackUrl ? { slack: { url: slackUrl } } : {}),
    ...(teamsUrl ? { teams: { url: teamsUrl } } : {}),
    ...(githubRepository && githubToken
      ? { github: { api: githubApi, repository: githubRepository, ref: githubRef, token: githubToken } }
      : {}),
  };
}

function json(variable: string): unknown {
  try {
    return JSON.parse(variable);
  } catch {
    return undefined;
  }
}

/** Opens the channels. Nothing is sent yet. */
export const openChannels = ({ webhook, slack, teams, github }: ChannelSettings, wire: Wire): readonly Channel[] => [
  ...(webhook === undefined ? [] : [webhookChannel(webhook, wire)]),
  ...(slack === undefined ? [] : [slackChannel(slack, wire)]),
  ...(teams === undefined ? [] : [teamsChannel(teams, wire)]),
  ...(github === undefined ? [] : [githubChannel(github, wire)]),
];
