// The app roles of the API. A token grants them, each call requires one, and `ballast sign-in` gives them to people and
// workflows. None includes another.

export const appRoles = [
  "Rollout.Read",
  "Rollout.Write",
  "Rollout.Approve",
  "Remediation.Approve",
  "ActionGroupsSecureWebhook",
  "AzureEventGridSecureWebhookSubscriber",
] as const;

export type Role = (typeof appRoles)[number];
