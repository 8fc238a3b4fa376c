// A journal of which some streams cannot be read, as every reader meets it: by its facts, and by its row.
import type { Journal, Listed } from "../../../controlplane/runtime/ports.ts";
import type { BallastError } from "../../../errors/catalogue.ts";

/** Breaks the streams for which `troubleOf` gives an error. */
export function brokenJournal(journal: Journal, troubleOf: (stream: string) => BallastError | undefined): Journal {
  const refuse = (stream: string): void => {
    const trouble = troubleOf(stream);
    if (trouble !== undefined) throw trouble;
  };
  const shown = (one: Listed): Listed => {
    const error = troubleOf(one.stream);
    return error === undefined ? one : { stream: one.stream, error };
  };
  return {
    ...journal,
    read: async (stream, known) => {
      refuse(stream);
      return journal.read(stream, known);
    },
    after: async (stream, place) => {
      refuse(stream);
      return journal.after(stream, place);
    },
    list: async (selection) => {
      const page = await journal.list(selection);
      return { ...page, streams: page.streams.map(shown) };
    },
    show: async (stream) => {
      const error = troubleOf(stream);
      return error === undefined ? journal.show(stream) : { stream, error };
    },
  };
}
