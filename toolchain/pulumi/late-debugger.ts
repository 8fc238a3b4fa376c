// Read before a program of the SDK (`node --import`). The SDK listens to V8's debugger from its start, only to know the
// files of functions whose code it may be asked to upload. V8 then tells of each script, which is a third of the CPU
// that loading takes. With this it listens from the first such question, when V8 tells of all earlier scripts.
import { createRequire } from "node:module";

type Session = import("node:inspector").Session;
interface Hooks {
  isInitializedAsync: () => Promise<void>;
  getSessionAsync: () => Promise<Session>;
  getScriptUrl: (script: string) => string | undefined;
}

const ofProgram = createRequire(process.argv[1] ?? import.meta.url);

/** Gives the functions by which the program's own copy of the SDK asks the debugger; undefined if it has none. */
function findHooks(): Hooks | undefined {
  try {
    return ofProgram("@pulumi/pulumi/runtime/closure/v8Hooks.js") as Hooks;
  } catch {
    return undefined;
  }
}

/** Lets the functions ask a debugger that starts at the first question. */
function listenLate(hooks: Hooks): void {
  const urls = new Map<string, string>();
  let session: Promise<Session> | undefined;
  hooks.isInitializedAsync = async () => undefined;
  hooks.getSessionAsync = () => {
    session ??= listen(urls);
    return session;
  };
  hooks.getScriptUrl = (script) => urls.get(script);
}

async function listen(urls: Map<string, string>): Promise<Session> {
  const { Session } = await import("node:inspector");
  const session = new Session();
  session.connect();
  session.on("Debugger.scriptParsed", ({ params }) => urls.set(params.scriptId, params.url));
  await new Promise<void>((resolve, reject) => {
    session.post("Debugger.enable", (error) => (error ? reject(error) : resolve()));
  });
  return session;
}

const found = findHooks();
if (found !== undefined) listenLate(found);
