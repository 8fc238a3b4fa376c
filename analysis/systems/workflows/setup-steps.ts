// Steps that only prepare a job: checkouts, caches, tools, logins. Their failure says nothing about a deployment.
import type { StepNode } from "./nodes.ts";

const names =
  "actions/checkout actions/setup- actions/cache actions/upload- actions/download- docker/login-action pnpm/ " +
  "azure/login aws-actions/configure- google-github-actions/auth google-github-actions/setup- hashicorp/setup-";

/** Whether an action only prepares a job. */
export const isSetupAction = (uses: string): boolean =>
  names.split(" ").some((name) => uses.toLowerCase().startsWith(name));

/** Whether a step only prepares its job. */
export const isSetup = ({ uses }: StepNode): boolean => uses !== undefined && isSetupAction(uses.text);
