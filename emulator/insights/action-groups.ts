// Microsoft.Insights/actionGroups: who is notified when an alert fires. A group is checked when it is written;
// alertsmanagement/rules.ts sends to its webhooks.
import { firstTwice } from "../arm/bodies.ts";
import { isGuid } from "../arm/names.ts";
import { refusedToo } from "../arm/refusals.ts";
import { ArmError, type Body, type ResourceType, type Store } from "../arm/resource.ts";
import { actionGroupFields } from "./fields.ts";

const shortNameMax = 12;

// Learn: "Action groups" and "Azure Monitor service limits": the most receivers of each kind in one group.
const receiversMax: { readonly [kind: string]: number } = {
  ...{ armRole: 10, automationRunbook: 10, azureAppPush: 10, azureFunction: 10, email: 1000, eventHub: 10 },
  ...{ itsm: 10, logicApp: 10, sms: 10, voice: 10, webhook: 10 },
};

type Test = (value: unknown) => boolean;
const matches =
  (pattern: RegExp): Test =>
  (value) =>
    typeof value === "string" && pattern.test(value);
const isAddress = matches(/^[^\s@]+@[^\s@]+\.[^\s@]+$/);
const isWebAddress: Test = (value) =>
  typeof value === "string" && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
const isResourceId = matches(/^\/subscriptions\/[0-9a-f-]{36}\/resourceGroups\/[^/]+\/providers\/[^/]+(\/[^/]+){2,}$/i);
const [isCountry, isPhone] = [matches(/^\d{1,3}$/), matches(/^\d{4,15}$/)];

/** What the fields of receivers may be: kind, field, what it must be, and the test. */
const receiverFields: readonly (readonly [kind: string, field: string, says: string, test: Test])[] = [
  ["email", "emailAddress", "an e-mail address", isAddress],
  ["azureAppPush", "emailAddress", "an e-mail address", isAddress],
  ["sms", "countryCode", "a country's number", isCountry],
  ["sms", "phoneNumber", "a phone number", isPhone],
  ["voice", "countryCode", "a country's number", isCountry],
  ["voice", "phoneNumber", "a phone number", isPhone],
  ["webhook", "serviceUri", "a URI of http or https", isWebAddress],
  ["webhook", "objectId", "a GUID", isGuid],
  ["webhook", "tenantId", "a GUID", isGuid],
  ["armRole", "roleId", "a GUID", isGuid],
  ["logicApp", "resourceId", "the id of a resource", isResourceId],
  ["logicApp", "callbackUrl", "a URI of http or https", isWebAddress],
  ["azureFunction", "functionAppResourceId", "the id of a resource", isResourceId],
  ["azureFunction", "httpTriggerUrl", "a URI of http or https", isWebAddress],
  ["automationRunbook", "automationAccountId", "the id of a resource", isResourceId],
  ["automationRunbook", "webhookResourceId", "the id of a resource", isResourceId],
  ["eventHub", "subscriptionId", "a GUID", isGuid],
];

/** Checks the receivers of one kind. @throws ArmError 400 */
function checkReceivers(kind: string, receivers: readonly Body[]): void {
  const most = receiversMax[kind];
  if (most !== undefined && receivers.length > most)
    throw refusedToo(`An action group has at most ${most} ${kind}Receivers, not ${receivers.length}.`);
  for (const [, field, says, test] of receiverFields.filter(([of]) => of === kind))
    for (const { name, [field]: value } of receivers)
      if (value !== undefined && value !== null && !test(value))
        throw refusedToo(`The ${field} '${value}' of the receiver '${name}' is not ${says}.`);
}

/** The most action groups that one rule may name (Learn: Azure Monitor service limits). */
const ofRuleMax = 5;

/** Gives the refusal of the scopes and the action groups that a rule names; undefined when all are there. */
export function refusalOfNamed(
  scopes: readonly string[],
  groups: readonly string[],
  store: Store,
): ArmError | undefined {
  const missing =
    scopes.find((id) => store.get(id) === undefined) ?? groups.find((id) => store.get(id)?.type !== actionGroups.type);
  if (missing !== undefined)
    return new ArmError(400, "BadRequest", `The resource '${missing}', which the rule names, was not found.`);
  return groups.length > ofRuleMax
    ? refusedToo(`A rule has at most ${ofRuleMax} action groups, not ${groups.length}.`)
    : undefined;
}

/** Action groups, as Resource Manager serves them. */
export const actionGroups: ResourceType = {
  type: "Microsoft.Insights/actionGroups",
  apiVersions: ["2024-10-01-preview"],
  patches: ["tags", "properties.enabled"],
  fields: actionGroupFields,
  // Azure has a code of its own for this, which the schema's check would hide (Azure/bellhop#72).
  checkSent: ({ properties }: Body) => {
    const shortName: unknown = properties?.groupShortName;
    if (typeof shortName === "string" && shortName.length > shortNameMax)
      throw new ArmError(
        400,
        "GroupShortNameIsTooLong",
        `The action group short name '${shortName}' is too long. ` +
          `Please specify a short name with '${shortNameMax}' or less characters`,
      );
  },
  onPut: async ({ wanted: { properties } }) => {
    if (properties.groupShortName.trim() === "") throw refusedToo("The short name of an action group is empty.");
    const lists = Object.entries(properties as Body).filter(([kind]) => kind.endsWith("Receivers"));
    for (const [kind, list] of lists) checkReceivers(kind.replace("Receivers", ""), (list ?? []) as Body[]);
    const receivers = lists.flatMap(([, list]) => (list ?? []) as Body[]);
    if (receivers.some(({ name }) => name !== undefined && String(name).trim() === ""))
      throw refusedToo("The name of a receiver is empty.");
    const twice = firstTwice(receivers.map(({ name }) => name));
    if (twice !== undefined) throw refusedToo(`Two receivers of the action group have the name '${twice}'.`);
    ((properties.webhookReceivers ?? []) as Body[]).forEach(checkWebhook);
  },
};

function checkWebhook({ name, useAadAuth, objectId }: Body): void {
  if (useAadAuth === true && !objectId)
    throw refusedToo(`The receiver '${name}' has useAadAuth, which needs the objectId of an application.`);
}
