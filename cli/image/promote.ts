// `ballast promote`: copies the image that one stack runs, by its digest, into another stack's file, along with who
// approved it. It changes these two values only. The next `pulumi up` releases the image; no cloud and no registry
// is called here.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Argument, type Command } from "commander";
import { isMap, isScalar, parseDocument, type YAMLMap } from "yaml";
import { promoteMutable, stackUnreadable } from "../../errors/cli.ts";
import { print, printJson } from "../terminal.ts";
import { type ImageName, imageKeys } from "./content.ts";

const approvalKey = "ballast:storefrontApproval";
const approvalsKey = "ballast:approvals";

interface PromoteOptions {
  readonly from: string;
  readonly to: string;
  readonly approvedBy?: readonly string[];
  readonly json?: boolean;
}

/** Adds the command `promote`. */
export const addPromote = (program: Command): Command =>
  program
    .command("promote")
    .description("copy the image that one stack runs into another stack's configuration")
    .addArgument(new Argument("<service>", "service whose image to copy").choices(Object.keys(imageKeys)))
    .requiredOption("--from <stack>", "stack that runs the image")
    .requiredOption("--to <stack>", "stack whose Pulumi.<stack>.yaml is changed")
    .option(
      "--approved-by <name>",
      "person who approved the image; may be repeated",
      (name: string, before: readonly string[] = []) => [...before, name],
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Only images with a digest can be promoted. Nothing is deployed: commit the file, then \`pulumi up\` of that stack
releases the image.

Examples:
  ballast promote storefront --from dev --to prod
  ballast promote storefront --from dev --to prod --approved-by ann@example.com`,
    )
    .action((service: ImageName, options: PromoteOptions) => {
      const promoted = promote(service, options);
      if (options.json) return printJson(promoted);
      const { image, file, changed, approvedBy, approvalsMissing } = promoted;
      const approved = approvedBy.length > 0 ? `, approved by ${approvedBy.join(" and ")}` : "";
      print(
        changed
          ? `${file}: ${imageKeys[service]} is now ${image}${approved}. Nothing is deployed yet.`
          : `${file} already has that image. Nothing was changed.`,
      );
      if (approvalsMissing > 0) {
        const approvals = approvalsMissing === 1 ? "approval is" : "approvals are";
        print(`${approvalsMissing} more ${approvals} needed. Run the command again with --approved-by <name>.`);
      }
    });

/** What a promotion wrote, as it appears in the JSON output. */
interface Promotion {
  readonly service: ImageName;
  readonly image: string;
  readonly file: string;
  readonly changed: boolean;
  readonly approvedBy: readonly string[];
  readonly approvalsMissing: number;
}

/** Writes the image and its approvals into the stack's file. @throws cli-promote-mutable, cli-stack-unreadable */
function promote(service: ImageName, options: PromoteOptions): Promotion {
  const key = imageKeys[service];
  const [from, to] = [fileOf(options.from), fileOf(options.to)];
  const image = String(configOf(from).get(key) ?? "not set");
  if (!/@sha256:[0-9a-f]{64}$/.test(image)) throw promoteMutable({ key, file: from, image });
  const config = configOf(to);
  const before = readFileSync(to, "utf8");
  const approvals = service === "storefront" ? Number(config.get(approvalsKey) ?? 0) : 0;
  const approvedBy = approvals > 0 ? approvers(config, image, options.approvedBy ?? []) : [];
  const withImage = withValue(to, before, key, image);
  const approval = `{ image: ${JSON.stringify(image)}, by: ${JSON.stringify(approvedBy)} }`;
  const after = approvals > 0 ? withValue(to, withImage, approvalKey, approval) : withImage;
  const changed = after !== before;
  if (changed) writeFileSync(to, after);
  return {
    service,
    image,
    file: to,
    changed,
    approvedBy,
    approvalsMissing: Math.max(0, approvals - approvedBy.length),
  };
}

const fileOf = (stack: string): string => `Pulumi.${stack}.yaml`;

/** Gives the configuration in a stack's file. @throws cli-stack-unreadable */
function configOf(file: string, text = existsSync(file) ? readFileSync(file, "utf8") : undefined): YAMLMap {
  if (text === undefined) throw stackUnreadable({ file, reason: "it does not exist" });
  const document = parseDocument(text);
  const config = document.get("config");
  const [wrong] = document.errors;
  if (wrong !== undefined) throw stackUnreadable({ file, reason: wrong.message.split("\n")[0]!.replace(/:$/, "") });
  if (!isMap(config)) throw stackUnreadable({ file, reason: "it has no configuration" });
  return config;
}

/** Gives who approved this image, each person once. Approvals of another image in the file do not count. */
function approvers(config: YAMLMap, image: string, more: readonly string[]): readonly string[] {
  const known = (config.toJSON() as Record<string, { image?: unknown; by?: unknown } | undefined>)[approvalKey];
  return [...new Set([...(known?.image === image && Array.isArray(known.by) ? known.by.map(String) : []), ...more])];
}

/** Replaces or adds one value in a file's text. Comments, order and everything else stay as they are. */
function withValue(file: string, text: string, key: string, value: string): string {
  const config = configOf(file, text);
  const found = config.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
  const [start, end] = (found?.value as { range?: readonly number[] } | undefined)?.range ?? [];
  if (start !== undefined && end !== undefined)
    return `${text.slice(0, start)}${value}${text.slice(start, end).endsWith("\n") ? "\n" : ""}${text.slice(end)}`;
  // A new key goes before the first one, with the same indentation.
  const first = (config.items[0]?.key as { range?: readonly number[] } | undefined)?.range?.[0] ?? 0;
  const indent = " ".repeat(first - (text.lastIndexOf("\n", first - 1) + 1));
  return `${text.slice(0, first)}${key}: ${value}\n${indent}${text.slice(first)}`;
}
