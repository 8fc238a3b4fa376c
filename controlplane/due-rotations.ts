// Looks for credentials that expire soon, and asks for their rotations. Every process looks; the name of a rotation
// follows from the version that is due, so that it starts once.
import type { Result } from "../engines/engine.ts";
import { dueRotation } from "../engines/rotation/due.ts";
import { streamOf } from "../engines/rotation/intent.ts";
import type { Credential, CredentialView } from "../engines/rotation/vocabulary.ts";
import type { Orchestrator } from "./runtime/orchestrate.ts";
import type { Clock } from "./runtime/ports.ts";

/** What looking needs. */
export interface DueSetting {
  readonly credentials: () => Promise<readonly Credential[]>;
  readonly vault: {
    readonly look: (credential: Credential, cancel: AbortSignal) => Promise<Result<Pick<CredentialView, "published">>>;
  };
  readonly streams: Pick<Orchestrator, "start">;
  readonly now: Clock["now"];
  readonly log: (message: string) => void;
}

/** How often each process looks. A version is due weeks before it expires. */
const intervalMilliseconds = 3_600_000;

/** Asks for every rotation that is due. Trouble with one credential is logged, and does not stop the others. */
export async function askForDue(setting: DueSetting, cancel: AbortSignal): Promise<void> {
  const credentials = await setting.credentials().catch((error: unknown) => {
    setting.log(`the declared credentials cannot be read: ${String(error)}`);
    return [];
  });
  for (const credential of credentials) {
    if (cancel.aborted) return;
    await askIfDue(credential, setting, cancel).catch((error: unknown) =>
      setting.log(`whether the credential ${credential.credential} is due is unknown: ${String(error)}`),
    );
  }
}

async function askIfDue(
  credential: Credential,
  { vault, streams, now, log }: DueSetting,
  cancel: AbortSignal,
): Promise<void> {
  const seen = await vault.look(credential, cancel);
  if (!seen.ok) return log(`whether the credential ${credential.credential} is due is unknown: ${seen.reason}`);
  const intent = dueRotation(credential, seen.value.published, now());
  if (intent !== undefined) await streams.start(streamOf(intent), { kind: "Request", at: now(), intent });
}

/** Looks now and once in each hour, until it is closed. */
export function startLooking(setting: DueSetting): { readonly close: () => Promise<void> } {
  const closing = new AbortController();
  let looking = askForDue(setting, closing.signal);
  const timer = setInterval(() => {
    looking = looking.then(() => askForDue(setting, closing.signal));
  }, intervalMilliseconds);
  timer.unref();
  return {
    close: async () => {
      clearInterval(timer);
      closing.abort();
      await looking;
    },
  };
}
