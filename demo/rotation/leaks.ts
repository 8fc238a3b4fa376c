// Where a password might have been left: logs, telemetry, journals, tables, views of the server and command lines. The
// vault and the apps that got it from there are the only places in which it may be.
import fs from "node:fs";
import pg from "pg";
import { passwordIn } from "../../controlplane/adapters/credentials/password-in.ts";
import { slotSecret, slots } from "../../engines/rotation/declaration.ts";
import type { Estate } from "./estate.ts";
import type { Planes } from "./planes.ts";
import type { Scene } from "./rotate.ts";
import { telemetrySent } from "./telemetry-sent.ts";

/** A text with the name of its place. */
interface Source {
  readonly name: string;
  readonly text: string;
}

/** Checks that no password is anywhere but in the vault, and gives where one is. */
export async function checkLeaks({ setting: { timeline, stop }, estate, planes }: Scene): Promise<readonly string[]> {
  const passwords = await passwordsOf(estate);
  const sources = await placesToLook(estate, planes, stop);
  const leaks = leaksIn(sources, passwords);
  timeline.check(
    leaks.length === 0,
    leaks.length === 0
      ? `none of ${passwords.length} passwords is in ${sources.map(({ name }) => name).join(", ")}`
      : `passwords were found: ${leaks.join("; ")}`,
  );
  return leaks;
}

/** Gives every password that the credential ever had. One that stands alone in its slot is published in a URI. */
async function passwordsOf({ versions, credential: { credential, form } }: Estate): Promise<readonly string[]> {
  const inSlots = (await Promise.all(slots.map((slot) => versions(slotSecret(credential, slot))))).flat();
  const published = await versions(credential);
  const found = [
    ...inSlots.map(({ value = "" }) => passwordIn(form, value)),
    ...published.map(({ value = "" }) => passwordIn(form === "apart" ? "uri" : form, value)),
  ];
  // One that cannot be read could not be looked for, and the search would be worth nothing.
  if (found.includes(undefined)) throw new Error(`a version of ${credential} has no password in the form ${form}`);
  return [...new Set(found as readonly string[])];
}

/** Reads every place. */
async function placesToLook(estate: Estate, planes: Planes, stop: AbortSignal): Promise<readonly Source[]> {
  const { admin, postgres } = estate;
  const rows = async (statement: string): Promise<string> => JSON.stringify(await admin(statement));
  const telemetry = await telemetrySent(estate, planes, stop);
  return [
    { name: "the logs of the control planes", text: planes.said().join("\n") },
    { name: "their journal and the tables of DBOS", text: await everyTable(postgres.url("postgres")) },
    { name: `their telemetry (${telemetry.counts})`, text: telemetry.text },
    { name: "the app's tables", text: await everyTable(postgres.url(estate.credential.database)) },
    { name: "the server's log", text: await serverLog(admin) },
    { name: "pg_stat_activity", text: await rows("select * from pg_stat_activity") },
    { name: "pg_stat_statements", text: await rows("select * from pg_stat_statements") },
    { name: "the command lines of all processes", text: commandLines() },
    { name: "the state of Pulumi, its plan and all that it printed", text: estate.program.written() },
  ];
}

/** Gives each password that is in a place, by its number, as it is, in a URL and in base64. */
const leaksIn = (sources: readonly Source[], passwords: readonly string[]): readonly string[] =>
  sources.flatMap(({ name, text }) =>
    passwords.flatMap((password, index) => {
      const forms = [password, encodeURIComponent(password), Buffer.from(password).toString("base64")];
      return forms.some((form) => text.includes(form)) ? [`password ${index + 1} in ${name}`] : [];
    }),
  );

/** Gives every row of every table that is not the server's own. */
async function everyTable(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      "select format('%I.%I', schemaname, tablename) as name from pg_tables " +
        "where schemaname not in ('pg_catalog', 'information_schema')",
    );
    const texts: string[] = [];
    for (const { name } of tables)
      texts.push(JSON.stringify((await client.query(`select each::text from ${name} each`)).rows));
    return texts.join("\n");
  } finally {
    await client.end();
  }
}

async function serverLog(admin: Estate["admin"]): Promise<string> {
  const files = await admin("select name from pg_ls_logdir()");
  const texts = await Promise.all(files.map(({ name }) => admin("select pg_read_file('log/' || $1) as text", [name])));
  return texts.map(([row]) => String(row?.["text"])).join("\n");
}

/** Gives the command lines of all processes; none where the machine does not show them as files. */
function commandLines(): string {
  if (!fs.existsSync("/proc")) return "";
  const lines: string[] = [];
  for (const id of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      lines.push(fs.readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " "));
    } catch {
      // The process ended between the two reads.
    }
  }
  return lines.join("\n");
}
