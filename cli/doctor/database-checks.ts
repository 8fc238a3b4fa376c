// Whether Azure offers the database that a stack wants where it wants it, and whether the control plane can sign in to it, as Resource Manager tells it:
// the login where the server takes a password, else the identity of the job that makes its role, among the administrators, and that this job has run.
// That the role works is the control plane's to say.
import { administrator } from "../../components/platform/journal-database.ts";
import { doctorDatabaseRoleMissing, doctorDatabaseUnoffered } from "../../errors/doctor.ts";
import type { Patient } from "./context.ts";
import { type Check, failed, ok, type Said, unknown } from "./finding.ts";
import { nameOf, versions } from "./stack.ts";
import { wordsOf } from "./subscription-checks.ts";

const { servers: serversVersion } = versions;
const jobsVersion = "2025-07-01";
const database = "ballast";

async function role({ ask, stack: { database: journal } }: Patient): Promise<Said> {
  if (journal === undefined) return unknown("the stack has no JournalDatabase");
  const { server, preparedBy } = journal;
  const name = nameOf(server);
  const [answer, inIt] = await Promise.all([
    ask("GET", server, serversVersion),
    ask("GET", `${server}/databases/${database}`, serversVersion),
  ]);
  if (answer.status === 404) return unknown(`the server ${name} is not there yet: the first \`pulumi up\` makes it`);
  if (answer.status !== 200) return unknown(wordsOf(answer));
  const lacks = (what: string): Said => failed(doctorDatabaseRoleMissing({ server: name, what }));
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
  if (administrators.status !== 200) return unknown(wordsOf(administrators));
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
    : lacks(`role of the control plane: the job ${job} has not succeeded yet`);
}

/** What a region offers, as far as it is looked at. Azure says of a size what is supported as a list, or as one word. */
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

/** Says what a region lacks for a server that is wanted; undefined where it offers it. */
export function whyUnoffered(
  { version, sku, zoneRedundant }: Pick<NonNullable<Patient["stack"]["database"]>, "version" | "sku" | "zoneRedundant">,
  offered: Offered,
): string | undefined {
  if (offered.restricted === "Enabled")
    return `it offers this subscription no database server${offered.reason ? `: ${offered.reason}` : ""}`;
  const sizes = (offered.supportedServerEditions ?? [])
    .flatMap(({ supportedServerSkus = [] }) => supportedServerSkus)
    .filter(({ status }) => status !== "Disabled");
  const size = sizes.find(({ name }) => name.toLowerCase() === sku.toLowerCase());
  const alike = sizes.map(({ name }) => name).filter((name) => name.startsWith(sku.slice(0, "Standard_B".length)));
  if (size === undefined)
    return `it offers no server of size ${sku}${alike.length > 0 ? `; of this kind it has ${alike.join(", ")}` : ""}`;
  if (!(offered.supportedServerVersions ?? []).some(({ name }) => name === version))
    return `it offers no PostgreSQL ${version}`;
  return zoneRedundant && ![size.supportedHaMode ?? []].flat().includes("ZoneRedundant")
    ? `it offers no standby in another zone for ${sku}`
    : undefined;
}

async function size({ ask, stack: { database: journal, subscription, location } }: Patient): Promise<Said> {
  if (journal === undefined) return unknown("the stack has no JournalDatabase");
  const { server, version, sku, zoneRedundant } = journal;
  if ((await ask("GET", server, serversVersion)).status === 200) return ok(`${nameOf(server)} is there already`);
  const answer = await ask(
    "GET",
    `/subscriptions/${subscription}/providers/Microsoft.DBforPostgreSQL/locations/${location}/capabilities`,
    serversVersion,
  );
  const offered = answer.body?.value?.[0] as Offered | undefined;
  if (answer.status !== 200 || offered === undefined)
    return unknown(answer.status === 200 ? `${location} tells of no database servers` : wordsOf(answer));
  const why = whyUnoffered(journal, offered);
  return why === undefined
    ? ok(`${location} offers ${sku} with PostgreSQL ${version}${zoneRedundant ? " and a standby in another zone" : ""}`)
    : failed(doctorDatabaseUnoffered({ location, why }));
}

/** The checks of the database. */
export const databaseChecks: readonly Check<Patient>[] = [
  { name: "database size", run: size },
  { name: "database role", run: role },
];
