// Compares wanted actions with the permissions of roles, by the rules of Azure's role-based access control.

/** What a role permits, as Resource Manager shows it. */
export interface Permission {
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
}

// `/*/` also matches nothing in between: by `Microsoft.App/containerApps/*/read` Container Apps Contributor reads apps.
const covers = (pattern: string, action: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
      .replace(/\/\*\//g, "/(?:.*/)?")
      .replace(/\*/g, ".*")}$`,
    "i",
  ).test(action);

/**
 * Lists the wanted actions that the permissions do not cover.
 *
 * `notActions` subtract from their own role only: an action that one role excludes another may still permit,
 * as in Azure.
 */
export const notPermitted = (permissions: readonly Permission[], wanted: readonly string[]): readonly string[] =>
  wanted.filter(
    (action) =>
      !permissions.some(
        (one) =>
          one.actions.some((each) => covers(each, action)) && !one.notActions.some((each) => covers(each, action)),
      ),
  );
