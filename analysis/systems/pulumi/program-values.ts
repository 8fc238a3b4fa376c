// Values of a program in Pulumi YAML: literals with their places, references to other resources, to configuration and
// to variables, and functions. What only an update can know is unknown; which resources it comes from is kept, because
// rules about dependencies ask for it.
import { isScalar, type ParsedNode } from "yaml";
import type { Place } from "../../place.ts";
import type { YamlFile } from "../../yaml-file.ts";
import { Unknown, unknown, type Value } from "./value.ts";
import { sealed } from "./wire-values.ts";

type Node = ParsedNode | null | undefined;

/** What names in a program stand for. */
export interface Scope {
  readonly yaml: YamlFile;
  /** URNs by the names of resources. */
  readonly urns: ReadonlyMap<string, string>;
  /** Values of configuration and variables, as far as the files say. */
  readonly values: (name: string, depth: number) => Read | undefined;
}

/** A value, and the resources that it comes from. */
export interface Read {
  readonly value: Value;
  readonly from: readonly string[];
}

/** Where values stand, by their paths. */
export type Places = Record<string, Place>;

/** Reads a value. `places` receives the place of each part. */
export function readValue(scope: Scope, node: Node, path: string, places: Places, depth = 0): Read {
  const { yaml } = scope;
  if (depth > 40) return { value: unknown, from: [] };
  if (yaml.isMap(node)) return readMap(scope, node, path, places, depth);
  if (yaml.isSequence(node)) {
    const items = yaml.items(node).map((item, at) => {
      places[`${path}[${at}]`] = yaml.place(item);
      return readValue(scope, item, `${path}[${at}]`, places, depth + 1);
    });
    return { value: items.map(({ value }) => value), from: items.flatMap(({ from }) => from) };
  }
  const scalar = yaml.resolve(node);
  if (!isScalar(scalar)) return { value: null, from: [] };
  const written = scalar.value;
  if (typeof written === "string") return interpolated(scope, written, depth);
  return { value: typeof written === "number" || typeof written === "boolean" ? written : null, from: [] };
}

function readMap(scope: Scope, node: Node, path: string, places: Places, depth: number): Read {
  const { yaml } = scope;
  const pairs = yaml.pairs(node).map((pair) => ({ key: String((pair.key as { value?: unknown }).value ?? ""), pair }));
  const [only] = pairs;
  if (pairs.length === 1 && only!.key.startsWith("fn::")) {
    const inner = readValue(scope, only!.pair.value, path, places, depth + 1);
    return { value: only!.key === "fn::secret" ? sealed(inner.value) : unknown, from: inner.from };
  }
  const entries = pairs.map(({ key, pair }) => {
    const at = path === "" ? key : `${path}.${key}`;
    places[at] = yaml.pairPlace(pair);
    return [key, readValue(scope, pair.value, at, places, depth + 1)] as const;
  });
  return {
    value: Object.fromEntries(entries.map(([key, { value }]) => [key, value])),
    from: entries.flatMap(([, { from }]) => from),
  };
}

const reference = /\$\$\{|\$\{([^}]*)\}/g;

/** Gives the names that a text refers to, such as `shop` in `${shop.id}`. */
export const namesIn = (text: string): readonly string[] =>
  [...text.matchAll(reference)].flatMap(([, inner]) => (inner === undefined ? [] : [rootOf(inner)]));

const rootOf = (inner: string): string => /^[^.["\s]+/.exec(inner.trim())?.[0] ?? "";

function interpolated(scope: Scope, text: string, depth: number): Read {
  if (!text.includes("${")) return { value: text, from: [] };
  const parts = [...text.matchAll(reference)];
  const reads = parts.map(([, inner]) => (inner === undefined ? undefined : referred(scope, inner, depth + 1)));
  const from = reads.flatMap((read) => read?.from ?? []);
  if (parts.length === 1 && parts[0]![0] === text && reads[0]) return { value: reads[0].value, from };
  const texts = reads.map((read) => (read === undefined ? "${" : read.value));
  if (texts.some((value) => value instanceof Unknown)) return { value: unknown, from };
  const isPlain = texts.every((value) => typeof value !== "object");
  if (!isPlain) return { value: sealed(text), from };
  let at = 0;
  return { value: text.replaceAll(reference, () => String(texts[at++])), from };
}

function referred(scope: Scope, inner: string, depth: number): Read {
  const root = rootOf(inner);
  const urn = scope.urns.get(root);
  if (urn !== undefined) return { value: unknown, from: [urn] };
  const read = scope.values(root, depth);
  if (read === undefined) return { value: unknown, from: [] };
  return inner.trim() === root ? read : { value: unknown, from: read.from };
}
