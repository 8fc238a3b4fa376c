// Scenarios of rotations: the credential and the request, what the world does and when, and the expected journal.
import { read as readForm } from "../../../engines/form.ts";
import { completedCredential, type Slot } from "../../../engines/rotation/declaration.ts";
import type { AskedRotation } from "../../../engines/rotation/intent.ts";
import { isNoteworthy, messageOf } from "../../../engines/rotation/tell.ts";
import type { Credential, RotationEffect, RotationEvent, SignalName } from "../../../engines/rotation/vocabulary.ts";
import { duration, type Instant, secondsBetween } from "../../../engines/time.ts";
import { readScenario, readScenarios, refuseUnknown, rewriteScenario, type ScenarioFile } from "./scenario-file.ts";

/** When every scenario begins. */
export const start: Instant = Date.parse("2026-01-05T09:00:00Z");

/** A reader of the published secret, or of a slot that it has kept. */
export interface Reader {
  readonly who: string;
  /** The slot whose role it logs in with; without it, the one that was published when it last looked. */
  readonly slot?: Slot;
  readonly everyMinutes: number;
  /** How long after a publication it goes on with the version before. */
  readonly lagMinutes?: number;
  readonly fromMinutes?: number;
  readonly untilMinutes?: number;
}

/** An effect that fails a number of times. */
interface Fault {
  readonly effect: RotationEffect["kind"];
  /** Which time it fails first, from 1. */
  readonly at?: number;
  readonly times: number;
  readonly reason: string;
  /** Whether the write landed although its answer was lost. */
  readonly landed?: boolean;
}

/** What another client does. */
export interface Interference {
  readonly atMinutes: number;
  readonly publishes?: Slot;
  readonly makes?: Slot;
  /** Deletes a secret, which the vault keeps for a while. */
  readonly deletes?: Slot | "published";
  readonly recovers?: Slot | "published";
  /** Gives the traffic of the first consumer by hand to a revision of a slot. */
  readonly serves?: Slot;
}

/** A release whose revision logs in with slot a. */
interface Release {
  readonly app: string;
  readonly atMinutes: number;
  /** When it ends, if it has started by then. */
  readonly untilMinutes: number;
  /** Whether its revision gets all traffic in the end. */
  readonly promoted?: boolean;
}

export interface RotationScenario {
  readonly name: string;
  readonly credential: Credential;
  readonly asked: AskedRotation;
  readonly world: {
    /** `unpublished`: the slots have versions, of an earlier declaration or of a person. */
    readonly before: "seeded" | "empty" | "disabled" | "unpublished";
    /** How the rollouts of each app end, one after another; the last one for all further ones. */
    readonly rollouts: Readonly<Record<string, readonly string[]>>;
    readonly rolloutMinutes: number;
    /** Until when another rollout holds an app. */
    readonly busy: Readonly<Record<string, number>>;
    readonly readers: readonly Reader[];
    /** Until when sessions of the old role stay open. */
    readonly sessionsUntilMinutes: number;
    readonly missing: readonly string[];
    /** How many logins with a new version are refused. */
    readonly refusals: number;
    /** Whether the log of logins is silent until a moment. */
    readonly silentUntilMinutes: number;
    /** By how many seconds the server's clock is ahead of the control plane's. */
    readonly serverAheadSeconds: number;
    /** How long a row takes until the log of logins shows it. */
    readonly logLagSeconds: number;
    /** By how many seconds a copy of the database is behind, from which consumers and readers log in. */
    readonly copyBehindSeconds: number;
    /** How long after the start the published version becomes valid; undefined if it does not say. */
    readonly validFromSeconds: number | undefined;
    /** Requests for a rotation that come beside the first one, each with the name of its rotation. */
    readonly again: readonly { readonly atMinutes: number; readonly rotation: string }[];
    /** Apps whose serving revision names another slot, or none. */
    readonly astray: Readonly<Record<string, Slot | null>>;
    /** Releases of revisions from before the cut-over that are tried again. */
    readonly releases: readonly Release[];
    readonly faults: readonly Fault[];
    /** What a program declares otherwise from a moment on. */
    readonly redeclared: readonly { readonly atMinutes: number; readonly change: Partial<Credential> }[];
    readonly others: readonly Interference[];
    readonly signals: readonly {
      readonly atMinutes: number;
      readonly signal: SignalName;
      readonly by: string;
      readonly message: string;
    }[];
  };
  readonly expected: string;
}

/** Reads every scenario of the folder, in the order of their names. */
export const scenarios = (): readonly RotationScenario[] => readScenarios("rotation").map(read);

/** Gives a scenario by its name. */
export const scenarioOf = (name: string): RotationScenario => read(readScenario("rotation", `${name}.yaml`));

const quiet = { before: "seeded", rollouts: {}, rolloutMinutes: 30, busy: {}, readers: [], sessionsUntilMinutes: 0 };
const beside = {
  serverAheadSeconds: 0,
  logLagSeconds: 0,
  copyBehindSeconds: 0,
  validFromSeconds: undefined,
  again: [],
};
const well = {
  missing: [],
  refusals: 0,
  silentUntilMinutes: 0,
  ...beside,
  astray: {},
  releases: [],
  faults: [],
  redeclared: [],
  others: [],
  signals: [],
};

function read({ file, name, asked, world, expected }: ScenarioFile): RotationScenario {
  const { cause, dueVersion, apps, ...rest } = asked;
  const known = { ...quiet, ...well };
  refuseUnknown(file, world, Object.keys(known));
  return {
    name,
    credential: credentialOf(file, apps ?? ["storefront"], rest),
    asked: { cause: cause ?? "due", message: "it expires", ...(dueVersion === undefined ? {} : { dueVersion }) },
    world: { ...known, ...world } as RotationScenario["world"],
    expected,
  };
}

function credentialOf(file: string, apps: readonly string[], given: object): Credential {
  const parsed = readForm(completedCredential, {
    vault: "kv",
    credential: "database",
    server: "shop.postgres.database.azure.com",
    database: "shop",
    roles: { a: "shop_a", b: "shop_b" },
    consumers: apps.map((app) => ({ resourceGroup: "shop", app })),
    ...given,
  });
  if ("value" in parsed) return parsed.value;
  throw new Error(`${file}: ${parsed.complaints.join(" ")}`);
}

/** Renders a journal as the third document of a scenario: time, fact and message. */
export const render = (events: readonly RotationEvent[]): string =>
  events
    .filter(isNoteworthy)
    .map(
      (event) =>
        `${duration(secondsBetween(start, event.at)).padStart(8)}  ${event.kind.padEnd(16)} ${messageOf(event)}\n`,
    )
    .join("");

/** Replaces the expected journal of a scenario by an actual one. */
export const rewrite = ({ name }: RotationScenario, journal: string): void =>
  rewriteScenario("rotation", name, journal);
