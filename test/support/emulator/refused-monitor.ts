// Action groups, alert rules and diagnostic settings that Azure refuses.
import type { Body } from "../../../emulator/arm/resource.ts";
import {
  type Case,
  environmentPath,
  groupPath,
  guid,
  here,
  idIn,
  listed,
  long,
  type Names,
  nowhere,
  own,
  vaultPath,
  workspacePath,
} from "./refused-case.ts";

/** Gives the body of an action group. */
export function people(more: Body = {}): Body {
  return { location: "global", properties: { groupShortName: "shop", enabled: true, ...more } };
}
const peopleVersion = "2024-10-01-preview";
const groupWith = (what: string, receivers: Body): Case => [
  what,
  own,
  "Microsoft.Insights/actionGroups/wrong",
  peopleVersion,
  people(receivers),
];
const logicApp = `/subscriptions/${guid(1)}/resourceGroups/g/providers/Microsoft.Logic/workflows/w`;
const runbook = { runbookName: "r", isGlobalRunbook: false };

/** Action groups. */
export const actionGroupCases: readonly Case[] = [
  ...[long(261), "question%3Fmark", "blank%20", "a%3Cb", "last%3A", "%3F"].map(
    (name): Case => [`the name ${name}`, own, `Microsoft.Insights/actionGroups/${name}`, peopleVersion, people()],
  ),
  ["an unknown region", nowhere, "Microsoft.Insights/actionGroups/a", peopleVersion, { ...people(), location: "moon" }],
  groupWith("a webhook of an application that is no GUID", {
    webhookReceivers: [{ name: "w", serviceUri: "https://x.example/y", useAadAuth: true, objectId: "me" }],
  }),
  groupWith("a country of letters", { smsReceivers: [{ name: "s", countryCode: "nl", phoneNumber: "612345678" }] }),
  groupWith("a phone of letters", { smsReceivers: [{ name: "s", countryCode: "31", phoneNumber: "six" }] }),
  groupWith("a country of five digits", {
    voiceReceivers: [{ name: "s", countryCode: "99999", phoneNumber: "612345678" }],
  }),
  groupWith("a receiver without a name", { emailReceivers: [{ name: "", emailAddress: "a@b.example" }] }),
  groupWith("a role that is no GUID", {
    armRoleReceivers: [{ name: "r", roleId: "Owner", useCommonAlertSchema: true }],
  }),
  groupWith("a function that is no resource", {
    azureFunctionReceivers: [
      { name: "f", functionAppResourceId: "/x", functionName: "f", httpTriggerUrl: "https://x.example" },
    ],
  }),
  groupWith("a logic app without an address", {
    logicAppReceivers: [{ name: "l", resourceId: logicApp, callbackUrl: "nowhere" }],
  }),
  groupWith("an event hub of no subscription", {
    eventHubReceivers: [{ name: "e", eventHubNameSpace: "x", eventHubName: "y", subscriptionId: "z" }],
  }),
  groupWith("a runbook of no account", {
    automationRunbookReceivers: [{ ...runbook, automationAccountId: "/x", webhookResourceId: "/y" }],
  }),
  groupWith("a push to no address", { azureAppPushReceivers: [{ name: "p", emailAddress: "me" }] }),
  groupWith("1001 mails", {
    emailReceivers: listed(1001, (index) => ({ name: `e${index}`, emailAddress: `a${index}@b.example` })),
  }),
  groupWith("eleven short messages", {
    smsReceivers: listed(11, (index) => ({ name: `s${index}`, countryCode: "31", phoneNumber: `61234567${index}` })),
  }),
];

const rule =
  (properties: Body, condition: Body = {}) =>
  (names: Names): Body => ({
    ...here,
    properties: {
      enabled: true,
      severity: 2,
      evaluationFrequency: "PT5M",
      windowSize: "PT5M",
      scopes: [idIn(names, workspacePath)],
      criteria: {
        allOf: [
          {
            query: "ContainerAppConsoleLogs | where Log has 'x'",
            timeAggregation: "Count",
            operator: "GreaterThan",
            threshold: 1,
            ...condition,
          },
        ],
      },
      ...properties,
    },
  });
const logRule = (what: string, body: (names: Names) => Body, code = own): Case => [
  what,
  code,
  "Microsoft.Insights/scheduledQueryRules/wrong",
  "2025-01-01-preview",
  body,
];
const dimension = (name: string): Body => ({ name, operator: "Include", values: ["*"] });

const criterion = (more: Body = {}): Body => ({
  name: "c",
  metricName: "Availability",
  operator: "LessThan",
  threshold: 90,
  timeAggregation: "Average",
  criterionType: "StaticThresholdCriterion",
  ...more,
});
const metric = (
  what: string,
  make: (names: Names) => Body,
  criteria: readonly Body[] = [criterion()],
  code = own,
): Case => [
  what,
  code,
  "Microsoft.Insights/metricAlerts/wrong",
  "2018-03-01",
  (names) => {
    const { location = "global", ...more } = make(names);
    return {
      location,
      properties: {
        enabled: true,
        severity: 1,
        scopes: [idIn(names, vaultPath)],
        evaluationFrequency: "PT1M",
        windowSize: "PT5M",
        criteria: { "odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria", allOf: criteria },
        ...more,
      },
    };
  },
];
const setting = `${environmentPath}/providers/Microsoft.Insights/diagnosticSettings/wrong`;

/** Log alert rules, metric alert rules and diagnostic settings. */
export const ruleCases: readonly Case[] = [
  logRule("a rule on two workspaces", (names) =>
    rule({ scopes: [idIn(names, workspacePath), idIn(names, workspacePath)] })(names),
  ),
  logRule("a rule on a vault, which would never fire here", (names) =>
    rule({ scopes: [idIn(names, vaultPath)] })(names),
  ),
  logRule("six action groups", (names) =>
    rule({ actions: { actionGroups: listed(6, () => idIn(names, groupPath)) } })(names),
  ),
  logRule(
    "a workspace as an action group",
    (names) => rule({ actions: { actionGroups: [idIn(names, workspacePath)] } })(names),
    "BadRequest",
  ),
  logRule("seven dimensions", rule({}, { dimensions: listed(7, (index) => dimension(`d${index}`)) })),
  logRule("a dimension twice", rule({}, { dimensions: listed(2, () => dimension("ContainerAppName")) })),
  logRule("a column of resources that is none", rule({}, { resourceIdColumn: "Nothing" })),
  logRule("a range of thirty days", rule({ overrideQueryTimeRange: "P30D" })),
  logRule(
    "six windows of a day",
    rule(
      { windowSize: "P1D", evaluationFrequency: "P1D" },
      { failingPeriods: { numberOfEvaluationPeriods: 6, minFailingPeriodsToAlert: 1 } },
    ),
  ),
  logRule("a term that 'has' does not find", rule({}, { query: "ContainerAppConsoleLogs | where Log has '--'" })),
  [
    "a rule whose name ends with a full stop",
    own,
    "Microsoft.Insights/scheduledQueryRules/dot.",
    "2025-01-01-preview",
    rule({}),
  ],
  metric(
    "a metric alert rule with six criteria",
    () => ({}),
    listed(6, (index) => criterion({ name: `c${index}` })),
  ),
  metric("a dimension of another metric", () => ({}), [criterion({ dimensions: [dimension("TransactionType")] })]),
  metric("two criteria of one name", () => ({}), [criterion(), criterion()]),
  metric("a metric alert rule in a region", () => here, undefined, nowhere),
  metric(
    "a vault as an action group",
    (names) => ({ actions: [{ actionGroupId: idIn(names, vaultPath) }] }),
    undefined,
    "BadRequest",
  ),
  metric("six action groups of a metric alert rule", (names) => ({
    actions: listed(6, () => ({ actionGroupId: idIn(names, groupPath) })),
  })),
  metric("another type than the target's", () => ({ targetResourceType: "Microsoft.App/containerApps" })),
  metric("another region than the target's", () => ({ targetResourceRegion: "eastus" })),
  ["a metric alert rule a?b", own, "Microsoft.Insights/metricAlerts/a%3Fb", "2018-03-01", { location: "global" }],
  ["a setting wrong?b", own, `${setting}%3Fb`, "2021-05-01-preview", { properties: {} }],
  ["a PATCH of a setting", "HttpMethodNotAllowed", setting, "2021-05-01-preview", { properties: {} }, "PATCH"],
];
