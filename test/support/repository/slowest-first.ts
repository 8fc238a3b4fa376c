// The order of the test files: the slowest first, whichever project they belong to.
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { pathOf, readSeconds, slowestFirst } from "./known-seconds.ts";

/** Tells vitest in which order to start the files. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const byPath = Map.groupBy(await super.sort(files), ({ moduleId }) => pathOf(moduleId));
    return slowestFirst([...byPath.keys()], readSeconds()).flatMap((path) => byPath.get(path)!);
  }
}
