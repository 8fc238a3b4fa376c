// For how long an alert stays fired after its cause is gone. A cool-down that is shorter acts on the same cause twice.

/** Gives how long a log rule takes to resolve once its condition is no longer met, by its frequency, as on Learn. */
export function resolveMinutesOf(everyMinutes: number): number {
  if (everyMinutes < 5) return 10;
  if (everyMinutes <= 15) return 3 * everyMinutes;
  return (everyMinutes <= 660 ? 2 : 1) * everyMinutes;
}

/** How late rows may be. */
const ingestionMinutes = 5;

/** Gives the look-back of a rule: its window, the rows' way to the workspace, and its time to resolve. */
export const lookBackSecondsOf = (rule: { readonly windowMinutes: number; readonly everyMinutes: number }): number =>
  60 * (rule.windowMinutes + ingestionMinutes + resolveMinutesOf(rule.everyMinutes));
