// Pull requests over REST: opened once for each branch, listed, and merged.
import { authorOf, type Call, type Hosted, notFound, type PullRequest, type Reply } from "./calls.ts";

/** Serves what is below `/pulls`. */
export function pulls(repository: Hosted, name: string, rest: string, call: Call): Reply {
  const [, number, isMerge] = /^(\d+)(\/merge)?$/.exec(rest) ?? [];
  if (number === undefined)
    return call.method === "GET" ? listed(repository, name, call) : opened(repository, name, call);
  const found = repository.pullRequests.find((each) => each.number === Number(number));
  if (found === undefined) return notFound;
  if (isMerge) return call.method === "PUT" ? merged(repository, found, call) : notFound;
  return call.method === "GET" ? [200, shown(repository, name, found)] : notFound;
}

const shown = ({ git }: Hosted, name: string, each: PullRequest) => ({
  ...each,
  html_url: `https://github.com/${name}/pull/${each.number}`,
  head: { ref: each.head, sha: git.head(each.head) },
  base: { ref: each.base },
});

function listed(repository: Hosted, name: string, { query }: Call): Reply {
  const from = query.get("head")?.split(":")[1];
  const found = repository.pullRequests.filter(
    (each) => each.state === "open" && (from === undefined || each.head === from),
  );
  return [200, found.map((each) => shown(repository, name, each))];
}

function opened(repository: Hosted, name: string, { method, body, token }: Call): Reply {
  const { git, pullRequests, issues } = repository;
  if (method !== "POST") return notFound;
  if (pullRequests.some((each) => each.head === body.head && each.state === "open"))
    return [422, { message: "Validation Failed", errors: [{ message: "A pull request already exists" }] }];
  if (git.head(body.head) === git.head(body.base))
    return [422, { message: "Validation Failed", errors: [{ message: "No commits between main and the branch" }] }];
  const { title, head, base } = body;
  const made: PullRequest = {
    number: 1 + Math.max(0, ...[...pullRequests, ...issues].map((each) => each.number)),
    title,
    login: token.login,
    body: "",
    head,
    base,
    state: "open",
  };
  pullRequests.push(made);
  return [201, shown(repository, name, made)];
}

function merged({ git }: Hosted, pullRequest: PullRequest, { token }: Call): Reply {
  const { head, base, title, number } = pullRequest;
  if (pullRequest.state !== "open") return [405, { message: "Pull Request is not mergeable" }];
  const sha = git.merge(base, head, `${title} (#${number})`, authorOf(token));
  if (sha === undefined) return [405, { message: "Pull Request is not mergeable" }];
  pullRequest.state = "closed";
  return [200, { sha, merged: true, message: "Pull Request successfully merged" }];
}
