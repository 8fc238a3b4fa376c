// Resources that are held for one write at a time although the write is on another resource, such as a server while one
// of its parameters is set. Writes on the same resource are kept apart by operations.ts.
import type { Store } from "./resource.ts";

const held = new WeakMap<Store, Set<string>>();

/**
 * Holds a resource, and gives what lets it go. `refuse` is called while another write holds it; if it does not throw,
 * both go on.
 *
 * @throws what `refuse` throws
 */
export function hold(store: Store, id: string, refuse: () => void): () => void {
  const ids = held.get(store) ?? new Set<string>();
  held.set(store, ids);
  const key = id.toLowerCase();
  if (ids.has(key)) refuse();
  ids.add(key);
  return () => void ids.delete(key);
}
