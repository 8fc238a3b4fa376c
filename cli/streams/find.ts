// Finds the stream that a person means, for every kind of work that has no shorter names of its own: by its full name,
// or by the end of it.
import { nameIn, type StreamKind, type StreamName, type StreamTypes } from "../../client/streams.ts";
import { streamNameAmbiguous, streamNameUnknown } from "../../errors/cli.ts";
import type { Finder, Work } from "./work.ts";

/** Gives how the streams of a work are found. */
export const finderOf = <Types extends StreamTypes>(work: Work<Types>): Finder<Types> => work.finder ?? byEnding(work);

/** Gives the full name of a stream, which every finder understands. */
export function fullNameOf<Types extends StreamTypes>(kind: StreamKind<Types>, summary: Types["summary"]): string {
  const name = nameIn(kind, summary);
  return kind.parts.map((part: Types["part"]) => name[part]).join("/");
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
