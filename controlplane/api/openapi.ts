// GET /openapi.json: the API's description in OpenAPI 3.1, made from the table of operations and from the forms by
// which calls are read. It needs no token, because it contains nothing that is not in the public repository.

import type { Kinds } from "../../engines/kind.ts";
import type { Schema } from "../../engines/schema.ts";
import { answer } from "./call.ts";
import { operationsOf } from "./openapi-operations.ts";
import { named, shapesOf } from "./openapi-shapes.ts";
import type { Answered, Operation } from "./operation.ts";

type Refusals = NonNullable<Operation["refusals"]>;

/** The errors of every call that needs a token, of every call with parameters, and of every call with a body. */
const guarded: Refusals = {
  401: ["call-token-missing", "call-token-refused"],
  403: ["call-role-missing"],
  503: ["call-issuer-unreachable", "call-replica-ending", "journal-unreachable"],
};
const addressed: Refusals = { 400: ["call-malformed"] };
const embodied: Refusals = { 400: ["call-malformed"], 413: ["call-too-large"], 415: ["call-not-json"] };

/** The header that a refusal of this status may have. */
const headerOfRefusal: Readonly<Record<number, string>> = {
  401: "WWW-Authenticate",
  409: "Retry-After",
  503: "Retry-After",
};

/** Gives the ids of all errors of a call, internal ones included, by status. */
export function refusalsOf({
  role,
  path,
  query,
  body,
  failureStatus = 500,
  refusals = {},
}: Operation): Readonly<Record<string, readonly string[]>> {
  const all = new Map<string, readonly string[]>();
  const parts = [
    ...(role === undefined ? [] : [guarded, { [failureStatus]: ["call-failed"] }]),
    ...(path.includes("{") || query !== undefined ? [addressed] : []),
    ...(body === undefined ? [] : [embodied]),
    refusals,
  ];
  for (const [status, ids] of parts.flatMap((part) => Object.entries(part)))
    all.set(status, [...new Set([...(all.get(status) ?? []), ...ids])]);
  return Object.fromEntries([...all].sort(([one], [other]) => Number(one) - Number(other)));
}

/** Describes the API for these kinds of work. */
export const describe = (kinds: Kinds) => ({
  openapi: "3.1.0",
  info: {
    title: "Ballast control plane",
    version: "1",
    description:
      "Canary releases on Azure Container Apps. " +
      "Every error has the same envelope, and an id whose meaning never changes.",
    license: { name: "MIT", identifier: "MIT" },
  },
  servers: [{ url: "/" }],
  paths: pathsOf(kinds),
  components: {
    schemas: shapesOf(kinds),
    securitySchemes: {
      entra: {
        type: "http",
        scheme: "bearer",
        bearerFormat: "JWT",
        description:
          "An Entra token of the control plane's tenant, for the control plane's audience, signed with RS256, " +
          "with the app role that the call requires: `Rollout.Read`, `Rollout.Write`, " +
          "`Rollout.Approve` or `Remediation.Approve`. None includes another.",
      },
    },
  },
});

/** Answers with the description. */
export const showApi = (kinds: Kinds): Response => answer(200, describe(kinds));

function pathsOf(kinds: Kinds): Readonly<Record<string, Schema>> {
  const found: Record<string, Record<string, unknown>> = {};
  for (const [operationId, operation] of Object.entries(operationsOf(kinds)))
    found[operation.path] = {
      ...found[operation.path],
      [operation.method.toLowerCase()]: described(operationId, operation),
    };
  return found;
}

function described(operationId: string, operation: Operation): Schema {
  const { summary, role, partRole, names = {}, query, body, mediaTypes = ["application/json"], answers } = operation;
  const parameters = Object.entries(names).map(([name, { schema }]) => ({ name, in: "path", required: true, schema }));
  const given = Object.entries((query?.schema["properties"] ?? {}) as Readonly<Record<string, Schema>>).map(
    ([name, schema]) => ({ name, in: "query", schema }),
  );
  const answered = Object.entries<Answered>(answers).map(
    ([status, { description: text, shape, mediaType = "application/json" }]) => [
      status,
      { description: text, ...(shape === undefined ? {} : { content: { [mediaType]: { schema: shape } } }) },
    ],
  );
  const refused = Object.entries(refusalsOf(operation)).map(([status, ids]) => [
    status,
    refusal(Number(status), ids, operation.refusedWith?.[Number(status)] ?? {}),
  ]);
  return {
    operationId,
    summary,
    security:
      role === undefined
        ? []
        : [role, ...(partRole === undefined ? [] : [partRole])].map((each) => ({ entra: [each] })),
    ...(parameters.length + given.length === 0 ? {} : { parameters: [...parameters, ...given] }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(mediaTypes, body.schema) } }),
    responses: Object.fromEntries([...answered, ...refused]),
  };
}

const contentOf = (mediaTypes: readonly string[], schema: Schema): Schema =>
  Object.fromEntries(mediaTypes.map((each) => [each, { schema }]));

/** Describes a refusal, what it has beside the error, and its header, if it has one. */
function refusal(status: number, ids: readonly string[], more: Readonly<Record<string, Schema>>): Schema {
  const error = { type: "object", properties: { id: { enum: ids } } };
  const schema = {
    type: "object",
    allOf: [named("Error"), { type: "object", properties: { error, ...more }, required: Object.keys(more) }],
    unevaluatedProperties: false,
  };
  const header = headerOfRefusal[status];
  return {
    description: `Refused: ${ids.join(", ")}.`,
    ...(header === undefined ? {} : { headers: { [header]: { schema: { type: "string" } } } }),
    content: { "application/json": { schema } },
  };
}
