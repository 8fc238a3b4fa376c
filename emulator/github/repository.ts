// One repository of the emulated GitHub: a bare git repository on disk. A commit is written as git writes it, and a
// branch moves only from the commit that its writer expects, so two writers meet as they do on GitHub.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Files to write and paths to remove. */
export interface FileChanges {
  readonly additions: readonly { readonly path: string; readonly contents: Buffer }[];
  readonly deletions: readonly string[];
}

/** Who makes a commit. GitHub signs what an app commits through its API. */
export interface Author {
  readonly name: string;
  readonly email: string;
}

const someone: Author = { name: "someone", email: "someone@example.org" };

export class Repository {
  readonly #folder: string;

  /** Makes an empty repository with one commit on `main`. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    this.git(["init", "--bare", "--quiet", "--initial-branch", "main"]);
    const changes = { additions: [{ path: "README.md", contents: Buffer.from("# A repository\n") }], deletions: [] };
    this.commit("main", undefined, changes, "Initial commit", someone);
  }

  /** Runs git in the repository. @throws an error with git's message */
  git(args: readonly string[], input?: string | Buffer, environment: NodeJS.ProcessEnv = {}): Buffer {
    const ended = spawnSync("git", [...args], { cwd: this.#folder, input, env: { ...process.env, ...environment } });
    if (ended.status !== 0) throw new Error(`git ${args[0]}: ${String(ended.stderr).trim()}`);
    return ended.stdout;
  }

  #text(args: readonly string[], input?: string | Buffer, environment?: NodeJS.ProcessEnv): string {
    return String(this.git(args, input, environment)).trim();
  }

  /** Gives the newest commit of a branch; undefined if there is no such branch. */
  head(branch: string): string | undefined {
    return this.#text(["for-each-ref", "--format=%(objectname)", `refs/heads/${branch}`]) || undefined;
  }

  /** Gives a file at a commit or branch, with the id of its text; undefined if there is none. */
  file(at: string, path: string): { readonly contents: Buffer; readonly id: string } | undefined {
    const [, id] = / blob ([0-9a-f]{40})\t/.exec(String(this.git(["ls-tree", at, "--", path]))) ?? [];
    return id === undefined ? undefined : { contents: this.git(["cat-file", "blob", id]), id };
  }

  /** Points a branch to a commit, if it still is where its writer believes it to be. @returns whether it did */
  point(branch: string, commit: string, expected: string | undefined): boolean {
    try {
      this.git(["update-ref", `refs/heads/${branch}`, commit, expected ?? "0".repeat(40)]);
      return true;
    } catch {
      return false;
    }
  }

  /** Commits to a branch. @returns the commit; undefined if the branch is not at the expected commit */
  commit(
    branch: string,
    expected: string | undefined,
    { additions, deletions }: FileChanges,
    message: string,
    author: Author,
  ): string | undefined {
    const index = join(this.#folder, `index-${process.pid}-${Math.random().toString(36).slice(2)}`);
    const own = { GIT_INDEX_FILE: index };
    try {
      if (expected !== undefined) this.git(["read-tree", expected], undefined, own);
      for (const { path, contents } of additions) {
        const id = this.#text(["hash-object", "-w", "--stdin"], contents);
        this.git(["update-index", "--add", "--cacheinfo", `100644,${id},${path}`], undefined, own);
      }
      // A bare repository has no files, so a path is removed by a line of the index.
      const lines = deletions.map((path) => `0 ${"0".repeat(40)}\t${path}\n`).join("");
      this.git(["update-index", "--index-info"], lines, own);
      const tree = this.#text(["write-tree"], undefined, own);
      const commit = this.#commitTree(tree, expected === undefined ? [] : [expected], message, author);
      return this.point(branch, commit, expected) ? commit : undefined;
    } finally {
      rmSync(index, { force: true });
    }
  }

  /** Merges a branch into another one. @returns the commit; undefined if they are in conflict */
  merge(base: string, from: string, message: string, author: Author): string | undefined {
    const [ours, theirs] = [this.head(base), this.head(from)];
    if (ours === undefined || theirs === undefined) return undefined;
    try {
      const tree = this.#text(["merge-tree", "--write-tree", ours, theirs]).split("\n")[0]!;
      const commit = this.#commitTree(tree, [ours, theirs], message, author);
      return this.point(base, commit, ours) ? commit : undefined;
    } catch {
      return undefined;
    }
  }

  #commitTree(tree: string, parents: readonly string[], message: string, { name, email }: Author): string {
    return this.#text(["commit-tree", tree, ...parents.flatMap((each) => ["-p", each])], message, {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
    });
  }

  /** Commits as another person would, wherever the branch is. */
  commitAsAnother(branch: string, path: string, text: string): void {
    const changes = { additions: [{ path, contents: Buffer.from(text) }], deletions: [] };
    this.commit(branch, this.head(branch), changes, `Change ${path}`, someone);
  }

  /** Lists the subjects of a branch's commits with their authors, the newest first. */
  log(branch: string): readonly string[] {
    return this.#text(["log", "--format=%s (%an)", branch]).split("\n");
  }
}
