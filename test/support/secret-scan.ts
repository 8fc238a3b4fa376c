// Finds secrets in texts, in all encodings in which they travel, and anything that looks like a token. It also collects
// the texts: the files below a folder, and the command lines of all processes.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** A text with the name of its source. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/**
 * Gives the forms of a secret in a text: plain, in a URL, in JSON, in hexadecimal, and in base64 at each
 * of three offsets.
 */
function formsOf(secret: string): readonly string[] {
  const inBase64 = [0, 1, 2].map((before) => {
    const whole = Buffer.from(" ".repeat(before) + secret).toString("base64");
    return whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + Buffer.byteLength(secret)) * 8) / 6));
  });
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString("hex"),
    ...inBase64,
    ...inBase64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}

const token = /eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}/;

/** Gives what was found, as `<secret> in <source>`. Every token counts. */
export function findSecrets(sources: readonly Source[], secrets: Readonly<Record<string, string>>): readonly string[] {
  return sources.flatMap(({ name, text }) => [
    ...Object.entries(secrets)
      .filter(([, secret]) => formsOf(secret).some((form) => text.includes(form)))
      .map(([secret]) => `${secret} in ${name}`),
    ...(token.test(text) ? [`a token in ${name}`] : []),
  ]);
}

/** Reads all files below a folder. */
export const filesBelow = (folder: string, name: string): readonly Source[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return { name: `${name} ${path.relative(folder, file)}`, text: readFileSync(file, "latin1") };
    });

/** Watches the command lines of all processes until it is stopped, and gives all that it saw. */
export function watchProcesses(): { readonly stop: () => Source } {
  const seen = new Set<string>();
  const look = (): void => {
    for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " "));
      } catch {
        // The process ended between the two reads.
      }
    }
  };
  const again = setInterval(look, 100);
  return {
    stop: () => {
      look();
      clearInterval(again);
      return { name: "process lists", text: [...seen].join("\n") };
    },
  };
}
