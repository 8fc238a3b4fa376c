// A journal for people: each fact with its words, and on request the proof that today's engine decides the same from it.

import type { JournalLine, Shown } from "../../client/control-plane.ts";
import { replay } from "../../engines/rollout/rollout.ts";
import { replayDiffers } from "../../errors/cli.ts";
import { print, printJson, styled } from "../terminal.ts";
import { toldLine } from "./rollout-lines.ts";

/**
 * Prints the journal, and with `replay` decides it all again.
 *
 * @throws cli-replay-differs, after the journal is printed, at the first fact that comes out otherwise.
 */
export function explain(
  shown: Shown,
  journal: readonly JournalLine[],
  { json, replay: again }: { readonly json?: boolean; readonly replay?: boolean },
): void {
  const parted = again ? replay(journal.map(({ event }) => event)) : undefined;
  if (json && !parted)
    return printJson({ ...shown, journal, ...(again ? { replay: { equal: true, facts: journal.length } } : {}) });
  for (const { event, text } of json ? [] : journal) {
    if (event.kind !== "Waited") print(toldLine({ at: event.at, kind: event.kind, text }, shown.startedAt));
  }
  const head = journal.at(-1)?.hash;
  if (head && !json) print(`Journal of ${journal.length} facts, head ${head}.`);
  if (parted) {
    const { index, written, decided } = parted;
    throw replayDiffers({
      id: shown.id,
      at: `fact ${index} was written ${JSON.stringify(written ?? null)} and is now decided ${JSON.stringify(decided ?? null)}`,
    });
  }
  if (again && !json)
    print(
      styled(
        "green",
        `Decided again from the journal: all ${journal.length} facts come out equal.${head ? " Its chain of hashes holds, or the control plane would not have given it." : ""}`,
      ),
    );
}
