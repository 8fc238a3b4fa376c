// How each fault strikes a service of the estate, and its twin. All of them are real: a replica that hangs, a lock, a
// database that accepts no connections, a release that begins to fail.
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import type { Estate as CredentialEstate } from "../rotation/estate.ts";
import { eventually } from "../rotation/eventually.ts";
import { databases, type Estate, resourceGroup, type ServiceSpec } from "./estate.ts";
import type { IncidentSpec } from "./incidents.ts";
import type { Load } from "./load.ts";
import type { Plane } from "./plane.ts";

/** Where faults strike. */
export interface Field {
  readonly estate: Estate;
  readonly plane: Plane;
  /** Sends one request to a service. */
  readonly visit: (service: string, path: string) => Promise<void>;
  /** Aborts when the story is over. */
  readonly stop: AbortSignal;
  readonly loadOf: (service: string) => Load;
  /** The service with a credential that is rotated; undefined in the short story. */
  readonly credential: CredentialEstate | undefined;
}

/** The twin of a service, on a database of its own. */
export const twinOf = (spec: ServiceSpec): ServiceSpec => ({
  ...spec,
  name: `${spec.name}-alone`,
  database: databases.twins,
});

/** Strikes, and gives when users first felt it, and how to end what does not end by itself. */
export async function strike(
  field: Field,
  { kind, services }: IncidentSpec,
): Promise<{ readonly at: number; readonly end: () => Promise<void> }> {
  const { estate } = field;
  const [service] = services as readonly [ServiceSpec];
  const none = async (): Promise<void> => undefined;
  switch (kind) {
    case "hang": {
      const at = Date.now();
      await Promise.all([service, twinOf(service)].map(({ name }) => field.visit(name, "/wedge")));
      return { at, end: none };
    }
    case "late":
      return { at: await releaseLate(field, service), end: none };
    case "blocked": {
      const at = Date.now();
      const ends = await Promise.all(
        [databases.own, databases.twins].map((database) => estate.block(database, service.table!)),
      );
      return { at, end: async () => void (await Promise.all(ends.map((end) => end()))) };
    }
    case "dependency": {
      const at = Date.now();
      await estate.admin("postgres", `alter database ${databases.shared} allow_connections false`);
      await estate.admin(
        "postgres",
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${databases.shared}'`,
      );
      return {
        at,
        end: async () =>
          void (await estate.admin("postgres", `alter database ${databases.shared} allow_connections true`)),
      };
    }
    case "expired": {
      const at = Date.now();
      const { a } = field.credential!.credential.roles;
      await estate.admin("postgres", `alter role ${a} valid until '2020-01-01'`);
      await estate.admin("postgres", `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${a}'`);
      return { at, end: none };
    }
    case "clears":
    case "exhausted":
    case "returning":
      return { at: await firstFailure(field, service), end: none };
  }
}

/** Waits until users feel a fault that comes after a number of requests. */
function firstFailure({ loadOf, stop }: Field, { name }: ServiceSpec): Promise<number> {
  const load = loadOf(name);
  return eventually(async () => load.firstFailureAt(), "the first failed request", 240, stop);
}

/** How the release is judged: quickly, since its fault comes later than any bake of a demo. */
const judging = {
  probePath: "/",
  strategy: {
    ...defaultStrategy,
    weights: [50],
    bakeSeconds: 2,
    warmUpSeconds: 0,
    intervalSeconds: 1,
    probeSeconds: 1,
    smokeSeconds: 60,
    maximumSeconds: 180,
  },
  thresholds: { ...defaultThresholds, failurePointsMax: 20, oddsTolerated: 10, slowdownTolerated: 10 },
};

/** Releases by canary what fails only later, and gives when users first felt it. Then the twin gets the same fault. */
async function releaseLate(field: Field, service: ServiceSpec): Promise<number> {
  const { estate, plane } = field;
  const twin = twinOf(service);
  const name = (revision: string) => ({ resourceGroup, app: service.name, revision });
  const released = await estate.release(service, "two");
  const put = await plane.rollouts.put(name(released), { ...judging, release: "two" });
  if ("refused" in put) throw put.refused;
  await eventually(
    async () => {
      const { result } = (await plane.rollouts.show(name(released))) ?? {};
      if (result && result !== "promoted") throw new Error(`the release was ${result}`);
      return result === "promoted" || undefined;
    },
    "the release to be promoted",
    180,
  );
  const at = await firstFailure(field, service);
  await estate.release({ ...twin, fault: { FAULT: "errors" } }, "two", 100);
  return at;
}
