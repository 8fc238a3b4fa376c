// A module that another one starts by its address is no import, so the compiler finds it only if it is listed.
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { readRepository } from "../support/repository/source.ts";

const root = join(import.meta.dirname, "..", "..");

test("the package compiles each module that its code starts by its address", () => {
  const { files } = JSON.parse(readFileSync(join(root, "tsconfig.package.json"), "utf8").replaceAll(/ \/\/.*/g, ""));
  const started = readRepository(root)
    .filter(({ path }) => path.endsWith(".ts") && !path.startsWith("test/"))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/new URL\(`([^`$]+)\$\{extname\(import\.meta\.url\)\}`/g)].map(([, name]) =>
        normalize(join(dirname(path), `${name}.ts`)),
      ),
    );
  expect(started).toContain("toolchain/pulumi/late-debugger.ts");
  expect(started.filter((module) => !files.includes(module))).toEqual([]);
});
