// What a `ballast:index:Credential` takes and gives, as forms. The declaration has the form of the API's body, so that
// a preview refuses what the control plane would refuse.
import { object, optional, text } from "../../engines/form.ts";
import {
  type CredentialBody,
  type CredentialName,
  credentialBody,
  credentialParts,
} from "../../engines/rotation/declaration.ts";
import { addressFields } from "../release/fields.ts";

const { endpoint, audience } = addressFields;

/** The inputs: how to reach the control plane, and the declaration. */
export const inputsForm = object(
  { endpoint, audience, ...credentialParts, ...credentialBody.fields },
  credentialBody.about,
);

/** The inputs of a credential in a program. */
export interface CredentialInputs extends CredentialName, CredentialBody {
  readonly endpoint: string;
  readonly audience: string;
}

const url = text("an address", { least: 0 });

export const outputsForm = object({
  urls: object(
    { a: url, b: url },
    { title: "SlotUrls", description: "The URL of the version that each slot has, for apps that name it." },
  ),
  bound: optional(
    text("a digest", { description: "Binds the audience to the endpoint: only that host gets a token from a state." }),
  ),
});

/** The inputs with the URLs of both slots. */
export interface CredentialOutputs extends CredentialInputs {
  readonly urls: { readonly a: string; readonly b: string };
}

/** Gives the declaration of a credential. */
export const bodyOf = (inputs: CredentialInputs): CredentialBody =>
  Object.fromEntries(
    Object.entries(inputs).filter(
      ([name, value]) => Object.hasOwn(credentialBody.fields, name) && value !== undefined && value !== null,
    ),
  ) as unknown as CredentialBody;
