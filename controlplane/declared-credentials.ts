// The declared credentials: those of the settings, and those that programs declare through the API, which the store
// keeps. A new one gets its first versions by a rotation, so that a process that dies half-way leaves no second
// password.
import { read } from "../engines/form.ts";
import {
  type Credential,
  completedCredential,
  objectionsToCredentials,
  objectionsToSharing,
  secretKey,
} from "../engines/rotation/declaration.ts";
import { type DeclaredCredential, declaredCredential, unreadCredential } from "../engines/rotation/declared.ts";
import { whyExpiresTooLate } from "../engines/rotation/expiry.ts";
import { streamOf } from "../engines/rotation/intent.ts";
import { objectionsToManagers } from "../engines/rotation/kin.ts";
import { rotationKind } from "../engines/rotation/kind.ts";
import { placeOf, systemOf } from "../engines/rotation/systems.ts";
import type { CredentialName, RotationIntent } from "../engines/rotation/vocabulary.ts";
import type { AppTarget } from "../engines/targets.ts";
import { callMalformed, credentialUnprepared, credentialVaultClosed } from "../errors/api.ts";
import { type InspectedWorld, inspectDeclared } from "./performers/rotation.ts";
import type { Declarations, DeclaredBy, Shown } from "./runtime/declarations.ts";
import type { Orchestrator } from "./runtime/orchestrate.ts";
import type { DeclarationStore, Journal } from "./runtime/ports.ts";

/** Where declarations are kept, and the settings' own. */
export interface DeclaredSetting {
  readonly settings: readonly Credential[];
  readonly store: DeclarationStore;
}

/** Gives the credentials that are declared now. A program's declaration replaces the settings' one of the same name. */
export const credentialsIn =
  ({ settings, store }: DeclaredSetting) =>
  async (): Promise<readonly Credential[]> => {
    const stored = (await store.all()).flatMap((value) => {
      const parsed = read(completedCredential, value, "stored");
      return "value" in parsed ? [parsed.value] : [];
    });
    const replaced = new Set(stored.map(secretKey));
    return [...settings.filter((one) => !replaced.has(secretKey(one))), ...stored];
  };

/** What the calls about declared credentials use. */
export interface DeclaringSetting extends DeclaredSetting {
  readonly managed: readonly AppTarget[];
  readonly world: InspectedWorld;
  readonly streams: Pick<Orchestrator, "start" | "signal">;
  readonly journal: Pick<Journal, "list">;
}

/** Makes the answers about declared credentials. */
export function declarationsOf(setting: DeclaringSetting): Declarations {
  const { store, world } = setting;
  const all = credentialsIn(setting);
  const find = async (name: Readonly<Record<string, string>>): Promise<Credential | undefined> =>
    (await all()).find((one) => secretKey(one) === secretKey(nameIn(name)));
  const shown = async (declared: Credential, cancel: AbortSignal): Promise<DeclaredCredential> => {
    const seen = await inspectDeclared(declared, lenient(world), cancel);
    return seen.ok ? declaredCredential(seen.value) : unreadCredential(declared, seen.reason);
  };
  return {
    put: (name, body, by) => declare({ ...nameIn(name), ...(body as object) } as Credential, by, setting),
    show: async (name, cancel) => {
      const declared = await find(name);
      return declared === undefined ? undefined : shown(declared, cancel);
    },
    list: all,
    remove: (name) => store.remove(secretKey(nameIn(name))),
    targets: async () => (await all()).map(secretKey),
  };
}

/**
 * Reads what there is of a credential although an app does not exist yet, as after the first versions, or the log
 * cannot be read. Whether a rotation may begin is its own inspection's to say, which is strict.
 */
const lenient = (world: InspectedWorld): InspectedWorld => ({
  ...world,
  consumers: {
    ...world.consumers,
    slotOf: async (...asked) => {
      const found = await world.consumers.slotOf(...asked);
      return found.ok ? found : { ok: true, value: null };
    },
  },
  logins: {
    read: async (credential, slot, from, cancel) => {
      const found = await world.logins.read(credential, slot, from, cancel);
      return found.ok ? found : { ok: true, value: { logins: [], to: from, alive: false } };
    },
  },
});

const nameIn = ({ vault = "", credential = "" }: Readonly<Record<string, string>>): CredentialName => ({
  vault: vault.toLowerCase(),
  credential,
});

const patienceSeconds = 60;
/** A right that was just given counts after a minute or two, so a caller tries again. */
const againSeconds = 5;

/** Keeps a declaration. Nothing is kept that no rotation could carry out. */
async function declare(declared: Credential, by: DeclaredBy, setting: DeclaringSetting): Promise<Shown> {
  const { managed, store, world } = setting;
  const { vault, credential, preparedBy } = declared;
  const all = await credentialsIn(setting)();
  const before = all.find((one) => secretKey(one) === secretKey(declared));
  const others = all.filter((one) => one !== before);
  const late = whyExpiresTooLate(declared, world.clock.now());
  const objections = [
    ...(late === undefined ? [] : [`validDays is too long: ${late}.`]),
    ...objectionsToCredentials([declared], managed),
    ...objectionsToManagers([declared, ...others]),
    ...objectionsToSharing(declared, others),
  ];
  if (objections.length > 0) return { refused: callMalformed({ complaints: objections }), status: 400 };
  const cancel = AbortSignal.timeout(patienceSeconds * 1000);
  const roles = await world.roles.look(declared, "a", cancel);
  if (!roles.ok) {
    const command =
      preparedBy && `az containerapp job start --resource-group ${preparedBy.resourceGroup} --name ${preparedBy.job}`;
    const refused = credentialUnprepared({
      credential,
      server: placeOf(declared),
      why: roles.reason,
      ...(command && { command }),
    });
    // Whether a role at an account does not count yet, Azure does not say: it refuses as if there were none.
    const again = systemOf(declared) === "storage" ? againSeconds : undefined;
    return { refused, status: 409, retryAfterSeconds: roles.retryAfterSeconds ?? again };
  }
  const secrets = await world.vault.look(declared, cancel);
  if (!secrets.ok) {
    const refused = credentialVaultClosed({ credential, vault, why: secrets.reason });
    return { refused, status: 409, retryAfterSeconds: againSeconds };
  }
  const fixed = before === undefined || secrets.value.published === null ? [] : fixedIn(before, declared);
  if (fixed.length > 0) return { refused: callMalformed({ complaints: fixed }), status: 400 };
  await store.put(secretKey(declared), declared);
  const rotation = secrets.value.published === null ? await seed(declared, by, setting) : null;
  const seen = await inspectDeclared(declared, lenient(world), cancel);
  const value = seen.ok
    ? declaredCredential(seen.value, rotation)
    : { ...unreadCredential(declared, seen.reason), rotation };
  return { value };
}

/**
 * Says what may not change once there are versions. Apps read them by the form in which they were written, and they log
 * in with the roles that are in them: a rotation of other roles would never close these.
 */
function fixedIn(before: Credential, declared: Credential): readonly string[] {
  const written = ({ form, roles: { a, b } }: Credential) => ({ form, "roles.a": a, "roles.b": b });
  const now = Object.entries(written(declared));
  return Object.entries(written(before)).flatMap(([name, value], index) => {
    const wanted = now[index]![1];
    return value === wanted ? [] : [`${name} is ${value} and cannot become ${wanted}: declare another credential.`];
  });
}

/** Begins or continues the rotation that gives a credential its first versions, and gives its name. */
async function seed(
  { vault, credential }: Credential,
  { by, byName, trace }: DeclaredBy,
  { streams, journal, world: { clock } }: DeclaringSetting,
): Promise<string> {
  const parts = new Map([vault, credential].map((part, index) => [index, part.toLowerCase()] as const));
  const { streams: before } = await journal.list({ kind: rotationKind.kind, parts, limit: 100 });
  const [last] = before;
  const at = clock.now();
  if (last !== undefined && "overview" in last) {
    const result = last.overview.ended?.result;
    const name = last.stream.split("/").at(-1)!;
    if (result === undefined) return name;
    if (result === "rejected" || result === "stopped" || result === "degraded") {
      const message = "the credential is declared again";
      await streams.signal(last.stream, {
        kind: "Signal",
        at,
        signal: "retry",
        by,
        ...(byName && { byName }),
        message,
      });
      return name;
    }
  }
  const rotation = `first${before.length + 1}`;
  const intent: RotationIntent = {
    vault,
    credential,
    rotation,
    cause: "first",
    message: "the credential is declared for the first time",
    requestedBy: by,
    ...(byName === undefined ? {} : { requestedByName: byName }),
    ...(trace === undefined ? {} : { trace }),
  };
  await streams.start(streamOf(intent), { kind: "Request", at, intent });
  return rotation;
}
