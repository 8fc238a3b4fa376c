// Alerts that their own action trips again, and those that only look so.
import { expect, test } from "vitest";
import { loopOf } from "../../../engines/remediation/rules/loop.ts";

test.each([
  ["restarts, answered by a restart", "restart-revision", ["RestartCount"], [], /changes RestartCount/],
  ["sessions that are ended, answered by ending one", "end-blocking-session", [], ["SqlState == '57P01'"], /57P01/],
  ["the same, answered by a rotation, which ends old ones", "rotate-credential", [], ["has '57P01'"], /57P01/],
  ["refused logins, which a rotation repairs", "rotate-credential", ["connections_failed"], ["has '28P01'"], undefined],
  [
    "logins that find no room, which an idle session takes",
    "end-blocking-session",
    ["connections_failed"],
    [],
    undefined,
  ],
  ["restarts, of which one collects diagnostics only", "collect-diagnostics", ["RestartCount"], [], undefined],
] as const)("%s", (_what, runbook, metrics, queries, why) => {
  const found = loopOf({ metrics, queries }, runbook);
  if (why === undefined) expect(found).toBeUndefined();
  else expect(found).toEqual({ why: expect.stringMatching(why), isGuess: metrics.length === 0 });
});
