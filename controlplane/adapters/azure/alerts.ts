// The alerts API by plain REST: Microsoft's client for it is deprecated, and one GET needs none. The pipeline is that
// of the other clients, with their identity, network route and time limits.
import { createDefaultHttpClient, createPipelineRequest, type HttpClient } from "@azure/core-rest-pipeline";
import type { Result } from "../../../engines/engine.ts";
import type { ParsedAlert } from "../../../engines/remediation/alerts/alert.ts";
import { parseListedAlert } from "../../../engines/remediation/alerts/parse.ts";
import { sightingsOf } from "../../../engines/remediation/sightings.ts";
import type { Declared, Policy } from "../../../engines/remediation/vocabulary.ts";
import { secondsBetween } from "../../../engines/time.ts";
import type { Alerts } from "../../performers/remediation-ports.ts";
import type { Connection } from "./connection.ts";
import { ask, failureOf, type Patience } from "./trouble.ts";

const apiVersion = "2019-05-05-preview";
/** A list that is longer is not read to its end: what is missing is said to be missing, except critical alerts. */
const pagesMax = 8;
const critical = "&severity=Sev0&monitorCondition=Fired";
const day = 86_400;

/** Where alerts are listed, and what they may be about. */
export interface AlertsSetting {
  readonly connection: Pick<Connection, "apps">;
  readonly patience: Patience;
  readonly resourceManager: string;
  readonly subscription: string;
  readonly graph: readonly Declared[];
  readonly policies: readonly Policy[];
  readonly now: () => number;
  readonly log: (message: string) => void;
}

/** Opens the alerts of a subscription. */
export function createAlerts(setting: AlertsSetting): Alerts {
  const client = createDefaultHttpClient();
  const told = new Set<string>();
  return {
    list: async (since, cancel) => {
      const seconds = secondsBetween(since, setting.now());
      const found = await fetchPages(setting, client, seconds, "", cancel);
      if (!found.ok) return found;
      const { items, isWhole } = found.value;
      // The newest come first, so a storm pushes a critical alert off the last page.
      const urgent = isWhole ? undefined : await fetchPages(setting, client, seconds, critical, cancel);
      if (urgent?.ok === false) return urgent;
      const parsed = [...items, ...(urgent?.value.items ?? [])].map(parseListedAlert);
      const seen = sightingsOf(onceEach(parsed), setting.graph, setting.policies);
      for (const refused of seen.refused.filter((each) => !told.has(each))) {
        told.add(refused);
        setting.log(`an alert is not acted on: ${refused}`);
      }
      return { ok: true, value: { alerts: seen.alerts, leftOut: isWhole ? 0 : 1 } };
    },
  };
}

/** Leaves out an alert that both lists have. */
function onceEach(parsed: readonly ParsedAlert[]): readonly ParsedAlert[] {
  const seen = new Set<string>();
  return parsed.filter((each) => {
    if (!("alert" in each)) return true;
    const isFirst = !seen.has(each.alert.id);
    seen.add(each.alert.id);
    return isFirst;
  });
}

interface Pages {
  readonly items: readonly unknown[];
  readonly isWhole: boolean;
}

async function fetchPages(
  { connection, patience, resourceManager, subscription }: AlertsSetting,
  client: HttpClient,
  seconds: number,
  filter: string,
  cancel: AbortSignal,
): Promise<Result<Pages>> {
  const query = `api-version=${apiVersion}&includeContext=true&timeRange=${seconds <= day ? "1d" : "7d"}${filter}`;
  const path = `/subscriptions/${subscription}/providers/Microsoft.AlertsManagement/alerts`;
  const items: unknown[] = [];
  let next: string | undefined = `${resourceManager}${path}?${query}`;
  for (let page = 0; next !== undefined && page < pagesMax; page++) {
    const url: string = next;
    const answered = await ask(patience, cancel, (abortSignal) => fetchPage(connection, client, url, abortSignal));
    if (!answered.ok) return failureOf(`the alerts cannot be read: ${answered.reason}`, answered.trouble);
    items.push(...answered.value.items);
    next = answered.value.next;
    // A token must not be sent to wherever an answer points.
    if (next !== undefined && !next.startsWith(`${resourceManager}/`))
      return { ok: false, reason: "the list of alerts continues at another host" };
  }
  return { ok: true, value: { items, isWhole: next === undefined } };
}

async function fetchPage(
  { apps }: Pick<Connection, "apps">,
  client: HttpClient,
  url: string,
  abortSignal: AbortSignal,
) {
  const response = await apps.pipeline.sendRequest(client, createPipelineRequest({ url, abortSignal }));
  if (response.status !== 200)
    throw Object.assign(new Error(`status ${response.status}`), { statusCode: response.status, response });
  const body = JSON.parse(response.bodyAsText ?? "") as { readonly value?: unknown; readonly nextLink?: unknown };
  if (!Array.isArray(body.value)) throw new Error("the answer has no list of alerts");
  return {
    items: body.value as readonly unknown[],
    next: typeof body.nextLink === "string" ? body.nextLink : undefined,
  };
}
