// GET /openapi.json: the API's description in OpenAPI 3.1, made of the forms by which calls are read and of the table of operations.
// It is open to all and therefore says nothing that the repository does not.

import type { Form, Schema } from "../../engines/form.ts";
import { answer } from "./call.ts";
import { type Answered, type Operation, operations } from "./openapi-operations.ts";
import { named, shapes } from "./openapi-shapes.ts";
import { names } from "./read-address.ts";

type Refusals = NonNullable<Operation["refusals"]>;

/** With which errors every call may be refused that needs a token, that takes names or numbers, that takes a body. */
const guarded: Refusals = {
  401: ["call-token-missing", "call-token-refused"],
  403: ["call-role-missing"],
  500: ["call-failed"],
  503: ["call-issuer-unreachable"],
};
const addressed: Refusals = { 400: ["call-malformed"] };
const embodied: Refusals = { 400: ["call-malformed"], 413: ["call-too-large"], 415: ["call-not-json"] };

/** Which errors a call may be refused with, by status; what breaks inside is among them. */
export function refusalsOf({
  role,
  path,
  query,
  body,
  refusals = {},
}: Operation): Readonly<Record<string, readonly string[]>> {
  const all = new Map<string, readonly string[]>();
  const parts = [
    ...(role === undefined ? [] : [guarded]),
    ...(path.includes("{") || query !== undefined ? [addressed] : []),
    ...(body === undefined ? [] : [embodied]),
    refusals,
  ];
  for (const [status, ids] of parts.flatMap((part) => Object.entries(part)))
    all.set(status, [...new Set([...(all.get(status) ?? []), ...ids])]);
  return Object.fromEntries([...all].sort(([one], [other]) => Number(one) - Number(other)));
}

/** The description as a whole. */
export const description = {
  openapi: "3.1.0",
  info: {
    title: "Ballast control plane",
    version: "1",
    description:
      "Canary releases on Azure Container Apps. Every error has the one envelope, and an id that never changes its meaning.",
    license: { name: "MIT", identifier: "MIT" },
  },
  servers: [{ url: "/" }],
  paths: paths(),
  components: {
    schemas: shapes,
    parameters: Object.fromEntries(
      Object.entries<Form<string>>(names).map(([name, { schema }]) => [
        name,
        { name, in: "path", required: true, schema },
      ]),
    ),
    securitySchemes: {
      entra: {
        type: "http",
        scheme: "bearer",
        bearerFormat: "JWT",
        description:
          "A token of the control plane's own tenant for its own audience, signed RS256, with the app role that the call names: `Rollout.Read` or `Rollout.Write`. Neither holds the other.",
      },
    },
  },
};

/** Gives the description. */
export const showApi = (): Response => answer(200, description);

function paths(): Readonly<Record<string, Schema>> {
  const found: Record<string, Record<string, unknown>> = {};
  for (const [operationId, operation] of Object.entries<Operation>(operations))
    (found[operation.path] ??= {})[operation.method.toLowerCase()] = described(operationId, operation);
  return found;
}

function described(operationId: string, operation: Operation): Schema {
  const { summary, role, path, query, body, answers } = operation;
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ $ref: `#/components/parameters/${name}` }));
  const given = Object.entries((query?.schema["properties"] ?? {}) as Readonly<Record<string, Schema>>).map(
    ([name, schema]) => ({ name, in: "query", schema }),
  );
  const answered = Object.entries<Answered>(answers).map(
    ([status, { description: words, shape, mediaType = "application/json" }]) => [
      status,
      { description: words, ...(shape === undefined ? {} : { content: { [mediaType]: { schema: shape } } }) },
    ],
  );
  const refused = Object.entries(refusalsOf(operation)).map(([status, ids]) => [status, refusal(Number(status), ids)]);
  return {
    operationId,
    summary,
    security: role === undefined ? [] : [{ entra: [role] }],
    ...(parameters.length + given.length === 0 ? {} : { parameters: [...parameters, ...given] }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: body.schema } } } }),
    responses: Object.fromEntries([...answered, ...refused]),
  };
}

/** An answer that refuses. Where waiting helps it says for how long. */
function refusal(status: number, ids: readonly string[]): Schema {
  const schema = {
    allOf: [
      named("Error"),
      { type: "object", properties: { error: { type: "object", properties: { id: { enum: ids } } } } },
    ],
  };
  const headers =
    status === 401
      ? { "WWW-Authenticate": { schema: { type: "string" } } }
      : status === 409 || status === 503
        ? { "Retry-After": { schema: { type: "string" } } }
        : undefined;
  return {
    description: `Refused: ${ids.join(", ")}.`,
    ...(headers === undefined ? {} : { headers }),
    content: { "application/json": { schema } },
  };
}
