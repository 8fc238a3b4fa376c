// What the evaluation of alert rules needs to know of a kind of rules.
import type { Body, Cloud, Resource } from "../arm/resource.ts";
import type { Series } from "./conditions.ts";

/** The series of all conditions by key, each with whether it violates. */
export type Found = ReadonlyMap<string, { readonly series: Series; readonly failing: boolean }>;

/** One kind of alert rules. */
export interface RuleKind {
  /** The resource type of its rules. */
  readonly type: string;
  /** Evaluates a rule; a text says why the emulator cannot. */
  readonly look: (cloud: Cloud, rule: Resource, at: number) => Found | string;
  /** Gives after how many evaluations without a violation an alert resolves. */
  readonly cleanNeeded: (properties: Body) => number;
  readonly actionGroupsOf: (properties: Body) => readonly string[];
  /** Gives the context of an alert's payload. */
  readonly contextOf: (rule: Resource, condition: Body, series: Series, at: number) => object;
}
