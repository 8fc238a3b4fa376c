// Checks of the journal's database: whether the region offers the server that the stack configures, and whether the
// control plane can sign in to it. With password sign-in that takes the login; with Entra sign-in, an administrator
// that is the identity of the job `database-role`, and a run of that job that succeeded.
import { administrator } from "../../components/platform/journal-database.ts";
import { doctorDatabaseRoleMissing, doctorDatabaseUnoffered } from "../../errors/doctor.ts";
import { messageOf } from "./azure-answer.ts";
import type { Context } from "./context.ts";
import { type Check, type CheckResult, failed, ok, unknown } from "./finding.ts";
import { nameOf, versions } from "./stack.ts";

const { servers: serversVersion } = versions;
const jobsVersion = "2025-07-01";
const database = "ballast";

async function role({ ask, stack: { database: journal } }: Context): Promise<CheckResult> {
  if (journal === undefined) return unknown("the stack has no JournalDatabase");
  const { server, preparedBy } = journal;
  const name = nameOf(server);
  const [answer, inIt] = await Promise.all([
    ask("GET", server, serversVersion),
    ask("GET", `${server}/databases/${database}`, serversVersion),
  ]);
  if (answer.status === 404)
    return unknown(`the server ${name} does not exist yet: the first \`pulumi up\` creates it`);
  if (answer.status !== 200) return unknown(messageOf(answer));
  const lacks = (what: string): CheckResult => failed(doctorDatabaseRoleMissing({ server: name, what }));
  if (inIt.status === 404) return lacks(`database ${database}`);
  if (preparedBy === "password")
    return answer.body.properties.administratorLogin === administrator
      ? ok(`${name} has the login ${administrator}`)
      : lacks(`login ${administrator}`);
  if (preparedBy === undefined) return unknown("the stack has no DatabaseRole");
  const identity = nameOf(preparedBy.identity);
  const job = nameOf(preparedBy.job);
  const [principal, administrators, executions] = await Promise.all([
    ask("GET", preparedBy.identity, "2023-01-31"),
    ask("GET", `${server}/administrators`, serversVersion),
    ask("GET", `${preparedBy.job}/executions`, jobsVersion),
  ]);
  if (administrators.status !== 200) return unknown(messageOf(administrators));
  const has =
    principal.status === 200 &&
    (administrators.body.value as { properties: { objectId: string } }[]).some(
      ({ properties }) => properties.objectId === principal.body.properties.principalId,
    );
  if (!has) return lacks(`administrator ${identity}`);
  const hasRun =
    executions.status === 200 &&
    (executions.body.value as { properties: { status: string } }[]).some(
      ({ properties }) => properties.status === "Succeeded",
    );
  return hasRun
    ? ok(`${name} was prepared by the job ${job}`)
    : lacks(`role of the control plane, because the job ${job} has not succeeded yet`);
}

/** The part of a region's capabilities that is read here. `supportedHaMode` may be a list or one string. */
interface Offered {
  readonly restricted?: string;
  readonly reason?: string;
  readonly supportedServerEditions?: readonly {
    readonly supportedServerSkus?: readonly {
      readonly name: string;
      readonly status?: string;
      readonly supportedHaMode?: string | readonly string[];
    }[];
  }[];
  readonly supportedServerVersions?: readonly { readonly name: string }[];
}

/** Gives why a region does not offer the configured server; undefined if it does. */
export function whyUnoffered(
  { version, sku, zoneRedundant }: Pick<NonNullable<Context["stack"]["database"]>, "version" | "sku" | "zoneRedundant">,
  offered: Offered,
): string | undefined {
  if (offered.restricted === "Enabled")
    return `this subscription may not create database servers there${offered.reason ? `: ${offered.reason}` : ""}`;
  const sizes = (offered.supportedServerEditions ?? [])
    .flatMap(({ supportedServerSkus = [] }) => supportedServerSkus)
    .filter(({ status }) => status !== "Disabled");
  const match = sizes.find(({ name }) => name.toLowerCase() === sku.toLowerCase());
  const family = sku.slice(0, "Standard_B".length);
  const alike = sizes.map(({ name }) => name).filter((name) => name.startsWith(family));
  if (match === undefined)
    return `the region has no size ${sku}${alike.length > 0 ? `; similar sizes: ${alike.join(", ")}` : ""}`;
  if (!(offered.supportedServerVersions ?? []).some(({ name }) => name === version))
    return `the region has no PostgreSQL ${version}`;
  return zoneRedundant && ![match.supportedHaMode ?? []].flat().includes("ZoneRedundant")
    ? `the region offers no standby in another zone for ${sku}`
    : undefined;
}

async function size({ ask, stack: { database: journal, subscription, location } }: Context): Promise<CheckResult> {
  if (journal === undefined) return unknown("the stack has no JournalDatabase");
  const { server, version, sku, zoneRedundant } = journal;
  if ((await ask("GET", server, serversVersion)).status === 200) return ok(`${nameOf(server)} already exists`);
  const answer = await ask(
    "GET",
    `/subscriptions/${subscription}/providers/Microsoft.DBforPostgreSQL/locations/${location}/capabilities`,
    serversVersion,
  );
  const offered = answer.body?.value?.[0] as Offered | undefined;
  if (answer.status !== 200 || offered === undefined)
    return unknown(answer.status === 200 ? `${location} reports no database servers` : messageOf(answer));
  const why = whyUnoffered(journal, offered);
  return why === undefined
    ? ok(`${location} offers ${sku} with PostgreSQL ${version}${zoneRedundant ? " and a standby in another zone" : ""}`)
    : failed(doctorDatabaseUnoffered({ location, why }));
}

/** The checks of the database. */
export const databaseChecks: readonly Check<Context>[] = [
  { name: "database size", run: size },
  { name: "database role", run: role },
];
