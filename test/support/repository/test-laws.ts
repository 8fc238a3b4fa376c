// The laws about tests themselves: their folders have the subjects of the sources, and no test is left out without a
// reason that its reader can see.
import { broken, type Law } from "./laws.ts";
import type { SourceFile } from "./source.ts";
import { nameOf, nodesOf, type Placed, propertyOf, rootOf } from "./syntax.ts";

/** Folders of tests without a source folder of the same name, each with the reason. */
export type OwnFolders = Readonly<Record<string, string>>;

const folderOf = (path: string): string => path.split("/").slice(0, -1).join("/");
const foldersAround = (path: string): readonly string[] =>
  path
    .split("/")
    .slice(0, -1)
    .map((_, index, all) => all.slice(0, index + 1).join("/"));

/** The folders of test/ and of test/support are those of the sources, and no file lies flat in either. */
export const sameSubjects =
  (ownFolders: OwnFolders): Law =>
  (files) => {
    const sources = new Set(files.flatMap(({ path }) => (path.startsWith("test/") ? [] : foldersAround(path))));
    const isOwn = (folder: string): boolean =>
      Object.keys(ownFolders).some((own) => folder === own || folder.startsWith(`${own}/`));
    const subjectOf = (folder: string): string => folder.replace(/^test\/(support\/)?/, "");
    const tests = files.filter(({ path }) => path.startsWith("test/"));
    const strays = tests.flatMap(({ path }) => {
      const folder = folderOf(path);
      if (folder === "test") return [broken(path, 1, "it lies flat in test/", "move it to the folder of its subject")];
      if (folder === "test/support" || isOwn(folder) || sources.has(subjectOf(folder))) return [];
      return [
        broken(path, 1, `no source folder is called ${subjectOf(folder)}`, "move it to the folder of its subject"),
      ];
    });
    const spent = Object.keys(ownFolders).filter((own) => !tests.some(({ path }) => path.startsWith(`${own}/`)));
    return [
      ...strays,
      ...spent.map((own) => broken("test/support/repository/exceptions.ts", 1, `${own} is gone`, "remove its entry")),
    ];
  };

const drawers = new Set(["misc", "miscellaneous", "various", "common", "shared", "other", "utils", "helpers", "stuff"]);

/** No folder is a drawer for whatever has no subject. */
export const noDrawers: Law = (files) =>
  files.flatMap(({ path }) => {
    const drawer = folderOf(path)
      .split("/")
      .find((name) => drawers.has(name));
    return drawer === undefined
      ? []
      : [broken(path, 1, `the folder ${drawer} has no subject`, "move it to its subject")];
  });

const leavesOut = new Set(["skip", "skipIf", "runIf", "todo", "fails"]);
const isTestRoot = (name: string | undefined): boolean =>
  ["test", "it", "describe", "suite", "bench"].includes(name ?? "");

/** No test runs alone, and one that is left out, or that runs only sometimes, has a comment above it that says why. */
export const noneLeftOut: Law = (files) =>
  files
    .filter((file) => /\.test\.[cm]?[jt]sx?$/.test(file.path))
    .flatMap((file) =>
      nodesOf(file).flatMap((placed) => {
        const how = howLeftOut(placed);
        if (how === undefined || (how !== "only" && hasReason(file, placed))) return [];
        const remedy = how === "only" ? "run one test with -t instead" : "write the reason in a comment above it";
        return [broken(file.path, placed.line, `.${how} leaves out tests`, remedy)];
      }),
    );

function howLeftOut({ node }: Placed): string | undefined {
  if (node.type === "MemberExpression") {
    const property = propertyOf(node) ?? "";
    if (!isTestRoot(nameOf(rootOf(node)))) return undefined;
    return property === "only" || leavesOut.has(property) ? property : undefined;
  }
  const isXTest =
    node.type === "CallExpression" && /^(xit|xtest|xdescribe|fit|fdescribe)$/.test(nameOf(node["callee"]) ?? "");
  if (isXTest) return nameOf(node["callee"])!.startsWith("x") ? "skip" : "only";
  const options = node.type === "Property" && ["only", "skip", "todo", "fails"].includes(nameOf(node["key"]) ?? "");
  return options && node["value"]?.["value"] === true ? nameOf(node["key"]) : undefined;
}

/** Reports whether the line above an expression, or the one above the statement around it, is a comment. */
function hasReason({ text }: SourceFile, placed: Placed): boolean {
  const lines = text.split("\n");
  for (let at: Placed | undefined = placed; at !== undefined; at = at.parent) {
    if (/^\s*(\/\/|\*\/|\/\*\*)/.test(lines[at.line - 2] ?? "")) return true;
    if (/Statement$|Declaration$/.test(at.node.type)) return false;
  }
  return false;
}
