// The two keys of a storage account, as the roles of a credential. Resource Manager makes a key and shows it to whoever
// may list keys, so a key whose answer was lost is read again. A key cannot be closed, and cannot be chosen.
import {
  createDefaultHttpClient,
  createPipelineRequest,
  type HttpClient,
  type PipelineResponse,
} from "@azure/core-rest-pipeline";
import type { Result } from "../../../engines/engine.ts";
import { parsedJson } from "../../../engines/parsed-json.ts";
import type { Credential, Slot } from "../../../engines/rotation/vocabulary.ts";
import type { Roles } from "../../performers/rotation-ports.ts";
import type { Fence } from "../../runtime/ports.ts";
import type { Connection } from "./connection.ts";
import { sendOnce } from "./send-once.ts";
import { listContainers, refusedBy } from "./storage-request.ts";
import { type Answered, ask, asResult, failureOf, type Patience } from "./trouble.ts";

const apiVersion = "2024-01-01";

/** Where storage accounts are, and the clients' identity and route. */
export interface StorageSetting {
  readonly connection: Pick<Connection, "apps" | "way">;
  readonly patience: Patience;
  readonly resourceManager: string;
  readonly subscription: string;
  /** The suffix of the accounts' hosts, after `blob.`, such as `core.windows.net`. */
  readonly suffix: string;
}

/** Opens the keys of storage accounts. */
export function createStorageKeys(setting: StorageSetting): Roles {
  const client = createDefaultHttpClient();
  const { patience, suffix } = setting;
  const keysOf = (credential: Credential, cancel?: AbortSignal): Promise<Answered<Keys>> =>
    ask(patience, cancel, (signal) => listKeys(setting, client, credential, signal));
  const login = async (credential: Credential, key: string, cancel: AbortSignal) =>
    ask(patience, cancel, (signal) =>
      listContainers(setting, client, { account: accountOf(credential), suffix, key }, signal),
    );
  return {
    look: async (credential, _live, cancel) => {
      const keys = await keysOf(credential, cancel);
      if (!keys.ok)
        return failureOf(`the keys of ${accountOf(credential)} cannot be listed: ${keys.reason}`, keys.trouble);
      return { ok: true, value: { login: { a: true, b: true }, missing: [], otherSessions: 0 } };
    },
    newValue: async (credential, slot, newest, fence) => {
      const kept = await newest();
      if (!kept.ok) return kept;
      const keys = await keysOf(credential);
      if (!keys.ok) return asResult(keys);
      const key = keys.value.get(credential.roles[slot]);
      const known = kept.value === null ? null : keyIn(kept.value);
      // A key that the vault does not have yet was made by a process that died, or by a person. A version that is
      // disabled, or has no key, does not say whether it is this one.
      const fresh =
        key !== undefined && known !== undefined && known !== key
          ? ({ ok: true, value: key } as const)
          : await regenerate(setting, client, credential, slot, fence);
      return fresh.ok ? { ok: true, value: connectionString(accountOf(credential), fresh.value, suffix) } : fresh;
    },
    accept: async (credential, slot, { version, value }) => {
      const keys = await keysOf(credential);
      if (!keys.ok) return asResult(keys);
      const role = credential.roles[slot];
      if (keys.value.get(role) === keyIn(value)) return { ok: true, value: null };
      return { ok: false, reason: `${role} is not that of version ${version}: another client has regenerated it` };
    },
    prove: async (credential, _slot, { version, value }, cancel) => {
      const key = keyIn(value);
      if (key === undefined) return { ok: false, reason: `version ${version} has no AccountKey` };
      const found = await login(credential, key, cancel);
      if (found.ok) return { ok: true, value: { login: true, missing: [], detail: "listed the containers" } };
      if (!keyRefusals.includes(found.trouble.code ?? "")) return asResult(found);
      return { ok: true, value: { login: false, missing: [], detail: found.reason } };
    },
    setLogin: async (credential, slot, isOpen) =>
      isOpen
        ? { ok: true, value: null }
        : { ok: false, reason: `${credential.roles[slot]} of a storage account cannot be closed` },
    sessions: async (credential, slot, cancel) => {
      // There are none. The request, with the other key, is what the log must show before it proves anything.
      const keys = await keysOf(credential, cancel);
      if (!keys.ok) return asResult(keys);
      const other = [...keys.value].find(([name]) => name !== credential.roles[slot]);
      const asked = await login(credential, other?.[1] ?? "", cancel);
      return asked.ok ? { ok: true, value: 0 } : asResult(asked);
    },
    clock: async () => ({ ok: true, value: null }),
    endSessions: async () => ({ ok: true, value: 0 }),
  };
}

/** What refuses a key. Any other refusal is about the network or the account, and another key would not help. */
const keyRefusals = ["AuthenticationFailed", "KeyBasedAuthenticationNotPermitted"];

type Keys = ReadonlyMap<string, string>;

const accountOf = ({ storage }: Credential): string => storage?.account ?? "";

/** Writes the value of a version as Microsoft's clients read it. */
const connectionString = (account: string, key: string, suffix: string): string =>
  `DefaultEndpointsProtocol=https;AccountName=${account};AccountKey=${key};EndpointSuffix=${suffix}`;

/** Gives the key in a value. Its padding has the sign that separates names from values. */
const keyIn = (value: string): string | undefined => /(?:^|;)\s*AccountKey=([^;\s]+)/i.exec(value)?.[1];

const idOf = ({ subscription }: StorageSetting, { storage }: Credential): string =>
  `/subscriptions/${subscription}/resourceGroups/${storage?.resourceGroup}` +
  `/providers/Microsoft.Storage/storageAccounts/${storage?.account}`;

async function call(
  setting: StorageSetting,
  client: HttpClient,
  credential: Credential,
  { action, body }: { readonly action: "listKeys" | "regenerateKey"; readonly body?: object },
  abortSignal: AbortSignal,
): Promise<PipelineResponse> {
  const url = `${setting.resourceManager}${idOf(setting, credential)}/${action}?api-version=${apiVersion}`;
  const request = createPipelineRequest({ url, method: "POST", abortSignal });
  if (body !== undefined) {
    request.headers.set("content-type", "application/json");
    request.body = JSON.stringify(body);
  }
  const response = await setting.connection.apps.pipeline.sendRequest(client, request);
  if (response.status === 200) return response;
  const said = parsedJson(response.bodyAsText ?? "") as { readonly error?: { readonly code?: string } } | undefined;
  throw refusedBy("Resource Manager", response, said?.error?.code);
}

async function listKeys(
  setting: StorageSetting,
  client: HttpClient,
  credential: Credential,
  signal: AbortSignal,
): Promise<Keys> {
  return keysIn(await call(setting, client, credential, { action: "listKeys" }, signal));
}

function keysIn({ bodyAsText }: PipelineResponse): Keys {
  const { keys = [] } = (parsedJson(bodyAsText ?? "") ?? {}) as {
    readonly keys?: readonly { readonly keyName?: string; readonly value?: string }[];
  };
  return new Map(keys.map(({ keyName = "", value = "" }) => [keyName, value] as const));
}

/** Makes another key. It is sent once: a key whose answer was lost is found by the next look. */
async function regenerate(
  setting: StorageSetting,
  client: HttpClient,
  credential: Credential,
  slot: Slot,
  fence: Fence,
): Promise<Result<string>> {
  const role = credential.roles[slot];
  const wanted = { action: "regenerateKey", body: { keyName: role } } as const;
  const keys = await sendOnce(fence, setting.patience, async (late) =>
    keysIn(await call(setting, client, credential, wanted, late)),
  );
  if (!keys.ok) return keys;
  const key = keys.value.get(role);
  return key === undefined ? { ok: false, reason: `the answer has no ${role}` } : { ok: true, value: key };
}
