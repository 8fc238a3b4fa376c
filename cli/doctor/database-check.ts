// Whether the control plane's role is present in its database, as Resource Manager tells it: the login where the server takes a password, else its
// identity among the administrators. That the role works is the control plane's to say. No statement is sent.
import { physicalName } from "../../components/conventions.ts";
import { administrator } from "../../components/journal-database.ts";
import { doctorDatabaseRoleMissing } from "../../errors/doctor.ts";
import { failed, ok, unknown, type Check, type Said } from "./finding.ts";
import type { Patient } from "./patient.ts";
import { wordsOf } from "./subscription-checks.ts";

const serversVersion = "2025-08-01", database = "ballast";

async function role({ ask, settings: { subscription, resourceGroup, databaseAuthentication } }: Patient): Promise<Said> {
  const scope = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}`, name = physicalName("server", "journal", scope);
  const server = `${scope}/providers/Microsoft.DBforPostgreSQL/flexibleServers/${name}`;
  const [answer, inIt] = await Promise.all([ask("GET", server, serversVersion), ask("GET", `${server}/databases/${database}`, serversVersion)]);
  if (answer.status === 404) return unknown(`the server ${name} is not there yet: the first \`pulumi up\` makes it`);
  if (answer.status !== 200) return unknown(wordsOf(answer));
  const lacks = (what: string): Said => failed(doctorDatabaseRoleMissing({ server: name, what }));
  if (inIt.status === 404) return lacks(`database ${database}`);
  if (databaseAuthentication === "password") return answer.body.properties.administratorLogin === administrator ? ok(`${name} has the login ${administrator}`) : lacks(`login ${administrator}`);
  const identity = physicalName("identity", "control-plane", scope);
  const [principal, administrators] = await Promise.all([
    ask("GET", `${scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${identity}`, "2023-01-31"), ask("GET", `${server}/administrators`, serversVersion),
  ]);
  if (administrators.status !== 200) return unknown(wordsOf(administrators));
  const has = principal.status === 200 && (administrators.body.value as { properties: { objectId: string } }[]).some(({ properties }) => properties.objectId === principal.body.properties.principalId);
  return has ? ok(`${name} has the identity ${identity} among its administrators`) : lacks(`administrator ${identity}`);
}

/** The check of the database. */
export const databaseChecks: readonly Check<Patient>[] = [{ name: "database role", run: role }];
