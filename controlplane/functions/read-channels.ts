// Environment → the channels that are told of rollouts. Their addresses are secrets as much as their keys are, so that a complaint names the
// variable and never what is in it.
import { githubChannel, type GithubSettings } from "../adapters/channels/github.ts";
import type { Wire } from "../adapters/channels/post.ts";
import { slackChannel } from "../adapters/channels/slack.ts";
import { teamsChannel } from "../adapters/channels/teams.ts";
import { webhookChannel } from "../adapters/channels/webhook.ts";
import type { Channel } from "../runtime/ports.ts";

/** Whom to tell; what is absent is told nothing. */
export interface ChannelSettings {
  readonly webhook?: { readonly url: string; readonly secret: string };
  readonly slack?: { readonly url: string };
  readonly teams?: { readonly url: string };
  readonly github?: GithubSettings;
}

/** Reads them. What is half there is a complaint: somebody believes that he is told. */
export function readChannels(environment: Readonly<Record<string, string | undefined>>, complaints: string[]): ChannelSettings {
  const value = (name: string) => environment[name]?.trim() || undefined;
  const url = (name: string): string | undefined => {
    const text = value(name);
    if (text !== undefined && !(URL.canParse(text) && new URL(text).protocol === "https:")) complaints.push(`${name} is not an https address.`);
    return text;
  };
  const together = (...names: readonly string[]): boolean => {
    const missing = names.filter((name) => value(name) === undefined);
    if (missing.length > 0 && missing.length < names.length) complaints.push(`${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing, without which ${names.filter((name) => !missing.includes(name)).join(" and ")} would tell nobody.`);
    return missing.length === 0;
  };
  const webhook = url("BALLAST_WEBHOOK_URL"), slack = url("BALLAST_SLACK_URL"), teams = url("BALLAST_TEAMS_URL"), repository = value("BALLAST_GITHUB_REPOSITORY");
  if (repository !== undefined && !/^[\w.-]+\/[\w.-]+$/.test(repository)) complaints.push("BALLAST_GITHUB_REPOSITORY is not of the form owner/name.");
  return {
    ...(together("BALLAST_WEBHOOK_URL", "BALLAST_WEBHOOK_SECRET") ? { webhook: { url: webhook!, secret: value("BALLAST_WEBHOOK_SECRET")! } } : {}),
    ...(slack === undefined ? {} : { slack: { url: slack } }),
    ...(teams === undefined ? {} : { teams: { url: teams } }),
    ...(together("BALLAST_GITHUB_REPOSITORY", "BALLAST_GITHUB_TOKEN")
      ? { github: { api: url("BALLAST_GITHUB_API") ?? "https://api.github.com", repository: repository!, ref: value("BALLAST_GITHUB_REF") ?? "main", token: value("BALLAST_GITHUB_TOKEN")! } } : {}),
  };
}

/** Opens the channels. Nothing is sent yet. */
export const openChannels = ({ webhook, slack, teams, github }: ChannelSettings, wire: Wire): readonly Channel[] => [
  ...(webhook === undefined ? [] : [webhookChannel(webhook, wire)]),
  ...(slack === undefined ? [] : [slackChannel(slack, wire)]),
  ...(teams === undefined ? [] : [teamsChannel(teams, wire)]),
  ...(github === undefined ? [] : [githubChannel(github, wire)]),
];
