// Why a stream stands still although its process and its database work: its journal cannot be read, or its engine
// throws on it. No retry helps, but a newer version may, so the loop goes on trying, shows the reason, and carries on
// with all other streams.
import { EngineFailed } from "../../engines/kind.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { journalEngineFailed } from "../../errors/journal.ts";

const unreadable = new Set(["journal-fact-unknown", "journal-chain-broken"]);

/** Gives the error of a stream that stands still; undefined if the trouble is another, which may pass by itself. */
export function whyStuck(stream: string, thrown: unknown): BallastError | undefined {
  if (thrown instanceof EngineFailed) return journalEngineFailed({ stream, why: thrown.message });
  return thrown instanceof BallastError && unreadable.has(thrown.id) ? thrown : undefined;
}

/** Runs a part of the loop for one stream. @throws journal-engine-failed in place of EngineFailed */
export async function namingStream<Value>(stream: string, part: () => Promise<Value>): Promise<Value> {
  try {
    return await part();
  } catch (thrown) {
    throw whyStuck(stream, thrown) ?? thrown;
  }
}
