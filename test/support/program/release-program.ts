// A program with one release, run by the real Pulumi CLI.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bindAudience } from "../../../bind-audience.ts";
import { type PulumiProgram, pulumiProgram } from "./pulumi-program.ts";

const text = `
import * as pulumi from "@pulumi/pulumi";
class Release extends pulumi.CustomResource {
  constructor(name, args) {
    super("ballast:index:Release", name, { result: undefined, reason: undefined, message: undefined, ...args });
  }
}
const config = new pulumi.Config();
const inputs = config.requireObject("release");
const endpoint = config.getBoolean("secret") ? pulumi.secret(inputs.endpoint) : inputs.endpoint;
const release = new Release("storefront", { ...inputs, endpoint });
export const { result, message } = release;
export const controlPlaneEndpoint = inputs.endpoint;
export const controlPlaneAudience = inputs.audience ?? "api://ballast";
export const controlPlaneBinding = config.get("binding");
`;

export interface ReleaseProgram extends PulumiProgram {
  /** Writes the stack's configuration: the release's inputs, and whether its endpoint is a secret. */
  readonly configure: (stack: string, inputs: Readonly<Record<string, unknown>>, secret?: boolean) => void;
}

/** Writes the program. Disposing of it removes everything. */
export async function releaseProgram(environment: NodeJS.ProcessEnv): Promise<ReleaseProgram> {
  const program = await pulumiProgram(
    { project: "releases", file: "index.js", text, options: { refresh: "always" } },
    environment,
  );
  return {
    ...program,
    configure: (stack, inputs, secret = false) =>
      writeFileSync(
        join(program.folder, `Pulumi.${stack}.yaml`),
        JSON.stringify({
          config: {
            "releases:release": inputs,
            "releases:secret": String(secret),
            "releases:binding": bindAudience(String(inputs["endpoint"]), String(inputs["audience"] ?? "api://ballast")),
          },
        }),
      ),
  };
}
