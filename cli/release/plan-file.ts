// A pace, limits or a journal from a file that a person names. What is left out of a pace or of limits has its default; what is misspelt, or what no
// rollout could be carried out with, is refused in the engine's own words. Asks nobody.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { parseFact } from "../../controlplane/adapters/postgres/facts.ts";
import { limitsForm, paceForm } from "../../controlplane/api/rollouts/forms.ts";
import { object, read } from "../../engines/form.ts";
import { checkIntent, defaultLimits, defaultPace } from "../../engines/rollout/plan.ts";
import type { Limits, Pace, RolloutEvent } from "../../engines/rollout/vocabulary.ts";
import { planMalformed, planUnreadable } from "../../errors/cli.ts";

/** How releases go, and within which limits. */
export interface Plan {
  readonly pace: Pace;
  readonly limits: Limits;
}

/** Reads limits. @throws cli-plan-unreadable or cli-plan-malformed */
export const readLimits = (file: string): Limits => readPlan({ limits: file }).limits;

/** Reads a plan: each half from the file that is named for it, else as it is in `otherwise`, by default the engine's own. */
export function readPlan(
  { pace: paceFile, limits: limitsFile }: { readonly pace?: string; readonly limits?: string },
  otherwise: Plan = { pace: defaultPace, limits: defaultLimits },
): Plan {
  const paceGiven = paceFile === undefined ? otherwise.pace : withDefaults(parsed(paceFile), defaultPace);
  const limitsGiven = limitsFile === undefined ? otherwise.limits : withDefaults(parsed(limitsFile), defaultLimits);
  return whole([paceFile, limitsFile].filter((file) => file !== undefined).join(" and "), paceGiven, limitsGiven);
}

/** Reads the plan that a stack is configured with, from its file in this folder. */
export function readStackPlan(stack: string): Plan {
  const file = `Pulumi.${stack.split("/").at(-1)}.yaml`;
  const { config = {} } = (parsed(file) ?? {}) as { config?: Readonly<Record<string, unknown>> };
  return whole(
    file,
    withDefaults(config["ballast:pace"] ?? {}, defaultPace),
    withDefaults(config["ballast:limits"] ?? {}, defaultLimits),
  );
}

/** Reads a journal: a fact a line, bare or as the control plane gives it. @throws journal-fact-unknown too */
export function readJournal(file: string): readonly RolloutEvent[] {
  return textOf(file)
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line, index) => {
      const fact = jsonOf(line, file, index) as { readonly event?: unknown } | null;
      return parseFact({ stream: file, index, event: fact?.event ?? fact, process: "", epoch: 0, hash: "" }).event;
    });
}

const planForm = object({ pace: paceForm, limits: limitsForm });

function whole(file: string, pace: unknown, limits: unknown): Plan {
  const asked = read(planForm, { pace, limits });
  const complaints = "complaints" in asked ? asked.complaints : checkIntent(asked.value);
  if ("complaints" in asked || complaints.length > 0) throw planMalformed({ file, complaints });
  return asked.value;
}

const withDefaults = (given: unknown, defaults: object): unknown =>
  typeof given === "object" && given !== null && !Array.isArray(given) ? { ...defaults, ...given } : given;

function parsed(file: string): unknown {
  const text = textOf(file);
  try {
    return parse(text);
  } catch (error) {
    throw planUnreadable({ file, reason: firstLine(error) });
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw planUnreadable({ file, reason: firstLine(error) });
  }
}

function jsonOf(line: string, file: string, index: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw planUnreadable({ file, reason: `line ${index + 1} is no JSON (${firstLine(error)})` });
  }
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0]!.replace(/[.:]$/, "");
