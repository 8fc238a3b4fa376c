// A journal for people: the message of each fact, and on request a replay that shows whether this version of the engine
// makes the same decisions from it.
import type { StreamFact, StreamTypes } from "../../client/streams.ts";
import { many } from "../../engines/wording.ts";
import { replayDiffers } from "../../errors/cli.ts";
import { print, printJson, styled } from "../terminal.ts";
import { factLine } from "./lines.ts";
import type { Work } from "./work.ts";

/**
 * Prints the journal, and with `replay` decides everything again.
 *
 * @throws cli-replay-differs, after printing the journal, at the first fact that differs
 */
export function explain<Types extends StreamTypes>(
  work: Work<Types>,
  stream: Types["summary"],
  journal: readonly StreamFact<Types["event"]>[],
  { json, replay: isReplay }: { readonly json?: boolean; readonly replay?: boolean },
): void {
  const difference = isReplay ? work.replay?.(journal.map(({ event }) => event)) : undefined;
  if (json && !difference)
    return printJson({ ...stream, journal, ...(isReplay ? { replay: { equal: true, facts: journal.length } } : {}) });
  for (const { event, message } of json ? [] : journal) {
    if (!work.unexplained?.includes(event.kind))
      print(factLine(work, { at: event.at, kind: event.kind, message }, stream));
  }
  const head = journal.at(-1)?.hash;
  if (head && !json) print(`Journal: ${many(journal.length, "fact")}, head ${head}.`);
  if (difference) {
    const { index, written, decided } = difference;
    throw replayDiffers({
      id: stream.id,
      at: `fact ${index} is ${JSON.stringify(written ?? null)}, the replay gives ${JSON.stringify(decided ?? null)}`,
    });
  }
  if (!isReplay || json) return;
  // The control plane checks the chain before it gives a journal.
  const chain = head ? " The journal's hash chain is intact." : "";
  print(styled("green", `Replayed ${many(journal.length, "fact")}: every decision is the same.${chain}`));
}
