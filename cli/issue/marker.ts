// The hidden first line of an issue of ours: what has failed, and how many times in a row.

/** What an issue is about. */
export interface Failing {
  readonly key: string;
  readonly failures: number;
}

/** Gives the first line of an issue. */
export const issueMarker = ({ key, failures }: Failing): string =>
  `<!-- ballast:issue ${encodeURIComponent(key).replaceAll("-", "%2D")} ${failures} -->`;

/** Reads the first line of an issue. @returns undefined if the issue is not one of ours */
export function readIssueMarker(body: string): Failing | undefined {
  const [, key, failures] = /^<!-- ballast:issue (\S+) (\d{1,9}) -->/.exec(body) ?? [];
  if (key === undefined) return undefined;
  try {
    return { key: decodeURIComponent(key), failures: Number(failures) };
  } catch {
    return undefined; // A person has edited it.
  }
}
