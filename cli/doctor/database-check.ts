// Whether the control plane can sign in to its database, as Resource Manager tells it: the login where the server takes a password, else the
// identity of the job that makes its role, among the administrators, and that this job has run. That the role works is the control plane's to say.
import { administrator } from "../../components/journal-database.ts";
import { doctorDatabaseRoleMissing } from "../../errors/doctor.ts";
import { failed, ok, unknown, type Check, type Said } from "./finding.ts";
import type { Patient } from "./patient.ts";
import { nameOf, versions } from "./stack.ts";
import { wordsOf } from "./subscription-checks.ts";

const { servers: serversVersion } = versions, jobsVersion = "2025-07-01", database = "ballast";

async function role({ ask, stack: { database: journal } }: Patient): Promise<Said> {
  if (journal === undefined) return unknown("the stack has no JournalDatabase");
  const { server, preparedBy } = journal, name = nameOf(server);
  const [answer, inIt] = await Promise.all([ask("GET", server, serversVersion), ask("GET", `${server}/databases/${database}`, serversVersion)]);
  if (answer.status === 404) return unknown(`the server ${name} is not there yet: the first \`pulumi up\` makes it`);
  if (answer.status !== 200) return unknown(wordsOf(answer));
  const lacks = (what: string): Said => failed(doctorDatabaseRoleMissing({ server: name, what }));
  if (inIt.status === 404) return lacks(`database ${database}`);
  if (preparedBy === "password") return answer.body.properties.administratorLogin === administrator ? ok(`${name} has the login ${administrator}`) : lacks(`login ${administrator}`);
  if (preparedBy === undefined) return unknown("the stack has no DatabaseRole");
  const identity = nameOf(preparedBy.identity), job = nameOf(preparedBy.job);
  const [principal, administrators, executions] = await Promise.all([
    ask("GET", preparedBy.identity, "2023-01-31"), ask("GET", `${server}/administrators`, serversVersion),
    ask("GET", `${preparedBy.job}/executions`, jobsVersion),
  ]);
  if (administrators.status !== 200) return unknown(wordsOf(administrators));
  const has = principal.status === 200 && (administrators.body.value as { properties: { objectId: string } }[]).some(({ properties }) => properties.objectId === principal.body.properties.principalId);
  if (!has) return lacks(`administrator ${identity}`);
  const hasRun = executions.status === 200 && (executions.body.value as { properties: { status: string } }[]).some(({ properties }) => properties.status === "Succeeded");
  return hasRun ? ok(`${name} was prepared by the job ${job}`) : lacks(`role of the control plane: the job ${job} has not succeeded yet`);
}

/** The check of the database. */
export const databaseChecks: readonly Check<Patient>[] = [{ name: "database role", run: role }];
