// Writes the published pack into a folder, as plain JavaScript with its PulumiPolicy.yaml: the SDK runs a pack that is
// a folder with a TypeScript of 2020, which cannot read our sources. `pulumi policy publish` is then run in that
// folder.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = join(import.meta.dirname, "..", "..");
const out = resolve(process.argv[2] ?? join(root, "out", "policy-pack"));
const { version, dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

if (
  existsSync(out) &&
  readdirSync(out).some((name) => name !== "node_modules") &&
  !existsSync(join(out, "PulumiPolicy.yaml"))
) {
  console.error(`${out} is not empty and is no policy pack; nothing was written.`);
  process.exit(1);
}
mkdirSync(out, { recursive: true });
rmSync(join(out, "dist"), { recursive: true, force: true });
const config = join(out, "tsconfig.json");
const options = { rootDir: root, outDir: join(out, "dist"), noEmit: false, allowJs: false, checkJs: false };
const emitting = {
  ...options,
  target: "es2023",
  rewriteRelativeImportExtensions: true,
  declaration: false,
  typeRoots: [join(root, "node_modules", "@types")],
};
const files = [join(root, "policies", "publish", "index.ts")];
writeFileSync(
  config,
  JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions: emitting, include: [], files }),
);
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const { status } = spawnSync(process.execPath, [tsc, "-p", config], { cwd: root, stdio: "inherit" });
rmSync(config);
const about = "Ballast's rules for Pulumi Cloud. It does not know which values are secret; the executable pack does.";
writeFileSync(
  join(out, "PulumiPolicy.yaml"),
  `name: ballast-published\nruntime: nodejs\nversion: ${version}\ndescription: ${about}\n`,
);
const main = "dist/policies/publish/index.js";
const needed = ["@pulumi/policy", "@pulumi/pulumi", "yaml"];
const versions = needed.map((name) => [name, dependencies[name] ?? devDependencies[name]]);
const manifest = { name: "ballast-published", version, type: "module", main, private: true };
const text = JSON.stringify({ ...manifest, dependencies: Object.fromEntries(versions) }, null, 2);
writeFileSync(join(out, "package.json"), `${text}\n`);
if (status === 0)
  console.log(`Written to ${out}. Next: npm install in that folder, then pulumi policy publish <organization>.`);
process.exitCode = status ?? 1;
