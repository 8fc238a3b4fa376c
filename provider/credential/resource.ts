// The resource `ballast:index:Credential` as the provider's frame sees it.
import { credentialCalls } from "../../client/credentials.ts";
import { rotations } from "../../client/rotations.ts";
import { streamCalls } from "../../client/streams.ts";
import { canonical } from "../../engines/canonical.ts";
import { whyExpiresTooLate } from "../../engines/rotation/expiry.ts";
import { checkBy, resourceSchema, typesOf } from "../package-schema.ts";
import { type Around, type Change, isOther, type Properties, type ResourceType } from "../resource-type.ts";
import { declare, lookUp, planned, type Surroundings, withdraw } from "./credential.ts";
import { bodyOf, type CredentialInputs, inputsForm, outputsForm } from "./fields.ts";

const surroundings = ({ access, ...around }: Around): Surroundings => ({
  ...around,
  credentials: credentialCalls(access),
  rotations: streamCalls(access, rotations),
});
const asInputs = (inputs: Properties): CredentialInputs => inputs as unknown as CredentialInputs;

/** Another vault or name is another credential. What only says how to reach the control plane changes nothing. */
export function diffOf(oldInputs: Properties, oldOutputs: Properties, news: Properties): Change {
  const moved = ["vault", "credential"].filter((key) => isOther(oldInputs[key], news[key]));
  if (moved.length > 0) return { kind: "replace", because: moved };
  const [was, will] = [bodyOf(asInputs(oldInputs)), bodyOf(asInputs(news))] as unknown as [Properties, Properties];
  const names = [...new Set([...Object.keys(was), ...Object.keys(will)])];
  const changed = names.filter((name) => canonical(was[name] ?? null) !== canonical(will[name] ?? null));
  const { a } = (oldOutputs["urls"] ?? {}) as { readonly a?: unknown };
  const because = [...changed, ...(a ? [] : ["urls"])];
  return because.length > 0 ? { kind: "update", because } : { kind: "none" };
}

/** Refuses at preview what only the day says: a version that would expire too late. */
const check: ResourceType["check"] = (given) => {
  const checked = checkBy(inputsForm)(given);
  const { validDays } = checked.inputs;
  const late = typeof validDays === "number" ? whyExpiresTooLate({ validDays }, Date.now()) : undefined;
  return late === undefined
    ? checked
    : { ...checked, failures: [...checked.failures, { property: "validDays", reason: `It is too long: ${late}.` }] };
};

/** A declared credential. */
export const credential: ResourceType = {
  token: "ballast:index:Credential",
  hasControlPlane: true,
  types: { ...typesOf(inputsForm), ...typesOf(outputsForm) },
  schema: resourceSchema(
    "A database credential that the control plane rotates: its declaration, and its first versions.",
    inputsForm,
    outputsForm,
  ),
  check,
  diff: diffOf,
  cautions: () => [],
  idOf: ({ vault, credential: name }) => `${vault}/${name}`.toLowerCase(),
  planned,
  unknownOutputs: ["urls"],
  settle: async (inputs, around) => {
    const { outputs: found, failure } = await declare(asInputs(inputs), surroundings(around));
    return { outputs: { ...found }, ...(failure === undefined ? {} : { failure }) };
  },
  read: (inputs, found, around) => lookUp(inputs, found, surroundings(around)),
  isInFlight: () => false,
  remove: (inputs, found, around) => withdraw(asInputs({ ...found, ...inputs }), surroundings(around)),
};
