// Reads a strategy, thresholds or a journal from a file. Omitted fields of a strategy or thresholds take their
// defaults; unknown fields and values that no rollout can use are refused with the engine's own messages.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { completed, object, read } from "../../engines/form.ts";
import { Misshapen } from "../../engines/kind.ts";
import { complaintWithValue } from "../../engines/problem.ts";
import { facts } from "../../engines/rollout/facts.ts";
import { strategyForm, thresholdsForm } from "../../engines/rollout/intent.ts";
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import type { RolloutEvent, Strategy, Thresholds } from "../../engines/rollout/vocabulary.ts";
import { planMalformed, planUnreadable } from "../../errors/cli.ts";
import { journalFactUnknown } from "../../errors/journal.ts";

/** A strategy, and the thresholds to judge by. */
export interface Plan {
  readonly strategy: Strategy;
  readonly thresholds: Thresholds;
}

/** Reads thresholds. @throws cli-plan-unreadable, cli-plan-malformed */
export const readThresholds = (file: string): Thresholds => readPlan({ thresholds: file }).thresholds;

/**
 * Reads a plan: each half from its file if one is named, else from `otherwise`, which defaults to the engine's plan.
 */
export function readPlan(
  { strategy: strategyFile, thresholds: thresholdsFile }: { readonly strategy?: string; readonly thresholds?: string },
  otherwise: Plan = { strategy: defaultStrategy, thresholds: defaultThresholds },
): Plan {
  const strategy = strategyFile === undefined ? otherwise.strategy : parsed(strategyFile);
  const thresholds = thresholdsFile === undefined ? otherwise.thresholds : parsed(thresholdsFile);
  const files = [strategyFile, thresholdsFile].filter((file) => file !== undefined);
  return checked(files.join(" and "), strategy, thresholds);
}

/** Reads the plan in a stack's configuration, from its file in this folder. */
export function readStackPlan(stack: string): Plan {
  const file = `Pulumi.${stack.split("/").at(-1)}.yaml`;
  const { config = {} } = (parsed(file) ?? {}) as { config?: Readonly<Record<string, unknown>> };
  return checked(file, config["ballast:strategy"] ?? {}, config["ballast:thresholds"] ?? {});
}

/**
 * Reads a journal: one fact per line, bare or as the control plane gives it.
 *
 * @throws cli-plan-unreadable, journal-fact-unknown
 */
export function readJournal(file: string): readonly RolloutEvent[] {
  return textOf(file)
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line, index) => {
      const fact = jsonOf(line, file, index) as { readonly event?: unknown } | null;
      try {
        return facts.read(fact?.event ?? fact);
      } catch (error) {
        if (!(error instanceof Misshapen)) throw error;
        throw journalFactUnknown({ stream: file, index, why: error.message });
      }
    });
}

const planForm = object({ strategy: completed(strategyForm), thresholds: completed(thresholdsForm) });

/** Reads a plan that is already a value; undefined if it is none, or if parts of it are not known yet. */
export function planIn(asked: { readonly strategy: unknown; readonly thresholds: unknown }): Plan | undefined {
  const plan = read(planForm, asked);
  return "value" in plan ? plan.value : undefined;
}

/** Checks the plan as the control plane would. @throws cli-plan-malformed */
function checked(file: string, strategy: unknown, thresholds: unknown): Plan {
  const plan = read(planForm, { strategy, thresholds });
  if ("value" in plan) return plan.value;
  throw planMalformed({ file, complaints: plan.problems.map(complaintWithValue) });
}

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
    throw planUnreadable({ file, reason: `line ${index + 1} is not JSON (${firstLine(error)})` });
  }
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0]!.replace(/[.:]$/, "");
