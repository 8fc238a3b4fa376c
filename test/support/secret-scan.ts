// Looks for secrets in texts, as they are and in the forms in which they travel, and for anything that has the form of a token; and gathers
// the texts: files below a folder, the command lines of all processes. What must not be found is for its caller to say.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** A text with a name that says where it is from. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/** Gives the forms in which a secret may stand in a text: itself, in a URL, in JSON, in hexadecimal, and in base64 at each of three places. */
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

/** Gives what was found, as `<secret> in <source>`. Any token is a find, whosever it is. */
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

/** Watches the command lines of all processes of the machine, again and again, until it is stopped; gives all that were seen. */
export function watchProcesses(): { readonly stop: () => Source } {
  const seen = new Set<string>();
  const look = (): void => {
    for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " "));
      } catch {
        // It has ended between the two looks.
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
