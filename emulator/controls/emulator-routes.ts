// The emulator's own routes: request rows, replica logs, processes and killing them, the ingestion lag, quirks, what is
// due, what was delivered, and what was accepted without effect. They are for tests and demonstrations; Azure has
// nothing under /_emulator.
import { validateHeaderName, validateHeaderValue } from "node:http";
import { runtimeOf } from "../app/app-runtime.ts";
import { jobProcesses } from "../app/job-executions.ts";
import { type KeptRow, requestRows, rowFrom } from "../app/request-rows.ts";
import type { AppRuntime } from "../app/revisions.ts";
import { ArmError, type ArmReply, type ArmRequest, type Body, type Cloud } from "../arm/resource.ts";
import { typeNamed } from "../arm/resource-path.ts";
import { allAppRoles, appRolesIn, assignAppRoles } from "../authorization/app-roles.ts";
import { isKeySet, issuersOf } from "../authorization/federated-sign-in.ts";
import { type Delivery, deliveriesOf, type Order } from "../delivery/deliveries.ts";
import { policies } from "../delivery/policies.ts";
import { resourceTypes } from "../resource-types.ts";
import { measureStarvation } from "../starvation.ts";
import { presentQuirks, setQuirks } from "./quirks-in-force.ts";
import { refuse } from "./refuse.ts";
import { schedulerOf } from "./scheduler.ts";

type EmulatorRequest = Pick<ArmRequest, "method" | "path" | "query" | "body">;

/**
 * Makes the function that answers these routes below `/_emulator/`; it gives undefined for any other:
 *
 * `GET rows?app=&since=&failed=true` · `POST rows {rows}` · `DELETE rows` · `GET logs?app=&since=` · `GET processes`
 * · `GET starvation` (measured from the first time on) · `POST kill {app, signal}` · `POST ingestion {lagSeconds}` ·
 * `GET quirks` · `POST quirks {<name>: true or false}` · `GET schedule` · `GET deliveries` ·
 * `POST deliveries {to, body, policy}` · `POST issuers {issuer, keys}` ·
 * `POST app-roles {principalId, audience, roles}` · `GET inert`. `since` is milliseconds or an ISO text.
 */
export function emulatorRoutes(cloud: Cloud): (request: EmulatorRequest) => Promise<ArmReply | undefined> {
  let starvation: ReturnType<typeof measureStarvation> | undefined;
  return async ({ method, path, query, body = {} }) => {
    switch (`${method} ${path.replace(/^\/_emulator\//, "").replace(/\/$/, "")}`) {
      case "GET rows":
        return { status: 200, body: { rows: readRows(cloud, query) } };
      case "DELETE rows":
        return { status: 200, body: { forgotten: requestRows(cloud).forget() } };
      case "POST rows":
        return { status: 200, body: { kept: putRows(cloud, body) } };
      case "GET logs":
        return {
          status: 200,
          body: {
            lines: runtimeOf(cloud)
              .logs.read(query.get("app") ?? undefined, instant(query.get("since")))
              .map((line) => ({ ...line, at: new Date(line.at).toISOString() })),
          },
        };
      case "GET processes":
        return {
          status: 200,
          body: { processes: [...[...runtimeOf(cloud).apps.values()].flatMap(processesOf), ...jobProcesses(cloud)] },
        };
      case "GET starvation":
        starvation ??= measureStarvation(() => runningIn(cloud));
        return { status: 200, body: { processes: starvation() } };
      case "POST kill":
        return { status: 200, body: { pids: kill(cloud, body) } };
      case "POST ingestion":
        requestRows(cloud).lagSeconds = lagFrom(body);
        return { status: 200, body: { lagSeconds: requestRows(cloud).lagSeconds } };
      case "GET schedule":
        return {
          status: 200,
          body: {
            due: schedulerOf(cloud)
              .due()
              .map(({ key, at }) => ({ key, at: new Date(at).toISOString() })),
          },
        };
      case "GET deliveries":
        return { status: 200, body: { deliveries: deliveriesOf(cloud).journal().map(presentDelivery) } };
      case "POST deliveries":
        return { status: 202, body: { id: deliveriesOf(cloud).send(orderFrom(body)) } };
      case "POST issuers":
        addIssuer(cloud, body);
        return { status: 200, body: { issuers: [...issuersOf(cloud.store).keys()] } };
      case "POST app-roles":
        addAppRoles(cloud, body);
        return { status: 200, body: { assigned: allAppRoles(cloud.store) } };
      case "GET inert":
        return { status: 200, body: { resources: inertFields(cloud) } };
      case "GET quirks":
        return { status: 200, body: { quirks: presentQuirks(cloud) } };
      case "POST quirks":
        setQuirks(cloud, body);
        return { status: 200, body: { quirks: presentQuirks(cloud) } };
      default:
        return undefined;
    }
  };
}

/** Gives what clients have set on resources and has no effect here, with the reason. */
const inertFields = (cloud: Cloud): readonly Body[] =>
  cloud.store.list().flatMap(({ type, body, inert = [] }) => {
    const { fields, inertValues } = typeNamed(resourceTypes, type) ?? {};
    const all = [...inert.map((field) => ({ field, why: fields?.inert[field] ?? "" })), ...(inertValues?.(body) ?? [])];
    return all.length === 0 ? [] : [{ id: body["id"], fields: all }];
  });

function addIssuer({ store }: Cloud, { issuer, keys }: Body): void {
  if (typeof issuer !== "string" || !/^https:/i.test(issuer) || !isKeySet(keys))
    refuse("An issuer is {issuer, keys}: an address with https, and a JSON Web Key Set of public RSA keys.");
  else issuersOf(store).set(issuer, keys);
}

function addAppRoles({ store }: Cloud, body: Body): void {
  const given = appRolesIn(body);
  if (given === undefined) refuse("App roles are {principalId, audience, roles}: two texts, and a list of texts.");
  else assignAppRoles(store, given);
}

function orderFrom({ to, body, headers = {}, policy = "eventGrid", deadLetter = false }: Body): Order {
  if (typeof to !== "string" || typeof body !== "string" || !Object.hasOwn(policies, policy))
    return refuse(`A delivery takes {to, body, policy}: two texts, and one of ${Object.keys(policies).join(", ")}.`);
  requireHeaders(headers);
  return { to, body, headers, policy, deadLetter: deadLetter === true };
}

/** Refuses headers that HTTP has not: a delivery with them could not even be sent. @throws ArmError 400 */
function requireHeaders(headers: unknown): void {
  if (typeof headers !== "object" || headers === null) return refuse("headers must be an object of texts.");
  try {
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value as string);
    }
  } catch (error) {
    refuse(`A header of a delivery is none of HTTP: ${(error as NodeJS.ErrnoException).code}.`);
  }
}

/** Gives a delivery without its body and headers, which may hold secrets. */
const presentDelivery = ({ body: _body, headers: _headers, madeAt, attempts, ...delivery }: Delivery): Body => ({
  ...delivery,
  madeAt: new Date(madeAt).toISOString(),
  attempts: attempts.map((attempt) => ({ ...attempt, at: new Date(attempt.at).toISOString() })),
});

function instant(text: string | null): number {
  if (!text) return 0;
  const at = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isNaN(at) ? refuse(`"${text}" is neither milliseconds nor an ISO date.`) : at;
}

function lagFrom({ lagSeconds }: Body): number {
  if (typeof lagSeconds === "number" && lagSeconds >= 0) return lagSeconds;
  return refuse(`lagSeconds must be a number from 0, not ${JSON.stringify(lagSeconds)}.`);
}

/** Reports whether a request failed for its user: 5xx, or no answer. */
const failed = ({ StatusCode }: KeptRow): boolean => StatusCode >= 500 || StatusCode === 0;

function readRows(cloud: Cloud, query: URLSearchParams): readonly Body[] {
  const app = query.get("app");
  const since = instant(query.get("since"));
  const onlyFailed = query.get("failed") === "true";
  return requestRows(cloud)
    .visible(undefined)
    .filter(
      (row) => row.TimeGenerated >= since && (!app || row.ContainerAppName === app) && (!onlyFailed || failed(row)),
    )
    .map((row) => ({
      ...row,
      TimeGenerated: new Date(row.TimeGenerated).toISOString(),
      StartTime: new Date(row.StartTime).toISOString(),
      visibleAt: new Date(row.visibleAt).toISOString(),
    }));
}

function putRows(cloud: Cloud, body: Body): number {
  const rows: unknown = body["rows"];
  if (!Array.isArray(rows) || rows.some((row) => typeof row !== "object" || row === null))
    return refuse("rows must be a list of rows.");
  requestRows(cloud).put(rows.map((row: Body) => rowFrom(row, cloud)));
  return rows.length;
}

/** Lists the processes of all apps that run now. */
const runningIn = (cloud: Cloud): readonly { readonly app: string; readonly pid: number }[] =>
  [...runtimeOf(cloud).apps.values()]
    .flatMap(processesOf)
    .flatMap(({ app, pid }) => (pid === null ? [] : [{ app, pid }]));

const processesOf = (app: AppRuntime): readonly Body[] =>
  app.revisions.flatMap((revision) =>
    (revision.set?.replicas ?? []).flatMap(({ name, containers }) =>
      containers.map((container) => ({
        app: app.name,
        revision: revision.name,
        replica: name,
        container: container.name,
        pid: container.pid ?? null,
        port: container.port,
        ready: container.ready,
        restarts: container.restarts,
        lastEnd: container.lastEnd,
      })),
    ),
  );

/** Sends a signal to an app's processes: those of one revision, or of all. Gives their ids. */
function kill(cloud: Cloud, { app: name, revision, signal = "SIGKILL" }: Body): readonly number[] {
  const app = [...runtimeOf(cloud).apps.values()].find((each) => each.name === name);
  if (!app) throw new ArmError(404, "ResourceNotFound", `No container app '${name}' is running.`);
  return app.revisions
    .filter((each) => revision === undefined || each.name === revision)
    .flatMap((each) => each.set?.kill(signal as NodeJS.Signals) ?? []);
}
