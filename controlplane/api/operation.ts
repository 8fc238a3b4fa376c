// What a call of the API is described by: its method, path, role, parameters, answers and refusals.
import type { Form } from "../../engines/form.ts";
import type { Schema } from "../../engines/schema.ts";
import type { Names } from "./read-address.ts";
import type { Role } from "./roles.ts";

/** One call. */
export interface Operation {
  readonly method: "GET" | "PUT" | "POST" | "DELETE" | "OPTIONS";
  /** With its named parts in braces, as in `/locks/{rg}/{app}`. */
  readonly path: string;
  /** The forms of the parts in braces. Each path has its own: two kinds may use one word for different things. */
  readonly names?: Names;
  /** The app role that the call requires; undefined if it needs no token. */
  readonly role: Role | undefined;
  /** The app role that a part of the call requires instead; the summary says which part. */
  readonly partRole?: Role;
  readonly summary: string;
  readonly query?: Form<unknown>;
  readonly body?: Form<unknown>;
  /** @default application/json alone */
  readonly mediaTypes?: readonly string[];
  /** The limit of the body. @default 64 KiB */
  readonly bodyBytesMax?: number;
  /** The status of a failure that nobody foresaw: Event Grid and action groups repeat 503. @default 500 */
  readonly failureStatus?: 500 | 503;
  /** The answers of a successful call, by status. */
  readonly answers: Readonly<Record<number, Answered>>;
  /** The ids of errors beyond those of every call, by status. */
  readonly refusals?: Readonly<Record<number, readonly string[]>>;
  /** What a refusal has beside the error, by status. */
  readonly refusedWith?: Readonly<Record<number, Readonly<Record<string, Schema>>>>;
}

/** One answer: its description and the shape of its body. Without a shape there is no body. */
export interface Answered {
  readonly description: string;
  readonly shape?: Schema;
  /** @default application/json */
  readonly mediaType?: string;
}
