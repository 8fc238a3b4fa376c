// Where a state says that the control plane is, and whether its resource was made there. A token is sent only to the
// host to which its audience was bound then: a state whose endpoint was changed must not receive one.
import { bindAudience } from "../bind-audience.ts";
import type { Properties } from "./resource-type.ts";

/** The output that binds an audience to a host. */
const boundOutput = "bound";

const bindingOf = ({ endpoint, audience }: Properties): string => bindAudience(String(endpoint), String(audience));

/** Adds the binding to the outputs of a create or an update, whose endpoint came from the program. */
export const withBinding = (inputs: Properties, outputs: Properties): Properties => ({
  ...outputs,
  [boundOutput]: bindingOf(inputs),
});

/**
 * Gives the endpoint and the audience of a state that belong together; undefined if none does.
 *
 * After a failed update the inputs are older than the outputs, so either pair may be the bound one.
 */
export const boundPair = (inputs: Properties, outputs: Properties): Properties | undefined =>
  [{ ...outputs, ...inputs }, outputs].find((pair) => bindingOf(pair) === outputs[boundOutput]);
