// The one mutation of GraphQL that is served: one signed commit for many files, on the head that its writer expects.
import { authorOf, type Call, type Hosted, isWorkflow, mayWrite, type Reply, race } from "./calls.ts";
import type { FileChanges } from "./repository.ts";
import { guardOf } from "./rulesets.ts";

const failed = (type: string, message: string): Reply => [
  200,
  { data: { createCommitOnBranch: null }, errors: [{ type, path: ["createCommitOnBranch"], message }] },
];

/** Answers a request to `/graphql`. */
export function mutate(hosted: ReadonlyMap<string, Hosted>, { method, body, token }: Call): Reply {
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
  const guard = guardOf(repository, branchName, token);
  const said = "Changes must be made through a pull request.";
  if (guard === "classic") return failed("BRANCH_PROTECTION_RULE_VIOLATION", said);
  if (guard === "ruleset") return failed("UNPROCESSABLE", `Repository rule violations found\n\n${said}\n\n`);
  race(repository, branchName);
  const absent = changes.deletions.find((path) => repository.git.file(expectedHeadOid, path) === undefined);
  if (absent !== undefined && repository.git.head(branchName) === expectedHeadOid)
    return failed("UNPROCESSABLE", `A path was requested for deletion which does not exist: ${absent}`);
  const commit = repository.git.commit(branchName, expectedHeadOid, changes, message.headline, authorOf(token));
  if (commit === undefined)
    return failed(
      "STALE_DATA",
      `Expected branch to point to "${expectedHeadOid}" but it did not.  Pull and try again.`,
    );
  return [200, { data: { createCommitOnBranch: { commit: { oid: commit } } } }];
}
