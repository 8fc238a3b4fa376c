// What `ballast comment` does: it makes the comment from files, finds its predecessor in the pull request, and writes
// it. A comment for a commit that is no longer the newest says so from the start.

import { accessTo } from "../../client/github/access.ts";
import { commentSourceUnreadable } from "../../errors/github.ts";
import { changeComment, commentsOf, headOf, putComment } from "../github/comments.ts";
import type { RepositoryOptions } from "../github/options.ts";
import { print, printJson } from "../terminal.ts";
import { bodyOf, type Content } from "./body.ts";
import { compareFindings } from "./findings.ts";
import { readMarker, type Subject, withoutStaleNotice, withStaleNotice } from "./marker.ts";
import { plansIn, policiesIn, powerIn, previewIn, projectHere } from "./sources.ts";

/** The options of both commands. */
interface PullRequestOptions extends RepositoryOptions {
  readonly pullRequest: number;
  readonly author: string;
}

export interface WriteOptions extends PullRequestOptions {
  readonly preview: string;
  readonly failed?: boolean;
  readonly project?: string;
  readonly stack?: string;
  readonly policies?: string;
  readonly basePolicies?: string;
  readonly plans?: string;
  readonly plan?: readonly (readonly [service: string, file: string])[];
  readonly commit: string;
  readonly runUrl?: string;
  readonly print?: boolean;
}

/** Writes a comment. @throws comment-source-unreadable, github-access-unclear, github-refused, github-unreachable */
export async function writeComment(options: WriteOptions): Promise<void> {
  const content = contentOf(options);
  const { subject } = content;
  const body = bodyOf(content);
  if (options.print) return options.json ? printJson({ ...subject, body }) : print(body);
  const access = accessTo(options.repository, process.env);
  const { pullRequest, commit, author } = options;
  const head = await headOf(access, pullRequest);
  const isStale = !head.startsWith(commit);
  const before = (await commentsOf(access, pullRequest, author)).filter((each) => isAbout(each.body, subject));
  const whole = isStale ? withStaleNotice(body, head) : body;
  const written = await putComment(access, pullRequest, whole, before);
  if (options.json) return printJson({ ...subject, ...written, commit, isStale });
  print(`${written.url}: ${written.outcome}${isStale ? `, out of date: the pull request is at ${head}` : ""}.`);
}

function isAbout(body: string, { project, stack }: Subject): boolean {
  const found = readMarker(body);
  return found?.project === project && found.stack === stack;
}

function contentOf(options: WriteOptions): Content {
  const changes = readPreview(options);
  const { policies, basePolicies, plans, plan = [], commit, runUrl, failed = false } = options;
  const { seen, unknown } = plans === undefined ? { seen: [], unknown: new Map<string, string>() } : plansIn(plans);
  const head = policies === undefined ? undefined : policiesIn(policies);
  const base = basePolicies === undefined ? undefined : policiesIn(basePolicies);
  return {
    subject: subjectOf(options, changes),
    commit,
    changes,
    hasFailed: failed,
    policies: head && compareFindings(head, base),
    power: new Map([...seen, ...plan.map(([service, file]) => [service, powerIn(file)] as const)]),
    powerUnknown: unknown,
    runUrl,
  };
}

/** A preview that failed may have left nothing that can be read, and then the comment says just that. */
function readPreview({ preview, failed, project = projectHere(), stack }: WriteOptions): Content["changes"] {
  try {
    return previewIn(preview);
  } catch (error) {
    if (failed && project !== undefined && stack !== undefined) return undefined;
    throw error;
  }
}

/** Pulumi Cloud has names such as `acme/shop/prod`, of which a preview has the last part. */
const lastOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

function subjectOf({ project, stack, preview }: WriteOptions, changes: Content["changes"]): Subject {
  for (const [said, found, option] of [
    [project, changes?.project, "--project"],
    [stack && lastOf(stack), changes?.stack, "--stack"],
  ] as const)
    if (said && found && said !== found)
      throw commentSourceUnreadable({
        file: preview,
        reason: `it is a preview of ${found}, and ${option} says ${said}`,
        from: "`pulumi preview --json` of that stack, or leave the option out",
      });
  const subject = { project: project ?? changes?.project ?? projectHere(), stack: stack ?? changes?.stack };
  if (subject.project && subject.stack) return subject as Subject;
  throw commentSourceUnreadable({
    file: preview,
    reason: "it does not name its project and stack",
    from: "`pulumi preview --json`, or --project and --stack",
  });
}

/** Marks comments for older commits as out of date. @throws as `writeComment` */
export async function markStale(options: PullRequestOptions): Promise<void> {
  const access = accessTo(options.repository, process.env);
  const head = await headOf(access, options.pullRequest);
  const stale: (Subject & { readonly url: string; readonly commit: string })[] = [];
  for (const comment of await commentsOf(access, options.pullRequest, options.author)) {
    const found = readMarker(comment.body);
    if (found === undefined || head.startsWith(found.commit)) continue;
    const body = withStaleNotice(withoutStaleNotice(comment.body), head);
    if (body !== comment.body) await changeComment(access, comment, body);
    stale.push({ ...found, url: comment.html_url });
  }
  if (options.json) return printJson({ head, stale });
  print(stale.length === 0 ? "No comment is out of date." : stale.map(({ url }) => `${url}: out of date.`).join("\n"));
}
