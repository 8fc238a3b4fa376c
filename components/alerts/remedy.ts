// What may be done about an alert, as a program says it: the policy of the control plane, which `ControlPlane` takes as
// `remediations`. The rule's own numbers decide how long the target is left alone, so that nobody counts them.
import { read } from "../../engines/form.ts";
import { completedPolicyForm } from "../../engines/remediation/declaration.ts";
import type { Policy } from "../../engines/remediation/vocabulary.ts";
import { argumentsRefused } from "../../errors/components.ts";
import { refusal } from "../conventions.ts";

/** How much of the error budget must be gone before an action may take a risk. */
export const budgetClasses = { whenever: 100, "half-spent": 50, "nearly-spent": 10 } as const;

/** One action of the ladder. */
export interface RemedyRung {
  /**
   * What is done: `return-to-previous`, `restart-revision`, `rotate-credential`, `end-blocking-session`, `start-job`,
   * `collect-diagnostics` or `open-issue`.
   */
  readonly runbook: Policy["ladder"][number]["runbook"];
  /**
   * Whether a person with the app role `Remediation.Approve` must approve it.
   *
   * @default "none"
   */
  readonly approval?: "none" | "needed";
  /**
   * The Container Apps Job of `start-job`, which needs one.
   *
   * @default none
   */
  readonly job?: string;
  /**
   * The job that undoes it.
   *
   * @default none: it is not undone
   */
  readonly undoJob?: string;
  /**
   * The declared credential, as `<vault>/<name>`, of `rotate-credential` and `end-blocking-session`, which need one,
   * and of `collect-diagnostics`.
   *
   * @default none
   */
  readonly credential?: string;
  /**
   * The GitHub repository of `open-issue`, as `owner/name`.
   *
   * @default none
   */
  readonly repository?: string;
}

/** What may be done about an alert, and how it is verified. */
export interface Remedy {
  /** What is done, in this order, until something helps. */
  readonly ladder: readonly RemedyRung[];
  /** How an action is verified. Without rows since the action nothing counts as repaired. */
  readonly verification: Partial<Policy["verification"]>;
  /**
   * How much of the error budget must be gone before anything is done: `whenever`, `half-spent` or `nearly-spent`. The
   * last two need an objective of each target, or the preview of `ControlPlane` refuses them.
   *
   * @default "whenever"
   */
  readonly budget?: keyof typeof budgetClasses;
  /**
   * Limits that differ from the defaults. `lookBackSeconds` follows from the rule.
   *
   * @default {}
   */
  readonly limits?: Partial<Omit<Policy["limits"], "lookBackSeconds" | "actBelowPercent">>;
}

/** A target is left alone at least as long as its rule may stay fired for a cause that is gone. */
const cooldownSecondsMin = 3600;

/** What a policy is about. */
interface About {
  readonly rule: string;
  readonly owner: string;
  readonly targets: readonly string[];
  readonly lookBackSeconds: number;
}

/**
 * Makes the policy of a rule, and refuses one that could never help.
 *
 * @throws component-arguments-refused
 */
export function policyOf(
  component: string,
  name: string,
  { lookBackSeconds, ...about }: About,
  { ladder, verification, budget = "whenever", limits = {} }: Remedy,
): Policy {
  const parsed = read(completedPolicyForm, {
    ...about,
    ladder,
    verification,
    limits: {
      cooldownSeconds: Math.max(cooldownSecondsMin, lookBackSeconds),
      ...limits,
      lookBackSeconds,
      actBelowPercent: budgetClasses[budget],
    },
  });
  if ("value" in parsed) return parsed.value;
  throw refusal(argumentsRefused({ component, name, fields: ["remedy"], complaints: parsed.complaints }));
}
