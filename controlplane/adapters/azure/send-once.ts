// A write of a rotation that is sent once: a client that repeated it would make two versions, or two keys. Whether a
// write whose answer was lost has landed, the next look shows.
import type { Result } from "../../../engines/engine.ts";
import type { Fence } from "../../runtime/ports.ts";
import { afterFence } from "./connection.ts";
import { failureOf, type Patience, troubleOf } from "./trouble.ts";

/** Sends a write once, after the fence. */
export async function sendOnce<Value>(
  fence: Fence,
  { requestSeconds }: Patience,
  act: (signal: AbortSignal) => Promise<Value>,
): Promise<Result<Value>> {
  const askedAt = performance.now();
  if (!(await fence())) return { ok: false, reason: "another process now owns the rotation, so nothing was sent" };
  try {
    const late = AbortSignal.timeout(requestSeconds * 1000);
    return { ok: true, value: await afterFence(askedAt, () => act(late)) };
  } catch (thrown) {
    const trouble = troubleOf(thrown, requestSeconds);
    return failureOf(trouble.reason, trouble);
  }
}
