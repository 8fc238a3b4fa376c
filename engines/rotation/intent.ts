// What a request for a rotation looks like, and the names of rotations.
import { line, type ObjectOf, object, oneOf, optional, text } from "../form.ts";
import { type Asked, partsOf, streamOf as streamNamed } from "../kind.ts";
import { traceForm } from "../trace.ts";
import { type CredentialName, credentialParts } from "./declaration.ts";

/** Why a credential is rotated, each with its meaning. */
export const causes = {
  due: "its version expires soon",
  requested: "a person asked for it",
  first: "nothing is published yet: both slots get their first version",
  leaked: "its password is known to others: the old role is closed as soon as the new one is published",
} as const;
type Cause = keyof typeof causes;

/** The parts of a rotation's name. */
export const parts = {
  ...credentialParts,
  rotation: text("a rotation's name: 1 to 16 lower-case letters and digits", {
    most: 16,
    pattern: "^[a-z0-9]+$",
    description: "The rotation. Its name is part of the names of the revisions that it makes.",
  }),
};

const naming = { kind: "rotation", calls: { parts } };

/** Gives the stream of a rotation, which is also its id everywhere, in lower case. */
export const streamOf = (name: CredentialName & { readonly rotation: string }): string =>
  streamNamed(naming, { ...name });

/** Gives the credential of a stream; undefined if the stream is not that of a rotation. */
export function credentialOf(stream: string): CredentialName | undefined {
  const { vault, credential } = partsOf(naming, stream) ?? {};
  return vault === undefined || credential === undefined ? undefined : { vault, credential };
}

const cause = oneOf(Object.keys(causes) as readonly Cause[], {
  description: `Why: ${Object.entries(causes)
    .map(([code, meaning]) => `\`${code}\` (${meaning})`)
    .join(", ")}.`,
});

const requestFields = {
  cause,
  dueVersion: optional(
    text("a version of a secret", {
      most: 64,
      pattern: "^[0-9a-zA-Z-]+$",
      description: "The published version that is due. If another one is published by then, nothing is done.",
    }),
  ),
  message: line(500, { description: "Why, in a person's words." }),
};

/** The body of a request for a rotation. */
export const rotationForm = object(requestFields);
export interface AskedRotation extends ObjectOf<typeof requestFields> {}

const intentFields = {
  vault: text("a vault's name"),
  credential: text("a credential's name"),
  rotation: text("a rotation's name"),
  ...requestFields,
  requestedBy: text("a caller's id", { least: 0 }),
  requestedByName: optional(text("a caller's name", { least: 0 })),
  repairs: optional(text("an alert rule's name", { description: "The alert rule whose remediation asked for it." })),
  trace: traceForm,
};
export const intentForm = object(intentFields);

/** A requested rotation as the journal keeps it. */
export interface RotationIntent extends ObjectOf<typeof intentFields> {}

/** Gives the intent of a request. */
export const intentOf = ({
  name: { vault = "", credential = "", rotation = "" },
  body,
  by,
  byName,
  trace,
}: Asked<AskedRotation>): RotationIntent => ({
  ...body,
  vault: vault.toLowerCase(),
  credential: credential.toLowerCase(),
  rotation: rotation.toLowerCase(),
  requestedBy: by,
  ...(byName === undefined ? {} : { requestedByName: byName }),
  ...(trace === undefined ? {} : { trace }),
});
