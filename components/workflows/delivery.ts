// What is delivered by the callers, and the values that only the owner of the repository and of the cloud knows. Each
// stack has an identity of its own for its updates: one that all stacks shared would give prod's rights to a job of
// dev, which nobody reviews. A job that calls a workflow has no environment, so it reads no variable of one; the names
// of the repository's variables end with the stack instead.

/** The secrets that the reusable workflows take, by their names there. */
export const secretNames = ["pulumi-access-token", "pulumi-config-passphrase"] as const;
export type SecretName = (typeof secretNames)[number];

/** A stack as its workflows need it. A value that its file does not have is read from a variable of the repository. */
export interface DeliveredStack {
  readonly name: string;
  readonly tenantId?: string | undefined;
  readonly subscriptionId?: string | undefined;
  /** The secrets that its state needs. @default none */
  readonly secrets?: readonly SecretName[] | undefined;
}

/** What the callers are made of. */
export interface Delivery {
  /** In the order in which a commit reaches them. */
  readonly stacks: readonly DeliveredStack[];
  /** The folder of the Pulumi project, from the root of the repository. */
  readonly folder: string;
  /** The branch whose commits are deployed. */
  readonly branch: string;
  /** The project's name, if the repository has the callers of another project too. */
  readonly project?: string | undefined;
  /** The repository with the reusable workflows: `owner/name`. */
  readonly source: string;
  /** Its commit. */
  readonly commit: string;
  /** The version that the commit is of, if it is known. */
  readonly version?: string | undefined;
  /** What the project has beside apps. @default nothing */
  readonly has?: readonly ("credentials" | "migrations")[] | undefined;
}

/** A variable or a secret of the repository. */
export interface NeededValue {
  readonly name: string;
  readonly kind: "variable" | "secret";
  readonly what: string;
  /** What the identity must trust, as the ends of the subjects of GitHub's tokens. */
  readonly subjects: readonly string[];
}

const plainVariable = (name: string, what: string): NeededValue => ({ name, kind: "variable", what, subjects: [] });

/** The variable with the identity that reads every stack. */
export const previewIdentity = plainVariable("AZURE_PREVIEW_CLIENT_ID", "client id of an identity that may read");
export const tenant = plainVariable("AZURE_TENANT_ID", "id of the Entra tenant");
export const subscription = plainVariable("AZURE_SUBSCRIPTION_ID", "id of the Azure subscription");

/** A stack's name in the name of a variable, which has letters, digits and `_` only, and no letter case. */
const suffixOf = (stack: string): string => stack.toUpperCase().replaceAll(/\W/g, "_");

/** Gives the variable with the identity that deploys a stack, and no other stack. */
export const deployIdentityOf = ({ name }: DeliveredStack): NeededValue => ({
  name: `AZURE_DEPLOY_CLIENT_ID_${suffixOf(name)}`,
  kind: "variable",
  what: `client id of an identity that may deploy ${name}, and no other stack`,
  subjects: [`environment:${name}`],
});

const secretOf = {
  "pulumi-access-token": () => ({ name: "PULUMI_ACCESS_TOKEN", what: "token of Pulumi Cloud, which keeps the state" }),
  "pulumi-config-passphrase": ({ name }: DeliveredStack) => ({
    name: `PULUMI_CONFIG_PASSPHRASE_${suffixOf(name)}`,
    what: `passphrase of the stack ${name}`,
  }),
};

/** Gives the secrets that each call about a stack passes on; undefined if there are none. */
export const secretsOf = (stack: DeliveredStack): Readonly<Partial<Record<SecretName, string>>> | undefined =>
  stack.secrets?.length
    ? Object.fromEntries(stack.secrets.map((each) => [each, `\${{ secrets.${secretOf[each](stack).name} }}`]))
    : undefined;

/** Lists the variables and secrets that the repository must have, each once. */
export function neededValues({ stacks, branch }: Delivery): readonly NeededValue[] {
  const secrets = stacks.flatMap((stack) =>
    (stack.secrets ?? []).map((each) => ({ ...secretOf[each](stack), kind: "secret" as const, subjects: [] })),
  );
  return [
    { ...previewIdentity, subjects: ["pull_request", `ref:refs/heads/${branch}`] },
    ...stacks.map(deployIdentityOf),
    ...(stacks.some(({ tenantId }) => tenantId === undefined) ? [tenant] : []),
    ...(stacks.some(({ subscriptionId }) => subscriptionId === undefined) ? [subscription] : []),
    ...new Map(secrets.map((each) => [each.name, each])).values(),
  ];
}

/** Two stacks that one variable would stand for, and so one identity. */
export interface SharedVariable {
  readonly one: string;
  readonly other: string;
  readonly variable: string;
}

/** Finds two stacks whose variables would have one name. */
export function stacksThatShare(stacks: readonly DeliveredStack[]): SharedVariable | undefined {
  const variables = stacks.map((stack) => deployIdentityOf(stack).name);
  const at = variables.findIndex((name, index) => variables.indexOf(name) < index);
  if (at < 0) return undefined;
  const variable = variables[at]!;
  return { one: stacks[variables.indexOf(variable)]!.name, other: stacks[at]!.name, variable };
}
