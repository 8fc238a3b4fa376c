// The path of a request as facts may keep it. A path may name a person or hold a secret, such as the token of a reset
// link, and a fact is kept forever. Only parts that read like the names of a program's routes stay.

const lengthMax = 120;
const partMax = 32;

/** A word of letters, dashes, dots and underscores with at most two digits: `v2`, `order-items`, `app.js`; not `12`. */
const isRoute = (part: string): boolean =>
  part === "" ||
  (part.length <= partMax && /^[a-z._~-]*[a-z](?:\d?[a-z._~-]*){2}$/i.test(part) && !/[a-z]{25}/i.test(part));

/** Gives a path without its query, and with `*` for every part that does not read like a route: `/orders/*`. */
export function maskPath(path: string): string {
  const [bare = ""] = path.split(/[?#]/, 1);
  const masked = bare
    .split("/")
    .map((part) => (isRoute(part) ? part : "*"))
    .join("/");
  const short = masked.length > lengthMax ? `${masked.slice(0, lengthMax)}…` : masked;
  return short === "" ? "/" : short;
}
