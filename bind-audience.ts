// Binds the audience of a token to the host that may receive it. Whoever knows both from elsewhere, such as a state or
// a stack's outputs, compares them with the binding before a token is sent. It guards against an address that was
// changed or mixed up. It does not guard against a person who can write the state and computes the binding anew.
import { createHash } from "node:crypto";

/** Gives what binds an audience to the host of an endpoint; endpoints that differ only in a slash or case are equal. */
export function bindAudience(endpoint: string, audience: string): string {
  const origin = URL.parse(endpoint)?.origin ?? endpoint;
  return createHash("sha256").update(`ballast\n${origin}\n${audience}`).digest("hex");
}
