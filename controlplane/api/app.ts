// Routes each call to the function that answers it, after the checks that every call must pass: the token and its role,
// then the names in the path, then the size and form of the body. openapi-operations.ts lists the calls.
import { type Context, Hono } from "hono";
import { type AnyKind, type DeclaredThings, type Kinds, streamOf } from "../../engines/kind.ts";
import { traceOf } from "../../engines/trace.ts";
import {
  callFailed,
  callMalformed,
  callNotJson,
  callTooLarge,
  journalUnreachable,
  routeUnknown,
} from "../../errors/api.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { isMomentary } from "../adapters/postgres/momentary.ts";
import { namingStream } from "../runtime/stuck.ts";
import type { Authenticate } from "./authenticate.ts";
import { type Answer, type Call, type Caller, type Parts, refuse } from "./call.ts";
import { listDeclared, putDeclared, removeDeclared, showDeclared } from "./declarations.ts";
import { deliverAlert } from "./deliver-alert.ts";
import { allowEvents, deliverEvents } from "./deliver-events.ts";
import { health } from "./health.ts";
import { lockTarget, unlockTarget } from "./lock-target.ts";
import { showApi } from "./openapi.ts";
import { capitalized, type guarded, operationsOf } from "./openapi-operations.ts";
import type { Operation } from "./operation.ts";
import { pauseAll, resumeAll, showPause } from "./pause-all.ts";
import { complaintsAboutPath, type Names } from "./read-address.ts";
import { recover } from "./recover.ts";
import { followStream } from "./streams/follow.ts";
import { showJournal } from "./streams/journal.ts";
import { listStreams } from "./streams/list.ts";
import { putStream } from "./streams/put.ts";
import { showStream } from "./streams/show.ts";
import { signalStream } from "./streams/signal.ts";

/** Writes one line of the log. Values are plain; callers never pass a token, a body or a header. */
export type Log = (line: { readonly what: string } & Readonly<Record<string, unknown>>) => void;

/** What passes by itself is worth another call soon. */
const shortly = { "retry-after": "2" };
/**
 * The answers to errors that the control loop throws, since a stream may change between a check and the loop: a
 * finished one that has not yet released its target, which passes by itself, and one that does not exist. Others
 * are 500.
 */
const thrownAnswers: Readonly<Record<string, { readonly status: number; readonly headers?: Record<string, string> }>> =
  {
    "claim-target-held": { status: 409, headers: shortly },
    "stream-in-flight": { status: 409 },
    "signal-disregarded": { status: 409 },
    "stream-unknown": { status: 404 },
    "target-not-managed": { status: 404 },
    "call-replica-ending": { status: 503, headers: shortly },
  };

const bytesMax = 64 * 1024;
/** Every valid name is shorter, and every token is longer. */
const shownMax = 90;

/** The functions of the calls that belong to no kind of work. */
const guardedAnswers: Readonly<Record<keyof typeof guarded, Answer>> = {
  lockTarget,
  unlockTarget,
  recover,
  deliverAlert,
  deliverEvents,
  showPause,
  pauseAll,
  resumeAll,
};

/** Gives the function that answers each call that needs a token. */
const answersOf = (kinds: Kinds): Readonly<Record<string, Answer>> =>
  Object.assign({}, ...kinds.all.map(answersOfKind), guardedAnswers);

const answersOfKind = (kind: AnyKind): Readonly<Record<string, Answer>> => {
  const { noun, plural } = kind.calls;
  return {
    [`put${noun}`]: namingFailures(kind, putStream(kind)),
    [`list${capitalized(plural)}`]: listStreams(kind),
    [`show${noun}`]: namingFailures(kind, showStream(kind)),
    [`show${noun}Journal`]: namingFailures(kind, showJournal(kind)),
    [`follow${noun}`]: namingFailures(kind, followStream(kind)),
    [`signal${noun}`]: namingFailures(kind, signalStream(kind)),
    ...(kind.calls.declared === undefined ? {} : answersAboutDeclared(kind.calls.declared)),
  };
};

const answersAboutDeclared = (things: DeclaredThings): Readonly<Record<string, Answer>> => ({
  [`put${things.noun}`]: putDeclared(things),
  [`list${capitalized(things.plural)}`]: listDeclared(things),
  [`show${things.noun}`]: showDeclared(things),
  [`remove${things.noun}`]: removeDeclared(things),
});

/** Names the stream of a call on which the engine fails. */
const namingFailures =
  (kind: AnyKind, carryOut: Answer): Answer =>
  (call, parts) =>
    namingStream(streamOf(kind, call.path), () => carryOut(call, parts));

/** Receives a report of each answered call. The route is the path as described, without the values of its parts. */
export type ReportCall = (call: {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
}) => void;

/** Creates the HTTP application with every call of the API. */
export function createApp(
  parts: Parts,
  authenticate: Authenticate,
  log: Log,
  report: ReportCall = () => undefined,
): Hono {
  const app = new Hono();
  const { kinds } = parts;
  const answers = answersOf(kinds);
  app.get("/health", () => health(parts));
  app.get("/openapi.json", () => showApi(kinds));
  app.on("OPTIONS", "/events", allowEvents);
  for (const [name, operation] of Object.entries(operationsOf(kinds))) {
    const { method, path, names = {}, role, partRole } = operation;
    const carryOut = answers[name];
    if (role === undefined) continue;
    if (carryOut === undefined) throw new Error(`no function answers ${name}`);
    app.on(method, path.replaceAll(/\{(\w+)\}/g, ":$1"), async (context) => {
      const began = performance.now();
      const caller = await authenticate(context.req.raw, role, ...(partRole === undefined ? [] : [partRole]));
      const response =
        caller instanceof Response
          ? caller
          : await readAndAnswer(context, caller, names, operation, (call) => carryOut(call, parts)).catch(
              (thrown: unknown) => refuseThrown(thrown, log, operation.failureStatus),
            );
      const milliseconds = Math.round(performance.now() - began);
      log({
        what: "call",
        method,
        path: shownPath(context),
        status: response.status,
        ...(caller instanceof Response ? {} : { caller: caller.name }),
        milliseconds,
      });
      report({ method, route: path, status: response.status, milliseconds });
      return response;
    });
  }
  app.notFound((context) =>
    refuse(404, routeUnknown({ call: `${context.req.method.slice(0, 10)} ${shownPath(context)}` })),
  );
  app.onError((thrown) => refuseThrown(thrown, log));
  return app;
}

/** Answers a call that threw. */
function refuseThrown(thrown: unknown, log: Log, failureStatus: 500 | 503 = 500): Response {
  if (isMomentary(thrown)) {
    log({ what: "database-lost", error: String((thrown as Error).message) });
    return refuse(503, journalUnreachable(), {}, shortly);
  }
  if (thrown instanceof BallastError) {
    const { status = 500, headers = {} } = thrownAnswers[thrown.id] ?? {};
    return refuse(status, thrown, {}, headers);
  }
  const reference = crypto.randomUUID();
  log({ what: "call-failed", reference, error: String((thrown as Error).stack ?? thrown) });
  return refuse(failureStatus, callFailed({ reference }), {}, failureStatus === 503 ? shortly : {});
}

/** The path for answers and logs. A part that is too long for a valid name may be a secret, so it is left out. */
const shownPath = ({ req }: Context): string =>
  new URL(req.url).pathname
    .split("/")
    .map((part) => (part.length > shownMax ? "…" : part))
    .join("/")
    .slice(0, 4 * shownMax);

/** Reads the path and the body, if the call has one, and answers the call or refuses what is malformed. */
async function readAndAnswer(
  { req }: Context,
  caller: Caller,
  names: Names,
  operation: Operation,
  carryOut: (call: Call) => Promise<Response>,
): Promise<Response> {
  const path = req.param() as Record<string, string>;
  const complaints = complaintsAboutPath(path, names);
  if (complaints.length > 0) return refuse(400, callMalformed({ complaints }));
  const body = operation.body === undefined ? { value: undefined } : await readBody(req.raw, operation);
  return body instanceof Response
    ? body
    : carryOut({
        caller,
        path,
        query: new URL(req.url).searchParams,
        body: body.value,
        trace: traceOf(req.header("traceparent")),
        gone: req.raw.signal,
      });
}

/** Reads the body, or gives the refusal. A body that is too large is not read to its end, whatever its header says. */
async function readBody(
  { body, headers }: Request,
  { bodyBytesMax: most = bytesMax, mediaTypes = ["application/json"] }: Operation,
): Promise<{ readonly value: unknown } | Response> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > most) return refuse(413, callTooLarge({ bytesMax: most }));
    chunks.push(chunk);
  }
  if (bytes === 0) return { value: undefined };
  const [mediaType = ""] = (headers.get("content-type") ?? "").split(";");
  if (!mediaTypes.includes(mediaType.trim().toLowerCase())) return refuse(415, callNotJson({ mediaTypes }));
  try {
    return { value: JSON.parse(Buffer.concat(chunks).toString("utf8")) };
  } catch {
    return refuse(400, callMalformed({ complaints: ["The body is not JSON."] }));
  }
}
