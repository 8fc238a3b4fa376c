// The pages that the package ships link only to what it ships too. A reader of the tarball has no clone.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const withoutCode = (markdown: string): string =>
  markdown.replaceAll(/^```[^]*?^```/gm, "").replaceAll(/`[^`\n]*`/g, "");

/** Lists the files of the tarball. What `prepack` compiles is left out: no page links to it. */
function packedFiles(): readonly string[] {
  const { stdout, status, stderr } = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  const listed = JSON.parse(stdout) as Record<string, { files: { path: string }[] }>;
  return Object.values(listed)[0]!.files.map(({ path }) => path);
}

test("every link of a packed page leads to a packed file or folder", () => {
  const files = packedFiles();
  const leads = (target: string): boolean =>
    files.includes(target) || files.some((file) => file.startsWith(`${target.replace(/\/$/, "")}/`));
  const pages = files.filter((file) => file.endsWith(".md"));
  const links = pages.flatMap((page) =>
    [...withoutCode(readFileSync(join(root, page), "utf8")).matchAll(/\]\(([^)\s#]+)/g)]
      .map(([, link]) => link!)
      .filter((link) => !/^https?:/.test(link))
      .map((link) => ({ page, link, target: normalize(join(dirname(page), link)) })),
  );
  expect(pages).toContain("README.md");
  expect(links.length).toBeGreaterThan(100);
  expect(links.filter(({ target }) => !leads(target)).map(({ page, link }) => `${page}: ${link}`)).toEqual([]);
}, 120_000);
