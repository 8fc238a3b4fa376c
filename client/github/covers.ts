// How what GitHub has is compared with what a program says. GitHub's answers hold more than was sent, and that is no
// difference. What was sent and is missing is one.

/** Reports whether what is live has all that is wanted. GitHub fills in fields that nobody sent. */
export function covers(live: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return live === wanted;
  if (typeof live !== "object" || live === null) return false;
  if (Array.isArray(wanted) && (!Array.isArray(live) || live.length !== wanted.length)) return false;
  return Object.entries(wanted).every(([key, value]) =>
    covers((live as Readonly<Record<string, unknown>>)[key], value),
  );
}
