// Compares wanted actions with the permissions of roles, by the rules of Azure's role-based access control.

/** What a role permits, as Resource Manager shows it. */
export interface Permission {
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly dataActions?: readonly string[];
  readonly notDataActions?: readonly string[];
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

/** The same for actions on the data that a resource holds, such as the secrets of a vault. */
export const contentNotPermitted = (permissions: readonly Permission[], wanted: readonly string[]): readonly string[] =>
  notPermitted(
    permissions.map(({ dataActions = [], notDataActions = [] }) => ({
      actions: dataActions,
      notActions: notDataActions,
    })),
    wanted,
  );
