// `ballast promote`: takes the image that one stack runs over into another stack's file, by its digest, and who approved it. It writes
// two values of that file and nothing else; what is released, and when, is the next `pulumi up`'s. No cloud and no registry is asked.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Argument, type Command } from "commander";
import { isMap, isScalar, parseDocument, type YAMLMap } from "yaml";
import { promoteMutable, stackUnreadable } from "../../errors/cli.ts";
import { print, printJson } from "../terminal.ts";
import { type ImageName, imageKeys } from "./content.ts";

const approvalKey = "ballast:storefrontApproval";
const approvalsKey = "ballast:approvals";

/** Adds the command. */
export const addPromote = (program: Command): Command =>
  program
    .command("promote")
    .description("take the image that one stack runs over into another stack's configuration")
    .addArgument(new Argument("<service>", "whose image").choices(Object.keys(imageKeys)))
    .requiredOption("--from <stack>", "the stack whose image it is")
    .requiredOption("--to <stack>", "the stack whose Pulumi.<stack>.yaml is written")
    .option(
      "--approved-by <name>",
      "somebody who approved the image; may be repeated",
      (name: string, before: readonly string[]) => [...before, name],
      [] as readonly string[],
    )
    .option("--json", "answer in JSON")
    .addHelpText(
      "after",
      `
Only digests are promoted. Nothing is deployed: commit the file, and \`pulumi up\` of that stack releases the image.

Examples:
  ballast promote storefront --from dev --to prod
  ballast promote storefront --from dev --to prod --approved-by ann@example.com`,
    )
    .action(
      (service: ImageName, options: { from: string; to: string; approvedBy: readonly string[]; json?: boolean }) => {
        const key = imageKeys[service];
        const [from, to] = [fileOf(options.from), fileOf(options.to)];
        const image = String(configOf(from).get(key) ?? "not set");
        if (!/@sha256:[0-9a-f]{64}$/.test(image)) throw promoteMutable({ key, file: from, image });
        const before = readFileSync(to, "utf8");
        const wanted = configOf(to);
        const approvals = service === "storefront" ? Number(wanted.get(approvalsKey) ?? 0) : 0;
        const by = approvals > 0 ? approvers(wanted, image, options.approvedBy) : [];
        const withImage = withValue(to, before, key, image);
        const after =
          approvals > 0
            ? withValue(to, withImage, approvalKey, `{ image: ${JSON.stringify(image)}, by: ${JSON.stringify(by)} }`)
            : withImage;
        if (after !== before) writeFileSync(to, after);
        const missing = Math.max(0, approvals - by.length);
        if (options.json)
          return printJson({
            service,
            image,
            file: to,
            changed: after !== before,
            approvedBy: by,
            approvalsMissing: missing,
          });
        print(
          after === before
            ? `${to} has that image already: nothing was changed.`
            : `${to}: ${key} is ${image} now${by.length > 0 ? `, approved by ${by.join(" and ")}` : ""}. Nothing is deployed yet.`,
        );
        if (missing > 0)
          print(`${missing} more approval${missing === 1 ? "" : "s"} needed: run it again with --approved-by <name>.`);
      },
    );

const fileOf = (stack: string): string => `Pulumi.${stack}.yaml`;

/** Gives a file's configuration. @throws where there is none. */
function configOf(file: string, text = existsSync(file) ? readFileSync(file, "utf8") : undefined): YAMLMap {
  if (text === undefined) throw stackUnreadable({ file, reason: "it is not there" });
  const document = parseDocument(text);
  const config = document.get("config");
  const [wrong] = document.errors;
  if (wrong !== undefined) throw stackUnreadable({ file, reason: wrong.message.split("\n")[0]!.replace(/:$/, "") });
  if (!isMap(config)) throw stackUnreadable({ file, reason: "it has no configuration" });
  return config;
}

/** Those who approved this very image, each once; approvals of another image say nothing about it, nor does a placeholder. */
function approvers(config: YAMLMap, image: string, more: readonly string[]): readonly string[] {
  const known = (config.toJSON() as Record<string, { image?: unknown; by?: unknown } | undefined>)[approvalKey];
  return [...new Set([...(known?.image === image && Array.isArray(known.by) ? known.by.map(String) : []), ...more])];
}

/** Gives the file's text with one value put in place of another, so that comments, order and everything else stay as somebody wrote them. */
function withValue(file: string, text: string, key: string, value: string): string {
  const config = configOf(file, text);
  const found = config.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
  const [start, end] = (found?.value as { range?: readonly number[] } | undefined)?.range ?? [];
  if (start !== undefined && end !== undefined)
    return `${text.slice(0, start)}${value}${text.slice(start, end).endsWith("\n") ? "\n" : ""}${text.slice(end)}`;
  // Beside the first key, whose place in its line says how far keys are indented.
  const first = (config.items[0]?.key as { range?: readonly number[] } | undefined)?.range?.[0] ?? 0;
  const indent = " ".repeat(first - (text.lastIndexOf("\n", first - 1) + 1));
  return `${text.slice(0, first)}${key}: ${value}\n${indent}${text.slice(first)}`;
}
