// The values of a resource's properties as rules see them. A secret is sealed: it can be tested and never printed, so
// no message can hold one. What is known only after an update is unknown, and rules say so instead of guessing. Values
// are hidden from JSON, because a state may hold secrets that nobody marked.

/** A secret. Its text can be tested, and is never given out. */
export class Sealed {
  readonly #text: string | undefined;

  /** Whether the value itself was marked, and not only an object that contains it. */
  readonly isSure: boolean;

  /** @param text the secret; undefined if it is encrypted, as in a state */
  constructor(text?: string, isSure = true) {
    this.#text = text;
    this.isSure = isSure;
  }

  /** Tests the secret. @returns undefined if it is encrypted */
  passes(test: (text: string) => boolean): boolean | undefined {
    return this.#text === undefined ? undefined : test(this.#text);
  }

  toJSON(): string {
    return "[secret]";
  }

  toString(): string {
    return "[secret]";
  }
}

/** Shorter texts occur anywhere by chance. */
const startLength = 8;

/**
 * Secrets to look for in texts. They are found by their first characters, so that many secrets in many texts take one
 * pass over the texts.
 */
export class SealedTexts {
  readonly #byStart = new Map<string, string[]>();

  /** Adds a secret if it is known, long enough, and accepted. */
  add(secret: Sealed, accepts: (text: string) => boolean): void {
    secret.passes((text) => {
      if (text.length < startLength || !accepts(text)) return false;
      const start = text.slice(0, startLength);
      this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), text]);
      return true;
    });
  }

  /** Whether a text contains one of the secrets. */
  occurIn(text: string): boolean {
    if (this.#byStart.size === 0) return false;
    for (let at = 0; at + startLength <= text.length; at += 1) {
      const found = this.#byStart.get(text.slice(at, at + startLength));
      if (found?.some((secret) => text.startsWith(secret, at))) return true;
    }
    return false;
  }
}

/** A value that is known only after the update. */
export class Unknown {
  toJSON(): string {
    return "[unknown]";
  }
}

export const unknown = new Unknown();

export type Value =
  | null
  | boolean
  | number
  | string
  | Sealed
  | Unknown
  | readonly Value[]
  | { readonly [key: string]: Value };
export type Properties = { readonly [key: string]: Value };

/** A value at a path such as `template.containers[0].image`. */
export interface Hit {
  readonly path: string;
  readonly value: Value;
}

export const isRecord = (value: Value | undefined): value is Properties =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Sealed) &&
  !(value instanceof Unknown);

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** The inputs of a resource. JSON shows none of them. */
export class Inputs {
  readonly #root: Properties;

  constructor(root: Properties) {
    this.#root = root;
  }

  get root(): Properties {
    return this.#root;
  }

  /**
   * Gives the values at a path of keys and `[]`, such as `template.containers[].image`. A path that ends early in an
   * unknown or sealed value gives that value with the path at which it stands.
   */
  find(path: string): readonly Hit[] {
    let hits: readonly Hit[] = [{ path: "", value: this.#root }];
    for (const key of keysOf(path)) {
      hits = hits.flatMap((hit) => (key === "[]" ? itemsOf(hit) : fieldOf(hit, key)));
      if (hits.length === 0) break;
    }
    return hits;
  }

  /** Gives every value that has no parts. Several rules ask for them, so they are collected once for each resource. */
  leaves(): readonly Hit[] {
    const known = leavesByRoot.get(this.#root);
    if (known !== undefined) return known;
    const leaves: Hit[] = [];
    collectLeaves("", this.#root, leaves);
    leavesByRoot.set(this.#root, leaves);
    return leaves;
  }

  toJSON(): undefined {
    return undefined;
  }
}

/** Rules ask for the same few paths for every resource. */
const keysByPath = new Map<string, readonly string[]>();

function keysOf(path: string): readonly string[] {
  const known = keysByPath.get(path);
  if (known !== undefined) return known;
  const keys = path.split(".").flatMap((key) => key.split(/(?=\[\])/));
  keysByPath.set(path, keys);
  return keys;
}

const joined = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);

function fieldOf(hit: Hit, key: string): readonly Hit[] {
  if (hit.value instanceof Unknown || hit.value instanceof Sealed) return [hit];
  const value = isRecord(hit.value) && Object.hasOwn(hit.value, key) ? hit.value[key] : undefined;
  return value === undefined || value === null ? [] : [{ path: joined(hit.path, key), value }];
}

function itemsOf(hit: Hit): readonly Hit[] {
  if (hit.value instanceof Unknown || hit.value instanceof Sealed) return [hit];
  return isList(hit.value) ? hit.value.map((value, at) => ({ path: `${hit.path}[${at}]`, value })) : [];
}

const leavesByRoot = new WeakMap<Properties, readonly Hit[]>();

function collectLeaves(path: string, value: Value, leaves: Hit[]): void {
  if (isList(value)) for (const [at, item] of value.entries()) collectLeaves(`${path}[${at}]`, item, leaves);
  else if (isRecord(value))
    for (const key of Object.keys(value)) collectLeaves(joined(path, key), value[key] ?? null, leaves);
  else leaves.push({ path, value });
}

const credential = /\b(sig|sv|token|key|password|pwd|secret|accountkey|sharedaccesskey)=[^&;\s"']+/gi;

/** Gives a text as messages may show it: without credentials that a URL or a connection string could hold. */
export function shown(text: string): string {
  const bare = text.replace(/\/\/[^/@\s]+@/, "//…@").replace(credential, (_all, name: string) => `${name}=…`);
  return bare.length > 120 ? `${bare.slice(0, 119)}…` : bare;
}
