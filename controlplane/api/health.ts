// GET /health: whether the control plane works. The platform probes it, and it is the heartbeat for the dead man's
// switch. It needs no token, so it contains only harmless values.
import { journalUnreachable } from "../../errors/api.ts";
import type { Journal } from "../runtime/ports.ts";
import { answer, refuse } from "./call.ts";

/** How long the database may take before the control plane counts as unwell. A probe waits longer than this. */
const patienceMilliseconds = 2000;

/**
 * Answers 200 with the number of streams in flight, of those that are stuck, and for how long the loop has left one
 * alone, or 503 if the journal does not answer.
 *
 * The second value reveals a control loop that stands still in a live process, whatever else is written. The platform's
 * probes use the status only. A dead man's switch of the previous version reads the time of the last write.
 */
export async function health({
  journal,
  process,
}: {
  readonly journal: Pick<Journal, "pulse">;
  readonly process: string;
}): Promise<Response> {
  const late = new Promise<never>((_resolve, reject) =>
    AbortSignal.timeout(patienceMilliseconds).addEventListener("abort", () => reject(new Error("late"))),
  );
  try {
    const { inFlight, overdueSeconds, stuck, lastWrite } = await Promise.race([journal.pulse(), late]);
    return answer(200, {
      status: "ok",
      process,
      inFlight,
      overdueSeconds,
      stuck,
      lastWriteAt: lastWrite?.at ?? null,
      lastWriteSecondsAgo: lastWrite?.secondsAgo ?? null,
    });
  } catch {
    return refuse(503, journalUnreachable(), { status: "unwell", process });
  } finally {
    late.catch(() => undefined);
  }
}
