// What a test saw of the writes on container apps, from the emulator's record of all requests.

interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/**
 * Gives a function that returns the writes on container apps since its last call, as `METHOD last/segments status`.
 * `ask` reads from the emulator's controls.
 */
export function appWrites(
  ask: (method: string, path: string) => Promise<{ readonly body: any }>,
): () => Promise<readonly string[]> {
  let seen = 0;
  return async () => {
    const { requests } = (await ask("GET", "/_emulator/requests")).body as {
      readonly requests: readonly RecordedRequest[];
    };
    const fresh = requests.slice(seen);
    seen = requests.length;
    return fresh.filter(({ method, path }) => method !== "GET" && /containerApps\//i.test(path)).map(shortOf);
  };
}

function shortOf({ method, path, status }: RecordedRequest): string {
  const segments = path.split("/").slice(method === "PATCH" ? -1 : -2);
  return `${method} ${segments.join("/")} ${status}`;
}
