// The forms of the arguments about credentials. What a declaration says is checked as the control plane would check it,
// so that a preview refuses what could never be rotated.
import { list, number, type Objection, object, oneOf, optional, read } from "../../engines/form.ts";
import { secretName } from "../../engines/rollout/intent.ts";
import { credentialBody, credentialParts, valueForms } from "../../engines/rotation/declaration.ts";
import { storageForm, storageKeys, webhookForm } from "../../engines/rotation/systems.ts";
import { anObject, input, inputs, parts, plain } from "../arguments.ts";
import { address, groupName, host, place, port, word } from "../shared-forms.ts";
import { completedConsumer } from "./completed-consumer.ts";
import { present } from "./present.ts";

/** What a `DatabaseCredential` gives for a variable. */
export const credentialReference = object({
  credential: plain(secretName),
  form: plain(oneOf(valueForms)),
  slots: plain(list(secretName, { least: 2, most: 2 })),
  urls: inputs({ a: input(word), b: input(word) }),
  identity: input(word),
  consumers: plain(list(object({ resourceGroup: word, app: word }))),
});

export const secretVault = object({
  ...place,
  tenant: plain(word),
  workspaceId: input(word),
  officer: input(word),
  subnet: optional(input(word)),
  retentionInDays: optional(plain(number({ least: 7, most: 90, whole: true }))),
});

/** What every kind of credential takes. */
const rotated = {
  ...place,
  vault: inputs({ id: input(word), name: input(word) }),
  credential: plain(credentialParts.credential),
  controlPlane: parts(object({ endpoint: input(address), audience: plain(word) })),
  // What is in these, and how they fit together, is checked as the control plane would: see below.
  consumers: plain(list(anObject)),
  validDays: optional(plain(number())),
  dueDays: optional(plain(number())),
  timings: optional(plain(anObject)),
  window: optional(plain(anObject)),
  freezes: optional(plain(list(anObject))),
  mayRotate: optional(plain(list(word))),
  passwordPolicy: optional(plain(anObject)),
  managedBy: optional(input(word)),
};

export const databaseCredential = object(
  {
    ...rotated,
    server: parts(
      object({
        host: input(host),
        port: optional(port),
        tls: optional(plain(oneOf(["require", "disable"]))),
      }),
    ),
    database: input(word),
    roles: plain(object({ a: word, b: word })),
    rotator: input(word),
    preparedBy: optional(parts(object({ resourceGroup: plain(groupName), job: input(word) }))),
    form: optional(plain(oneOf(valueForms))),
    checks: optional(plain(list(word))),
  },
  {
    check: ({ server: { host: name, ...server }, database, rotator, roles, form, checks, ...args }) =>
      objectionsToDeclaration(args, {
        ...present({ ...server, roles, form, checks }),
        server: known(name, "127.0.0.1"),
        database: known(database, "database"),
        rotator: known(rotator, "rotator"),
      }),
  },
);

export const storageCredential = object(
  {
    ...rotated,
    account: parts(
      object({ id: input(word), resourceGroup: plain(groupName), name: plain(storageForm.fields.account) }),
    ),
    operator: input(word),
    workspaceId: optional(input(word)),
  },
  {
    check: ({ account: { resourceGroup, name }, ...args }) =>
      objectionsToDeclaration(args, { roles: storageKeys, storage: { resourceGroup, account: name } }),
  },
);

export const webhookCredential = object(
  { ...rotated, url: plain(webhookForm.fields.url), roles: plain(object({ a: word, b: word })) },
  { check: ({ url, roles, ...args }) => objectionsToDeclaration(args, { roles, webhook: { url } }) },
);

/** Gives a value that a preview knows, or one that fits in the place of an output. */
const known = (value: unknown, otherwise: string): unknown => (typeof value === "string" ? value : otherwise);

/** Says what the control plane would refuse, as far as a preview knows it. An output stands for any value. */
function objectionsToDeclaration(
  { consumers, managedBy, ...args }: Readonly<Record<string, unknown>> & { readonly consumers: readonly object[] },
  own: Readonly<Record<string, unknown>>,
): readonly Objection[] {
  const { validDays, dueDays, timings, window, freezes, mayRotate, passwordPolicy } = args;
  const parsed = read(credentialBody, {
    ...own,
    ...present({ validDays, dueDays, timings, window, freezes, mayRotate, passwordPolicy }),
    ...(managedBy !== undefined && { managedBy: known(managedBy, "vault/credential") }),
    consumers: consumers.map(completedConsumer),
  });
  return "complaints" in parsed ? parsed.complaints : [];
}
