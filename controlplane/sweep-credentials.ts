// Looks for credentials that expire soon, and asks for their rotations. Every process looks; the name of a rotation
// follows from the version that is due, so that it starts once.
import { dueRotation } from "../engines/rotation/due.ts";
import { streamOf } from "../engines/rotation/intent.ts";
import type { Credential } from "../engines/rotation/vocabulary.ts";
import type { Vault } from "./performers/rotation-ports.ts";
import type { Orchestrator } from "./runtime/orchestrate.ts";
import type { Clock } from "./runtime/ports.ts";

/** What the sweep needs. */
export interface SweepSetting {
  readonly credentials: readonly Credential[];
  readonly vault: Pick<Vault, "look">;
  readonly streams: Pick<Orchestrator, "start">;
  readonly now: Clock["now"];
  readonly log: (message: string) => void;
}

/** How often the sweep looks. A version is due weeks before it expires. */
const intervalMilliseconds = 3_600_000;

/** Sweeps once. Trouble with one credential is logged, and does not stop the others. */
export async function sweepCredentials(setting: SweepSetting, cancel: AbortSignal): Promise<void> {
  for (const credential of setting.credentials) {
    if (cancel.aborted) return;
    await sweep(credential, setting, cancel).catch((error: unknown) =>
      setting.log(`the credential ${credential.credential} could not be swept: ${String(error)}`),
    );
  }
}

async function sweep(
  credential: Credential,
  { vault, streams, now, log }: SweepSetting,
  cancel: AbortSignal,
): Promise<void> {
  const seen = await vault.look(credential, cancel);
  if (!seen.ok) return log(`the credential ${credential.credential} could not be swept: ${seen.reason}`);
  const intent = dueRotation(credential, seen.value.published, now());
  if (intent !== undefined) await streams.start(streamOf(intent), { kind: "Request", at: now(), intent });
}

/** Sweeps now and once in each hour, until it is closed. */
export function startSweeping(setting: SweepSetting): { readonly close: () => Promise<void> } {
  const closing = new AbortController();
  let sweeping = setting.credentials.length === 0 ? Promise.resolve() : sweepCredentials(setting, closing.signal);
  const timer = setInterval(() => {
    sweeping = sweeping.then(() => sweepCredentials(setting, closing.signal));
  }, intervalMilliseconds);
  timer.unref();
  return {
    close: async () => {
      clearInterval(timer);
      closing.abort();
      await sweeping;
    },
  };
}
