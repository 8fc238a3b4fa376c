// The law that the frames know no kind of work: the loop, the journal, the claims, and the frames of the API, the
// command, the provider and the report. A root hands them the kinds, so that a new kind touches none of them.
import { broken, importsAmong, type Law, reachedFrom } from "./laws.ts";

/** The frames: folders, files, and `*` for the files of a folder without its folders. */
export const frames: readonly string[] = [
  "controlplane/runtime",
  "controlplane/api",
  "controlplane/adapters/postgres",
  "controlplane/adapters/notifiers",
  "controlplane/adapters/telemetry",
  "client/streams.ts",
  "client/follow.ts",
  "client/requests.ts",
  "cli/streams",
  "provider/*",
  "report/*",
  "engines/*",
];

/** A root beside a frame, and the list of the kinds, which only roots import. */
const handsOver = ["provider/main.ts", "engines/kinds.ts"];

/**
 * No import of a frame leads to a kind, directly or through other files. A folder in `engines` is a kind. A frame
 * without files is a violation too, because the law would no longer see it once it has moved.
 */
export const frameLaw: (frames: readonly string[]) => Law = (all) => (files) => {
  const imports = importsAmong(files);
  const isOfKind = (path: string): boolean => /^engines\/[^/]+\//.test(path);
  const isOf = (frame: string, path: string): boolean =>
    frame.endsWith("*")
      ? path.startsWith(frame.slice(0, -1)) && !path.slice(frame.length - 1).includes("/")
      : path === frame || path.startsWith(`${frame}/`);
  return all.flatMap((frame) => {
    const own = [...imports].filter(([path]) => isOf(frame, path) && !handsOver.includes(path));
    if (own.length === 0) return [broken(frame, 1, "the frame has no files", "correct the list of frames")];
    return own.flatMap(([path, itsImports]) =>
      itsImports.flatMap(({ to, line }) => {
        const kind = [to, ...reachedFrom(to, imports)].find(isOfKind);
        if (kind === undefined) return [];
        const what = kind === to ? `it imports ${to}` : `it imports ${to}, which leads to ${kind}`;
        return [broken(path, line, `${what}, but a frame knows no kind`, "take what it needs as an argument")];
      }),
    );
  });
};
