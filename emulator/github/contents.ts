// Branches and files of a repository over REST: a file at a commit, the API that commits one file at a time, branches,
// and the checks of a commit.
import { authorOf, type Call, type Hosted, mayWrite, notFound, type Reply, race } from "./calls.ts";
import { guardOf } from "./rulesets.ts";

/** Reading a branch, making one, and moving one. */
export function branches({ git }: Hosted, name: string, { method, body }: Call): Reply {
  const branch = (method === "POST" ? String(body.ref).replace(/^refs\//, "") : name).replace(/^heads\//, "");
  const head = git.head(branch);
  if (method === "POST" && head !== undefined) return [422, { message: "Reference already exists" }];
  if (method !== "POST" && head === undefined) return notFound;
  const shown = (sha: string | undefined) => ({ ref: `refs/heads/${branch}`, object: { sha, type: "commit" } });
  if (method === "GET") return [200, shown(head)];
  if (method === "PATCH" && body.force !== true) return [422, { message: "Update is not a fast forward" }];
  if (method !== "POST" && method !== "PATCH") return notFound;
  return git.point(branch, body.sha ?? "", head)
    ? [method === "POST" ? 201 : 200, shown(body.sha)]
    : [422, { message: "Object does not exist" }];
}

/** Reading a file, and the API that commits one file at a time, which needs the id of the text that it replaces. */
export function contents(repository: Hosted, path: string, { method, query, body, token }: Call): Reply {
  const { git } = repository;
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
  if (guardOf(repository, branch, token) !== "none")
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

/** The checks of a commit, as the runs of workflows report them. */
export function checkRuns({ checks }: Hosted, commit: string, { method, query }: Call): Reply {
  if (method !== "GET") return notFound;
  const asked = query.get("check_name");
  const found = [...checks]
    .filter(([name]) => asked === null || name === asked)
    .map(([name, conclusion], at) => ({
      id: at + 1,
      name,
      head_sha: commit,
      status: conclusion === "running" ? "in_progress" : "completed",
      conclusion: conclusion === "running" ? null : conclusion,
      html_url: `https://github.com/runs/${at + 1}`,
    }));
  return [200, { total_count: found.length, check_runs: found }];
}
