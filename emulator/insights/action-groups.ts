// Microsoft.Insights/actionGroups: who is notified when an alert fires. A group is checked when it is written;
// alertsmanagement/log-rules.ts sends to its webhooks.
import { refusedToo } from "../arm/refusals.ts";
import { ArmError, type Body, type ResourceType } from "../arm/resource.ts";
import { actionGroupFields } from "./fields.ts";

const shortNameMax = 12;

/** Action groups, as Resource Manager serves them. */
export const actionGroups: ResourceType = {
  type: "Microsoft.Insights/actionGroups",
  apiVersions: ["2024-10-01-preview"],
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
    const receivers = Object.entries(properties as Body)
      .filter(([kind]) => kind.endsWith("Receivers"))
      .flatMap(([, list]) => (list ?? []) as Body[]);
    const names = receivers.map(({ name }) => String(name).toLowerCase());
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined) throw refusedToo(`Two receivers of the action group have the name '${twice}'.`);
    for (const { emailAddress } of (properties.emailReceivers ?? []) as Body[])
      if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(emailAddress)) throw refusedToo(`'${emailAddress}' is no e-mail address.`);
    ((properties.webhookReceivers ?? []) as Body[]).forEach(checkWebhook);
  },
};

function checkWebhook({ name, serviceUri, useAadAuth, objectId }: Body): void {
  if (!URL.canParse(serviceUri) || !/^https?:$/.test(new URL(serviceUri).protocol))
    throw refusedToo(`The serviceUri of the receiver '${name}' is no URI of http or https.`);
  if (useAadAuth === true && !objectId)
    throw refusedToo(`The receiver '${name}' has useAadAuth, which needs the objectId of an application.`);
}
