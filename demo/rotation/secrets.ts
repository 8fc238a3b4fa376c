// Microsoft's client of a vault's secrets, on the way to the emulator.
import { SecretClient } from "@azure/keyvault-secrets";
import type { Connection } from "../../controlplane/adapters/azure/connection.ts";
import { boundedAnswers } from "../../http-answer.ts";

/** Gives the client of a vault. */
export const secretsOf = (vaultUrl: string, { credential, way }: Connection): SecretClient =>
  new SecretClient(vaultUrl, credential, {
    additionalPolicies: [
      { policy: way, position: "perCall" },
      { policy: boundedAnswers({ bytesMax: 2 ** 20, seconds: 10 }), position: "perRetry" },
    ],
  });
