// All rules, sorted by id. Add one with a file in `rules/` and a line here.
import type { Rule } from "./rule.ts";
import { deadlock } from "./rules/deadlock.ts";

export const rulebook: readonly Rule[] = [deadlock];
