// Whether the control plane can sign in to its database, as Resource Manager tells it: the login where the server takes a password, else the
// identity of the job that makes its role, among the administrators, and that this job has run. That the role works is the control plane's to say.
import { physicalName } from "../../components/conventions.ts";
import { administrator } from "../../components/journal-database.ts";
import { doctorDatabaseRoleMissing } from "../../errors/doctor.ts";
import { failed, ok, unknown, type Check, type Said } from "./finding.ts";
import type { Patient } from "./patient.ts";
import { wordsOf } from "./subscription-checks.ts";

const serversVersion = "2025-08-01", jobsVersion = "2025-07-01", database = "ballast";

async function role({ ask, settings: { subscription, resourceGroup, databaseAuthentication } }: Patient): Promise<Said> {
  const scope = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}`, name = physicalName("server", "journal", scope);
  const server = `${scope}/providers/Microsoft.DBforPostgreSQL/flexibleServers/${name}`;
  const [answer, inIt] = await Promise.all([ask("GET", server, serversVersion), ask("GET", `${server}/databases/${database}`, serversVersion)]);
  if (answer.status === 404) return unknown(`the server ${name} is not there yet: the first \`pulumi up\` makes it`);
  if (answer.status !== 200) return unknown(wordsOf(answer));
  const lacks = (what: string): Said => failed(doctorDatabaseRoleMissing({ server: name, what }));
  if (inIt.status === 404) return lacks(`database ${database}`);
  if (databaseAuthentication === "password") return answer.body.properties.administratorLogin === administrator ? ok(`${name} has the login ${administrator}`) : lacks(`login ${administrator}`);
  const identity = physicalName("identity", "database-role", scope), job = physicalName("job", "database-role", scope);
  const [principal, administrators, executions] = await Promise.all([
    ask("GET", `${scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${identity}`, "2023-01-31"), ask("GET", `${server}/administrators`, serversVersion),
    ask("GET", `${scope}/providers/Microsoft.App/jobs/${job}/executions`, jobsVersion),
  ]);
  if (administrators.status !== 200) return unknown(wordsOf(administrators));
  const has = principal.status === 200 && (administrators.body.value as { properties: { objectId: string } }[]).some(({ properties }) => properties.objectId === principal.body.properties.principalId);
  if (!has) return lacks(`administrator ${identity}`);
  const hasRun = executions.status === 200 && (executions.body.value as { properties: { status: string } }[]).some(({ properties }) => properties.status === "Succeeded");
  return hasRun ? ok(`${name} was prepared by the job ${job}`) : lacks(`role of the control plane: the job ${job} has not succeeded yet`);
}

/** The check of the database. */
export const databaseChecks: readonly Check<Patient>[] = [{ name: "database role", run: role }];
