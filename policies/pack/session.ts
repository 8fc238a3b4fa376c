// One run of the pack: it takes resources as they come, judges what one resource alone decides before it is created,
// and judges the whole stack at the end, on one graph. What was reported for a resource is not reported again. It knows
// no protocol; `service.ts` translates.
import { describeFailed } from "../../analysis/failed-rule.ts";
import { joinFragments } from "../../analysis/graph.ts";
import type { Place } from "../../analysis/place.ts";
import type { Severity } from "../../analysis/rule.ts";
import { stackRules } from "../../analysis/stack-rules.ts";
import { fragmentOf } from "../../analysis/systems/pulumi/fragment.ts";
import { nameOf, ownerOf } from "../../analysis/systems/pulumi/names.ts";
import type { Declared, ResourceNode, Setting } from "../../analysis/systems/pulumi/nodes.ts";
import { Sealed } from "../../analysis/systems/pulumi/value.ts";
import { judgeStacks, type PulumiFinding, type PulumiRule } from "../../analysis/systems/pulumi/view.ts";
import type { BaselineEntry } from "../baseline.ts";
import { type Choice, type JudgedFinding, type Judgement, judgementOf, ownPolicies } from "../judgement.ts";
import type { Level } from "../profiles.ts";
import {
  baselineIn,
  type ProgramFolder,
  programFolder,
  settingsIn,
  stackSettings,
  writtenResources,
} from "../program-folder.ts";
import type { PolicySettings } from "../settings.ts";
import { type Sought, sourcePlaces } from "../source-places.ts";
import { describeUnjudged } from "../unjudged.ts";
import { dayOf } from "../waivers.ts";
import { notJudgedPolicy, ruleIds } from "./catalogue.ts";
import type { Analyzed } from "./decode.ts";
import { Redactor } from "./redact.ts";

/** One violation, in the terms of Pulumi. */
export interface Violation {
  readonly policy: string;
  readonly message: string;
  readonly level: Level;
  readonly severity: Severity;
  /** The resource; empty for the stack. */
  readonly urn: string;
}

/** What a run depends on. */
export interface SessionOptions {
  /** The folder in which the Pulumi CLI started the pack: the program's. */
  readonly cwd: string;
  /** Now, in milliseconds since 1970: waivers expire. */
  readonly now: number;
  /** @default all rules about stacks */
  readonly rules?: readonly PulumiRule[];
}

const knownIds: ReadonlySet<string> = new Set([...ruleIds, ...Object.keys(ownPolicies)]);

/** A run of the pack. */
export class Session {
  readonly #program: ProgramFolder;
  readonly #now: number;
  readonly #rules: readonly PulumiRule[];
  readonly #localRules: readonly PulumiRule[];
  readonly #resources = new Map<string, Analyzed>();
  readonly #sought = new Map<string, Sought>();
  readonly #written: ReadonlyMap<string, ResourceNode>;
  readonly #reported = new Set<string>();
  readonly #redactor = new Redactor();
  readonly #placeOf: (urn: string) => Place;
  readonly #settings: PolicySettings;
  readonly #baseline: readonly BaselineEntry[];
  /** The secrets of the configuration, which may reach a resource without their mark. */
  readonly #secrets: Record<string, Sealed> = {};
  #choices: ReadonlyMap<string, Choice> = new Map();

  /** @throws policy-settings-refused, policy-baseline-unreadable */
  constructor({ cwd, now, rules = stackRules }: SessionOptions) {
    this.#program = programFolder(cwd);
    this.#now = now;
    this.#rules = rules;
    this.#localRules = rules.filter(({ isLocal }) => isLocal);
    this.#settings = settingsIn(this.#program.root, knownIds);
    this.#baseline = baselineIn(this.#program.root);
    this.#written = writtenResources(this.#program);
    this.#placeOf = sourcePlaces(this.#program.folder, this.#sought, this.#program.otherwise);
  }

  get otherwise(): Place {
    return this.#program.otherwise;
  }

  /** Takes over what the configuration of the pack says about each policy. */
  choose(choices: ReadonlyMap<string, Choice>): void {
    this.#choices = choices;
  }

  /** Learns a secret of the stack's configuration: it is never printed, and copies of it are found. */
  hide(key: string, text: string): void {
    this.#redactor.learnText(text);
    this.#secrets[key] = new Sealed(text);
  }

  /** Judges one resource by the rules that need no other. */
  analyze(given: Analyzed): readonly Violation[] {
    const analyzed = this.#placed(given);
    const { urn, token, parent } = analyzed;
    this.#resources.set(urn, analyzed);
    this.#sought.set(urn, { urn, token, name: nameOf(urn), parent });
    this.#redactor.learn(analyzed);
    const alone = { ...analyzed, dependencies: [], propertyDependencies: {} };
    const { findings } = this.#judge([alone], this.#localRules, []);
    return this.#violations(findings.filter(({ finding }) => ruleIds.has(finding.rule)));
  }

  /** Judges the stack. What `analyze` was not asked about has its outputs in place of inputs. */
  analyzeStack(resources: readonly Declared[]): readonly Violation[] {
    const known = resources.map((each) => {
      const analyzed = this.#resources.get(each.urn) ?? this.#placed(each);
      this.#sought.set(each.urn, { ...analyzed, name: nameOf(each.urn), parent: each.parent ?? analyzed.parent });
      return {
        ...analyzed,
        ...(each.token === "pulumi:pulumi:Stack" && { inputs: { ...analyzed.inputs, configuration: this.#secrets } }),
        parent: each.parent ?? analyzed.parent,
        dependencies: each.dependencies,
        propertyDependencies: each.propertyDependencies,
      };
    });
    const settings = stackSettings(this.#program, ownerOf(known[0]?.urn ?? "").stack);
    const judgement = this.#judge(known, this.#rules, settings);
    return [...this.#violations(judgement.findings), ...this.#notJudged(judgement)];
  }

  /** Whether a resource was analysed, so that its properties need not be decoded again. */
  knows(urn: string): boolean {
    return this.#resources.has(urn);
  }

  /** Gives a resource of a program in YAML the places of its properties. */
  #placed<Resource extends Analyzed>(resource: Resource): Resource {
    const written = this.#written.get(`${resource.token} ${nameOf(resource.urn)}`);
    return written ? { ...resource, evidence: written.evidence, places: written.places } : resource;
  }

  #judge(resources: readonly Declared[], rules: readonly PulumiRule[], settings: readonly Setting[]): Judgement {
    const { stack, project } = ownerOf(resources[0]?.urn ?? "");
    const { file } = this.#program.otherwise;
    const evidence = { place: this.#program.otherwise, known: "structural" } as const;
    const fragment = fragmentOf({ name: stack, project, file, origin: "wire", evidence, settings, resources });
    return judgementOf({
      stack,
      judged: judgeStacks(joinFragments([fragment]), rules),
      settings: this.#settings,
      baseline: this.#baseline,
      today: dayOf(this.#now),
      choices: this.#choices,
    });
  }

  #violations(findings: readonly JudgedFinding[]): readonly Violation[] {
    return findings.flatMap(({ finding, level, isOld }) => {
      const key = `${finding.rule} ${finding.subject}`;
      if (this.#reported.has(key)) return [];
      this.#reported.add(key);
      const message = `${this.#described(finding)}${isOld ? " It is in the baseline." : ""}`;
      const { rule: policy, severity, urn = "" } = finding;
      return [{ policy, severity, urn, level, message: this.#redactor.clean(message) }];
    });
  }

  #described({ place, urn, message, cost, fix, rule }: PulumiFinding): string {
    const isPlaced = place !== this.#program.otherwise || urn === undefined;
    const { file, line } = isPlaced ? place : this.#placeOf(urn);
    const page = ruleIds.has(rule) ? ` Page: docs/reference/rules/${rule}.md` : "";
    return `${file}:${line}  ${message} ${cost} Fix: ${fix}.${page}`;
  }

  /** Says once what could not be judged, because silence would look like approval. */
  #notJudged({ unjudged, failed }: Judgement): readonly Violation[] {
    if (this.#choices.get(notJudgedPolicy)?.level === "disabled") return [];
    const later = `Known only after the update, and not judged yet: ${describeUnjudged(unjudged)}.`;
    const broken = `Not judged: ${describeFailed(failed)}.`;
    const messages = [...(unjudged.size > 0 ? [later] : []), ...(failed.length > 0 ? [broken] : [])];
    return messages.map((message) => ({
      policy: notJudgedPolicy,
      severity: "low",
      urn: "",
      level: "advisory",
      message,
    }));
  }
}
