// The order of the test files: the slowest first, whichever project they belong to. Files that share a process come
// last, one after another: the runner keeps such a process only as long as the next file may use it.
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { pathOf, readSeconds, slowestFirst } from "./known-seconds.ts";

/** Tells vitest in which order to start the files. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const byPath = Map.groupBy(await super.sort(files), ({ moduleId }) => pathOf(moduleId));
    const sorted = slowestFirst([...byPath.keys()], readSeconds()).flatMap((path) => byPath.get(path)!);
    const isAlone = ({ project }: TestSpecification): boolean => project.config.isolate;
    return [...sorted.filter(isAlone), ...sorted.filter((file) => !isAlone(file))];
  }
}
