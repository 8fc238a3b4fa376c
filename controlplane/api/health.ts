// GET /health: whether the control plane can do its work, for the platform's probes, and the heartbeat that the dead man's switch
// listens for. It is open to all and therefore says nothing that is not harmless.
import { journalUnreachable } from "../../errors/api.ts";
import { answer, type Parts, refuse } from "./call.ts";

/** How long the database may take before we count as unwell; shorter than a probe's own patience. */
const patienceMilliseconds = 2000;

/**
 * Answers 200 with what is in flight and how long ago the journal was last written, or 503 when the journal does not answer.
 *
 * A loop that stands still while its process answers shows in the two together. The platform's probes look at the status alone.
 */
export async function health({ journal, process }: Pick<Parts, "journal" | "process">): Promise<Response> {
  const late = new Promise<never>((_resolve, reject) =>
    AbortSignal.timeout(patienceMilliseconds).addEventListener("abort", () => reject(new Error("late"))),
  );
  try {
    const { inFlight, lastWrite } = await Promise.race([journal.pulse(), late]);
    return answer(200, {
      status: "ok",
      process,
      inFlight,
      lastWriteAt: lastWrite?.at ?? null,
      lastWriteSecondsAgo: lastWrite?.secondsAgo ?? null,
    });
  } catch {
    return refuse(503, journalUnreachable(), { status: "unwell", process });
  } finally {
    late.catch(() => undefined);
  }
}
