// The systems that are read. Add one with a line here and a folder in `systems/`.
import type { System } from "./systems/system.ts";
import { workflowsSystem } from "./systems/workflows/workflows.ts";

export const systems: readonly System[] = [workflowsSystem];
