// A real browser: Chromium from PATH, controlled over a pipe with its DevTools protocol, so that no package is needed.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";

/** The window and colour scheme for a page. */
export interface Look {
  readonly width: number;
  readonly dark: boolean;
}

export interface Chromium extends AsyncDisposable {
  /**
   * Opens a file and gives what `audit`, the text of a function that runs in the page, found there, and every complaint
   * of the browser.
   */
  readonly open: (
    file: string,
    look: Look,
    audit: string,
  ) => Promise<{ readonly found: unknown; readonly complaints: readonly string[]; readonly png: Buffer }>;
}

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Starts the first Chromium on PATH. @throws if there is none: a page that was not checked has not passed. */
export async function startChromium(): Promise<Chromium> {
  const command = names.find((name) => spawnSync(name, ["--version"]).status === 0);
  if (command === undefined)
    throw new Error(
      `No browser is on PATH (${names.join(", ")}). Install Chromium, for example with \`apt-get install chromium\`.`,
    );
  const folder = mkdtempSync(join(tmpdir(), "ballast-chromium-"));
  // The sandbox refuses to run as root, and only our own files are opened.
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const child = spawn(
    command,
    [
      "--headless",
      "--remote-debugging-pipe",
      `--user-data-dir=${folder}`,
      "--disable-gpu",
      "--hide-scrollbars",
      "--no-first-run",
      "--disable-background-networking",
      ...sandbox,
    ],
    { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
  );
  const { call, heard } = protocol(child.stdio[3] as Writable, child.stdio[4] as Readable);
  const gone = new Promise<never>((_, reject) =>
    child.once("exit", () => reject(new Error("The browser ended unexpectedly."))),
  );
  gone.catch(() => undefined);
  return {
    open: (file, look, audit) => Promise.race([gone, show(call, heard, file, look, audit)]),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await gone.catch(() => undefined);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

type CallBrowser = (method: string, parameters?: object, session?: string) => Promise<any>;
interface Heard {
  readonly method: string;
  readonly params: any;
  readonly sessionId?: string;
}

/** Speaks the protocol: JSON messages, each ended by a zero byte. */
function protocol(input: Writable, output: Readable): { readonly call: CallBrowser; readonly heard: Heard[] } {
  const waiting = new Map<
    number,
    { readonly resolve: (result: any) => void; readonly reject: (error: Error) => void }
  >();
  const heard: Heard[] = [];
  let rest = "";
  let next = 0;
  output.setEncoding("utf8").on("data", (part: string) => {
    const messages = (rest + part).split("\0");
    rest = messages.pop()!;
    for (const message of messages.map((text) => JSON.parse(text))) {
      if (message.id === undefined) heard.push(message);
      else if (message.error) waiting.get(message.id)!.reject(new Error(message.error.message));
      else waiting.get(message.id)!.resolve(message.result);
    }
  });
  const call: CallBrowser = (method, params = {}, sessionId) =>
    new Promise((resolve, reject) => {
      waiting.set(++next, { resolve, reject });
      input.write(`${JSON.stringify({ id: next, method, params, ...(sessionId && { sessionId }) })}\0`);
    });
  return { call, heard };
}

/** A promise, as text for the page, that resolves once the page has loaded. */
const loaded = 'new Promise((done) => (document.readyState === "complete" ? done() : addEventListener("load", done)))';

async function show(call: CallBrowser, heard: readonly Heard[], file: string, { width, dark }: Look, audit: string) {
  const { targetId } = await call("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
  const ask: CallBrowser = (method, parameters) => call(method, parameters, sessionId);
  for (const domain of ["Page", "Log", "Runtime", "Network"]) await ask(`${domain}.enable`);
  await ask("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 });
  await ask("Emulation.setEmulatedMedia", {
    features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }],
  });
  await ask("Page.navigate", { url: pathToFileURL(file).href });
  const { result, exceptionDetails } = await ask("Runtime.evaluate", {
    awaitPromise: true,
    returnByValue: true,
    expression: `${loaded}.then(\n${audit}\n)`,
  });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  const { data: picture } = await ask("Page.captureScreenshot", { captureBeyondViewport: true });
  await call("Target.closeTarget", { targetId });
  return {
    found: result.value as unknown,
    complaints: heard.filter((each) => each.sessionId === sessionId).flatMap(complaint),
    png: Buffer.from(picture, "base64"),
  };
}

/** Gives what a page must not cause: errors, warnings, and any request except for itself. */
function complaint({ method, params }: Heard): readonly string[] {
  switch (method) {
    case "Log.entryAdded":
      return [`${params.entry.level}: ${params.entry.text}`];
    case "Runtime.exceptionThrown":
      return [params.exceptionDetails.text];
    case "Runtime.consoleAPICalled":
      return [`console.${params.type}`];
    case "Network.requestWillBeSent":
      return params.type === "Document" ? [] : [`asked for ${params.request.url}`];
    default:
      return [];
  }
}
