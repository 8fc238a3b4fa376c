// A repository on GitHub as Pulumi resources. These are only the classes: Ballast's provider, a process of its own,
// talks to GitHub with the token that GITHUB_TOKEN of the Pulumi CLI has. No token is an input, so none is in a state.
import * as pulumi from "@pulumi/pulumi";
import { usesMocks } from "../conventions.ts";

/** Files of one repository, kept as the program says. */
export class RepositoryFiles extends pulumi.CustomResource {
  declare readonly result: pulumi.Output<string>;

  constructor(name: string, args: pulumi.Inputs, opts: pulumi.CustomResourceOptions) {
    const unknown = { result: undefined, drift: undefined, commit: undefined, pullRequest: undefined };
    super("ballast:index:RepositoryFiles", name, { ...args, ...unknown }, opts);
  }
}

/** The settings of one repository that guard its deliveries. */
export class RepositorySettings extends pulumi.CustomResource {
  constructor(name: string, args: pulumi.Inputs, opts: pulumi.CustomResourceOptions) {
    super("ballast:index:RepositorySettings", name, { ...args, drift: undefined }, opts);
  }
}

/** Who a repository is, in GitHub's own letter case, which the subjects of its tokens have. */
export interface RepositoryFacts {
  readonly fullName: string;
  readonly id: number;
  readonly ownerId: number;
}

/** Asks GitHub who a repository is. Mocks may not say it: the name is then the program's, and it has no ids. */
export const repositoryFacts = (repository: string, opts: pulumi.InvokeOptions): pulumi.Output<RepositoryFacts> =>
  pulumi
    .output(pulumi.runtime.invoke("ballast:index:repositoryFacts", { repository }, opts))
    .apply((facts: Partial<RepositoryFacts>) =>
      usesMocks() ? { fullName: repository, id: 0, ownerId: 0, ...facts } : facts,
    ) as pulumi.Output<RepositoryFacts>;
