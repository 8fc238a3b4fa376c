// The systems that are read. Add one with a line here and a folder in `systems/`.
import { claudeCodeSystem } from "./systems/claude-code/claude-code.ts";
import { pulumiSystem } from "./systems/pulumi/pulumi.ts";
import type { System } from "./systems/system.ts";
import { workflowsSystem } from "./systems/workflows/workflows.ts";

export const systems: readonly System[] = [claudeCodeSystem, pulumiSystem, workflowsSystem];
