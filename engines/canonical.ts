// Plain data as one text: the same for values that are the same, whatever order their keys come in.

/** Writes a value as JSON with its keys in order, since a database or a person may give them in another. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  ) ?? "nothing";
