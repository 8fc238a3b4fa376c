// What every request to GitHub has, whoever sends it: the token, the form of the answer, and the version of the API.

/** Gives the headers of a request to GitHub. */
export const githubHeaders = (token: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${token}`,
  accept: "application/vnd.github+json",
  "x-github-api-version": "2022-11-28",
});
