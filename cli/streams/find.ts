// Finds the stream that a person means, for every kind of work that has no shorter names of its own: by its full name,
// or by the end of it.
import { nameIn, type StreamCalls, type StreamKind, type StreamName, type StreamTypes } from "../../client/streams.ts";
import { streamNameAmbiguous, streamNameUnknown, streamNone } from "../../errors/cli.ts";
import type { Finder, Work } from "./work.ts";

/** What finding needs to know about a work. */
type Named<Types extends StreamTypes> = Pick<Work<Types>, "command" | "streams" | "finder">;

/** Gives how the streams of a work are found. */
export const finderOf = <Types extends StreamTypes>(work: Named<Types>): Finder<Types> => work.finder ?? byEnding(work);

/** Gives the full name of a stream, which every finder understands. */
export function fullNameOf<Types extends StreamTypes>(kind: StreamKind<Types>, summary: Types["summary"]): string {
  const name = nameIn(kind, summary);
  return kind.parts.map((part: Types["part"]) => name[part]).join("/");
}

/** The stream that a command takes without a name. */
export type Usual<Types extends StreamTypes> = NonNullable<Finder<Types>["usual"]>;

/** The stream to explain: the one that the work chooses, else the newest. */
export const toExplain = <Types extends StreamTypes>(work: Named<Types>): Usual<Types> => {
  const { usual } = finderOf(work);
  return {
    meaning: usual?.meaning ?? "the newest one",
    choose: (newestFirst) => usual?.choose(newestFirst) ?? newestFirst[0],
  };
};

/** The stream to follow: the newest in progress, else the newest. */
export const toFollow = <Types extends StreamTypes>(_work: Named<Types>): Usual<Types> => ({
  meaning: "the one in progress, or the newest",
  choose: (newestFirst) => newestFirst.find(({ result }) => result === null) ?? newestFirst[0],
});

/** Finds the stream that a name means, or without a name the usual one. @throws cli-stream-none if there is none */
export async function findOrChoose<Types extends StreamTypes>(
  work: Named<Types>,
  calls: StreamCalls<Types>,
  name: string | undefined,
  { choose }: Usual<Types>,
): Promise<Types["summary"]> {
  if (name !== undefined) return finderOf(work).find(calls, name);
  const { streams, unreadable } = await calls.list();
  const chosen = choose(streams);
  if (chosen !== undefined) return chosen;
  if (unreadable[0] !== undefined) throw unreadable[0].error;
  throw streamNone({ plural: work.streams.plural, list: `ballast ${work.command} list` });
}

/**
 * Finds streams by their full name or by its end.
 *
 * The end is looked up in the control plane's list, so it needs to be unambiguous only now, not for ever.
 */
function byEnding<Types extends StreamTypes>({
  command,
  streams: { kind, parts },
}: Pick<Work<Types>, "command" | "streams">): Finder<Types> {
  const form = parts.map((part) => `<${part.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}>`).join("/");
  const list = `ballast ${command} list`;
  return {
    naming: `<${kind}> is ${form}, or the end of that name if only one ${kind} has it.`,
    find: async (calls, given) => {
      const name = given.startsWith(`${kind}/`) ? given.slice(kind.length + 1) : given;
      const values = name.split("/");
      if (values.length === parts.length && !values.includes("")) {
        const found = await calls.show(
          Object.fromEntries(parts.map((part, index) => [part, values[index]])) as StreamName<Types>,
        );
        if (found === undefined) throw streamNameUnknown({ kind, name, list });
        return found;
      }
      const { streams, unreadable } = await calls.list();
      const isMeant = ({ id }: { readonly id: string }): boolean => id.endsWith(`/${name.toLowerCase()}`);
      const meant = streams.filter(isMeant);
      const broken = unreadable.filter(isMeant);
      const ids = [...meant, ...broken].map(({ id }) => id);
      if (ids.length > 1) throw streamNameAmbiguous({ name, ids, form });
      if (broken[0] !== undefined) throw broken[0].error;
      if (meant[0] === undefined) throw streamNameUnknown({ kind, name, list });
      return meant[0];
    },
  };
}
