// Tests that a step calls by a name of the repository, such as `npm test` or `make lint`, and whose script cannot fail:
// it only prints, or it swallows the failure of every test in it. The scripts are read as text.
import type { BlindCheck } from "./blind-checks.ts";
import type { LocalScript, StepNode } from "./nodes.ts";
import { commandsIn } from "./shell.ts";
import { swallowedCommands } from "./swallowed-commands.ts";
import { isBeyond } from "./swallowed-tests.ts";
import { isTest } from "./tests.ts";

const prints = /^(echo|printf|true|:|exit 0)( |$)/;

/** Gives the tests of a step whose own scripts cannot fail. */
export const deafScripts = ({ scripts = [] }: StepNode): readonly BlindCheck[] =>
  scripts.flatMap((script) => {
    if (!isTest({ words: script.called.split(" ") })) return [];
    const why = whyDeaf(script);
    return why === undefined
      ? []
      : [{ line: script.line, message: `runs "${script.called}", which cannot fail: ${why}` }];
  });

function whyDeaf({ text, file, stopsOnFailure }: LocalScript): string | undefined {
  const commands = commandsIn(text);
  if (commands.length === 0 || isBeyond(text)) return undefined;
  if (commands.every(({ words }) => prints.test(words.join(" ")))) return `its script in ${file} only prints`;
  const tests = commands.filter(isTest);
  const options = { stopsOnFailure, hearsPipes: /set -\w*o? ?pipefail|-o pipefail/.test(text) };
  const swallowed = swallowedCommands(text, options, isTest, () => false);
  const [first] = swallowed;
  if (first === undefined || swallowed.length < tests.length) return undefined;
  return `in ${file}, "${first.words.join(" ")}" ${first.how}`;
}
