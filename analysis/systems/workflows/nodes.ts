// The nodes that the reading of GitHub workflows adds to the graph. They hold what GitHub reads from the files, with
// the place of every text; what follows from it (effects, locks, order) is derived by the files beside this one.
import type { Evidence, Place, Text } from "../../place.ts";
import type { Measured } from "./measured.ts";

interface Base<Kind extends string> {
  readonly kind: Kind;
  readonly system: "github";
  readonly id: string;
  readonly name: string;
  readonly evidence: Evidence;
}

/** A key of a mapping with its value. */
export interface Entry {
  readonly key: Text;
  readonly value: Text;
}

/** One event of `on:` with its filters. An absent filter matches everything. */
export interface Trigger {
  readonly event: string;
  readonly place: Place;
  readonly filters: Readonly<Record<string, readonly Text[]>>;
}

/** An input of `workflow_dispatch` or `workflow_call`. */
export interface Input {
  readonly event: "workflow_dispatch" | "workflow_call";
  readonly name: string;
  readonly place: Place;
  readonly type: string;
  readonly isRequired: boolean;
  readonly fallback: string | undefined;
  readonly options: readonly string[];
}

/** A `concurrency:` of a workflow or a job. */
export interface Concurrency {
  readonly place: Place;
  readonly group: Text;
  readonly cancelInProgress: Text | undefined;
  readonly queue: Text | undefined;
}

/** Permissions of the token: one level for all scopes, or a level for each. */
export interface Permissions {
  readonly place: Place;
  readonly all: "read" | "write" | "none" | undefined;
  readonly scopes: Readonly<Record<string, string>>;
}

/** Something that GitHub's own parser rejects. */
export interface Rejection {
  readonly message: string;
  readonly place: Place;
}

/** A file in `.github/workflows`. */
export interface WorkflowNode extends Base<"workflow"> {
  readonly file: string;
  /** The `name:`, or the file's path, as GitHub shows it. */
  readonly title: string;
  readonly triggers: readonly Trigger[];
  readonly inputs: readonly Input[];
  readonly concurrency: Concurrency | undefined;
  readonly permissions: Permissions | undefined;
  readonly env: readonly Entry[];
  /** The outputs of `workflow_call`. */
  readonly outputs: readonly Entry[];
  /** Every text outside of its jobs that contains an expression, such as the run's name. */
  readonly templates: readonly Text[];
  /** Whether it is no proper YAML, so that parts of it may be missing here. */
  readonly isBroken: boolean;
  /** Why GitHub does not run the file; empty if it does. */
  readonly rejections: readonly Rejection[];
}

/** A `strategy:`. */
export interface Strategy {
  readonly place: Place;
  /** Axes with their values; undefined if they come from an expression. */
  readonly axes: Readonly<Record<string, readonly string[] | undefined>>;
  readonly include: readonly Readonly<Record<string, string>>[];
  readonly isDynamic: boolean;
  readonly maxParallel: Text | undefined;
}

/** A job of a workflow. */
export interface JobNode extends Base<"job"> {
  readonly workflow: string;
  readonly key: string;
  /** The place of its key. */
  readonly place: Place;
  /** The column at which its own keys begin, and the line of the first: a patch inserts there. */
  readonly bodyAt: Place;
  readonly title: Text | undefined;
  readonly needs: readonly Text[];
  /** The place of `needs:` with its value. */
  readonly needsPlace: Place | undefined;
  readonly condition: Text | undefined;
  readonly environment: Text | undefined;
  readonly concurrency: Concurrency | undefined;
  readonly timeoutMinutes: Text | undefined;
  readonly permissions: Permissions | undefined;
  readonly runsOn: readonly string[];
  readonly outputs: readonly Entry[];
  readonly env: readonly Entry[];
  readonly strategy: Strategy | undefined;
  readonly continueOnError: Text | undefined;
  /** The reusable workflow that it calls, and the inputs that it passes. */
  readonly uses: Text | undefined;
  readonly with: readonly Entry[];
  /** Every text of the job that contains an expression, conditions included. */
  readonly templates: readonly Text[];
  readonly hasServices: boolean;
  /** How long it took in the run history; undefined without one. */
  readonly measured?: Measured | undefined;
}

/** A script of the repository that a step calls, as text. */
export interface LocalScript {
  /** The line of the step's script on which it is called, from 0. */
  readonly line: number;
  /** The words of the command that calls it. */
  readonly called: string;
  readonly file: string;
  readonly text: string;
  /** Whether the shell that runs it stops at a failure. */
  readonly stopsOnFailure: boolean;
}

/** A step of a job, or of a local composite action that a step of the job uses. */
export interface StepNode extends Base<"step"> {
  readonly job: string;
  readonly index: number;
  readonly place: Place;
  readonly key: string | undefined;
  readonly title: Text | undefined;
  readonly uses: Text | undefined;
  readonly with: readonly Entry[];
  readonly run: Text | undefined;
  readonly env: readonly Entry[];
  readonly condition: Text | undefined;
  readonly continueOnError: Text | undefined;
  readonly timeoutMinutes: Text | undefined;
  readonly workingDirectory: Text | undefined;
  /** The shell of `run`, from the step, or from its job or workflow; undefined for the runner's own. */
  readonly shell: Text | undefined;
  readonly isBackground: boolean;
  /** The step that uses the composite action in whose file this one stands. */
  readonly via: string | undefined;
  /** The scripts of the repository that its commands call; absent if there are none. */
  readonly scripts?: readonly LocalScript[];
}

/** A composite action of this repository. */
export interface ActionNode extends Base<"action"> {
  readonly file: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly Entry[];
  readonly steps: readonly StepNode[];
  /** Every text of its steps and outputs that contains an expression, conditions included. */
  readonly templates: readonly Text[];
}

/** What a step changes outside the run: an app, a stack, a branch, a package. */
export interface TargetNode extends Base<"target"> {
  /** What kind of thing it is, such as `containerapp` or `pulumi-stack`. */
  readonly category: string;
  /** Its name as written, expressions included; undefined if the files do not say. */
  readonly named: string | undefined;
}

export type WorkflowsNode = WorkflowNode | JobNode | StepNode | ActionNode | TargetNode;
