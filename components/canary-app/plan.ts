// The plan of an app's releases: what the program says of it, completed by the defaults and checked at preview.
import { checkIntent, defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import type { Gate, Strategy, Thresholds } from "../../engines/rollout/vocabulary.ts";
import { canaryAppPlan } from "../../errors/canary-app.ts";
import { refusal, settingOf } from "../conventions.ts";

/** What a rollout is judged by, with all defaults. */
export interface Plan {
  readonly strategy: Strategy;
  readonly thresholds: Thresholds;
  readonly dryRun: Thresholds | undefined;
}

/** The arguments of an app that make its plan. */
interface PlanArguments {
  readonly strategy?: Partial<Strategy>;
  readonly thresholds?: Partial<Thresholds>;
  readonly dryRunThresholds?: Partial<Thresholds>;
  readonly gate?: Gate;
}

/** Returns the plan of releases with all defaults, and refuses one that cannot be carried out. */
export function planOf(app: string, args: PlanArguments): Plan {
  const strategy: Strategy = { ...defaultStrategy, ...args.strategy };
  const thresholds: Thresholds = { ...defaultThresholds, ...args.thresholds };
  const hasDryRun = Object.keys(args.dryRunThresholds ?? {}).length > 0;
  const dryRun = hasDryRun ? { ...thresholds, ...args.dryRunThresholds } : undefined;
  const complaints = checkIntent({ strategy, thresholds, dryRun, gate: args.gate });
  if (complaints.length > 0) throw refusal(canaryAppPlan({ app, complaints, settings: planSettings(args) }));
  return { strategy, thresholds, dryRun };
}

const planArguments = ["strategy", "thresholds", "dryRunThresholds", "gate"] as const;

/** Names what the program sets of the plan, so that a fix names nothing that is not there. */
const planSettings = (args: PlanArguments): readonly string[] =>
  planArguments.filter((argument) => args[argument] !== undefined).map((argument) => settingOf(argument));
