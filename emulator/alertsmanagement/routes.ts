// The alerts API: Microsoft.AlertsManagement/alerts of the subscription, listed, read, with their history, and with the
// state that a person gives them.
import { sameText } from "../arm/bodies.ts";
import { refusedToo, unsupported } from "../arm/refusals.ts";
import { ArmError, type ArmReply, type ArmRequest, type Cloud } from "../arm/resource.ts";
import { groupNameOf } from "../arm/resource-path.ts";
import { type Alert, alertBookOf } from "./alert-book.ts";
import { shownAlert, shownHistory } from "./payloads.ts";

const apiVersion = "2019-05-05-preview";
const pageMax = 250;
const hour = 3_600_000;
const ranges: Readonly<Record<string, number>> = { "1h": hour, "1d": 24 * hour, "7d": 168 * hour, "30d": 720 * hour };
const states = ["New", "Acknowledged", "Closed"] as const;

/** The filters that are served, by name in lower case. */
const filters: Readonly<Record<string, (alert: Alert, value: string) => boolean>> = {
  monitorcondition: ({ resolvedAt }, value) => (resolvedAt === null ? "fired" : "resolved") === value,
  alertstate: ({ state }, value) => state.toLowerCase() === value,
  severity: ({ severity }, value) => `sev${severity}` === value,
  alertrule: ({ ruleId, ruleName }, value) => ruleId.toLowerCase() === value || ruleName.toLowerCase() === value,
  targetresource: ({ targetResource }, value) => targetResource.toLowerCase() === value,
  targetresourcegroup: ({ targetResource }, value) => groupNameOf(targetResource)?.toLowerCase() === value,
};
/** What those filters may be that have fixed values. */
const choices: Readonly<Record<string, readonly string[]>> = {
  monitorcondition: ["Fired", "Resolved"],
  alertstate: states,
  severity: ["Sev0", "Sev1", "Sev2", "Sev3", "Sev4"],
};
const others = ["api-version", "timerange", "includecontext", "includeegressconfig", "pagecount", "$skiptoken"];

/** Answers a request to the alerts API; `rest` is the path below `/alerts`. @throws ArmError */
export function answerAlerts(cloud: Cloud, request: ArmRequest, rest: readonly string[]): ArmReply | undefined {
  if (request.apiVersion !== apiVersion)
    throw new ArmError(
      400,
      "InvalidApiVersionParameter",
      `The api-version '${request.apiVersion}' is invalid. The supported versions are '${apiVersion}'.`,
    );
  const [id, word, ...more] = rest;
  if (id === undefined) return request.method === "GET" ? listed(cloud, request) : undefined;
  const alert = alertBookOf(cloud)
    .alerts()
    .find((each) => each.id === id.toLowerCase());
  if (alert === undefined) throw new ArmError(404, "AlertNotFound", `The alert '${id}' could not be found.`);
  if (more.length > 0) return undefined;
  if (request.method === "GET" && word === undefined) return { status: 200, body: shownAlert(alert, true) };
  if (request.method === "GET" && word?.toLowerCase() === "history") return { status: 200, body: shownHistory(alert) };
  return request.method === "POST" && word?.toLowerCase() === "changestate"
    ? changed(cloud, alert, request)
    : undefined;
}

/** Lists alerts, the newest first. A filter that is not served is refused: its list would hold too much. */
function listed(cloud: Cloud, { origin, path, query }: ArmRequest): ArmReply {
  const asked = new Map([...query].map(([name, value]) => [name.toLowerCase(), value]));
  const unknown = [...asked.keys()].find((name) => !Object.hasOwn(filters, name) && !others.includes(name));
  if (unknown !== undefined) throw unsupported(`lists of alerts with ${unknown}`);
  const range = ranges[(asked.get("timerange") ?? "1d").toLowerCase()];
  if (range === undefined) throw refusedToo("timeRange must be 1h, 1d, 7d or 30d.");
  const since = cloud.clock.now() - range;
  const admitted = alertBookOf(cloud)
    .alerts()
    .filter((alert) => alert.lastModifiedAt >= since)
    .filter((alert) =>
      [...asked].every(([name, value]) => !Object.hasOwn(filters, name) || filters[name]!(alert, value.toLowerCase())),
    );
  const size = Number(asked.get("pagecount") ?? pageMax);
  if (!Number.isInteger(size) || size < 1 || size > pageMax) throw refusedToo(`pageCount must be 1 to ${pageMax}.`);
  const token = asked.get("$skiptoken") ?? "0";
  if (!/^\d{1,9}$/.test(token)) throw refusedToo(`The $skipToken '${token}' is of no list.`);
  for (const [name, known] of Object.entries(choices))
    if (asked.has(name) && !known.some((each) => sameText(each, asked.get(name))))
      throw refusedToo(`${name} must be ${known.join(", ")}, not '${asked.get(name)}'.`);
  const from = Number(token);
  const page = admitted.slice(from, from + size);
  const withContext = asked.get("includecontext")?.toLowerCase() === "true";
  const rest = [...query].filter(([name]) => name.toLowerCase() !== "$skiptoken");
  const next = [...rest, ["$skipToken", String(from + size)]].map((pair) => pair.map(encodeURIComponent).join("="));
  return {
    status: 200,
    body: {
      value: page.map((alert) => shownAlert(alert, withContext)),
      ...(from + size < admitted.length ? { nextLink: `${origin}${path}?${next.join("&")}` } : {}),
    },
  };
}

/** Gives an alert the state that a person chose. It changes neither its condition nor whether it fires again. */
function changed(cloud: Cloud, alert: Alert, { query, body }: ArmRequest): ArmReply {
  const wanted = states.find((state) => state.toLowerCase() === query.get("newState")?.toLowerCase());
  if (wanted === undefined) throw refusedToo("newState must be New, Acknowledged or Closed.");
  const at = cloud.clock.now();
  const comments = typeof body?.["comments"] === "string" ? { comments: String(body["comments"]) } : {};
  const after: Alert = {
    ...alert,
    state: wanted,
    lastModifiedAt: at,
    lastModifiedBy: "the caller",
    history: [...alert.history, { event: "StateChange", at, oldValue: alert.state, newValue: wanted, ...comments }],
  };
  const book = alertBookOf(cloud);
  const before = book.of(alert.ruleId);
  book.write(alert.ruleId, {
    ...before,
    alerts: before.alerts.map((each) => (each.id === alert.id ? after : each)),
  });
  return { status: 200, body: shownAlert(after, true) };
}
