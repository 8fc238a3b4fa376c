// `ballast image build`: has a registry build one of our images from its list, with no container engine on this machine, and says by which
// digest it is known from then on. Azure's own command line is asked for both; nobody else knows the way of a build to a registry's machines.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Argument, type Command } from "commander";
import { imageAzMissing, imageBuildFailed, imageSourcesMissing } from "../../errors/cli.ts";
import { az } from "../az.ts";
import { print, printJson } from "../terminal.ts";
import { type ImageName, imageEntries, imageKeys, layOut, listOf } from "./content.ts";

const ask = (step: string, args: readonly string[], tell?: (words: string) => void): Promise<string> =>
  az(args, { missing: imageAzMissing, failed: (words) => imageBuildFailed({ step, words }) }, tell);

/** Adds the group of commands about images. */
export function addImage(program: Command): void {
  program
    .command("image")
    .description("build what the stacks run")
    .command("build")
    .description("have a registry build an image from its list of files, and say its digest")
    .addArgument(new Argument("<image>", "which").choices(Object.keys(imageEntries)))
    .requiredOption("--registry <name>", "the registry, without .azurecr.io; ballast:registry of the stack that has it")
    .option("--json", "answer in JSON")
    .addHelpText(
      "after",
      `
Needs Azure's command line, signed in as somebody who may build in the registry (\`az login\`). The tag is made of what lies in the image, so
that the same sources come to the same tag. Stacks name images by the digest.

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
    // What the build says goes to standard error, where a person sees it and a script that reads the answer does not.
    await ask(
      "the build",
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
      (words) => void process.stderr.write(words),
    );
    const digest = (
      await ask("the question for its digest", [
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
      throw imageBuildFailed({ step: "the question for its digest", words: `it answered ${JSON.stringify(digest)}` });
    const image = `${registry.toLowerCase()}.azurecr.io/${name}@${digest}`;
    if (json) return printJson({ name, image, tag: tagged.split(":")[1], content: `sha256:${content}` });
    print(`${image}\nRun it in a stack: pulumi config set ${imageKeys[name]} ${image} --stack <stack>`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
