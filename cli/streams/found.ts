// The stream that an argument of a command names, and what help texts say about that argument.
import type { Access } from "../../client/requests.ts";
import { nameIn, type StreamCalls, type StreamName, type StreamTypes, streamCalls } from "../../client/streams.ts";
import { type ReachOptions, reach } from "../reach.ts";
import { finderOf, findOrChoose, toExplain, type Usual } from "./find.ts";
import type { Work } from "./work.ts";

/** A stream that was found, its name, and the calls about it. */
interface Found<Types extends StreamTypes> {
  readonly access: Access;
  readonly calls: StreamCalls<Types>;
  readonly stream: Types["summary"];
  readonly fullName: StreamName<Types>;
}

/** Finds the stream that a person named. */
export async function found<Types extends StreamTypes>(
  work: Work<Types>,
  name: string | undefined,
  options: ReachOptions,
  usual: Usual<Types> = toExplain(work),
): Promise<Found<Types>> {
  const access = await reach(options);
  const calls = streamCalls(access, work.streams);
  const stream = await findOrChoose(work, calls, name, usual);
  return { access, calls, stream, fullName: nameIn(work.streams, stream) };
}

/** Describes the argument that names a stream. */
export const namedOf = <Types extends StreamTypes>({ streams }: Work<Types>): string =>
  `name of the ${streams.kind}, as below`;

/** Says in a help text how a stream is named. */
export const namingOf = <Types extends StreamTypes>(work: Work<Types>, usual?: Usual<Types>): string =>
  `\n${finderOf(work).naming}${usual === undefined ? "" : `\nWithout it: ${usual.meaning}.`}`;

/** Gives the examples of a help text. */
export const examples = (...lines: readonly string[]): string =>
  `\nExample${lines.length > 1 ? "s" : ""}:\n${lines.map((line) => `  ${line}`).join("\n")}`;
