// What `ballast issue` does. An issue that is open already is changed in place, so that a check that fails every night
// leaves one issue with a count, and not one for each night.

import { type Access, accessTo } from "../../client/github/access.ts";
import { block, prose } from "../comment/markdown.ts";
import { textIn } from "../comment/sources.ts";
import { changeIssue, commentOnIssue, type Issue, openIssue, openIssuesOf } from "../github/issues.ts";
import type { RepositoryOptions } from "../github/options.ts";
import { runLink } from "../github/run-url.ts";
import { print, printJson } from "../terminal.ts";
import { issueMarker, readIssueMarker } from "./marker.ts";

/** The options of both commands. */
export interface IssueOptions extends RepositoryOptions {
  readonly key: string;
  readonly author: string;
  readonly runUrl?: string;
}

export interface OpenOptions extends IssueOptions {
  readonly title: string;
  readonly output?: string;
  readonly label?: readonly string[];
}

/** The end of an output says why it failed. */
const outputCharactersMax = 20_000;

/** Opens an issue, or counts a failure in the open one. @throws comment-source-unreadable, github-* */
export async function openOrCount(options: OpenOptions): Promise<void> {
  const { key, title, runUrl, output, label: labels = [] } = options;
  const text =
    output === undefined ? "" : textIn(output, "the command that failed, as text").slice(-outputCharactersMax);
  const access = accessTo(options.repository, process.env);
  const [issue] = await issuesAbout(access, options);
  const failures = (readIssueMarker(issue?.body ?? "")?.failures ?? 0) + 1;
  const times = failures === 1 ? "once" : `${failures} times in a row`;
  const lastRun = runUrl === undefined ? "" : `, last in ${runLink(runUrl)}`;
  const body = [
    issueMarker({ key, failures }),
    `${prose(title)}. It has failed ${times}${lastRun}.`,
    ...(text.trim() === "" ? [] : [block(text)]),
    "<sub>Ballast counts failures here, and closes this issue once it succeeds again.</sub>",
    "",
  ].join("\n\n");
  const written =
    issue === undefined ? await openIssue(access, { title, body, labels }) : await changeIssue(access, issue, { body });
  const outcome = issue === undefined ? "opened" : "updated";
  if (options.json) return printJson({ key, outcome, failures, number: written.number, url: written.html_url });
  print(`${written.html_url}: ${outcome}, failed ${times}.`);
}

/** Closes what is open about the key. @throws github-* */
export async function closeAll(options: IssueOptions): Promise<void> {
  const access = accessTo(options.repository, process.env);
  const issues = await issuesAbout(access, options);
  const run = options.runUrl === undefined ? "" : ` in ${runLink(options.runUrl)}`;
  for (const issue of issues) {
    await commentOnIssue(access, issue, `It succeeded again${run}.`);
    await changeIssue(access, issue, { state: "closed", state_reason: "completed" });
  }
  const closed = issues.map(({ number, html_url: url }) => ({ number, url }));
  if (options.json) return printJson({ key: options.key, closed });
  print(closed.length === 0 ? "No issue is open about it." : closed.map(({ url }) => `${url}: closed.`).join("\n"));
}

async function issuesAbout(access: Access, { author, key }: IssueOptions): Promise<readonly Issue[]> {
  const issues = await openIssuesOf(access, author);
  return issues.filter(({ body }) => readIssueMarker(body ?? "")?.key === key);
}
