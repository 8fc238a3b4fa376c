// What may be done about an incident: the runbooks, each with what it changes and whether it can be undone. How each is
// carried out stands in controlplane/performers.
import { type ObjectOf, object, oneOf, optional, text } from "../form.ts";
import type { TargetType } from "./targets.ts";

interface Runbook {
  /** Diagnostics and reports change nothing that serves: they need no budget, and run when a store is missing. */
  readonly changes: "nothing" | "replicas" | "traffic" | "sessions" | "anything";
  readonly on: readonly TargetType[];
  /** Whether it has an undo of its own. */
  readonly undoes: boolean;
  /** Whether what it began can go on after it was given up. It is then halted before anything else is done. */
  readonly outlasts?: true;
  /** How long it may take from its first request to its end. */
  readonly limitSeconds: number;
  readonly says: string;
}

const runbooks = {
  "return-to-previous": {
    changes: "traffic",
    on: ["app"],
    undoes: true,
    limitSeconds: 900,
    says: "give the traffic back to the revision that served before",
  },
  "restart-revision": {
    changes: "replicas",
    on: ["app"],
    undoes: false,
    limitSeconds: 300,
    says: "restart the replicas of the revision that serves",
  },
  "rotate-credential": {
    changes: "sessions",
    on: ["app", "server"],
    undoes: false,
    limitSeconds: 3600,
    says: "rotate the credential with which the database is reached",
  },
  "end-blocking-session": {
    changes: "sessions",
    on: ["app", "server"],
    undoes: false,
    limitSeconds: 60,
    says: "end the idle session that blocks the others",
  },
  "start-job": {
    changes: "anything",
    on: ["app", "server", "vault"],
    undoes: true,
    outlasts: true,
    limitSeconds: 1800,
    says: "start a job of your own",
  },
  "collect-diagnostics": {
    changes: "nothing",
    on: ["app", "server", "vault"],
    undoes: false,
    limitSeconds: 120,
    says: "collect the evidence for the person who is called",
  },
  "open-issue": {
    changes: "nothing",
    on: ["app", "server", "vault"],
    undoes: false,
    limitSeconds: 120,
    says: "open a GitHub issue, or comment on the one that is open",
  },
} as const satisfies Readonly<Record<string, Runbook>>;

export type RunbookName = keyof typeof runbooks;
export const runbookNames = Object.keys(runbooks) as readonly RunbookName[];

/** Gives what is to be known of a runbook. */
export const runbookOf = (name: RunbookName): Runbook => runbooks[name];

/** Reports whether a runbook changes the world: then every rail applies, and it fails closed. */
export const changesWorld = (name: RunbookName): boolean => runbookOf(name).changes !== "nothing";

const jobName = (description: string) =>
  text("a job's name", { most: 64, pattern: "^[A-Za-z][A-Za-z0-9-]*$", description });

export const rungFields = {
  runbook: oneOf(runbookNames, { description: "What is done." }),
  approval: oneOf(["none", "needed"], {
    otherwise: "none",
    description: "Whether a person with the role Remediation.Approve must approve each run of it.",
  }),
  job: optional(jobName("The Container Apps Job of `start-job`, in the target's resource group.")),
  undoJob: optional(jobName("The job that undoes it. Without one, `start-job` is not undone.")),
  credential: optional(
    text("a credential: its vault and its name, such as shop-vault/db", {
      most: 75,
      pattern: "^[A-Za-z][A-Za-z0-9-]*/[a-z]([a-z0-9-]*[a-z0-9])?$",
      description:
        "The declared credential that `rotate-credential` rotates, and that names the database of " +
        "`end-blocking-session` and, if you like, of `collect-diagnostics`.",
    }),
  ),
  repository: optional(
    text("a repository, as owner/name", {
      most: 140,
      pattern: "^[\\w.-]+/[\\w.-]+$",
      description: "The GitHub repository of `open-issue`.",
    }),
  ),
};
export const rungForm = object(rungFields, { check: objectionsToRung });

/** One rung of a ladder: what is done if everything before it did not help. */
export interface Rung extends ObjectOf<typeof rungFields> {}

const asked = ["job", "credential", "repository", "undoJob"] as const;
type Asked = (typeof asked)[number];

/** What a runbook knows beside its target: the fields that it uses, and in words the one that it cannot do without. */
const uses: Partial<Record<RunbookName, { readonly fields: readonly Asked[]; readonly needs?: string }>> = {
  "start-job": { fields: ["job", "undoJob"], needs: "the name of a job" },
  "rotate-credential": { fields: ["credential"], needs: "a credential" },
  "end-blocking-session": { fields: ["credential"], needs: "a credential" },
  "collect-diagnostics": { fields: ["credential"] },
  "open-issue": { fields: ["repository"], needs: "a repository" },
};

export function objectionsToRung(rung: Rung): readonly string[] {
  const { runbook } = rung;
  const { fields = [], needs } = uses[runbook] ?? {};
  const [first] = fields;
  return [
    ...(needs !== undefined && first !== undefined && rung[first] === undefined ? [`${runbook} needs ${needs}.`] : []),
    ...asked
      .filter((field) => rung[field] !== undefined && !fields.includes(field))
      .map((field) => `${runbook} uses no ${field}.`),
  ];
}

/** Gives how long a rung may take; a job that undoes it has as much time again. */
export const longestOf = ({ runbook, undoJob }: Rung): number =>
  runbookOf(runbook).limitSeconds * (undoJob === undefined ? 1 : 2);

/** Reports whether a rung can be undone. */
export const canUndo = ({ runbook, undoJob }: Rung): boolean =>
  runbookOf(runbook).undoes && (runbook !== "start-job" || undoJob !== undefined);
