// The options of `ballast analyze`, as the command line gives them.
import type { SystemName } from "../../analysis/graph.ts";
import type { Focus, Severity } from "../../analysis/rule.ts";

export const scopes: Readonly<Record<string, readonly SystemName[]>> = {
  all: ["github", "claude-code", "pulumi"],
  github: ["github"],
  "claude-code": ["claude-code"],
  production: ["pulumi"],
};
export const formats = ["md", "json", "sarif", "html"] as const;
export const outputs = ["report", "recommendations", "full"] as const;
export const depths = ["quick", "standard", "deep"] as const;

export interface AnalyzeOptions {
  readonly scope: string;
  readonly depth: (typeof depths)[number];
  readonly focus: Focus | "all";
  readonly output: (typeof outputs)[number];
  readonly format: (typeof formats)[number];
  readonly failOn: Severity;
  readonly history?: string;
  readonly baseline?: string;
  readonly writeBaseline?: string;
  readonly implement?: boolean;
  readonly dryRun?: boolean;
  readonly validateOnly?: boolean;
}
