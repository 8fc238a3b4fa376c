// `ballast image build`: has a registry build one of our images from its list of files, and prints the image's digest.
// The Azure CLI sends the files and asks for the digest, so this machine needs no Docker and no Podman.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Argument, type Command } from "commander";
import { imageAzMissing, imageBuildFailed, imageSourcesMissing } from "../../errors/cli.ts";
import { az } from "../az.ts";
import { print, printJson } from "../terminal.ts";
import { type ImageName, imageEntries, imageKeys, layOut, listOf } from "./content.ts";

const run = (step: string, args: readonly string[], report?: (output: string) => void): Promise<string> =>
  az(args, { missing: imageAzMissing, failed: (output) => imageBuildFailed({ step, output }) }, report);

/** Adds the group of commands about images. */
export function addImage(program: Command): void {
  program
    .command("image")
    .description("build the images that stacks run")
    .command("build")
    .description("build an image in a registry, and print its digest")
    .addArgument(new Argument("<image>", "image to build").choices(Object.keys(imageEntries)))
    .requiredOption("--registry <name>", "name of the registry, without .azurecr.io")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Needs \`az login\` with permission to build in the registry. The tag is a hash of the image's content, so the same
sources give the same tag. Stacks refer to images by digest.

Examples:
  ballast image build storefront --registry myregistry
  ballast image build control-plane --registry myregistry --json | jq -r .image`,
    )
    .action(build);
}

async function build(name: ImageName, { registry, json }: { registry: string; json?: boolean }): Promise<void> {
  if (!existsSync(listOf(name))) throw imageSourcesMissing();
  const folder = mkdtempSync(path.join(tmpdir(), `ballast-${name}-`));
  try {
    const content = layOut(name, folder);
    const tagged = `${name}:${content.slice(0, 12)}`;
    // The build's output goes to standard error, so that a script reads only the answer from standard output.
    await run(
      "building the image",
      [
        "acr",
        "build",
        "--registry",
        registry,
        "--image",
        tagged,
        "--platform",
        "linux/amd64",
        "--file",
        path.join(folder, "Dockerfile"),
        folder,
      ],
      (output) => void process.stderr.write(output),
    );
    const digest = (
      await run("reading the digest", [
        "acr",
        "repository",
        "show",
        "--name",
        registry,
        "--image",
        tagged,
        "--query",
        "digest",
        "--output",
        "tsv",
      ])
    ).trim();
    if (!/^sha256:[0-9a-f]{64}$/.test(digest))
      throw imageBuildFailed({ step: "reading the digest", output: `it answered ${JSON.stringify(digest)}` });
    const image = `${registry.toLowerCase()}.azurecr.io/${name}@${digest}`;
    if (json) return printJson({ name, image, tag: tagged.split(":")[1], content: `sha256:${content}` });
    print(`${image}\nTo run it in a stack: pulumi config set ${imageKeys[name]} ${image} --stack <stack>`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
