// Where and as whom GitHub is asked. The token comes from the environment only: everyone on a machine can read a
// process's arguments, and whoever reads a stack's state would read it there.
import { githubAccessUnclear } from "../../errors/github.ts";
import { isToken, notToken } from "../credential.ts";

/** A repository, the address of the API that has it, and a token for it. */
export interface Access {
  /** `owner/name`. */
  readonly repository: string;
  readonly api: string;
  readonly token: string;
}

/** Gives the access to a repository by `GITHUB_TOKEN` and `GITHUB_API_URL`. @throws github-access-unclear */
export function accessTo(repository: string | undefined, environment: NodeJS.ProcessEnv): Access {
  const { GITHUB_TOKEN, GITHUB_API_URL: api = "https://api.github.com" } = environment;
  const token = GITHUB_TOKEN?.trim();
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository ?? ""))
    throw githubAccessUnclear({
      what: repository === undefined ? "no repository is named" : `"${repository}" is not owner/name`,
      fix: "give --repository owner/name, or set GITHUB_REPOSITORY",
    });
  if (!token) throw githubAccessUnclear({ what: "GITHUB_TOKEN is not set", fix: "set GITHUB_TOKEN" });
  if (!isToken(token)) throw githubAccessUnclear({ what: `GITHUB_TOKEN ${notToken}`, fix: "set GITHUB_TOKEN anew" });
  const url = URL.parse(api);
  if (url?.protocol !== "https:" && url?.hostname !== "127.0.0.1")
    throw githubAccessUnclear({
      what: `GITHUB_API_URL (${api}) does not begin with https://, and a token is sent to no other`,
      fix: "set GITHUB_API_URL to the address of your GitHub's API, or leave it out",
    });
  return { repository: repository!, api: api.replace(/\/+$/, ""), token };
}
