// How a check reaches the control plane with a token. A stack's address may have been changed or mixed up, so a token
// goes only where its audience is bound to.
import { bindAudience } from "../../bind-audience.ts";
import { tokenFor } from "../../client/credential.ts";
import type { Access } from "../../client/requests.ts";
import type { Stack } from "./stack.ts";

/** Gives the access to a stack's control plane; undefined if it has none, or none that may receive a token. */
export const boundPlane = ({ endpoint, audience, binding }: Stack, patienceSeconds: number): Access | undefined =>
  endpoint !== undefined && bindAudience(endpoint, audience) === binding
    ? { endpoint, token: tokenFor(audience), patienceSeconds }
    : undefined;
