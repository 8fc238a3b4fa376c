// The workflows that deliver a project, in many repositories: the same callers in each, published in waves.
import * as pulumi from "@pulumi/pulumi";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { child } from "../conventions.ts";
import { callers, previewChecks } from "./callers.ts";
import type { Delivery, SecretName } from "./delivery.ts";
import { RepositoryFiles } from "./repository-resources.ts";

/** What is delivered, by which reusable workflows, and to which repositories. */
export interface DeliveryWorkflowsArgs {
  /** The repository with the reusable workflows and its commit: `owner/name@<40 characters>`. */
  readonly source: string;
  /** The version that the commit is of, which stands beside it in the files. */
  readonly version: string;
  /**
   * The stacks of each repository, in the order in which a commit reaches them. The variable
   * `AZURE_DEPLOY_CLIENT_ID_<STACK>` of the repository has the identity that deploys the stack.
   */
  readonly stacks: readonly {
    /** The stack's name, which its GitHub environment has too. */
    readonly name: string;
    /**
     * The id of the Entra tenant.
     *
     * @default the repository's variable `AZURE_TENANT_ID`
     */
    readonly tenantId?: string;
    /**
     * The id of the Azure subscription.
     *
     * @default the repository's variable `AZURE_SUBSCRIPTION_ID`
     */
    readonly subscriptionId?: string;
    /**
     * The secrets that its state needs. The repository has them as `PULUMI_ACCESS_TOKEN` and
     * `PULUMI_CONFIG_PASSPHRASE_<STACK>`.
     *
     * @default none
     */
    readonly secrets?: readonly SecretName[];
  }[];
  /**
   * The folder of the Pulumi project, from the root of each repository.
   *
   * @default "."
   */
  readonly folder?: string;
  /**
   * The branch whose commits are deployed: the main branch of each repository.
   *
   * @default "main"
   */
  readonly branch?: string;
  /**
   * The name of the Pulumi project, if the repositories have the workflows of another project too. It stands before the
   * names of the files and of the checks.
   *
   * @default none
   */
  readonly project?: string;
  /**
   * What the project has beside apps. Each gets a workflow of its own.
   *
   * @default []
   */
  readonly has?: readonly ("credentials" | "migrations")[];
  /**
   * Further workflows, by the names of their files.
   *
   * @default none
   */
  readonly workflows?: Readonly<Record<string, string>>;
  /**
   * The repositories, as `owner/name`. A wave begins when everything in the waves before it is on the main branch: put
   * one repository alone into the first, as the canary. A pull request that waits for a merge holds the next wave.
   */
  readonly waves: readonly (readonly string[])[];
  /**
   * Checks that must succeed on the commit that publishes. If one fails, the repository gets its former workflows back,
   * and no later wave begins.
   *
   * @default none
   */
  readonly checks?: readonly string[];
  /**
   * How many seconds those checks may take.
   *
   * @default 1800
   */
  readonly checkSeconds?: number;
}

/** The workflows that deliver a project, published to repositories in waves, the canary first. */
export class DeliveryWorkflows extends pulumi.ComponentResource {
  /** The checks that the workflows report for a pull request: what `RepositoryGuard` may require. */
  readonly reportedChecks: readonly string[];
  /** By repository, `published`, `proposed` or `waiting`. */
  readonly results: pulumi.Output<Readonly<Record<string, string>>>;

  constructor(name: string, given: DeliveryWorkflowsArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("DeliveryWorkflows", name, argumentForms.DeliveryWorkflows, given);
    super("ballast:index:DeliveryWorkflows", name, args, opts);
    const { source, waves, checks = [], checkSeconds } = args;
    const files = filesOf(args);
    const made: RepositoryFiles[] = [];
    let after: pulumi.Output<string[]> = pulumi.output([]);
    for (const wave of waves) {
      const resources = wave.map(
        (repository) =>
          new RepositoryFiles(
            child(name, `files-${repository.toLowerCase().replace("/", "-")}`),
            { repository, source, files, checks, checkSeconds, after },
            { parent: this },
          ),
      );
      made.push(...resources);
      after = pulumi.all(resources.map(({ result }) => result));
    }
    this.reportedChecks = previewChecks(deliveryOf(args));
    const names = waves.flat();
    this.results = pulumi
      .all(made.map(({ result }) => result))
      .apply((results) => Object.fromEntries(names.map((each, at) => [each, results[at]!])));
    this.registerOutputs({ reportedChecks: this.reportedChecks, results: this.results });
  }
}

function deliveryOf(args: DeliveryWorkflowsArgs): Delivery {
  const { source, version, stacks, folder = ".", branch = "main", project, has } = args;
  const [repository, commit] = source.split("@") as [string, string];
  return { stacks, folder, branch, source: repository, commit, version, project, has };
}

function filesOf(args: DeliveryWorkflowsArgs): Readonly<Record<string, string>> {
  const all = { ...Object.fromEntries(callers(deliveryOf(args))), ...args.workflows };
  return Object.fromEntries(Object.entries(all).map(([name, text]) => [`.github/workflows/${name}`, text]));
}
