// What programs declare of a kind of work, beside the settings: how the calls about it use it.
import type { TargetKey } from "../../engines/targets.ts";
import type { BallastError } from "../../errors/catalogue.ts";

/** What programs declare of one kind. */
export interface Declarations {
  /** Keeps a declaration, and gives what is there of it, or why it is not kept. */
  readonly put: (name: Name, body: unknown, by: DeclaredBy) => Promise<Shown>;
  /** Gives what is there of one; undefined if it is not declared. */
  readonly show: (name: Name, cancel: AbortSignal) => Promise<object | undefined>;
  readonly list: () => Promise<readonly object[]>;
  /** Gives whether it was declared. */
  readonly remove: (name: Name) => Promise<boolean>;
  readonly targets: () => Promise<readonly TargetKey[]>;
}

type Name = Readonly<Record<string, string>>;

/** Who declares: the caller's id and, if the token has one, name. */
export interface DeclaredBy {
  readonly by: string;
  readonly byName?: string;
  /** The trace that the caller continues, if it named one. */
  readonly trace?: string;
}

/** A declared thing, or the refusal to keep it. With `retryAfterSeconds` it passes by itself. */
export type Shown =
  | { readonly value: object }
  | { readonly refused: BallastError; readonly status: number; readonly retryAfterSeconds?: number | undefined };
