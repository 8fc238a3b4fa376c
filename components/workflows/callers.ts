// The three workflows that a project needs to be delivered by the reusable ones: a preview for each pull request, an
// update for each merge with its way back, and a look at every stack each night. They are plain YAML, short enough to
// be read, and belong to the project from then on. A project with credentials or migrations gets a workflow for them
// beside these, which a person starts.

import type { Contracts } from "./contracts.ts";
import {
  type DeliveredStack,
  type Delivery,
  deployIdentityOf,
  type NeededValue,
  previewIdentity,
  secretsOf,
  subscription,
  tenant,
} from "./delivery.ts";

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
  new Map(
    [
      ["preview.yml", preview(delivery)] as const,
      ["deploy.yml", deploy(delivery)] as const,
      ["nightly.yml", nightly(delivery)] as const,
      ...(delivery.has?.includes("credentials") ? [["credentials.yml", credentials(delivery)] as const] : []),
      ...(delivery.has?.includes("migrations") ? [["migrate.yml", migrate(delivery)] as const] : []),
    ].map(([name, text]) => [`${prefixOf(delivery)}${name}`, text]),
  );

/** Gives the checks that a pull request gets: the name of the caller's job, and of the job that it calls. */
export const previewChecks = (delivery: Delivery): readonly string[] =>
  delivery.stacks.map((stack) => `${keyOf(delivery, "preview", stack)} / preview`);

const uses = ({ source, commit, version }: Delivery, workflow: string): string =>
  `uses: ${source}/.github/workflows/${workflow}.yml@${commit}${version === undefined ? "" : ` # ${version}`}`;

const variable = ({ name }: NeededValue): string => `\${{ vars.${name} }}`;

/** A name in a job's key and in a file's name: letters, digits, `-` and `_`. */
const plain = (name: string): string => name.replaceAll(/[^\w-]/g, "-");

/** The second project of a repository has files, jobs and checks of its own names. */
const prefixOf = ({ project }: Delivery): string => (project === undefined ? "" : `${plain(project)}-`);

/** No two stacks of a delivery have one key (`stacksThatShare`). A key begins with a letter or `_`. */
const keyOf = (delivery: Delivery, verb: string, { name }: DeliveredStack): string =>
  `${prefixOf(delivery).replace(/^(?=[\d-])/, "_")}${verb}-${plain(name)}`;

/** A workflow's name, as GitHub lists it. */
const titleOf = ({ project }: Delivery, verb: string): string =>
  `name: ${scalar(project === undefined ? verb : `${project} ${verb}`)}`;

const wordsOfYaml = "(?:true|false|null|yes|no|on|off|y|n)$";
const plainScalar = new RegExp(
  `^(?:\\$\\{\\{ [\\w.]+ \\}\\}|[0-9a-f]{8}(?:-[0-9a-f]+){4}|(?!${wordsOfYaml})[a-z_][\\w./-]*|\\.[\\w./-]*)$`,
  "i",
);

/** Writes a text so that YAML reads that text: a folder may have a colon in it, and a stack may be called 1. */
const scalar = (text: string): string => (plainScalar.test(text) ? text : JSON.stringify(text));

/** The inputs that every workflow about a stack has. */
const inputsOf = ({ folder }: Delivery, stack: DeliveredStack, identity: NeededValue) => ({
  stack: stack.name,
  ...(folder !== "." && { "working-directory": folder }),
  "azure-client-id": variable(identity),
  "azure-tenant-id": stack.tenantId ?? variable(tenant),
  "azure-subscription-id": stack.subscriptionId ?? variable(subscription),
});

/** The inputs of a workflow that changes a stack: it runs in the stack's environment. */
const inputsOfDeployment = (delivery: Delivery, stack: DeliveredStack) => ({
  ...inputsOf(delivery, stack, deployIdentityOf(stack)),
  environment: stack.name,
});

/** A job that calls a reusable workflow, by that workflow's own contract: a wrong input does not compile. */
export interface Call<Name extends keyof Contracts> {
  /** The key of the job. Its checks are `<key> / <the job of the workflow>`. */
  readonly key: string;
  /** The name of the workflow's file, without `.yml`. */
  readonly workflow: Name;
  /** What the job grants: exactly what the workflow needs. */
  readonly permissions: Contracts[Name]["permissions"];
  /** The inputs, each of its own type, or passed on from a run that a person starts. */
  readonly inputs: {
    readonly [Each in keyof Contracts[Name]["inputs"]]: Contracts[Name]["inputs"][Each] | `\${{ inputs.${string} }}`;
  };
  /**
   * The secrets, by their names in the workflow.
   *
   * @default none
   */
  readonly secrets?: Readonly<Partial<Record<Contracts[Name]["secrets"], string>>> | undefined;
  /**
   * The key of the job before it.
   *
   * @default none, and the job begins at once
   */
  readonly needs?: string | undefined;
  /**
   * When the job runs, as an expression of GitHub.
   *
   * @default always
   */
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
  { key, workflow, permissions, inputs, secrets, needs, condition }: Call<Name>,
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
    ...(secrets === undefined ? [] : ["    secrets:"]),
    ...Object.entries(secrets ?? {}).map(([name, value]) => `      ${name}: ${value}`),
  ].join("\n");

const reading = { contents: "read", "id-token": "write" } as const;

const keepingIssue = { ...reading, issues: "write" } as const;

/** Gives an input of a workflow that a person starts. */
const given = (name: string): `\${{ inputs.${string} }}` => `\${{ inputs.${name} }}`;

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
const folderKeyOf = ({ folder }: Delivery): string => (folder === "." ? "" : `${plain(folder)}-`);

const preview = (delivery: Delivery): string => `# Shows in each pull request what it would change in each stack.
${titleOf(delivery, "preview")}
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
      secrets: secretsOf(stack),
    }),
  )
  .join("\n")}
`;

/** A filter of branches is a pattern, in which these characters have a meaning. */
const patternOf = (branch: string): string => branch.replaceAll(/^!|\+/g, "\\$&");

/** An update reaches a stack only after the stack before it; a way back is started by hand, for one stack. */
const deploy = (
  delivery: Delivery,
): string => `# Updates each stack in turn with each commit on ${delivery.branch}. By hand, it takes one stack back.
${titleOf(delivery, "deploy")}
on:
  push:
    branches: [${scalar(patternOf(delivery.branch))}]
  workflow_dispatch:
    inputs:
${stackInput(delivery, "The stack to take back.")}
${textInput("app", "The app whose release in progress is aborted.", "")}
${textInput("commit", "The whole commit to go back to. Without it, only the release in progress is aborted.", "")}
permissions: {}
# No lock here: the called workflow holds one for each stack, which its updates and its way back share.
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
      secrets: secretsOf(stack),
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
      secrets: secretsOf(stack),
    }),
  )
  .join("\n")}
`;

const nightly = (
  delivery: Delivery,
): string => `# Looks each night whether each stack is as its program says, and as the policies ask.
${titleOf(delivery, "nightly")}
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
        secrets: secretsOf(stack),
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
${titleOf(delivery, "credentials")}
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
        secrets: secretsOf(stack),
      }),
      call(delivery, {
        key: keyOf(delivery, "back", stack),
        workflow: "credential-back",
        condition: `inputs.stack == '${stack.name}' && !inputs.leaked && inputs.rotation != ''`,
        permissions: keepingIssue,
        inputs: { ...common, rotation: given("rotation") },
        secrets: secretsOf(stack),
      }),
    ];
  })
  .join("\n")}
`;

/** Each half of a change is started when its time has come: before the rollout, and after the old revision is gone. */
const migrate = (
  delivery: Delivery,
): string => `# Runs the migrations of one phase: expand before the rollout that needs them, contract after it.
${titleOf(delivery, "migrate")}
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
      secrets: secretsOf(stack),
    }),
  )
  .join("\n")}
`;
