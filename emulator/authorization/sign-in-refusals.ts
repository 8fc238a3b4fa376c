// How the token issuer refuses, in the form of Entra, and what it reads in a scope. Codes and texts are those that
// Entra's own refusals have.
import type { ArmReply } from "../arm/resource.ts";

/** Makes a refusal of the issuer. */
export const loginError = (status: number, error: string, description: string): ArmReply => ({
  status,
  body: { error, error_description: description, error_codes: [], correlation_id: "" },
});

const wrongScope = loginError(
  400,
  "invalid_scope",
  "AADSTS1002012: The scope of client credentials must end in /.default.",
);

/** Gives the application that a scope of client credentials names, or the refusal of a scope that names none or two. */
export function audienceIn(scopes: string): string | ArmReply {
  const [audience, ...others] = scopes
    .split(" ")
    .flatMap((each) => (/^.+\/\.default$/.test(each) ? [each.slice(0, -"/.default".length)] : []));
  if (audience === undefined) return wrongScope;
  if (others.length === 0) return audience;
  return loginError(
    400,
    "invalid_scope",
    "AADSTS28000: Provided value for the input parameter scope is not valid because it contains more than one " +
      "resource.",
  );
}
