// The three workflows that a project needs to be delivered by the reusable ones: a preview for each pull request, an
// update for each merge with its way back, and a look at every stack each night. They are plain YAML, short enough to
// be read, and belong to the project from then on. A project with credentials or migrations gets a workflow for them
// beside these, which a person starts.

import type { Contracts } from "./contracts.ts";

/** A stack as its workflows need it. A value that its file does not have is read from a variable of the repository. */
export interface DeliveredStack {
  readonly name: string;
  readonly tenantId?: string | undefined;
  readonly subscriptionId?: string | undefined;
}

/** What the callers are made of. */
export interface Delivery {
  /** In the order in which a commit reaches them. */
  readonly stacks: readonly DeliveredStack[];
  /** The folder of the Pulumi project, from the root of the repository. */
  readonly folder: string;
  /** The repository with the reusable workflows: `owner/name`. */
  readonly source: string;
  /** Its commit, and the version that the commit is of. */
  readonly commit: string;
  readonly version: string;
  /** What the project has beside apps. @default nothing */
  readonly has?: readonly ("credentials" | "migrations")[];
}

/** A value that only the owner of the repository and of the cloud knows. */
export interface MissingValue {
  readonly variable: string;
  readonly what: string;
  /** What the identity must trust, as the ends of the subjects of GitHub's tokens. */
  readonly subjects?: (stacks: readonly DeliveredStack[]) => readonly string[];
}

const previewIdentity: MissingValue = {
  variable: "AZURE_PREVIEW_CLIENT_ID",
  what: "client id of an identity that may read",
  subjects: () => ["pull_request", "ref:refs/heads/main"],
};
const deployIdentity: MissingValue = {
  variable: "AZURE_DEPLOY_CLIENT_ID",
  what: "client id of an identity that may deploy",
  subjects: (stacks) => stacks.map(({ name }) => `environment:${name}`),
};
const tenant: MissingValue = { variable: "AZURE_TENANT_ID", what: "id of the Entra tenant" };
const subscription: MissingValue = { variable: "AZURE_SUBSCRIPTION_ID", what: "id of the Azure subscription" };

/** Lists the values that the repository's variables must have. */
export const missingValues = ({ stacks }: Delivery): readonly MissingValue[] => [
  previewIdentity,
  deployIdentity,
  ...(stacks.some(({ tenantId }) => tenantId === undefined) ? [tenant] : []),
  ...(stacks.some(({ subscriptionId }) => subscriptionId === undefined) ? [subscription] : []),
];

/** The names that the files can have in `.github/workflows`. */
export const callerNames: readonly string[] = [
  "preview.yml",
  "deploy.yml",
  "nightly.yml",
  "credentials.yml",
  "migrate.yml",
];

/** Gives the files by their names in `.github/workflows`. */
export const callers = (delivery: Delivery): ReadonlyMap<string, string> =>
  new Map([
    ["preview.yml", preview(delivery)],
    ["deploy.yml", deploy(delivery)],
    ["nightly.yml", nightly(delivery)],
    ...(delivery.has?.includes("credentials") ? [["credentials.yml", credentials(delivery)] as const] : []),
    ...(delivery.has?.includes("migrations") ? [["migrate.yml", migrate(delivery)] as const] : []),
  ]);

/** Gives the checks that a pull request gets: the name of the caller's job, and of the job that it calls. */
export const previewChecks = (delivery: Delivery): readonly string[] =>
  delivery.stacks.map((stack) => `${keyOf(delivery, "preview", stack)} / preview`);

const uses = ({ source, commit, version }: Delivery, workflow: string): string =>
  `uses: ${source}/.github/workflows/${workflow}.yml@${commit} # ${version}`;

const variable = ({ variable: name }: MissingValue): string => `\${{ vars.${name} }}`;

/** A job's key may hold letters, digits, `-` and `_`. Of two stacks with one key, the later gets its place as well. */
function keyOf({ stacks }: Delivery, verb: string, { name }: DeliveredStack): string {
  const plain = (each: string): string => each.replaceAll(/[^\w-]/g, "-").toLowerCase();
  const at = stacks.findIndex((each) => each.name === name);
  const isTaken = stacks.slice(0, at).some((each) => plain(each.name) === plain(name));
  return `${verb}-${name.replaceAll(/[^\w-]/g, "-")}${isTaken ? `-${at + 1}` : ""}`;
}

const wordsOfYaml = "(?:true|false|null|yes|no|on|off|y|n)$";
const plainScalar = new RegExp(
  `^(?:\\$\\{\\{ [\\w.]+ \\}\\}|[0-9a-f]{8}(?:-[0-9a-f]+){4}|(?!${wordsOfYaml})[a-z_][\\w./-]*|\\.[\\w./-]*)$`,
  "i",
);

/** Writes a text so that YAML reads that text: a folder may have a colon in it, and a stack may be called 1. */
const scalar = (text: string): string => (plainScalar.test(text) ? text : JSON.stringify(text));

/** The inputs that every workflow about a stack has. */
const inputsOf = ({ folder }: Delivery, stack: DeliveredStack, identity: MissingValue) => ({
  stack: stack.name,
  ...(folder !== "." && { "working-directory": folder }),
  "azure-client-id": variable(identity),
  "azure-tenant-id": stack.tenantId ?? variable(tenant),
  "azure-subscription-id": stack.subscriptionId ?? variable(subscription),
});

/** The inputs of a workflow that changes a stack: it runs in the stack's environment. */
const inputsOfDeployment = (delivery: Delivery, stack: DeliveredStack) => ({
  ...inputsOf(delivery, stack, deployIdentity),
  environment: stack.name,
});

/** An input of a workflow that a person starts, passed on. It has the type that the workflow gives it. */
type Passed = `\${{ inputs.${string} }}`;

/** One job that calls a reusable workflow, by the workflow's own contract: a wrong input does not compile. */
export interface Call<Name extends keyof Contracts> {
  readonly key: string;
  readonly workflow: Name;
  readonly permissions: Contracts[Name]["permissions"];
  readonly inputs: {
    readonly [Each in keyof Contracts[Name]["inputs"]]: Contracts[Name]["inputs"][Each] | Passed;
  };
  readonly needs?: string | undefined;
  readonly condition?: string;
}

/** Why a job has a permission. */
const reasons: Readonly<Record<string, string>> = {
  contents: "to check out the commit",
  "id-token": "to sign in to Azure without a stored key",
  issues: "to keep one issue while it fails",
  "pull-requests": "to write the comment",
};

const call = <Name extends keyof Contracts>(
  delivery: Delivery,
  { key, workflow, permissions, inputs, needs, condition }: Call<Name>,
): string =>
  [
    `  ${key}:`,
    ...(needs === undefined ? [] : [`    needs: ${needs}`]),
    ...(condition === undefined ? [] : [`    if: ${condition}`]),
    "    permissions:",
    ...Object.entries(permissions).map(([scope, level]) => `      ${scope}: ${level} # ${reasons[scope]}`),
    `    ${uses(delivery, workflow)}`,
    "    with:",
    ...Object.entries(inputs).map(([name, value]) => `      ${name}: ${scalar(String(value))}`),
  ].join("\n");

const reading = { contents: "read", "id-token": "write" } as const;

const keepingIssue = { ...reading, issues: "write" } as const;

/** Gives an input of a workflow that a person starts. */
const given = (name: string): Passed => `\${{ inputs.${name} }}`;

const choiceInput = (name: string, description: string, options: readonly string[]): string => `      ${name}:
        description: ${description}
        type: choice
        options: [${options.map(scalar).join(", ")}]
        required: true`;

/** The stack is chosen by whoever starts the workflow; the job of each stack has its environment. */
const stackInput = ({ stacks }: Delivery, description = "The stack."): string =>
  choiceInput(
    "stack",
    description,
    stacks.map(({ name }) => name),
  );

const textInput = (name: string, description: string, otherwise?: string): string => `      ${name}:
        description: ${description}
        type: string
        ${otherwise === undefined ? "required: true" : `default: "${otherwise}"`}`;

const checkbox = (name: string, description: string): string => `      ${name}:
        description: ${description}
        type: boolean
        default: false`;

/** Two projects of a repository must not cancel each other's previews. */
const folderKeyOf = ({ folder }: Delivery): string => (folder === "." ? "" : `${folder.replaceAll(/[^\w-]/g, "-")}-`);

const preview = (delivery: Delivery): string => `# Shows in each pull request what it would change in each stack.
name: preview
on:
  pull_request:
permissions: {}
concurrency:
  group: preview-${folderKeyOf(delivery)}\${{ github.event.pull_request.number }}
  cancel-in-progress: true # only the newest commit counts
jobs:
${delivery.stacks
  .map((stack) =>
    call(delivery, {
      key: keyOf(delivery, "preview", stack),
      workflow: "pulumi-preview",
      permissions: { ...reading, "pull-requests": "write" },
      inputs: inputsOf(delivery, stack, previewIdentity),
    }),
  )
  .join("\n")}
`;

/** An update reaches a stack only after the stack before it; a way back is started by hand, for one stack. */
const deploy = (
  delivery: Delivery,
): string => `# Updates each stack in turn with each commit on main. Started by hand, it takes one stack back.
name: deploy
on:
  push:
    branches: [main]
  workflow_dispatch:
    inputs:
${stackInput(delivery, "The stack to take back.")}
${textInput("app", "The app whose release in progress is aborted.", "")}
${textInput("commit", "The whole commit to go back to. Without it, only the release in progress is aborted.", "")}
permissions: {}
jobs:
${delivery.stacks
  .map((stack, at) =>
    call(delivery, {
      key: keyOf(delivery, "up", stack),
      workflow: "pulumi-up",
      needs: at === 0 ? undefined : keyOf(delivery, "up", delivery.stacks[at - 1]!),
      condition: "github.event_name == 'push'",
      permissions: keepingIssue,
      inputs: inputsOfDeployment(delivery, stack),
    }),
  )
  .join("\n")}
${delivery.stacks
  .map((stack) =>
    call(delivery, {
      key: keyOf(delivery, "rollback", stack),
      workflow: "rollback",
      condition: `github.event_name == 'workflow_dispatch' && inputs.stack == '${stack.name}'`,
      permissions: keepingIssue,
      inputs: { ...inputsOfDeployment(delivery, stack), app: given("app"), commit: given("commit") },
    }),
  )
  .join("\n")}
`;

const nightly = (
  delivery: Delivery,
): string => `# Looks each night whether each stack is as its program says, and as the policies ask.
name: nightly
on:
  schedule:
    - cron: "23 3 * * *"
  workflow_dispatch:
permissions: {}
jobs:
${delivery.stacks
  .flatMap((stack) =>
    (["drift-detect", "policy-nightly"] as const).map((workflow) =>
      call(delivery, {
        key: keyOf(delivery, workflow, stack),
        workflow,
        permissions: keepingIssue,
        inputs: inputsOf(delivery, stack, previewIdentity),
      }),
    ),
  )
  .join("\n")}
`;

/**
 * A rotation, and the way back from one. Those that are due begin by themselves. A leaked password is rotated whatever
 * else is said: a way back would make the leaked one valid again.
 */
const credentials = (
  delivery: Delivery,
): string => `# Rotates a credential, or takes its last rotation back. Rotations that are due begin by themselves.
name: credentials
on:
  workflow_dispatch:
    inputs:
${stackInput(delivery)}
${textInput("credential", "The credential, as its vault and its name, such as shop-kv/database.")}
${checkbox("leaked", "Others know the password. It is rotated at once, and no rotation is taken back.")}
${textInput("rotation", "The rotation to take back. Without it, the credential is rotated.", "")}
${textInput("reason", "Why, as the journal records it.")}
permissions: {}
jobs:
${delivery.stacks
  .flatMap((stack) => {
    const common = {
      ...inputsOfDeployment(delivery, stack),
      credential: given("credential"),
      reason: given("reason"),
    };
    return [
      call(delivery, {
        key: keyOf(delivery, "rotate", stack),
        workflow: "credential-rotate",
        condition: `inputs.stack == '${stack.name}' && (inputs.leaked || inputs.rotation == '')`,
        permissions: keepingIssue,
        inputs: { ...common, leaked: given("leaked") },
      }),
      call(delivery, {
        key: keyOf(delivery, "back", stack),
        workflow: "credential-back",
        condition: `inputs.stack == '${stack.name}' && !inputs.leaked && inputs.rotation != ''`,
        permissions: keepingIssue,
        inputs: { ...common, rotation: given("rotation") },
      }),
    ];
  })
  .join("\n")}
`;

/** Each half of a change is started when its time has come: before the rollout, and after the old revision is gone. */
const migrate = (
  delivery: Delivery,
): string => `# Runs the migrations of one phase: expand before the rollout that needs them, contract after it.
name: migrate
on:
  workflow_dispatch:
    inputs:
${stackInput(delivery)}
${choiceInput("phase", "Which half of the change.", ["expand", "contract"])}
${textInput("app", "The app that uses the database.")}
${textInput("resource-group", "The resource group of the app and of the job.")}
${textInput("job", "The Container Apps Job of the phase, such as shop-migrate-expand.")}
permissions: {}
jobs:
${delivery.stacks
  .map((stack) =>
    call(delivery, {
      key: keyOf(delivery, "migrate", stack),
      workflow: "db-migrate",
      condition: `inputs.stack == '${stack.name}'`,
      permissions: keepingIssue,
      inputs: {
        ...inputsOfDeployment(delivery, stack),
        phase: given("phase"),
        app: given("app"),
        "resource-group": given("resource-group"),
        job: given("job"),
      },
    }),
  )
  .join("\n")}
`;
