// Names of resources that Azure's published types let through and Azure does not (Learn: "Naming rules and restrictions
// for Azure resources"). Types whose names are checked with a code of their own are not here.
import { refusedToo } from "./refusals.ts";
import { ArmError } from "./resource.ts";

interface NameRule {
  readonly pattern: RegExp;
  /** What a name must be. */
  readonly says: string;
}

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Reports whether a value is a GUID. */
export const isGuid = (value: unknown): boolean => typeof value === "string" && guid.test(value);

/** A rule of 1 to 260 characters without those given, and without a blank or a full stop at the end. */
const freeOf = (characters: string): NameRule => ({
  pattern: new RegExp(`^(?!.*[. ]$)[^${characters.replace(/[\\\]^-]/g, "\\$&")}\\p{Cc}]{1,260}$`, "u"),
  says: `1 to 260 characters without ${characters}, with no blank or full stop at the end`,
});
const network = (least: number, most: number): NameRule => ({
  pattern: new RegExp(`^(?=.{${least},${most}}$)[a-z0-9]([-.\\w]*\\w)?$`, "i"),
  says: `${least} to ${most} letters, digits, '_', '.' and '-', a letter or digit first, and no '.' or '-' last`,
});
const hyphenated = (least: number, most: number): NameRule => ({
  pattern: new RegExp(`^[a-z0-9-]{${least},${most}}$`, "i"),
  says: `${least} to ${most} letters, digits and hyphens`,
});

const rules: { readonly [type: string]: NameRule } = {
  "Microsoft.EventGrid/systemTopics": hyphenated(3, 50),
  "Microsoft.EventGrid/systemTopics/eventSubscriptions": hyphenated(3, 64),
  "Microsoft.Insights/actionGroups": freeOf(":<>+/&%\\?"),
  "Microsoft.Insights/components": freeOf("%&\\?/"),
  "Microsoft.Insights/diagnosticSettings": freeOf("<>*%&:\\?+/"),
  "Microsoft.Insights/metricAlerts": freeOf("*#&+:<>?@%{}\\/"),
  "Microsoft.Insights/scheduledQueryRules": freeOf("*<>%{}&:\\?/#"),
  "Microsoft.Insights/workbooks": { pattern: guid, says: "a GUID" },
  "Microsoft.Network/virtualNetworks": network(2, 64),
  "Microsoft.Network/virtualNetworks/subnets": network(1, 80),
  "Microsoft.Network/privateDnsZones/A": {
    pattern: /^(?=.{1,253}$)(@|(\*|[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?)*)$/i,
    says: "labels of 1 to 63 letters, digits, '-' and '_' between full stops, or '@'",
  },
  "Microsoft.Authorization/roleDefinitions": { pattern: guid, says: "a GUID" },
};

/** Refuses a name that a type does not have. @throws ArmError 400 */
export function refuseWrongName(type: string, name: string): void {
  // A public answer of Azure shows this one.
  if (type === "Microsoft.Authorization/roleAssignments" && !isGuid(name))
    throw new ArmError(
      400,
      "InvalidRoleAssignmentId",
      `The role assignment ID '${name}' is not valid. The role assignment ID must be a GUID.`,
    );
  const rule = rules[type];
  if (rule && !rule.pattern.test(name)) throw refusedToo(`The name '${name}' is invalid. It must be ${rule.says}.`);
}
