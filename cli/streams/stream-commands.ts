// The group of commands of a kind of work, such as `ballast release …`: list, show, explain and follow its streams, and
// send them signals. Each command makes one request to the control plane and prints the answer; the control plane
// decides. The words of the help texts come from the work.
import { type Command, InvalidArgumentError } from "commander";
import { brokenLine, type Followed } from "../../client/follow.ts";
import {
  type ListedStreams,
  type StreamFilter,
  type StreamSummary,
  type StreamTypes,
  streamCalls,
  type Troubled,
} from "../../client/streams.ts";
import { type ReachOptions, reach, withReachOptions } from "../reach.ts";
import { print, printJson } from "../terminal.ts";
import { explain } from "./explain.ts";
import { toExplain, toFollow } from "./find.ts";
import { examples, found, namedOf, namingOf } from "./found.ts";
import { beyondResult, factLine, inColourOf, listTable, streamLines } from "./lines.ts";
import { addSignal } from "./signal-commands.ts";
import type { Work } from "./work.ts";

/** Adds the group of commands of a work. */
export function addStreamCommands<Types extends StreamTypes>(program: Command, work: Work<Types>): void {
  const group = program.command(work.command).description(work.description);
  for (const add of [addList, addShow, addExplain, addFollow]) add(group, work);
  work.addOwn?.(group);
  for (const signal of work.signals) addSignal(group, work, signal);
}

function addList<Types extends StreamTypes>(group: Command, work: Work<Types>): void {
  const { command, streams, filters } = work;
  const [first] = filters;
  const list = withReachOptions(group.command("list")).description(`list ${streams.plural}, newest first`);
  for (const { filter, selects } of filters)
    list.option(`${optionOf(filter)} <name>`, `only ${streams.plural} ${selects}`);
  list
    .addHelpText(
      "after",
      examples(
        `ballast ${command} list --stack prod`,
        `ballast ${command} list ${first ? `${optionOf(first.filter)} ${first.example} ` : ""}--json`,
      ),
    )
    .action(async (options: ReachOptions & Readonly<Record<string, unknown>>) => {
      const wanted = filters.flatMap(({ filter }) => (options[filter] ? [[filter, options[filter]] as const] : []));
      const access = await reach(options);
      const calls = streamCalls(access, streams);
      const listed = await calls.list(Object.fromEntries(wanted) as StreamFilter<Types>);
      const standing = await work.standingOf?.(access);
      if (options.json) return printJson({ ...listJson(streams.plural, listed), ...standing?.json });
      if (standing?.line !== undefined) print(standing.line);
      for (const { error } of [...listed.unreadable, ...listed.stuck]) process.stderr.write(`${error}\n`);
      if (listed.streams.length > 0) print(listTable(work, listed.streams));
      else if (listed.unreadable.length === 0) print(noneOf(streams, wanted));
    });
}

/** Says that a list is empty, and by which filters. */
function noneOf(
  { kind, plural }: { readonly kind: string; readonly plural: string },
  wanted: readonly (readonly [filter: string, value: unknown])[],
): string {
  if (wanted.length === 0) return `There are no ${plural} yet.`;
  const options = wanted.map(([filter, value]) => `${optionOf(filter)} ${String(value)}`).join(" ");
  return `No ${kind} matches ${options}.`;
}

const listJson = (plural: string, { streams, unreadable, stuck }: ListedStreams<StreamSummary>): object => ({
  [plural]: streams,
  unreadable: unreadable.map(troubledJson),
  stuck: stuck.map(troubledJson),
});

const troubledJson = ({ id, error }: Troubled): object => ({
  id,
  error: { id: error.id, message: error.message, fix: error.fix, left: error.left },
});

function addShow<Types extends StreamTypes>(group: Command, work: Work<Types>): void {
  const { command, streams, shown } = work;
  const [short, long] = work.exampleNames;
  withReachOptions(group.command("show").argument(`<${streams.kind}>`, namedOf(work)))
    .description(`show a ${streams.kind}'s ${shown}`)
    .addHelpText(
      "after",
      `${namingOf(work)}\n${examples(`ballast ${command} show ${short}`, `ballast ${command} show ${long} --json`)}`,
    )
    .action(async (name: string, options: ReachOptions) => {
      const { access, stream } = await found(work, name, options);
      const standing = await work.standingOf?.(access);
      if (options.json) return printJson({ ...stream, ...standing?.json });
      print(streamLines(work, stream));
      if (standing?.line !== undefined) print(standing.line);
    });
}

function addExplain<Types extends StreamTypes>(group: Command, work: Work<Types>): void {
  const { streams, replay } = work;
  const usual = toExplain(work);
  const example = `ballast ${work.command} explain ${work.exampleNames[0]}`;
  const command = withReachOptions(group.command("explain").argument(`[${streams.kind}]`, namedOf(work))).description(
    `print every decision of a ${streams.kind} with its numbers`,
  );
  if (replay)
    command.option("--replay", "decide everything again from the journal, and check that the result is the same");
  command
    .addHelpText(
      "after",
      replay
        ? `${namingOf(work, usual)}
With --replay the exit code is 1 if a decision differs.
${examples(example, `${example} --replay`)}`
        : `${namingOf(work, usual)}\n${examples(example)}`,
    )
    .action(async (name: string | undefined, options: ReachOptions & { replay?: boolean }) => {
      const { access, calls, stream, fullName } = await found(work, name, options, usual);
      const standing = await work.standingOf?.(access);
      explain(work, { ...stream, ...(options.json && standing?.json) }, await calls.journal(fullName), options);
      if (!options.json && standing?.line !== undefined) print(standing.line);
    });
}

function addFollow<Types extends StreamTypes>(group: Command, work: Work<Types>): void {
  const { streams, isSuccess, successMeans } = work;
  const usual = toFollow(work);
  const example = `ballast ${work.command} follow ${work.exampleNames[0]}`;
  withReachOptions(group.command("follow").argument(`[${streams.kind}]`, namedOf(work)))
    .description(`print each fact of a ${streams.kind} as it happens, until the ${streams.kind} ends`)
    .option("--from <index>", "first fact of the journal to print", wholeNumber, 0)
    .addHelpText(
      "after",
      `${namingOf(work, usual)}
The exit code is 0 if ${successMeans}, else 1.
${examples(example, `${example} --json | jq .message`)}`,
    )
    .action(async (name: string | undefined, options: ReachOptions & { from: number }) => {
      const { calls, stream, fullName } = await found(work, name, options, usual);
      for await (const followed of calls.follow(fullName, { from: options.from })) {
        if (followed.kind === "ended" && !isSuccess(followed.result)) process.exitCode = 1;
        printFollowed(work, followed, stream, options.json ?? false);
      }
    });
}

function printFollowed<Types extends StreamTypes>(
  work: Work<Types>,
  followed: Followed<Types["end"]>,
  stream: Types["summary"],
  json: boolean,
): void {
  if (followed.kind === "broken")
    return void process.stderr.write(`${brokenLine(work.streams.kind, followed.reason)}\n`);
  if (followed.kind === "fact") {
    if (json) return printJson(followed.fact);
    return work.unexplained?.includes(followed.fact.kind) ? undefined : print(factLine(work, followed.fact, stream));
  }
  const { result, message } = followed;
  if (json) printJson({ result, message });
  else print(`${inColourOf(work, result, result)}  ${beyondResult(result, message)}`);
}

const optionOf = (filter: string): string => `--${filter.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number of at least 0.");
}
