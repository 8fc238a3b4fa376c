// Which call goes to which function, and what each has to pass first: the token with its role, then the size, then the
// form. What the functions do is not known here.
import { Hono, type Context } from "hono";
import { BallastError } from "../../errors/catalogue.ts";
import { callFailed, callMalformed, callTooLarge, routeUnknown } from "../../errors/functions.ts";
import type { Authenticate, Role } from "./authenticate.ts";
import { refuse, type Answer, type Parts } from "./call.ts";
import { followRollout } from "./follow-rollout.ts";
import { health } from "./health.ts";
import { holdTarget, unholdTarget } from "./hold-target.ts";
import { listRollouts } from "./list-rollouts.ts";
import { putRollout } from "./put-rollout.ts";
import { showJournal } from "./show-journal.ts";
import { showRollout } from "./show-rollout.ts";
import { signalRollout } from "./signal-rollout.ts";
import { sweep } from "./sweep.ts";

/** Writes one line of the log. Values are plain; nobody passes a token, a body or a header. */
export type Log = (line: { readonly what: string } & Readonly<Record<string, unknown>>) => void;

const bytesMax = 64 * 1024;
const rollout = "/rollouts/:rg/:app/:revision";

const routes: readonly (readonly [method: string, path: string, role: Role, answer: Answer])[] = [
  ["PUT", rollout, "Rollout.Write", putRollout],
  ["GET", "/rollouts", "Rollout.Read", listRollouts],
  ["GET", rollout, "Rollout.Read", showRollout],
  ["GET", `${rollout}/journal`, "Rollout.Read", showJournal],
  ["GET", `${rollout}/follow`, "Rollout.Read", followRollout],
  ["POST", `${rollout}/signals`, "Rollout.Write", signalRollout],
  ["POST", "/holds/:rg/:app", "Rollout.Write", holdTarget],
  ["DELETE", "/holds/:rg/:app/:id", "Rollout.Write", unholdTarget],
  ["POST", "/sweep", "Rollout.Write", sweep],
];

/** Puts the functions behind their paths. */
export function createApp(parts: Parts, authenticate: Authenticate, log: Log): Hono {
  const app = new Hono();
  app.get("/health", () => health(parts));
  for (const [method, path, role, carryOut] of routes) {
    app.on(method, path, async (context) => {
      const began = performance.now();
      const caller = await authenticate(context.req.raw, role);
      const response = caller instanceof Response ? caller : await withBody(context, async (body) => carryOut({ ...callOf(context), caller, body }, parts));
      log({ what: "call", method, path: new URL(context.req.url).pathname, status: response.status, ...(caller instanceof Response ? {} : { caller: caller.name }), milliseconds: Math.round(performance.now() - began) });
      return response;
    });
  }
  app.notFound((context) => refuse(404, routeUnknown({ call: `${context.req.method} ${new URL(context.req.url).pathname}`.slice(0, 200) })));
  app.onError((thrown) => {
    // The loop refuses too, where a finished rollout has not let go of the app yet; that passes by itself.
    if (thrown instanceof BallastError) return thrown.id === "claim-target-held" ? refuse(409, thrown, {}, { "retry-after": "2" }) : refuse(500, thrown);
    const reference = crypto.randomUUID();
    log({ what: "call-failed", reference, error: thrown.stack ?? thrown.message });
    return refuse(500, callFailed({ reference }));
  });
  return app;
}

const callOf = ({ req }: Context) => ({ path: req.param() as Record<string, string>, query: new URL(req.url).searchParams, gone: req.raw.signal });

/** Reads the body, when it is small enough and JSON, and goes on with it. What is too large is not read to its end, whatever its header says. */
async function withBody({ req }: Context, carryOut: (body: unknown) => Promise<Response>): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of req.raw.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) return refuse(413, callTooLarge({ bytesMax }));
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  const body = text === "" ? undefined : parsed(text);
  return body === notJson ? refuse(400, callMalformed({ complaints: ["The body is not JSON."] })) : carryOut(body);
}

const notJson = Symbol("not JSON");

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return notJson;
  }
}
