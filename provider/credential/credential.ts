// The life of a `ballast:index:Credential`: declares the credential to the control plane, which gives a new one its
// first versions. It never rotates. It works on plain values; the provider's frame translates from and to the Pulumi
// protocol.
import { setTimeout as sleep } from "node:timers/promises";
import type { CredentialCalls, DeclaredCredential } from "../../client/credentials.ts";
import { brokenLine } from "../../client/follow.ts";
import type { RotationTypes } from "../../client/rotations.ts";
import type { StreamCalls } from "../../client/streams.ts";
import { callPolicy, type RetryPolicy, restBefore } from "../../engines/retry.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { credentialUnread, credentialUnseeded } from "../../errors/credentials.ts";
import { type Around, type Properties, type Settled, unknownValue } from "../resource-type.ts";
import { bodyOf, type CredentialInputs, type CredentialOutputs } from "./fields.ts";

/** What a credential uses: the control plane's calls, and what every resource of the provider has around it. */
export interface Surroundings extends Omit<Around, "access"> {
  readonly credentials: Omit<CredentialCalls, "list">;
  readonly rotations: StreamCalls<RotationTypes>;
}

/** How long to wait for a right on the vault that was just given. */
const refusalSeconds = 300;
/** With these a delete goes on: the control plane may have been deleted before. */
const mayGoOn = new Set([
  "release-control-plane-unreachable",
  "release-endpoint-unbound",
  "journal-unreachable",
  "call-issuer-unreachable",
]);

/** Describes the credential in one line, as far as a preview knows it. */
export function planned({ vault, credential, roles }: Properties): string {
  const { a, b } = (roles ?? {}) as { readonly a?: unknown; readonly b?: unknown };
  const where = vault === unknownValue ? "a vault that is not known yet" : vault;
  return `would declare ${credential} in ${where} for the roles ${a} and ${b}; a new one gets its first versions`;
}

/** Declares the credential, and waits until it has its first versions. */
export async function declare(inputs: CredentialInputs, around: Surroundings): Promise<Settled<CredentialOutputs>> {
  const declared = await putWhenOpen(inputs, around);
  const { rotation } = declared;
  if (rotation === null) return { outputs: outputsOf(inputs, declared) };
  const { vault, credential } = declared;
  around.report(`${credential} gets its first versions`);
  const { result, message } = await followed({ vault, credential, rotation }, around);
  if (result !== "rotated" && result !== "unchanged") {
    // The state keeps the declaration, so that a later `up` continues and a `destroy` removes it.
    const outputs = { ...inputs, urls: { a: "", b: "" } };
    return { outputs, failure: credentialUnseeded({ ...inputs, credential, rotation, message }) };
  }
  const seeded = await around.credentials.show(inputs, { persistent: true });
  return { outputs: outputsOf(inputs, seeded ?? declared) };
}

/** @throws credential-unread if a slot has no version */
function outputsOf(inputs: CredentialInputs, { urls, unread }: DeclaredCredential): CredentialOutputs {
  const { a, b } = urls;
  if (a !== null && b !== null) return { ...inputs, urls: { a, b } };
  throw credentialUnread({ credential: inputs.credential, why: unread ?? "a slot has no version that can be read" });
}

async function putWhenOpen(inputs: CredentialInputs, around: Surroundings): Promise<DeclaredCredential> {
  const policy: RetryPolicy = { ...callPolicy, budgetSeconds: refusalSeconds, restSecondsMax: 10 };
  const began = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    const put = await around.credentials.put(inputs, bodyOf(inputs));
    if ("declared" in put) return put.declared;
    const asked = put.retryAfterSeconds === undefined ? undefined : Math.min(10, put.retryAfterSeconds);
    const spent = (performance.now() - began) / 1000;
    const rest = asked === undefined ? undefined : restBefore(policy, attempt, spent, asked);
    if (rest === undefined) throw put.refused;
    if (attempt === 1) around.report(`${put.refused.message} Waiting.`);
    await sleep(rest * 1000, undefined, { signal: around.cancel });
  }
}

async function followed(
  name: { readonly vault: string; readonly credential: string; readonly rotation: string },
  { rotations, report, cancel }: Surroundings,
): Promise<{ readonly result: string; readonly message: string }> {
  for await (const heard of rotations.follow(name, { from: 0, cancel })) {
    if (heard.kind === "ended") return heard;
    if (heard.kind === "broken") report(brokenLine("rotation", heard.reason));
    else if (heard.fact.kind !== "Finished" && heard.fact.isNoteworthy) report(heard.fact.message);
  }
  throw new Error("the rotation was followed to no end");
}

/**
 * Reads the versions that the slots have now. Without a usable answer it gives the old outputs.
 *
 * It never fails: a failing refresh would keep Pulumi from repairing the control plane that does not answer.
 */
export async function lookUp(inputs: Properties, outputs: Properties, around: Surroundings): Promise<Properties> {
  const found = { ...outputs, ...inputs } as unknown as CredentialOutputs;
  try {
    const { a, b } = (await around.credentials.show(found))?.urls ?? { a: null, b: null };
    return a === null || b === null ? outputs : { ...outputs, urls: { a, b } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    around.warn(`The credential ${found.credential} could not be read, so the state is unchanged. ${reason}`);
    return outputs;
  }
}

/** Removes the declaration, and says what stays. Only warns if nothing answers. */
export async function withdraw(inputs: CredentialInputs, around: Surroundings): Promise<void> {
  const { vault, credential, roles } = inputs;
  const stays = `the secrets of ${credential} in ${vault} and the roles ${roles.a} and ${roles.b} stay as they are`;
  try {
    await around.credentials.remove(inputs, { persistent: true });
    around.report(`${credential} is no longer rotated; ${stays}`);
  } catch (error) {
    if (!(error instanceof BallastError) || !mayGoOn.has(error.id)) throw error;
    around.warn(`${error.message} (${error.id}) The declaration was not removed; ${stays}.`);
  }
}
