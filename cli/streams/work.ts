// What a kind of work tells the `ballast` command about itself. From one such object come the commands of its group:
// list, show, explain, follow and one for each signal. cli/groups.ts lists the objects.
import type { Command } from "commander";
import type { Access } from "../../client/requests.ts";
import type { StreamCalls, StreamKind, StreamTypes } from "../../client/streams.ts";

/** One kind of work, as the command line shows it. */
export interface Work<Types extends StreamTypes> {
  /** The name of the group of commands, such as `release`, and what it is for. */
  readonly command: string;
  readonly description: string;
  /** How the API addresses its streams. The words of the kind are also those of the help texts. */
  readonly streams: StreamKind<Types>;
  /** Two names of a stream for examples, the shorter one first. */
  readonly exampleNames: readonly [string, string];
  /** How a person names a stream. @default by the end of its name, if that is unambiguous */
  readonly finder?: Finder<Types>;
  /** The filters of `list`. The first one is in its examples. */
  readonly filters: readonly FilterOption<Types["filter"]>[];
  /** The columns of `list`. The one with the head `RESULT` is coloured by the stream's result. */
  readonly columns: readonly Column<Types["summary"]>[];
  /** What `show` shows, such as `weights, phase, result and reason`, and its lines. */
  readonly shown: string;
  /** Gives the lines of `show`, each with its label. The one labelled `result` is coloured by the stream's result. */
  readonly rowsOf: (summary: Types["summary"]) => readonly (readonly [label: string, text: string])[];
  /** The kinds of facts that are red, and those that are dim. Any other kind is a decision, and bold. */
  readonly failures: readonly Types["event"]["kind"][];
  readonly observations: readonly Types["event"]["kind"][];
  /** The kinds of facts that `explain` and `follow` leave out, except as JSON: they say nothing to people. */
  readonly unexplained?: readonly Types["event"]["kind"][];
  /** Reports whether a result is a success, and in words when: `follow` exits with 0 if "the release was promoted". */
  readonly isSuccess: (result: Types["end"]["result"]) => boolean;
  readonly successMeans: string;
  readonly signals: readonly SignalCommand<Types["signal"]>[];
  /** Decides a journal again and gives the first difference. @default the work has no replay */
  readonly replay?: (journal: readonly Types["event"][]) => Difference | undefined;
  /** Gives what is said beside streams because it holds for all of them. @default nothing is */
  readonly standingOf?: (access: Access) => Promise<{ readonly json: object; readonly line?: string }>;
  /** Adds the commands that only this kind has. The help lists them before the signals. */
  readonly addOwn?: (group: Command) => void;
}

// The one place of the command line where the types of a kind are erased, so that a list may have several kinds.
// biome-ignore lint/suspicious/noExplicitAny: no other type accepts every kind.
export type AnyWork = Work<any>;

/** How a person names a stream. */
export interface Finder<Types extends StreamTypes> {
  /** Which names are understood, for help texts: a sentence that begins with the argument. */
  readonly naming: string;
  /** The stream that commands explain without a name: which one it is, in words, and how it is chosen. */
  readonly usual?: {
    readonly meaning: string;
    readonly choose: (newestFirst: readonly Types["summary"][]) => Types["summary"] | undefined;
  };
  /** Finds the one stream that a name means. @throws an error that says what to write instead */
  readonly find: (calls: StreamCalls<Types>, name: string) => Promise<Types["summary"]>;
}

/** A filter of `list`, as an option. */
export interface FilterOption<Filter extends string> {
  /** As the API calls it, such as `resourceGroup`. The option is `--resource-group`. */
  readonly filter: Filter;
  /** Which streams it selects, such as `of this app`. */
  readonly selects: string;
  readonly example: string;
}

/** A column of `list`. */
export interface Column<Summary> {
  readonly head: string;
  readonly textOf: (summary: Summary) => string;
}

/** A command that sends a signal. */
export interface SignalCommand<Signal extends string> {
  readonly signal: Signal;
  readonly description: string;
  readonly exampleMessage: string;
  /** What it does to all streams at once, with the option `--all`. @default it has no such option */
  readonly ofAll?: SignalOfAll;
}

/** A signal to all streams of a kind. */
export interface SignalOfAll {
  readonly description: string;
  /** The option `--for`, which is required then. @default it lasts */
  readonly time?: { readonly description: string; readonly read: (text: string) => number };
  /** The options of its example. */
  readonly example: string;
  readonly carryOut: (
    access: Access,
    message: string,
    seconds?: number,
  ) => Promise<{ readonly json: object; readonly line: string }>;
}

/** The first place where a replay differs from the journal. */
export interface Difference {
  readonly index: number;
  readonly written: object | undefined;
  readonly decided: object | undefined;
}
