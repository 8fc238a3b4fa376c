// The chain that holds a stream together: each fact's hash is over the hash before it and all that the fact says, so that
// one changed, removed, added or moved is seen by whoever reads. It shows accidents and single hands, not an owner of
// the database who calculates everything anew; against him only a head that was told elsewhere helps. Knows no SQL.
import { createHash } from "node:crypto";
import { canonical } from "../../../engines/canonical.ts";
import { journalChainBroken } from "../../../errors/journal.ts";
import type { Fact } from "../../runtime/ports.ts";

/** What a store gives back for one fact, not yet believed. */
export interface StoredFact extends Omit<Fact, "event" | "hash"> {
  readonly event: unknown;
  /** Null where a version before the chain wrote the fact. */
  readonly hash: string | null;
}

/** A fact whose place in the chain is known. */
export type ChainedFact = StoredFact & Pick<Fact, "hash">;

/** Where a stream ends, as the store keeps it beside the facts: how many there are, and the last hash that was written. */
export interface StoredHead {
  readonly length: number;
  readonly hash: string | null;
}

const hashOf = (before: string, { stream, index, event, process, epoch }: Omit<StoredFact, "hash">): string =>
  createHash("sha256")
    .update(canonical([before, stream, index, event, process, epoch]))
    .digest("hex");

/** Gives facts that follow upon others their hashes; `before` is the hash of the fact before them, absent at the beginning. */
export function chain(before: string | undefined, facts: readonly Omit<StoredFact, "hash">[]): readonly ChainedFact[] {
  let hash = before ?? "";
  return facts.map((fact) => ({ ...fact, hash: (hash = hashOf(hash, fact)) }));
}

/**
 * Follows the chain through all facts of a stream and gives each its hash.
 *
 * Facts without a stored hash come from the version before the chain, which may write during a deployment. They are
 * chained all the same, and the next stored hash seals them.
 *
 * @throws journal-chain-broken with the first fact that cannot be believed.
 */
export function followChain(stream: string, head: StoredHead, stored: readonly StoredFact[]): readonly ChainedFact[] {
  const refuse = (index: number, why: string): never => {
    throw journalChainBroken({ stream, index, why });
  };
  const gap = stored.findIndex(({ index }, place) => index !== place);
  if (gap >= 0) refuse(gap, `in its place lies fact ${stored[gap]?.index}`);
  if (stored.length < head.length) refuse(stored.length, `it is missing, though ${head.length} facts were written`);
  if (stored.length > head.length) refuse(head.length, `only ${head.length} facts were written`);
  const facts = chain(undefined, stored);
  let sealed = 0; // So many facts from the first on are covered by a stored hash.
  for (const [index, { hash }] of stored.entries()) {
    if (hash === null) continue;
    if (hash !== facts[index]?.hash)
      refuse(
        sealed,
        sealed === index ? "it is not what was written" : `it, or one up to fact ${index}, is not what was written`,
      );
    sealed = index + 1;
  }
  if (head.hash !== (stored[sealed - 1]?.hash ?? null))
    refuse(sealed, "the last hash that was written belongs to another fact");
  return facts;
}

/**
 * Gives the facts that were stored after those that are known, where each has its hash and goes on from them to the end of the stream.
 *
 * Undefined says nothing of who is wrong: all has to be read, and followed, to know.
 */
export function goOn(
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
