// Plain data as canonical text: equal values give equal text, whatever the order of their keys.

/** Writes a value as JSON with sorted keys, since a database or a person may return them in another order. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  ) ?? "nothing";
