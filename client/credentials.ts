// The control plane's calls about declared credentials, for the provider and the `ballast` command. No answer has a
// password: values go from the vault to the database, and never through here.
import type { Credential, CredentialBody, CredentialName } from "../engines/rotation/declaration.ts";
import type { DeclaredCredential } from "../engines/rotation/declared.ts";
import type { BallastError } from "../errors/catalogue.ts";
import { type Access, accepted, acceptedIfThere, ask, fieldOf, refusal } from "./requests.ts";
import type { CallOptions } from "./streams.ts";

export type { DeclaredCredential } from "../engines/rotation/declared.ts";

/** The answer to a declaration. A refusal with `retryAfterSeconds` is temporary. */
export type PutCredential =
  | { readonly declared: DeclaredCredential }
  | { readonly refused: BallastError; readonly retryAfterSeconds: number | undefined };

/** The calls about declared credentials. */
export interface CredentialCalls {
  /** Declares a credential, or changes its declaration. A new one begins to get its first versions. */
  readonly put: (name: CredentialName, body: CredentialBody) => Promise<PutCredential>;
  /** Gives a declared credential; undefined if it is not declared. */
  readonly show: (name: CredentialName, options?: CallOptions) => Promise<DeclaredCredential | undefined>;
  /** Gives all declared credentials, as they are declared. */
  readonly list: () => Promise<readonly Credential[]>;
  /** Removes a declaration. Secrets and roles stay. One that does not exist is no error. */
  readonly remove: (name: CredentialName, options?: CallOptions) => Promise<void>;
}

/** Gives the calls about declared credentials. Nothing is sent yet. */
export const credentialCalls = (access: Access): CredentialCalls => ({
  put: async (name, body) => {
    const answer = await ask(access, { method: "PUT", path: pathOf(name), body, repeatable: true, persistent: true });
    if (answer.status === 409) return { refused: refusal(access, answer), retryAfterSeconds: answer.retryAfterSeconds };
    if (answer.status >= 400) throw refusal(access, answer);
    return { declared: answer.body as DeclaredCredential };
  },
  show: async (name, { persistent = false } = {}) => {
    const answer = await acceptedIfThere(access, { method: "GET", path: pathOf(name), repeatable: true, persistent });
    if (answer === undefined) return undefined;
    fieldOf(answer, "urls", access);
    return answer.body as DeclaredCredential;
  },
  list: async () => {
    const answer = await accepted(access, { method: "GET", path: "/credentials", repeatable: true });
    return fieldOf(answer, "credentials", access) as readonly Credential[];
  },
  remove: async (name, { persistent = false } = {}) => {
    await acceptedIfThere(access, { method: "DELETE", path: pathOf(name), repeatable: true, persistent });
  },
});

const pathOf = ({ vault, credential }: CredentialName): string =>
  `/credentials/${[vault, credential].map(encodeURIComponent).join("/")}`;
