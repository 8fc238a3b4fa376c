// GitHub's API for files, branches and pull requests, over real git repositories on loopback. It refuses as GitHub
// does: a commit on a branch that has moved, a direct commit to a protected branch (with another error for a ruleset
// than for classic protection), a workflow file from a token without the scope, a file by an older version.
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Author, type FileChanges, Repository } from "./repository.ts";

/** A pull request. */
export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly head: string;
  readonly base: string;
  state: "open" | "closed";
}

/** A repository with what GitHub keeps about it. */
export interface Hosted {
  readonly git: Repository;
  /** What guards `main`. */
  protection: "none" | "classic" | "ruleset";
  readonly pullRequests: PullRequest[];
  /** How many times another client commits just before the next commit of the API. */
  racing: number;
}

/** A token: classic ones have scopes, those of apps have permissions. */
export interface Token {
  readonly login: string;
  readonly scopes?: readonly string[];
}

export interface Github extends AsyncDisposable {
  readonly api: string;
  /** `METHOD path` of every request. */
  readonly requests: string[];
  readonly tokens: Map<string, Token>;
  readonly host: (name: string) => Hosted;
}

/** Starts it, with the repositories in a folder. */
export async function startGithub(folder: string): Promise<Github> {
  const hosted = new Map<string, Hosted>();
  const tokens = new Map<string, Token>();
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const { pathname, searchParams } = new URL(request.url!, "http://127.0.0.1");
    requests.push(`${request.method} ${pathname}`);
    const token = tokens.get((request.headers.authorization ?? "").replace("Bearer ", ""));
    const call: Call = {
      method: request.method!,
      path: pathname,
      query: searchParams,
      body: body as Body,
      token: token!,
    };
    const [status, answer] = token === undefined ? unknownToken : reply(hosted, call);
    const scopes = token?.scopes === undefined ? {} : { "x-oauth-scopes": token.scopes.join(", ") };
    response.writeHead(status, { "content-type": "application/json", ...scopes });
    response.end(JSON.stringify(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    api: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    tokens,
    host: (name) => {
      const made: Hosted = { git: new Repository(join(folder, name)), protection: "none", pullRequests: [], racing: 0 };
      hosted.set(name.toLowerCase(), made);
      return made;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** The fields of bodies that are read here, as their callers send them. */
interface Body {
  readonly ref: string;
  readonly sha?: string;
  readonly branch?: string;
  readonly content: string;
  readonly message: string;
  readonly title: string;
  readonly head: string;
  readonly base: string;
  readonly query: string;
  readonly variables: { readonly input: CommitInput };
}

/** The input of the mutation. */
interface CommitInput {
  readonly branch: { readonly repositoryNameWithOwner: string; readonly branchName: string };
  readonly expectedHeadOid: string;
  readonly message: { readonly headline: string };
  readonly fileChanges?: {
    readonly additions?: readonly { readonly path: string; readonly contents: string }[];
    readonly deletions?: readonly { readonly path: string }[];
  };
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Body;
  readonly token: Token;
}
type Reply = readonly [status: number, body: unknown];

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return parts.length === 0 ? undefined : JSON.parse(Buffer.concat(parts).toString());
}

const unknownToken: Reply = [401, { message: "Bad credentials" }];
const notFound: Reply = [404, { message: "Not Found" }];
const isWorkflow = (path: string): boolean => path.startsWith(".github/workflows/");
const mayWrite = ({ scopes }: Token, paths: readonly string[]): boolean =>
  scopes === undefined || scopes.includes("workflow") || !paths.some(isWorkflow);
const authorOf = ({ login }: Token): Author => ({ name: login, email: `${login}@users.noreply.github.com` });

function reply(hosted: ReadonlyMap<string, Hosted>, call: Call): Reply {
  if (call.path === "/graphql") return mutate(hosted, call);
  const [, name, rest = ""] = /^\/repos\/([^/]+\/[^/]+)(\/.*)?$/.exec(call.path) ?? [];
  const repository = hosted.get(name?.toLowerCase() ?? "");
  if (repository === undefined) return notFound;
  const [, area = "", more = ""] = /^\/(git\/refs?|contents|pulls)\/?(.*)$/.exec(rest) ?? [];
  if (rest === "") return call.method === "GET" ? [200, { default_branch: "main", archived: false }] : notFound;
  if (area === "contents") return contents(repository, decodeURIComponent(more), call);
  if (area === "pulls") return pulls(repository, name!, call);
  if (area !== "") return branches(repository, decodeURIComponent(more), call);
  return notFound;
}

/** Reading a branch, and making one. */
function branches({ git }: Hosted, name: string, { method, body }: Call): Reply {
  if (method === "GET") {
    const sha = git.head(name.replace(/^heads\//, ""));
    return sha === undefined ? notFound : [200, { ref: `refs/${name}`, object: { sha, type: "commit" } }];
  }
  if (method !== "POST") return notFound;
  const branch = String(body.ref).replace("refs/heads/", "");
  if (git.head(branch) !== undefined) return [422, { message: "Reference already exists" }];
  return git.point(branch, body.sha ?? "", undefined)
    ? [201, { ref: body.ref, object: { sha: body.sha } }]
    : [422, { message: "Object does not exist" }];
}

/** Reading a file, and the API that commits one file at a time, which needs the id of the text that it replaces. */
function contents(repository: Hosted, path: string, { method, query, body, token }: Call): Reply {
  const { git, protection } = repository;
  if (method === "GET") {
    const at = query.get("ref") ?? "main";
    const found = /^[0-9a-f]{40}$/.test(at) || git.head(at) !== undefined ? git.file(at, path) : undefined;
    return found === undefined
      ? notFound
      : [200, { path, sha: found.id, encoding: "base64", content: found.contents.toString("base64") }];
  }
  if (method !== "PUT") return notFound;
  if (!mayWrite(token, [path])) return notFound; // GitHub answers 404 here, and not 403
  const branch = String(body.branch ?? "main");
  if (branch === "main" && protection !== "none")
    return [409, { message: "Repository rule violations found\n\nChanges must be made through a pull request." }];
  const head = git.head(branch);
  const known = head === undefined ? undefined : git.file(head, path)?.id;
  if (known !== body.sha) return [409, { message: `${path} does not match ${body.sha}` }];
  const changes = { additions: [{ path, contents: Buffer.from(body.content, "base64") }], deletions: [] };
  race(repository, branch);
  const commit = git.commit(branch, head, changes, body.message, authorOf(token));
  return commit === undefined
    ? [409, { message: `is at ${git.head(branch)} but expected ${head}` }]
    : [known === undefined ? 201 : 200, { commit: { sha: commit } }];
}

function pulls({ git, pullRequests }: Hosted, name: string, { method, query, body }: Call): Reply {
  const shown = (each: PullRequest) => ({
    ...each,
    html_url: `https://github.com/${name}/pull/${each.number}`,
    head: { ref: each.head },
    base: { ref: each.base },
  });
  if (method === "GET") {
    const from = query.get("head")?.split(":")[1];
    const found = pullRequests.filter((each) => each.state === "open" && (from === undefined || each.head === from));
    return [200, found.map(shown)];
  }
  if (method !== "POST") return notFound;
  if (pullRequests.some((each) => each.head === body.head && each.state === "open"))
    return [422, { message: "Validation Failed", errors: [{ message: "A pull request already exists" }] }];
  if (git.head(body.head) === git.head(body.base))
    return [422, { message: "Validation Failed", errors: [{ message: "No commits between main and the branch" }] }];
  const { title, head, base } = body;
  const made: PullRequest = { number: pullRequests.length + 1, title, head, base, state: "open" };
  pullRequests.push(made);
  return [201, shown(made)];
}

/** Lets another client be faster. */
function race(repository: Hosted, branch: string): void {
  if (repository.racing === 0) return;
  repository.racing -= 1;
  repository.git.commitAsAnother(branch, "other.md", `${Math.random()}\n`);
}

const failed = (type: string, message: string): Reply => [
  200,
  { data: { createCommitOnBranch: null }, errors: [{ type, path: ["createCommitOnBranch"], message }] },
];

/** The one mutation that is served: one signed commit for many files. */
function mutate(hosted: ReadonlyMap<string, Hosted>, { method, body, token }: Call): Reply {
  if (method !== "POST" || !/\bcreateCommitOnBranch\s*\(/.test(String(body?.query)))
    return [200, { errors: [{ message: "This emulator serves the mutation createCommitOnBranch only." }] }];
  const { branch, expectedHeadOid, message, fileChanges = {} } = body.variables.input;
  const { repositoryNameWithOwner: name, branchName } = branch;
  const repository = hosted.get(String(name).toLowerCase());
  const head = repository?.git.head(branchName);
  if (repository === undefined || head === undefined)
    return failed("NOT_FOUND", `Could not resolve to a Repository with the name '${name}'.`);
  const { additions = [], deletions = [] } = fileChanges;
  const changes: FileChanges = {
    additions: additions.map(({ path, contents: text }) => ({ path, contents: Buffer.from(text, "base64") })),
    deletions: deletions.map(({ path }) => path),
  };
  const paths = [...changes.additions.map(({ path }) => path), ...changes.deletions];
  if (!mayWrite(token, paths))
    return failed(
      "FORBIDDEN",
      `refusing to allow a Personal Access Token to create or update workflow \`${paths.find(isWorkflow)}\` ` +
        "without `workflow` scope",
    );
  if (branchName === "main" && repository.protection !== "none") {
    const isClassic = repository.protection === "classic";
    const said = "Changes must be made through a pull request.";
    return isClassic
      ? failed("BRANCH_PROTECTION_RULE_VIOLATION", said)
      : failed("UNPROCESSABLE", `Repository rule violations found\n\n${said}\n\n`);
  }
  race(repository, branchName);
  const commit = repository.git.commit(branchName, expectedHeadOid, changes, message.headline, authorOf(token));
  if (commit === undefined)
    return failed(
      "STALE_DATA",
      `Expected branch to point to "${expectedHeadOid}" but it did not.  Pull and try again.`,
    );
  return [200, { data: { createCommitOnBranch: { commit: { oid: commit } } } }];
}
