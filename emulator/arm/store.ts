// The resources of one emulator, in memory, in the order in which they were created.
import type { Resource, Store } from "./resource.ts";

/** Makes an empty store. */
export function makeStore(): Store {
  const resources = new Map<string, Resource>();
  return {
    get: (id) => resources.get(id.toLowerCase()),
    put: (resource) => void resources.set(resource.id.toLowerCase(), resource),
    remove: (id) => void resources.delete(id.toLowerCase()),
    list: (below) =>
      [...resources]
        .filter(([id]) => below === undefined || id.startsWith(`${below.toLowerCase()}/`))
        .map(([, resource]) => resource),
  };
}
