// PUT, GET and DELETE /<things>/<name>, and GET /<things>: what programs declare of a kind of work. A declaration is
// replaced whole, and removing it undoes nothing.
import { read } from "../../engines/form.ts";
import type { DeclaredThings } from "../../engines/kind.ts";
import { describeTarget } from "../../engines/targets.ts";
import { callMalformed, undeclared } from "../../errors/api.ts";
import type { Declarations } from "../runtime/declarations.ts";
import { type Answer, answer, type Call, continued, type Parts, refuse, senderIn } from "./call.ts";

/** Keeps a declaration, and answers with what is there of it. */
export const putDeclared =
  (things: DeclaredThings): Answer =>
  async (call, parts) => {
    const asked = read(things.form, call.body);
    if ("complaints" in asked) return refuse(400, callMalformed(asked));
    const shown = await of(things, parts).put(call.path, asked.value, { ...senderIn(call.caller), ...continued(call) });
    if ("value" in shown) return answer(200, shown.value);
    const { refused, status, retryAfterSeconds } = shown;
    return refuse(
      status,
      refused,
      {},
      retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) },
    );
  };

/** Answers with what is there of a declared thing. */
export const showDeclared =
  (things: DeclaredThings): Answer =>
  async ({ path, gone }, parts) => {
    const shown = await of(things, parts).show(path, gone);
    return shown === undefined ? refuseUndeclared(things, path) : answer(200, shown);
  };

/** Lists what is declared. */
export const listDeclared =
  (things: DeclaredThings): Answer =>
  async (_call, parts) =>
    answer(200, { [things.plural]: await of(things, parts).list() });

/** Removes a declaration. What was made because of it stays. */
export const removeDeclared =
  (things: DeclaredThings): Answer =>
  async ({ path }, parts) =>
    (await of(things, parts).remove(path)) ? new Response(null, { status: 204 }) : refuseUndeclared(things, path);

const refuseUndeclared = (things: DeclaredThings, path: Call["path"]): Response =>
  refuse(404, undeclared({ what: describeTarget(things.targetOf(path)) }));

const none: Declarations = {
  put: async (_name, _body) => ({ refused: undeclared({ what: "anything of this kind" }), status: 404 }),
  show: async () => undefined,
  list: async () => [],
  remove: async () => false,
  targets: async () => [],
};

const of = ({ plural }: DeclaredThings, { declarations }: Parts): Declarations => declarations?.[plural] ?? none;
