// Checks every exchange with the control plane against the API's description: a successful call has the described form,
// and every answer has a described status, type and shape. It records what it has seen, so that a test can list answers
// that never occurred.
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { Hono } from "hono";
import { describe, refusalsOf } from "../../../controlplane/api/openapi.ts";
import { operationsOf } from "../../../controlplane/api/openapi-operations.ts";
import type { Operation } from "../../../controlplane/api/operation.ts";
import { kinds } from "../../../engines/kinds.ts";

type Plain = Record<string, any>;

/** The calls of the API with the kinds that the control plane has, and their description. */
export const operations = operationsOf(kinds);
export const description = describe(kinds);

/** The part of an app that receives calls. */
export interface CheckedApp {
  readonly request: (to: string, how?: RequestInit) => Promise<Response>;
  readonly fetch: (request: Request) => Promise<Response>;
}

const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true, validateFormats: false });
ajv.addKeyword("components"); // where the shapes that have names lie, beside the one that is compiled
const checks = new Map<string, ValidateFunction>();

/** Gives the validator for the schema at a path of the description. */
export function checkOf(...place: readonly string[]): ValidateFunction {
  const known = checks.get(place.join(" "));
  if (known !== undefined) return known;
  const schema = place.reduce<Plain | undefined>((inner, step) => inner?.[step], description as Plain);
  if (schema === undefined) throw new Error(`the description has nothing at ${place.join(" ")}`);
  const compiled = ajv.compile({ ...schema, components: description.components });
  checks.set(place.join(" "), compiled);
  return compiled;
}

const templates = Object.entries(operations).map(([name, operation]) => ({
  name,
  operation,
  pattern: new RegExp(`^${operation.path.replaceAll(".", "\\.").replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
}));

/** The answers seen for each call: `200`, or `404 stream-unknown`. */
export const seen = new Map<string, Set<string>>();

/** Puts the check around an app. @throws if an exchange differs from its description. */
export function checked(app: Pick<Hono, "fetch">): CheckedApp {
  const fetch = async (request: Request): Promise<Response> => check(request, undefined, await app.fetch(request));
  return {
    fetch,
    request: async (to, how = {}) => {
      const request = new Request(new URL(to, "http://control-plane"), how);
      return check(request, typeof how.body === "string" ? how.body : undefined, await app.fetch(request));
    },
  };
}

async function check(request: Request, sent: string | undefined, response: Response): Promise<Response> {
  if (request.method === "HEAD") return response; // a GET without the body, which tells nothing
  const { pathname, searchParams } = new URL(request.url);
  const found = templates.find(
    (template) => template.operation.method === request.method && template.pattern.test(pathname),
  );
  const call = `${request.method} ${pathname}`;
  if (found === undefined) {
    const { error } = (await response.clone().json()) as Plain;
    if (response.status !== 404 || error.id !== "call-route-unknown")
      throw new Error(`${call} is not described and answered ${response.status}`);
    return response;
  }
  const { name, operation, pattern } = found;
  if (response.status < 400) {
    const wrong = complaintsAboutCall(
      operation,
      decoded(pattern.exec(pathname)?.groups ?? {}),
      Object.fromEntries(searchParams),
      sent,
    );
    if (wrong.length > 0) throw new Error(`${call} was answered ${response.status} although ${wrong.join("; ")}`);
  }
  return checkAnswer(name, operation, call, response);
}

/** Lists how a call differs from its description. */
function complaintsAboutCall(
  operation: Operation,
  path: Readonly<Record<string, string>>,
  query: Readonly<Record<string, string>>,
  sent: string | undefined,
): readonly string[] {
  const at = ["paths", operation.path, operation.method.toLowerCase()];
  const complaints: string[] = [];
  const hold = (what: string, fits: ValidateFunction, value: unknown): void => {
    if (!fits(value)) complaints.push(`${what}${ajv.errorsText(fits.errors, { dataVar: "" })}`);
  };
  for (const [name, value] of Object.entries(path))
    hold(name, checkOf(...at, "parameters", `${Object.keys(operation.names ?? {}).indexOf(name)}`, "schema"), value);
  const parameters = operation.query?.schema["properties"] as Plain | undefined;
  for (const [name, value] of Object.entries(parameters === undefined ? {} : query)) {
    // a call without a query ignores what is there
    const schema = parameters![name];
    if (schema === undefined) complaints.push(`the query has ${name}`);
    else hold(name, ajv.compile(schema), schema.type === "integer" ? Number(value) : value);
  }
  if (operation.body !== undefined)
    hold(
      "the body",
      checkOf(...at, "requestBody", "content", "application/json", "schema"),
      sent === undefined ? undefined : JSON.parse(sent),
    );
  return complaints;
}

const decoded = (groups: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));

async function checkAnswer(name: string, operation: Operation, call: string, response: Response): Promise<Response> {
  const at = ["paths", operation.path, operation.method.toLowerCase(), "responses", String(response.status)];
  const answer = at.reduce<Plain | undefined>((inner, step) => inner?.[step], description as Plain);
  if (answer === undefined)
    throw new Error(`${call} answered ${response.status}, which is not described: ${await response.text()}`);
  const [mediaType] = Object.keys(answer["content"] ?? {});
  const type = response.headers.get("content-type")?.split(";")[0];
  if (type !== mediaType)
    throw new Error(`${call} answered ${response.status} as ${type}, and ${mediaType} is described`);
  const keep = (what: string): void => void seen.set(name, (seen.get(name) ?? new Set()).add(what));
  if (mediaType === undefined) {
    keep(String(response.status));
    return response;
  }
  const fits = checkOf(...at, "content", mediaType, "schema");
  const hold = (value: unknown): void => {
    if (!fits(value))
      throw new Error(
        `${call} answered ${response.status} ${JSON.stringify(value)}, and ${ajv.errorsText(fits.errors)}`,
      );
    keep(response.status < 400 ? String(response.status) : `${response.status} ${(value as Plain)["error"].id}`);
  };
  if (mediaType !== "application/x-ndjson") {
    hold(await response.clone().json());
    return response;
  }
  let rest = "";
  const lines = new TransformStream<Uint8Array, Uint8Array>(
    {
      transform: (chunk, controller) => {
        const parts = (rest + new TextDecoder().decode(chunk)).split("\n");
        rest = parts.pop()!;
        for (const part of parts) hold(JSON.parse(part));
        controller.enqueue(chunk);
      },
    },
    undefined,
    { highWaterMark: 0 },
  );
  return new Response(response.body!.pipeThrough(lines), response);
}

/** All described answers of a call, in the form of `seen`. */
export const described = (name: string): ReadonlySet<string> => {
  const operation: Operation = operations[name]!;
  return new Set([
    ...Object.keys(operation.answers),
    ...Object.entries(refusalsOf(operation)).flatMap(([status, ids]) => ids.map((id) => `${status} ${id}`)),
  ]);
};
