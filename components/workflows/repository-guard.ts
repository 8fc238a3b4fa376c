// What keeps a repository's deliveries safe on both sides: GitHub asks people before it deploys and checks before it
// merges, and Azure trusts the tokens of exactly these runs.
import { createHash } from "node:crypto";
import { FederatedIdentityCredential } from "@pulumi/azure-native/managedidentity/federatedIdentityCredential.js";
import * as pulumi from "@pulumi/pulumi";
import { workflowsCheckUnknown, workflowsCredentialsTooMany } from "../../errors/workflows.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { child, refusal } from "../conventions.ts";
import { type RepositoryFacts, RepositorySettings, repositoryFacts } from "./repository-resources.ts";

/** An identity on Azure that trusts the tokens of a repository's runs. */
export interface TrustingIdentity {
  /** The resource group's name. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The name of the user-assigned identity. */
  readonly identityName: pulumi.Input<string>;
}

/** A repository, and what it must ask for. */
export interface RepositoryGuardArgs {
  /** The repository: `owner/name`. */
  readonly repository: string;
  /** The environments to which it deploys, by their names. Admins pass none of them by, and nobody approves alone. */
  readonly environments: Readonly<
    Record<
      string,
      {
        /** Teams of the owner that approve a deployment, by their slugs; six at most. */
        readonly reviewers: readonly string[];
        /**
         * How many minutes each deployment waits.
         *
         * @default 0
         */
        readonly waitMinutes?: number;
        /**
         * The branches that may deploy.
         *
         * @default the main branch
         */
        readonly branches?: readonly string[];
        /**
         * The identity that deploys to it. Give each environment its own: an identity that two share has in a run of
         * the one, which nobody may review, the rights that it needs for the other.
         *
         * @default none, and Azure's side is kept elsewhere
         */
        readonly identity?: TrustingIdentity;
      }
    >
  >;
  /**
   * The main branch.
   *
   * @default "main"
   */
  readonly branch?: string;
  /** The checks that its workflows report: the property `reportedChecks` of `DeliveryWorkflows`. */
  readonly reportedChecks: readonly string[];
  /**
   * The checks that a pull request to the default branch needs.
   *
   * @default all that are reported
   */
  readonly requiredChecks?: readonly string[];
  /**
   * Apps that may commit without a pull request, by their ids, such as the one that publishes the workflows.
   *
   * @default none
   */
  readonly bypassApps?: readonly number[];
  /**
   * The identity that previews; it trusts pull requests and the main branch.
   *
   * @default none, and Azure's side is kept elsewhere
   */
  readonly previewIdentity?: TrustingIdentity;
}

const issuer = "https://token.actions.githubusercontent.com";

/** How many federated credentials Azure allows for one identity. */
const credentialsMax = 20;

/**
 * What the guards of one program share. Azure refuses two writes to one identity at a time, also of two guards, and
 * whether two guards name the same identity may be known only at the update. So all credentials of a program are
 * written one after another.
 */
interface Shared {
  last?: FederatedIdentityCredential;
  /** How many credentials an identity has, by its name, or by the output that will have its name. */
  readonly counts: Map<unknown, number>;
}
const sharedBy = new WeakMap<pulumi.Resource, Shared>();

/** An identity, if Azure's side is kept here, and the end of the subjects that it trusts. */
interface Trust {
  readonly identity: TrustingIdentity | undefined;
  readonly end: string;
}

/** Counts credentials of an identity. @throws workflows-credentials-too-many */
function count({ counts }: Shared, key: unknown, identity: string, more: number): void {
  const needed = (counts.get(key) ?? 0) + more;
  if (needed > credentialsMax) throw refusal(workflowsCredentialsTooMany({ identity, needed, most: credentialsMax }));
  counts.set(key, needed);
}

const keyOf = (group: string, name: string): string => `${group}/${name}`.toLowerCase();

/** What tells identities apart before Azure has named them all. One of which half is known is only like itself. */
function identityOf(identity: TrustingIdentity): unknown {
  const { resourceGroupName, identityName } = identity;
  if (typeof identityName !== "string") return identityName;
  return typeof resourceGroupName === "string" ? keyOf(resourceGroupName, identityName) : identity;
}

/** Counts the credentials of each identity as soon as its name is known, and gives the name for each trust. */
function namesOf(shared: Shared, trusts: readonly Trust[]): readonly (pulumi.Input<string> | undefined)[] {
  const counted = new Map<unknown, pulumi.Input<string>>();
  for (const { identity } of trusts) {
    if (identity === undefined || counted.has(identityOf(identity))) continue;
    const alike = trusts.filter((each) => each.identity && identityOf(each.identity) === identityOf(identity));
    counted.set(identityOf(identity), countedName(shared, identity, 2 * alike.length));
  }
  return trusts.map(({ identity }) => identity && counted.get(identityOf(identity)));
}

function countedName(shared: Shared, { resourceGroupName, identityName }: TrustingIdentity, more: number) {
  const countNamed = (group: string, name: string): string => {
    count(shared, keyOf(group, name), name, more);
    return name;
  };
  if (typeof resourceGroupName === "string" && typeof identityName === "string")
    return countNamed(resourceGroupName, identityName);
  if (typeof identityName !== "string") count(shared, identityName, "of a guard", more);
  return pulumi.all([resourceGroupName, identityName]).apply(([group, name]) => countNamed(group, name));
}

/** Environments, required checks, pinned actions and trusted tokens of one repository. */
export class RepositoryGuard extends pulumi.ComponentResource {
  /** The subjects of tokens that the identities trust, in both forms that GitHub has. */
  readonly subjects: pulumi.Output<readonly string[]>;

  constructor(name: string, given: RepositoryGuardArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("RepositoryGuard", name, argumentForms.RepositoryGuard, given);
    const { repository, branch = "main", reportedChecks, requiredChecks = reportedChecks, bypassApps = [] } = args;
    const unknown = requiredChecks.filter((check) => !reportedChecks.includes(check));
    if (unknown.length > 0) throw refusal(workflowsCheckUnknown({ checks: unknown, emitted: reportedChecks }));
    super("ballast:index:RepositoryGuard", name, args, opts);
    const facts = repositoryFacts(repository, { parent: this });
    const previewed = ["pull_request", `ref:refs/heads/${branch}`].map((end) => ({
      identity: args.previewIdentity,
      end,
    }));
    const deployed = Object.entries(args.environments).map(([each, { identity }]) => ({
      identity,
      // GitHub escapes a colon within a name, since colons separate the parts of a subject.
      end: `environment:${each.replaceAll(":", "%3A")}`,
    }));
    const trusts = [...previewed, ...deployed];
    const credentials = this.#trust(name, trusts, facts);
    const environments = Object.fromEntries(
      Object.entries(args.environments).map(([key, { reviewers, waitMinutes = 0, branches = [branch] }]) => [
        key,
        { reviewers, waitMinutes, branches },
      ]),
    );
    // A token with another subject is worth nothing until a credential trusts it, so the credentials come first.
    new RepositorySettings(
      child(name, "settings"),
      { repository, environments, requiredChecks, bypassApps, subjectClaims: [] },
      { parent: this, dependsOn: [...credentials] },
    );
    this.subjects = facts.apply((known) => trusts.flatMap(({ end }) => subjectsOf(known, end)));
    this.registerOutputs({ subjects: this.subjects });
  }

  /** Makes the credentials of the identities, each after the one before it. */
  #trust(name: string, trusts: readonly Trust[], facts: pulumi.Output<RepositoryFacts>): readonly pulumi.Resource[] {
    const made: pulumi.Resource[] = [];
    const shared = this.#shared();
    const names = namesOf(shared, trusts);
    const keys = keysOf(trusts.map(({ end }) => end));
    for (const [at, { identity, end }] of trusts.entries())
      for (const form of identity === undefined ? [] : (["name", "id"] as const)) {
        const key = `${keys[at]}-by-${form}`;
        const before = shared.last;
        const credential = new FederatedIdentityCredential(
          child(name, `trust-${key}`),
          {
            resourceGroupName: identity!.resourceGroupName,
            resourceName: names[at]!,
            federatedIdentityCredentialResourceName: facts.apply(({ id }) => `github-${id}-${key}`),
            issuer,
            audiences: ["api://AzureADTokenExchange"],
            subject: facts.apply((known) => subjectsOf(known, end)[form === "name" ? 0 : 1]!),
          },
          { parent: this, ...(before && { dependsOn: before }) },
        );
        shared.last = credential;
        made.push(credential);
      }
    return made;
  }

  #shared(): Shared {
    const program = pulumi.runtime.getStackResource() ?? this;
    const shared = sharedBy.get(program) ?? { counts: new Map() };
    sharedBy.set(program, shared);
    return shared;
  }
}

/**
 * Gives what a credential's name has of each end of a subject. Azure takes few characters and no letter case, so two
 * environments may come to one name: each of them then gets a part of its hash.
 */
function keysOf(ends: readonly string[]): readonly string[] {
  const plain = ends.map((end) => end.replaceAll(/[^\w-]+/g, "-"));
  const lower = plain.map((each) => each.toLowerCase());
  return plain.map((each, at) => {
    const isAlone = lower.indexOf(lower[at]!) === lower.lastIndexOf(lower[at]!) && each.length <= keyMax;
    if (isAlone) return each;
    return `${each.slice(0, keyMax)}-${createHash("sha256").update(ends[at]!).digest("hex").slice(0, 8)}`;
  });
}

/** A credential's name has 120 characters at most, of which the repository's id and the form take some. */
const keyMax = 70;

/**
 * Gives a token's subject in both forms: repositories that were made or renamed since 2026-07-15 have ids in it. Entra
 * compares letter by letter, so the name is the one that GitHub gives and not the one that the program has.
 */
function subjectsOf({ fullName, id, ownerId }: RepositoryFacts, end: string): readonly [string, string] {
  const [owner, repository] = fullName.split("/") as [string, string];
  return [`repo:${fullName}:${end}`, `repo:${owner}@${ownerId}/${repository}@${id}:${end}`];
}
