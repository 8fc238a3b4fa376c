// Container Apps that never answer, of which a test replaces the calls that it is about.
import type { Apps } from "../../../controlplane/performers/rollout-ports.ts";

/** A call that never ends. */
export const hangs = (): Promise<never> => new Promise(() => {});

/** Gives apps that answer the given calls only. */
export const hangingApps = (answering: Partial<Apps>): Apps => ({
  repoint: hangs,
  inspect: hangs,
  shift: hangs,
  readTraffic: hangs,
  activate: hangs,
  deactivate: hangs,
  probe: hangs,
  ...answering,
});
