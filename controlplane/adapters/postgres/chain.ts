// The hash chain of a stream: each fact's hash covers the hash before it and everything in the fact, so that a reader
// detects a fact that was changed, removed, added or moved. It detects accidents and manual edits. It does not stop an
// owner of the database who recomputes every hash; for that, the last hash must be known outside the database.
import { createHash } from "node:crypto";
import { canonical } from "../../../engines/canonical.ts";
import { many } from "../../../engines/wording.ts";
import { journalChainBroken } from "../../../errors/journal.ts";
import type { Fact } from "../../runtime/ports.ts";

/** One fact as the store returns it, not yet verified. */
export interface StoredFact extends Omit<Fact, "event" | "hash"> {
  readonly event: unknown;
  /** Null if a version without the hash chain wrote the fact. */
  readonly hash: string | null;
}

/** A fact with its place in the chain. */
export type ChainedFact = StoredFact & Pick<Fact, "hash">;

/** The end of a stream, which the store keeps beside the facts: their number and the last hash that was written. */
export interface StoredHead {
  readonly length: number;
  readonly hash: string | null;
}

const hashOf = (before: string, { stream, index, event, process, epoch }: Omit<StoredFact, "hash">): string =>
  createHash("sha256")
    .update(canonical([before, stream, index, event, process, epoch]))
    .digest("hex");

/** Gives new facts their hashes. `before` is the hash of the fact before them, undefined at the start of the stream. */
export function chain(before: string | undefined, facts: readonly Omit<StoredFact, "hash">[]): readonly ChainedFact[] {
  let hash = before ?? "";
  return facts.map((fact) => {
    hash = hashOf(hash, fact);
    return { ...fact, hash };
  });
}

/**
 * Verifies the chain through all facts of a stream and gives each fact its hash.
 *
 * Facts without a stored hash come from a version without the chain, which may still write during a deployment. They
 * are part of the chain too, and the next stored hash covers them.
 *
 * @throws journal-chain-broken with the first fact that cannot be trusted.
 */
export function followChain(stream: string, head: StoredHead, stored: readonly StoredFact[]): readonly ChainedFact[] {
  const refuse = (index: number, why: string): never => {
    throw journalChainBroken({ stream, index, why });
  };
  const gap = stored.findIndex(({ index }, place) => index !== place);
  if (gap >= 0) refuse(gap, `it is missing, and fact ${stored[gap]?.index} follows`);
  if (stored.length < head.length)
    refuse(stored.length, `it is missing, though ${many(head.length, "fact")} had been written`);
  if (stored.length > head.length) refuse(head.length, `only ${many(head.length, "fact")} had been written`);
  const facts = chain(undefined, stored);
  let sealed = 0; // The number of facts, from the first on, that a stored hash covers.
  for (const [index, { hash }] of stored.entries()) {
    if (hash === null) continue;
    if (hash !== facts[index]?.hash)
      refuse(
        sealed,
        sealed === index ? "it is not what was written" : `it, or another fact up to ${index}, is not what was written`,
      );
    sealed = index + 1;
  }
  if (head.hash !== (stored[sealed - 1]?.hash ?? null))
    refuse(sealed, "the last hash that was written belongs to another fact");
  return facts;
}

/**
 * Verifies the facts stored after the known ones, and gives them if they continue the chain to the end of the stream.
 *
 * Otherwise it gives undefined, which does not say what is wrong: the caller must read and verify the whole stream.
 */
export function continueChain(
  last: Pick<StoredFact, "hash"> | undefined,
  known: number,
  head: StoredHead,
  stored: readonly StoredFact[],
): readonly ChainedFact[] | undefined {
  if (
    last === undefined ||
    head.length !== known + stored.length ||
    stored.some(({ index }, place) => index !== known + place)
  )
    return undefined;
  const facts = chain(last.hash ?? undefined, stored);
  return stored.every(({ hash }, place) => hash === facts[place]?.hash) && head.hash === (facts.at(-1) ?? last).hash
    ? facts
    : undefined;
}
