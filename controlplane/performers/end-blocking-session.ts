// The runbook that ends the idle session which blocks the others: the culprit, not its victims, which then go on by
// themselves. What the session had not committed is rolled back, and nothing can undo that.
import { found } from "../../engines/engine.ts";
import { duration } from "../../engines/time.ts";
import { many } from "../../engines/wording.ts";
import { type Declared, databaseOf } from "./incident-database.ts";
import type { Culprit, RunbookPort, Sessions } from "./remediation-ports.ts";

/** So many idle sessions are no accident of one client. */
const culpritsMax = 3;

/** Makes the runbook. */
export function endBlockingSession(declared: Declared, sessions: Sessions): RunbookPort {
  const culpritsOf = async (target: string, named: string) => {
    const database = await databaseOf(declared, named, target);
    if (!database.ok) return { ok: false, unfit: database.reason } as const;
    const culprits = await sessions.culprits(database.value);
    return culprits.ok ? ({ ok: true, database: database.value, culprits: culprits.value } as const) : culprits;
  };
  return {
    plan: async (target, { credential = "" }) => {
      const seen = await culpritsOf(target, credential);
      if ("unfit" in seen) return found({ fits: false, message: seen.unfit, plan: "" });
      if (!seen.ok) return seen;
      const why = whyUnfit(seen.culprits);
      return found(
        why === undefined
          ? { fits: true, message: describe(seen.culprits), plan: `end ${describe(seen.culprits)}` }
          : { fits: false, message: why, plan: "" },
      );
    },
    act: async ({ target, rung: { credential = "" } }, fence) => {
      const seen = await culpritsOf(target, credential);
      if (!seen.ok) return { ok: false, reason: "unfit" in seen ? seen.unfit : seen.reason };
      if (seen.culprits.length > culpritsMax) return { ok: false, reason: whyUnfit(seen.culprits)! };
      const ended = await sessions.end(seen.database, seen.culprits, fence);
      if (!ended.ok) return ended;
      // A try whose answer was lost may have ended it. Whether that helped is for the verification to say.
      return found({
        message:
          ended.value.length === 0 ? "no idle session blocks another one any more" : `ended ${describe(ended.value)}`,
      });
    },
  };
}

function whyUnfit(culprits: readonly Culprit[]): string | undefined {
  if (culprits.length === 0) return "no idle session blocks another one";
  return culprits.length > culpritsMax
    ? `${culprits.length} idle sessions block others, which is more than one client's accident`
    : undefined;
}

const describe = (culprits: readonly Culprit[]): string =>
  culprits
    .map(
      ({ pid, role, application, victims, idleSeconds }) =>
        `session ${pid} of ${role}${application === "" ? "" : ` (${application})`}, idle in its transaction for ` +
        `${duration(idleSeconds)}, which blocks ${many(victims, "session")}`,
    )
    .join("; ");
