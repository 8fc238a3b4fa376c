// The law about answers: every body of an HTTP answer is read in http-answer.ts, which limits it, and every client of
// the Azure SDK gets the policy from there. The dead man's switch and the examples may import nothing of ours, so they
// read answers themselves, and their own tests send them endless ones.
import { broken, type Law } from "./laws.ts";
import { isProgram, lineAt } from "./source.ts";

/** Where answers are read, and the folders whose programs read those of servers that they started themselves. */
const reader = "http-answer.ts";
const outside = /^(test|bench|proofs|emulator)\//;

const readings: readonly RegExp[] = [
  /\.(text|json|arrayBuffer|blob|bytes|formData)\(\)/g,
  /\.body\??\.(getReader|pipeTo|pipeThrough|values)\(/g,
  /for await \([^)]*\bof [\w.?]+\.body\b/g,
];
const sdkClient = /\bnew (identity\.)?\w+(Client|Credential|Exporter)\(/g;

/** Answers are read in `http-answer.ts`, with a limit on bytes and on time. */
export const boundedAnswerReading: Law = (files) =>
  files
    .filter((file) => isProgram(file) && file.path !== reader && !outside.test(file.path))
    .flatMap(({ path, text }) => {
      const read = readings
        .flatMap((pattern) => [...text.matchAll(pattern)])
        .map(({ index, 0: found }) =>
          broken(path, lineAt(text, index), `${found} reads an answer to its end`, "call textOf of http-answer.ts"),
        );
      const [made] = /from "@azure\/|import\("@azure\//.test(text) ? [...text.matchAll(sdkClient)] : [];
      const isBounded = made === undefined || /boundedAnswers/.test(text);
      return isBounded
        ? read
        : [
            ...read,
            broken(
              path,
              lineAt(text, made.index),
              `${made[0]}) reads answers to their ends`,
              "add the policy boundedAnswers of http-answer.ts",
            ),
          ];
    });
