// Read before a program of the SDK (`node --import`). The SDK loads npm's tree builder, 440 files, at every start, and
// uses it only to upload a function's code. With this it is loaded when it is used, which saves half of the CPU
// that loading the SDK takes.
import { createRequire } from "node:module";

const ofProgram = createRequire(process.argv[1] ?? import.meta.url);

/** Puts something in the place of npm's tree builder that becomes it at its first use. */
function loadLate(file: string): void {
  const exports = {
    // Without this, the SDK would copy each export, and so use it.
    __esModule: true,
    get Arborist(): unknown {
      delete ofProgram.cache[file];
      return ofProgram(file).Arborist;
    },
  };
  ofProgram.cache[file] = Object.assign(Object.create(null), { id: file, filename: file, loaded: true, exports });
}

/** Finds what the program's own copy of the SDK would load; undefined if that copy has no use for it. */
function findBuilder(): string | undefined {
  try {
    return createRequire(ofProgram.resolve("@pulumi/pulumi/package.json")).resolve("@npmcli/arborist");
  } catch {
    return undefined;
  }
}

const treeBuilder = findBuilder();
if (treeBuilder !== undefined) loadLate(treeBuilder);
