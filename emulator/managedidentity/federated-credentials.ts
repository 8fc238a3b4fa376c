// Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials: whose tokens an identity trusts. Azure
// takes one write to an identity at a time, twenty credentials of one, and each pair of issuer and subject once.
import { setTimeout } from "node:timers/promises";
import { hold } from "../arm/holds.ts";
import { refusedToo } from "../arm/refusals.ts";
import { ArmError, type Body, type PutContext, type Resource, type ResourceType, type Store } from "../arm/resource.ts";
import { parentIdOf } from "../arm/resource-path.ts";
import { federatedCredentialFields } from "./fields.ts";

const type = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials";
const credentialsMax = 20;
const lettersMax = 600;

/** Gives the credentials of an identity. */
export const credentialsOf = (store: Store, identityId: string): readonly Resource[] =>
  store.list(`${identityId}/federatedIdentityCredentials`);

/** Federated credentials, as Resource Manager serves them. */
export const federatedCredentialType: ResourceType = {
  type,
  apiVersions: ["2023-01-31"],
  noPatch: true,
  fields: federatedCredentialFields,
  onPut: (context) => {
    const identity = parentIdOf(context.id);
    const release = hold(context.cloud.store, identity, () => {
      throw writtenConcurrently(identity);
    });
    return write(context).finally(release);
  },
};

/** How long a write takes. Another write to the identity is refused meanwhile. */
const writeMilliseconds = 50;

async function write(context: PutContext): Promise<void> {
  check(context);
  await setTimeout(writeMilliseconds);
}

const writtenConcurrently = (identity: string): ArmError =>
  new ArmError(
    409,
    "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
    `Too many Federated Identity Credentials are written concurrently for the managed identity '${identity}'. ` +
      "Concurrent Federated Identity Credentials writes under the same managed identity are not supported.",
  );

/** @throws ArmError 400 or 409 */
function check({ id, wanted, cloud: { store } }: PutContext): void {
  const { issuer, subject, audiences } = wanted["properties"] as {
    readonly issuer: string;
    readonly subject: string;
    readonly audiences: readonly string[];
  };
  if (!/^https:\/\/\S+$/.test(issuer)) throw refusedToo(`The issuer '${issuer}' is no https address.`);
  if (audiences.length !== 1) throw refusedToo(`A credential has exactly one audience, not ${audiences.length}.`);
  for (const [name, value] of Object.entries({ issuer, subject, audience: audiences[0]! }))
    if (value.length === 0 || value.length > lettersMax)
      throw refusedToo(`The ${name} has ${value.length} characters; 1 to ${lettersMax} are allowed.`);
  const others = credentialsOf(store, parentIdOf(id)).filter((each) => each.id !== id.toLowerCase());
  if (others.length >= credentialsMax)
    throw refusedToo(`An identity has at most ${credentialsMax} federated credentials.`);
  const isTaken = ({ body }: { readonly body: Body }): boolean =>
    body["properties"].issuer === issuer && body["properties"].subject === subject;
  if (others.some(isTaken))
    throw new ArmError(
      409,
      "EmulatorConflict",
      "Issuer and subject combination already exists for this Managed Identity.",
    );
}
