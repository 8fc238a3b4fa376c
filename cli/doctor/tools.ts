// Whether this machine has what Ballast runs on. Knows no cloud.
import { doctorNodeOld } from "../../errors/doctor.ts";
import type { PulumiEngine } from "../../toolchain/pulumi/bring.ts";
import { type Check, failed, ok, type Said } from "./finding.ts";

/** Judges this Node by the version field `engines.node` of package.json asks for. */
export function judgeNode(version: string, engines: string): Said {
  const least = engines.replace(/^>=/, "");
  const [have, need] = [version, least].map((text) => text.split(".").map(Number));
  const [major, minor] = [have![0]! - need![0]!, have![1]! - need![1]!];
  return major > 0 || (major === 0 && minor >= 0) ? ok(`Node ${version}`) : failed(doctorNodeOld({ version, least }));
}

/** The checks of the machine. The engine's own errors say what each way to one lacks. */
export const toolChecks = (engines: string, ballast: string): readonly Check<() => Promise<PulumiEngine>>[] => [
  {
    name: "versions",
    run: async () => {
      const node = judgeNode(process.versions.node, engines);
      return node.state === "ok" ? ok(`Ballast ${ballast}, ${node.text}`) : node;
    },
  },
  {
    name: "engine",
    run: async (bring) => {
      const { version, command } = await bring();
      return ok(`Pulumi ${version}, ${command}`);
    },
  },
];
