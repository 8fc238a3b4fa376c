// The resources of one emulator, in memory, in the order in which they were created.
import type { Resource, Store } from "./resource.ts";

/** Makes an empty store. `changed` is called for each resource that is put or removed. */
export function makeStore(changed: (id: string) => void = () => undefined): Store {
  const resources = new Map<string, Resource>();
  return {
    get: (id) => resources.get(id.toLowerCase()),
    put: (resource) => {
      resources.set(resource.id.toLowerCase(), resource);
      changed(resource.id.toLowerCase());
    },
    remove: (id) => {
      if (resources.delete(id.toLowerCase())) changed(id.toLowerCase());
    },
    list: (below) =>
      [...resources]
        .filter(([id]) => below === undefined || id.startsWith(`${below.toLowerCase()}/`))
        .map(([, resource]) => resource),
  };
}
