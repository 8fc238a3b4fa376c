// GET /health: whether the control plane can do its work, for the platform's probes. It is open to all and
// therefore says nothing that is not harmless.
import { journalUnreachable } from "../../errors/functions.ts";
import { answer, refuse, type Parts } from "./call.ts";

/** How long the database may take before we count as unwell; shorter than a probe's own patience. */
const patienceMilliseconds = 2000;

/** Answers 200 with the last journal write, or 503 when the journal does not answer. */
export async function health({ journal, process }: Pick<Parts, "journal" | "process">): Promise<Response> {
  const late = new Promise<never>((_resolve, reject) => AbortSignal.timeout(patienceMilliseconds).addEventListener("abort", () => reject(new Error("late"))));
  try {
    const lastWriteAt = await Promise.race([journal.lastWriteAt(), late]);
    return answer(200, { status: "ok", process, lastWriteAt: lastWriteAt ?? null });
  } catch {
    return refuse(503, journalUnreachable(), { status: "unwell", process });
  } finally {
    late.catch(() => undefined);
  }
}
