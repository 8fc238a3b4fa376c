// What a program says about the settings of a repository: its environments, the checks of its pull requests, who passes
// them by, and the subject of its tokens.

/** Who approves deployments to an environment, and from which branches they may come. */
export interface EnvironmentSettings {
  /** Teams of the owner, by their slugs. */
  readonly reviewers: readonly string[];
  readonly waitMinutes: number;
  /** Branches that may deploy; none means all. */
  readonly branches: readonly string[];
}

/** What a program says about a repository. */
export interface RepositorySettings {
  readonly environments: Readonly<Record<string, EnvironmentSettings>>;
  /** Names of checks that a pull request to the default branch needs; without one there is no ruleset. */
  readonly requiredChecks: readonly string[];
  /** Apps that may commit without a pull request, by their ids. */
  readonly bypassApps: readonly number[];
  /** The claims in the subject of tokens for a cloud; none means GitHub's default. */
  readonly subjectClaims: readonly string[];
}
