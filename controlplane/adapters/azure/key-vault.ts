// The secrets of a credential in Key Vault. There is no conditional write, so each version is tagged with the rotation
// that made it, and every write looks for its own version first. The client repeats nothing: a write whose answer was
// lost, sent again by the client, would make two versions.
import { type KeyVaultSecret, SecretClient, type SecretClientOptions } from "@azure/keyvault-secrets";
import type { Result } from "../../../engines/engine.ts";
import { publishedValue } from "../../../engines/rotation/connection-value.ts";
import { type Slot, slotSecret, slots, userSecret } from "../../../engines/rotation/declaration.ts";
import type { Credential, Version } from "../../../engines/rotation/vocabulary.ts";
import { boundedAnswers } from "../../../http-answer.ts";
import type { Making, Vault, VaultView } from "../../performers/rotation-ports.ts";
import type { Fence } from "../../runtime/ports.ts";
import type { Connection } from "./connection.ts";
import { sendOnce } from "./send-once.ts";
import { type Answered, ask, asResult, type Patience } from "./trouble.ts";

/** What stands in the tags of a version. Key Vault allows fifteen, and readers may have their own. */
const tags = {
  rotation: "ballast-rotation",
  generation: "ballast-generation",
  slot: "ballast-slot",
  of: "ballast-of",
} as const;

/** Where the vaults are, and the clients' identity and route. */
export interface VaultSetting {
  readonly connection: Pick<Connection, "credential" | "way" | "inTime">;
  readonly patience: Patience;
  /** The suffix of the vaults' hosts, such as `vault.azure.net`. */
  readonly suffix: string;
}

/** Opens the vaults. */
export function createVault(setting: VaultSetting): Vault {
  const clientOf = clientsOf(setting);
  const { patience } = setting;
  const newest = (credential: Credential, name: string, cancel?: AbortSignal) =>
    readSecret(patience, (signal) => clientOf(credential).getSecret(name, signal), cancel);
  return {
    look: async (credential, cancel) => {
      const [published, ...found] = await Promise.all([
        newest(credential, credential.credential, cancel),
        ...slots.map((slot) => newest(credential, slotSecret(credential.credential, slot), cancel)),
      ]);
      const failed = [published, ...found].find((one) => !one.ok);
      if (failed !== undefined && !failed.ok) return failed;
      const show = (index: number): VaultView["slots"][Slot] => {
        const one = found[index]!;
        const secret = one.ok ? one.value : null;
        return secret === null || secret === "disabled"
          ? { newest: null, rotation: "" }
          : { newest: versionOf(secret), rotation: secret.properties.tags?.[tags.rotation] ?? "" };
      };
      return {
        ok: true,
        value: { published: publishedIn(published.ok ? published.value : null), slots: { a: show(0), b: show(1) } },
      };
    },
    make: (credential, slot, making, fence) => make(clientOf(credential), patience, credential, slot, making, fence),
    read: async (credential, slot, version, cancel) => {
      const name = slotSecret(credential.credential, slot);
      const found = await readSecret(
        patience,
        (options) => clientOf(credential).getSecret(name, { ...options, ...(version !== undefined && { version }) }),
        cancel,
      );
      if (!found.ok) return found;
      if (found.value === null) return { ok: true, value: null };
      return { ok: true, value: found.value === "disabled" ? "" : (found.value.value ?? "") };
    },
    publish: async (credential, slot, version, rotation, fence) => {
      const client = clientOf(credential);
      const now = await newest(credential, credential.credential);
      if (!now.ok) return now;
      if (now.value !== null && now.value !== "disabled" && now.value.properties.tags?.[tags.of] === version)
        return { ok: true, value: now.value.properties.version ?? "" };
      const name = slotSecret(credential.credential, slot);
      const found = await ask(patience, undefined, (abortSignal) => client.getSecret(name, { version, abortSignal }));
      if (!found.ok) return asResult(found);
      const { value = "", properties } = found.value;
      return sendOnce(fence, patience, async (abortSignal) => {
        const set = await client.setSecret(credential.credential, publishedValue(credential, slot, value), {
          tags: { [tags.rotation]: rotation, [tags.slot]: slot, [tags.of]: version },
          ...(properties.expiresOn && { expiresOn: properties.expiresOn }),
          abortSignal,
        });
        return set.properties.version ?? "";
      });
    },
  };
}

/** The most of an answer that is read: a page of versions is far smaller. */
const answerBytesMax = 2 ** 20;

/** Makes the client of each vault once. */
function clientsOf({
  connection,
  patience,
  suffix,
}: VaultSetting): (credential: Pick<Credential, "vault">) => SecretClient {
  const clients = new Map<string, SecretClient>();
  const options: SecretClientOptions = {
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [
      { policy: connection.way, position: "perCall" },
      {
        policy: boundedAnswers({ bytesMax: answerBytesMax, seconds: patience.requestSeconds }),
        position: "perRetry",
      },
      // The client asks for its challenge and its token within the call, so each request is checked when it leaves.
      { policy: connection.inTime, position: "perRetry" },
    ],
  };
  return ({ vault }) => {
    const url = `https://${vault}.${suffix}`;
    const client = clients.get(url) ?? new SecretClient(url, connection.credential, options);
    clients.set(url, client);
    return client;
  };
}

/** Reads the newest version; null if there is none. A disabled one cannot be read, and no older one takes its place. */
async function readSecret(
  patience: Patience,
  get: (options: { readonly abortSignal: AbortSignal }) => Promise<KeyVaultSecret>,
  cancel: AbortSignal | undefined,
): Promise<Result<KeyVaultSecret | "disabled" | null>> {
  const found = await ask(patience, cancel, (abortSignal) => get({ abortSignal }).catch(disabledAsValue));
  if (found.ok) return found;
  return found.trouble.status === 404
    ? { ok: true, value: null }
    : asResult(found as Extract<Answered<never>, { ok: false }>);
}

function disabledAsValue(error: unknown): "disabled" {
  const { details } = error as { readonly details?: { readonly error?: { readonly innerError?: { code?: string } } } };
  if (details?.error?.innerError?.code === "SecretDisabled") return "disabled";
  throw error;
}

const versionOf = ({ properties }: KeyVaultSecret): Version => ({
  version: properties.version ?? "",
  url: properties.id ?? "",
});

function publishedIn(secret: KeyVaultSecret | "disabled" | null): VaultView["published"] {
  if (secret === "disabled") return { slot: "a", version: "", of: "", enabled: false, expiresAt: null };
  const slot = slots.find((one) => one === secret?.properties.tags?.[tags.slot]);
  const of = secret?.properties.tags?.[tags.of];
  if (secret === null || slot === undefined || of === undefined) return null;
  return {
    slot,
    version: secret.properties.version ?? "",
    of,
    enabled: secret.properties.enabled ?? true,
    expiresAt: secret.properties.expiresOn?.getTime() ?? null,
    ...(secret.properties.notBefore && { notBefore: secret.properties.notBefore.getTime() }),
  };
}

/** Makes a version, unless this rotation has made that generation before. */
async function make(
  client: SecretClient,
  patience: Patience,
  credential: Credential,
  slot: Slot,
  { rotation, generation, expiresAt, value: valueOf }: Making,
  fence: Fence,
): Promise<Result<Version>> {
  const name = slotSecret(credential.credential, slot);
  const known = await ask(patience, undefined, async (abortSignal) => {
    // Versions are listed in no order, and the time of each has a whole second.
    for await (const properties of client.listPropertiesOfSecretVersions(name, { abortSignal }))
      if (properties.tags?.[tags.rotation] === rotation && properties.tags?.[tags.generation] === String(generation))
        return { version: properties.version ?? "", url: properties.id ?? "" };
    return null;
  });
  if (!known.ok && known.trouble.status !== 404) return asResult(known);
  if (known.ok && known.value !== null) return { ok: true, value: known.value };
  const named = await nameUser(client, patience, credential, slot, fence);
  if (!named.ok) return named;
  const value = await valueOf();
  if (!value.ok) return value;
  return sendOnce(fence, patience, async (abortSignal) =>
    versionOf(
      await client.setSecret(name, value.value, {
        tags: { [tags.rotation]: rotation, [tags.generation]: String(generation) },
        expiresOn: new Date(expiresAt),
        abortSignal,
      }),
    ),
  );
}

/** Writes the role of a slot beside its password, where the two are apart, unless it stands there. */
async function nameUser(
  client: SecretClient,
  patience: Patience,
  { credential, form, roles }: Credential,
  slot: Slot,
  fence: Fence,
): Promise<Result<null>> {
  if (form !== "apart") return { ok: true, value: null };
  const name = userSecret(slotSecret(credential, slot));
  const found = await readSecret(patience, (options) => client.getSecret(name, options), undefined);
  if (!found.ok) return found;
  if (found.value !== "disabled" && found.value?.value === roles[slot]) return { ok: true, value: null };
  return sendOnce(fence, patience, async (abortSignal) => {
    await client.setSecret(name, roles[slot], { abortSignal });
    return null;
  });
}
