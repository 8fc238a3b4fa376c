// The shape of every error that a person of ours may see. Each subsystem lists its own in a file beside this one.
// This file knows no subsystem and imports nothing.

/** What an entry of the catalogue says, in the reader's words. */
export interface Wording<Args> {
  /** A heading for lists of errors, such as `catalogue` gives, without the case at hand; nobody sees it who meets the error. */
  readonly title: string;
  /** What happened and why, with the case at hand. Full sentences, and so is `left`. */
  readonly message: (args: Args) => string;
  /** What to do about it: an advice without a full stop at its end, since it often ends in a command to copy. */
  readonly fix: (args: Args) => string;
  /** What was left running or changed, where anything could have been. */
  readonly left?: (args: Args) => string;
}

/** An error that a person can do something about. Everything else that is thrown is a mistake of ours. */
export class BallastError extends Error {
  override readonly name = "BallastError";
  readonly id: string;
  readonly fix: string;
  readonly left: string | undefined;

  constructor(id: string, message: string, fix: string, left: string | undefined) {
    super(message);
    this.id = id;
    this.fix = fix;
    this.left = left;
  }

  /** Gives the whole error as people read it, ready for a terminal or for `pulumi up`. */
  override toString(): string {
    return [`${this.id}  ${this.message}`, `  fix   ${this.fix}`, ...(this.left ? [`  left  ${this.left}`] : [])].join(
      "\n",
    );
  }
}

const titleById = new Map<string, string>();

/** Gives every permanent id with its title, for lists of errors and for the test that provokes each. */
export const catalogue = (): ReadonlyMap<string, string> => titleById;

/**
 * Lists one error under a permanent id and gives the function that makes it.
 *
 * The id (`area-phrase`, kebab-case) is what documents, tests and searches hold on to; it never changes its meaning.
 */
export function entry<Args = void>(id: string, wording: Wording<Args>): (args: Args) => BallastError {
  if (titleById.has(id)) throw new Error(`the error id ${id} is listed twice`);
  titleById.set(id, wording.title);
  return (args) => new BallastError(id, wording.message(args), wording.fix(args), wording.left?.(args));
}
