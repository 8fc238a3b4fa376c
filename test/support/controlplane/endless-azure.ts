// An Azure behind the server of endless answers: a connection of the control plane to it, and its sign-in, which
// answers as Entra does, so that the answer that follows is the one without end.
import type http from "node:http";
import { type Connection, connect } from "../../../controlplane/adapters/azure/connection.ts";
import type { EndlessServer, Proper } from "../endless.ts";

export const authority = "https://login.endless.test";
export const resourceManager = "https://management.endless.test";
export const subscription = "11111111-2222-3333-4444-555555555555";

/** Connects to the server as a control plane connects to Azure. */
export const connectionTo = ({ port }: EndlessServer, requestSeconds: number): Connection =>
  connect(
    {
      subscription,
      tenant: "tenant",
      resourceManager,
      logs: "https://api.endless.test",
      authority,
      clientId: "client",
      clientSecret: "secret",
      requestSeconds,
    },
    `endless.test=127.0.0.1:${port}`,
  );

/** Answers a request of sign-in as Entra does; undefined for any other. */
export function signsIn({ url = "" }: http.IncomingMessage): Proper | undefined {
  if (url.includes("/oauth2/v2.0/token"))
    return { body: { token_type: "Bearer", access_token: "a.b.c", expires_in: 3600 } };
  if (!url.includes("/.well-known/openid-configuration")) return undefined;
  return {
    body: {
      issuer: `${authority}/tenant/v2.0`,
      authorization_endpoint: `${authority}/tenant/oauth2/v2.0/authorize`,
      token_endpoint: `${authority}/tenant/oauth2/v2.0/token`,
      jwks_uri: `${authority}/tenant/discovery/v2.0/keys`,
    },
  };
}
