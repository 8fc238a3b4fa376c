// Requests to Resource Manager and to the emulator's own controls, as the fixed client of the emulator.
import { fetch } from "undici";
import { tokenFor } from "../../client/credential.ts";
import { fetchDispatcher } from "../../connect-to.ts";
import { textOf } from "../../http-answer.ts";
import type { CloudAddress } from "../ground.ts";
import { eventually } from "./eventually.ts";

// biome-ignore lint/suspicious/noExplicitAny: the callers know what they read from the answer
type Body = any;

/** The calls. An answer of 400 or more is thrown. */
export interface Arm {
  readonly ask: (
    method: "GET" | "PUT" | "PATCH" | "POST" | "DELETE",
    path: string,
    version: string,
    body?: object,
  ) => Promise<Body>;
  /** Puts a resource, and gives it once it is provisioned. */
  readonly settle: (path: string, version: string, body: object) => Promise<Body>;
  /** Deletes a resource, and waits until it is gone. */
  readonly remove: (path: string, version: string) => Promise<void>;
  /** Posts to a control that Azure does not have. */
  readonly control: (route: string, body: object) => Promise<Body>;
}

/** Gives the calls. @param token whose calls they are; default: those of whom the environment signs in */
export function armOf(
  { suffix, port }: Pick<CloudAddress, "suffix" | "port">,
  token: () => Promise<string> = tokenFor("https://management.azure.com"),
): Arm {
  const dispatcher = fetchDispatcher({ suffix, host: "127.0.0.1", port });
  const send = async (method: string, path: string, body?: object): Promise<Body> => {
    const answer = await fetch(`https://management.${suffix}${path}`, {
      method,
      dispatcher,
      headers: { authorization: `Bearer ${await token()}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await textOf(answer.body, { bytesMax: 64 * 2 ** 20, seconds: 30 });
    if (!answer.ok) throw new Error(`${method} ${path} came to ${answer.status}: ${text}`);
    return text === "" ? {} : JSON.parse(text);
  };
  const ask: Arm["ask"] = (method, path, version, body) => send(method, `${path}?api-version=${version}`, body);
  return {
    ask,
    remove: async (path, version) => {
      await ask("DELETE", path, version);
      const gone = (): Promise<true | undefined> =>
        ask("GET", path, version).then(
          () => undefined,
          () => true,
        );
      await eventually(gone, `${path} to be gone`);
    },
    control: (route, body) => send("POST", `/_emulator/${route}`, body),
    settle: async (path, version, body) => {
      await ask("PUT", path, version, body);
      return eventually(async () => {
        const found = await ask("GET", path, version).catch(() => undefined);
        const { provisioningState = "Succeeded", state = "Ready" } = found?.properties ?? { state: "absent" };
        if (provisioningState === "Failed") throw new Error(`${path} failed`);
        return provisioningState === "Succeeded" && state === "Ready" ? found : undefined;
      }, path);
    },
  };
}
