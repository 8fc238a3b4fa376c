// Keeps what Node compiles: half of the time of a start is compiling the same files again. It is plain JavaScript
// because the launchers need it on a Node that is too old for TypeScript.
import { compiledFolder } from "./cache-folder.mjs";

/** Node has both functions since version 22. A named import of them would not link on Node 20. */
const { enableCompileCache, flushCompileCache } = process.getBuiltinModule?.("node:module") ?? {};

/** Uses what was kept, from now on, and keeps more at the end of the process. A folder that refuses is no error. */
export const useCompiled = () => enableCompileCache?.(compiledFolder(process.env));

/** Keeps at once what was compiled so far. The Pulumi CLI kills its plugins, so they have no end of their own. */
export const keepCompiled = () => flushCompileCache?.();
