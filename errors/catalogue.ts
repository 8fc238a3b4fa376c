// The shape of every error that a user of Ballast may see. Each subsystem lists its errors in a file beside this one.
// An error is a permanent id with a text that says what happened, what to do about it, and what was left behind.

/** The texts of one entry. */
export interface Wording<Args> {
  /** A heading for lists of errors, without a full stop. The user who meets the error does not see it. */
  readonly title: string;
  /** What happened and why, with the case at hand, in full sentences. */
  readonly message: (args: Args) => string;
  /**
   * One piece of advice in the imperative, without a full stop at its end because it often ends in a command to copy.
   */
  readonly fix: (args: Args) => string;
  /** What was left running or changed, as a full sentence; absent if nothing could have been. */
  readonly left?: (args: Args) => string;
  /** An `error` ends the command; after a `warning` the work continues. @default "error" */
  readonly severity?: Severity;
  /** The exit code of a command that ends with this error. @default 1, failed */
  readonly exitCode?: ExitCode;
  /**
   * The arguments on which the wording depends, one set for each wording; the reference shows all of them.
   *
   * @default one wording
   */
  readonly variants?: readonly Partial<Args>[];
}

/** How severe an entry of the catalogue is. */
export type Severity = "error" | "warning";

/** What the exit codes of `ballast` mean, as its help and the reference print it. */
export const exitCodeMeanings = {
  0: "success",
  1: "the command failed or was refused, or the release was rolled back, rejected or degraded",
  2: "invalid usage: an option, an argument or a file is wrong or missing",
  3: "the control plane or the emulator is unavailable",
} as const;

/** The exit code of a command that ends with an error. `exitCodeMeanings` says what each means. */
export type ExitCode = Exclude<keyof typeof exitCodeMeanings, 0>;

/** The fields of an error: as an entry words it, or as another process sent it. */
export interface ErrorFields {
  readonly id: string;
  readonly message: string;
  readonly fix: string;
  readonly left?: string | undefined;
  readonly severity?: Severity | undefined;
  readonly exitCode?: ExitCode | undefined;
}

/** An error that a user can act on. Everything else that is thrown is a bug in Ballast. */
export class BallastError extends Error {
  override readonly name = "BallastError";
  readonly id: string;
  readonly fix: string;
  readonly left: string | undefined;
  readonly severity: Severity;
  readonly exitCode: ExitCode;

  constructor({ id, message, fix, left, severity = "error", exitCode = 1 }: ErrorFields) {
    super(message);
    this.id = id;
    this.fix = fix;
    this.left = left;
    this.severity = severity;
    this.exitCode = exitCode;
  }

  /** Gives the whole error as text for a terminal or for `pulumi up`. */
  override toString(): string {
    return [`${this.id}  ${this.message}`, `  fix   ${this.fix}`, ...(this.left ? [`  left  ${this.left}`] : [])].join(
      "\n",
    );
  }
}

/** What the catalogue knows of an id without a case at hand. */
export interface Listed {
  readonly title: string;
  readonly severity: Severity;
  readonly exitCode: ExitCode;
  /** Sets of arguments, one for each wording of the error. */
  readonly variants: readonly object[];
}

const listedById = new Map<string, Listed>();

/** Gives every permanent id whose file in errors/ is loaded. */
export const catalogue = (): ReadonlyMap<string, Listed> => listedById;

/**
 * Adds one error to the catalogue and gives the function that creates it.
 *
 * @param id Permanent (`area-phrase`, kebab-case). Documents, tests and searches refer to it, so it never changes its
 *   meaning.
 */
export function entry<Args = void>(id: string, wording: Wording<Args>): (args: Args) => BallastError {
  if (listedById.has(id)) throw new Error(`the error id ${id} is listed twice`);
  const { title, severity = "error", exitCode = 1, variants = [{}] } = wording;
  listedById.set(id, { title, severity, exitCode, variants: variants as readonly object[] });
  return (args) =>
    new BallastError({
      id,
      message: wording.message(args),
      fix: wording.fix(args),
      left: wording.left?.(args),
      severity,
      exitCode,
    });
}
