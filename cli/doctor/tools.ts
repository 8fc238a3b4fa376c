// Checks of this machine: the versions of Node and Ballast, and the Pulumi CLI.
import { doctorNodeOld } from "../../errors/doctor.ts";
import type { PulumiCli } from "../../toolchain/pulumi/bring.ts";
import { type Check, type CheckResult, failed, ok } from "./finding.ts";

/** Compares this Node's version with the field `engines.node` of package.json, such as `>=20.11`. */
export function judgeNode(version: string, engines: string): CheckResult {
  const least = engines.replace(/^>=/, "");
  const [have, need] = [version, least].map((text) => text.split(".").map(Number));
  const [major, minor] = [have![0]! - need![0]!, have![1]! - need![1]!];
  return major > 0 || (major === 0 && minor >= 0) ? ok(`Node ${version}`) : failed(doctorNodeOld({ version, least }));
}

/** Gives the checks of this machine. A missing Pulumi CLI is reported by its own error. */
export const toolChecks = (engines: string, ballast: string): readonly Check<() => Promise<PulumiCli>>[] => [
  {
    name: "versions",
    run: async () => {
      const node = judgeNode(process.versions.node, engines);
      return node.state === "ok" ? ok(`Ballast ${ballast}, ${node.message}`) : node;
    },
  },
  {
    name: "pulumi cli",
    run: async (bring) => {
      const { version, command } = await bring();
      return ok(`Pulumi ${version}, ${command}`);
    },
  },
];
