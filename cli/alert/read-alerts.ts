// Where `ballast alert` reads alerts: from a file that holds an answer of the alerts API, or from the API itself as the
// person who runs the command.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { tokenFor } from "../../client/credential.ts";
import { reasonOf } from "../../client/requests.ts";
import { fetchDispatcher, fetchLate } from "../../connect-to.ts";
import { read } from "../../engines/form.ts";
import { parseListedAlert } from "../../engines/remediation/alerts/parse.ts";
import { type Remediations, remediationsForm } from "../../engines/remediation/declaration.ts";
import { sightingsOf } from "../../engines/remediation/sightings.ts";
import type { Sighting } from "../../engines/remediation/vocabulary.ts";
import { alertFileMalformed, planUnreadable, usageWrong } from "../../errors/cli.ts";
import { doctorAzureUnreachable } from "../../errors/doctor.ts";
import { textOf } from "../../http-answer.ts";

/** The options of every command about alerts. */
export interface AlertOptions {
  readonly alerts?: string;
  readonly subscription?: string;
  readonly resourceManager: string;
  readonly days: string;
  readonly remediations?: string;
  readonly json?: boolean;
}

/** What was read. */
export interface ReadAlerts {
  readonly alerts: readonly Sighting[];
  /** Why alerts were not understood; they are acted on by nobody. */
  readonly refused: readonly string[];
  readonly declared: Remediations;
}

const apiVersion = "2019-05-05-preview";
const pagesMax = 40;

/** Reads the alerts and what is declared. @throws cli-usage-wrong, cli-plan-unreadable, cli-alert-file-malformed */
export async function readAlerts(options: AlertOptions): Promise<ReadAlerts> {
  const declared = readDeclared(options.remediations);
  const items = options.alerts === undefined ? await fetchItems(options) : itemsIn(options.alerts);
  const { alerts, refused } = sightingsOf(
    items.map(parseListedAlert),
    declared.targets,
    declared.policies.map((policy) => ({ ...policy, rule: policy.rule.toLowerCase() })),
  );
  return { alerts: alerts.toSorted((one, other) => one.firedAt - other.firedAt), refused, declared };
}

/** Reads what is declared from a file; without one, nothing is. */
export function readDeclared(file: string | undefined): Remediations {
  if (file === undefined) return { targets: [], policies: [], objectives: [] };
  const parsed = read(remediationsForm, contentOf(file));
  if ("value" in parsed) return parsed.value;
  throw alertFileMalformed({ file, complaints: parsed.complaints });
}

function contentOf(file: string): unknown {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw planUnreadable({ file, reason: reasonOf(error) });
  }
}

function itemsIn(file: string): readonly unknown[] {
  const content = contentOf(file) as { readonly value?: unknown } | null;
  const items = Array.isArray(content) ? content : content?.value;
  if (Array.isArray(items)) return items;
  throw alertFileMalformed({ file, complaints: ["It has no list of alerts, such as the answer of the alerts API."] });
}

async function fetchItems({ subscription, resourceManager, days }: AlertOptions): Promise<readonly unknown[]> {
  if (subscription === undefined)
    throw usageWrong({ reason: "Name the alerts with --alerts <file>, or --subscription <id>." });
  if (!["1", "7", "30"].includes(days)) throw usageWrong({ reason: "--days must be 1, 7 or 30." });
  const token = tokenFor(resourceManager, { ...process.env, BALLAST_TOKEN: "" });
  const items: unknown[] = [];
  const query = `api-version=${apiVersion}&includeContext=true&timeRange=${days}d`;
  const path = `/subscriptions/${subscription}/providers/Microsoft.AlertsManagement/alerts`;
  let next: string | undefined = `${resourceManager}${path}?${query}`;
  for (let page = 0; next !== undefined && page < pagesMax; page++) {
    // A token must not be sent to wherever an answer points.
    if (!next.startsWith(`${resourceManager}/`)) throw unreachable(resourceManager, "the list continues elsewhere");
    const body = await fetchPage(next, resourceManager, await token());
    items.push(...(body.value ?? []));
    next = body.nextLink;
  }
  return items;
}

interface Page {
  readonly value?: readonly unknown[];
  readonly nextLink?: string;
}

async function fetchPage(url: string, resourceManager: string, token: string): Promise<Page> {
  try {
    const answer = await fetchLate(url, {
      headers: { authorization: `Bearer ${token}` },
      dispatcher: fetchDispatcher(),
    });
    const text = await textOf(answer.body, { bytesMax: 64 * 2 ** 20, seconds: 30 });
    if (answer.status !== 200) throw new Error(`it answered ${answer.status}`);
    return JSON.parse(text) as Page;
  } catch (error) {
    throw unreachable(resourceManager, reasonOf(error));
  }
}

const unreachable = (host: string, reason: string) => doctorAzureUnreachable({ host, reason });
