// Read before a program of the SDK (`node --import`). The SDK keeps a stack trace of each of its promises, hundreds in
// a program, and prints them only under PULUMI_DEBUG_PROMISE_LEAKS. Without that variable none is taken: that was more
// than half of the CPU of a program of sixty resources that depend on each other, and an eighth of that of our own.
import Module, { createRequire } from "node:module";

type Watch = (promise: Promise<unknown>, context: unknown) => Promise<unknown>;
type Load = (module: { exports: { debuggablePromise: Watch } }, file: string) => void;

/** Wraps the function with which the SDK watches a promise, so that the errors that it makes have no stack. */
const untraced =
  (watch: Watch): Watch =>
  (promise, context) => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      return watch(promise, context);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };

/** Finds the file of the program's own copy of the SDK; undefined if that copy has none. */
function findWatch(): string | undefined {
  try {
    return createRequire(process.argv[1] ?? import.meta.url).resolve("@pulumi/pulumi/runtime/debuggable.js");
  } catch {
    return undefined;
  }
}

const file = process.env["PULUMI_DEBUG_PROMISE_LEAKS"] ? undefined : findWatch();
if (file !== undefined) {
  // The file is loaded when the SDK asks for it: its modules depend on each other, so their order has to stay.
  const extensions = (Module as unknown as { _extensions: Record<string, Load> })._extensions;
  const load = extensions[".js"]!;
  extensions[".js"] = (module, loaded) => {
    load(module, loaded);
    if (loaded !== file) return;
    extensions[".js"] = load;
    module.exports.debuggablePromise = untraced(module.exports.debuggablePromise);
  };
}
