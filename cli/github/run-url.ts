// The address of a workflow's run, which comments and issues link to.
import { type Command, InvalidArgumentError } from "commander";

/** Adds the option that names the run. */
export const withRunUrl = (command: Command): Command =>
  command.option("--run-url <url>", "address of the run, to link to; it begins with https://", runUrl);

/** Gives the link to a run as Markdown. */
export const runLink = (url: string): string => `[this run](${url})`;

/** Reads an address as it may stand in Markdown, where a bracket would end the link. */
function runUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol !== "https:") throw new InvalidArgumentError("Expected an address with https.");
  if (url.username !== "" || url.password !== "") throw new InvalidArgumentError("Expected an address without a user.");
  return url.href.replaceAll("(", "%28").replaceAll(")", "%29");
}
