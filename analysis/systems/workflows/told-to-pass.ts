// Tests that are told to succeed whatever they find: by an option of their command, or by an input of their action. A
// report that somebody reads later is no gate, and a second run of the same tool without the option is one.
import type { BlindCheck } from "./blind-checks.ts";
import type { StepNode } from "./nodes.ts";
import { commandsIn } from "./shell.ts";

const tools: readonly (readonly [tool: RegExp, option: RegExp])[] = [
  [/^(python3? -m )?(flake8|ruff check|pylint|bandit)\b/, / --exit-zero\b/],
  [/^(python3? -m )?pylint\b/, / --fail-under[ =]0(\.0*)?( |$)/],
  [/^(checkov|tfsec|terrascan|kics)\b/, / --soft-fail( |$)/],
  [/^(trivy|gitleaks)\b/, / --exit-code[ =]0( |$)/],
  [/^golangci-lint\b/, / --issues-exit-code[ =]0( |$)/],
  [/^(\S*\/)?mvnw?\b/, / -D(maven\.test\.failure\.ignore(=true)?|testFailureIgnore=true)( |$)/],
];
const report = / (-o|--output\S*|--report\S*|--tee)[ =]|sarif/;

/** Gives the tests of a step that are told to pass, unless the job also runs the same tool as a gate. */
export function toldToPass(step: StepNode, steps: readonly StepNode[]): readonly BlindCheck[] {
  const all = steps.flatMap(({ run }) => commandsIn(run?.text ?? "")).map(({ words }) => words.join(" "));
  return commandsIn(step.run?.text ?? "").flatMap(({ words, line }) => {
    const text = words.join(" ");
    const found = tools.find(([tool, option]) => tool.test(text) && option.test(text));
    if (found === undefined || report.test(text)) return [];
    const [told, by] = found;
    if (all.some((each) => told.test(each) && !by.test(each))) return [];
    return [{ line, message: `tells "${words[0]}" to succeed whatever it finds, by${by.exec(text)![0]}` }];
  });
}

const softInputs: readonly (readonly [action: RegExp, input: string])[] = [
  [/^bridgecrewio\/checkov-action@/, "soft_fail"],
  [/^aquasecurity\/tfsec-action@/, "soft_fail"],
  [/^hadolint\/hadolint-action@/, "no-fail"],
];

/** Gives the input by which a step tells its action to succeed. */
export const softInput = ({ uses, with: inputs }: StepNode) =>
  inputs.find(
    ({ key, value }) =>
      value.text === "true" && softInputs.some(([action, name]) => action.test(uses?.text ?? "") && key.text === name),
  )?.value;
