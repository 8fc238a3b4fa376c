// What stops an update of an app just before its write, or is said of it: the lock, and who could release a revision.
import { entry } from "./catalogue.ts";

const unchanged = () => "Nothing was changed. Traffic is as before.";

/** Traffic moved between plan and update, most likely by a rollback. */
export const canaryAppTrafficMoved = entry<{ readonly app: string; readonly planned: string; readonly live: string }>(
  "canary-app-traffic-moved",
  {
    title: "Traffic moved between the plan and the update",
    message: ({ app, planned, live }) =>
      `The traffic of "${app}" was ${planned} when this update was planned and is ${live} now. ` +
      "The update would undo that change.",
    fix: () => "run the same command again; its plan uses the current traffic",
    left: () => "The app was not updated, and its traffic was not moved.",
  },
);

/** Another client is writing the app. */
export const canaryAppLocked = entry<{ readonly app: string; readonly heldBy: string }>("canary-app-locked", {
  title: "Another client has locked the app",
  message: ({ app, heldBy }) =>
    `"${app}" is locked by ${heldBy}. Two updates at the same time could each undo the other's traffic.`,
  fix: () => "wait until the other update has ended, two minutes at most, then run the same command again",
  left: unchanged,
});

/** The update would make a revision that nothing could release. */
export const canaryAppUnreleasable = entry<{ readonly app: string; readonly reason: string }>(
  "canary-app-unreleasable",
  {
    title: "A new revision could not be released, since the control plane cannot be reached",
    message: ({ app, reason }) =>
      `"${app}" would get a new revision, which nothing could release, so it would run without users. ${reason}`,
    fix: () => "repair the control plane, which `ballast doctor` checks, then run the same command again",
    left: unchanged,
  },
);

/** The update continues without the lock. */
export const canaryAppUnguarded = entry<{ readonly app: string; readonly reason: string }>("canary-app-unguarded", {
  severity: "warning",
  title: "An app is updated without a lock, since the control plane cannot be reached",
  message: ({ app, reason }) => `"${app}" is updated without a lock on its traffic. ${reason}`,
  fix: () =>
    "do nothing if no rollout of the app is in flight; otherwise check the app's traffic after the update, which " +
    "compares it with the plan only just before it writes",
});
