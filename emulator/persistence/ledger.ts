// Which documents of a cloud have changed since they were last written. Each part of the emulator that has state
// registers itself as the owner of its documents, and reports a change where it makes it, so that a request writes
// what it changed and does not look at everything else. A test compares the file with all documents after every kind
// of request.

/** A part that owns documents: those whose keys start with its word. */
export interface Owner {
  /** The first word of its keys. */
  readonly word: string;
  /** The ids of its documents now. */
  readonly ids: () => Iterable<string>;
  /** Gives a document as plain JSON; undefined when there is none any more. */
  readonly read: (id: string) => unknown;
  /** Takes the documents that were found on the disk. It runs once, in the order in which the owners registered. */
  readonly revive: (documents: ReadonlyMap<string, unknown>) => Promise<void> | void;
  /** True when its documents also change without a report, such as a replica that becomes ready: they are compared. */
  readonly changesByItself?: true;
  /** True when its documents have the ids of resources and change with them. */
  readonly followsResources?: true;
}

/** Documents to write by key, and the keys of those that are gone. */
export interface Changes {
  readonly put: readonly (readonly [key: string, document: unknown])[];
  readonly remove: readonly string[];
}

/** The owners of one cloud, and what has changed. */
export interface Ledger {
  readonly register: (owner: Owner) => void;
  /** Reports that a document was made, changed or removed. */
  readonly changed: (word: string, id: string) => void;
  /** Reports that a request may have changed the documents on its path without saying so. */
  readonly touched: (path: string) => void;
  /** Gives what has changed and forgets it; with `all`, also the documents that change without a report. */
  readonly take: (all: boolean) => Changes;
  /** Takes changes back that could not be written. */
  readonly giveBack: (changes: Changes) => void;
  /** Gives every document. */
  readonly everything: () => Iterable<readonly [key: string, document: unknown]>;
  readonly revive: (found: ReadonlyMap<string, unknown>) => Promise<void>;
}

const resourceWord = "resource";
/** A shorter path than that of a resource group has no id. */
const idSegmentsMin = 4;

/** Starts without owners. */
export function makeLedger(): Ledger {
  const owners = new Map<string, Owner>();
  const dirty = new Set<string>();
  const keyOf = (word: string, id: string): string => `${word} ${id}`;
  const followers = (): readonly Owner[] => [...owners.values()].filter(({ followsResources }) => followsResources);
  const changed = (word: string, id: string): void => {
    dirty.add(keyOf(word, id));
    if (word === resourceWord) for (const owner of followers()) dirty.add(keyOf(owner.word, id));
  };
  const read = (key: string): unknown => {
    const [word = ""] = key.split(" ", 1);
    return owners.get(word)?.read(key.slice(word.length + 1));
  };
  return {
    register: (owner) => void owners.set(owner.word, owner),
    changed,
    touched: (path) => {
      const segments = path.toLowerCase().split("/");
      for (let length = segments.length; length > idSegmentsMin; length -= 1)
        changed(resourceWord, segments.slice(0, length).join("/"));
    },
    take: (all) => {
      if (all)
        for (const { word, ids, changesByItself } of owners.values())
          if (changesByItself) for (const id of ids()) dirty.add(keyOf(word, id));
      const documents = [...dirty].map((key) => [key, read(key)] as const);
      dirty.clear();
      return {
        put: documents.filter(([, document]) => document !== undefined),
        remove: documents.filter(([, document]) => document === undefined).map(([key]) => key),
      };
    },
    giveBack: ({ put, remove }) => {
      for (const [key] of put) dirty.add(key);
      for (const key of remove) dirty.add(key);
    },
    *everything() {
      for (const owner of owners.values()) for (const id of owner.ids()) yield [keyOf(owner.word, id), owner.read(id)];
    },
    revive: async (found) => {
      for (const owner of owners.values()) {
        const own = [...found].filter(([key]) => key.split(" ", 1)[0] === owner.word);
        await owner.revive(new Map(own.map(([key, document]) => [key.slice(owner.word.length + 1), document])));
      }
    },
  };
}
