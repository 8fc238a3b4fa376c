// `ballast credential rotate`: asks the control plane for a rotation. It returns at once; `follow` shows the rest.
import { type Command, InvalidArgumentError, Option } from "commander";
import { credentialCalls } from "../../client/credentials.ts";
import { rotations } from "../../client/rotations.ts";
import { streamCalls } from "../../client/streams.ts";
import { read } from "../../engines/form.ts";
import { credentialParts } from "../../engines/rotation/declaration.ts";
import { parts } from "../../engines/rotation/intent.ts";
import { undeclared } from "../../errors/api.ts";
import { type ReachOptions, reach, withReachOptions } from "../reach.ts";
import { print, printJson } from "../terminal.ts";

interface RotateOptions extends ReachOptions {
  readonly message?: string;
  readonly dryRun?: boolean;
  readonly leaked?: boolean;
  readonly first?: boolean;
  readonly name?: string;
}

/** Adds the command `rotate` to the group `credential`. */
export const addRotate = (group: Command): Command =>
  withReachOptions(group.command("rotate").argument("<vault/credential>", "the credential's vault and name", addressOf))
    .description("replace a credential's password: the idle slot first, then each app by canary, then the readers")
    .option("-m, --message <text>", "why, recorded in the journal with your name; required unless --dry-run")
    .option("--dry-run", "start nothing: print what a rotation would do now, and what each step would wait for")
    .option("--leaked", "others know the password: close the old role as soon as the new version is published")
    .addOption(
      new Option("--first", "nothing is published yet: give both slots their first version").conflicts("leaked"),
    )
    .option("--name <name>", "name of the rotation, 1 to 16 letters and digits (default: from the time)", nameOf)
    .addHelpText(
      "after",
      `
The command returns once the control plane has accepted the rotation. Repeating it with the same --name starts nothing.

Examples:
  ballast credential rotate shop-kv/database --dry-run
  ballast credential rotate shop-kv/database --message "a colleague left"
  ballast credential rotate shop-kv/database --leaked --message "it was in a log"
  ballast credential rotate shop-kv/data --first --message "the keys of shopdata"
  ballast credential follow`,
    )
    .action(async (address: Address, options: RotateOptions, command: Command) => {
      if (options.dryRun) return showPlan(address, options);
      const { message } = options;
      if (message === undefined) return command.error("error: required option '-m, --message <text>' not specified");
      const calls = streamCalls(await reach(options), rotations);
      const rotation = options.name ?? Date.now().toString(36);
      const put = await calls.put({ ...address, rotation }, { cause: causeOf(options), message });
      if ("refused" in put) throw put.refused;
      const { stream } = put;
      if (options.json) return printJson(stream);
      print(`${stream.id} is ${stream.result ?? stream.phase}. Follow it with: ballast credential follow ${rotation}`);
    });

function causeOf({ leaked, first }: RotateOptions) {
  if (leaked) return "leaked";
  return first ? "first" : "requested";
}

/** Prints what a rotation would do now. */
async function showPlan(address: Address, options: RotateOptions): Promise<void> {
  const declared = await credentialCalls(await reach(options)).show(address);
  if (declared === undefined) throw undeclared({ what: `the credential ${address.credential} in ${address.vault}` });
  if (options.json) return printJson(declared);
  const { published, consumers, missing, plan, unread } = declared;
  const state = published === null ? "nothing is published" : `slot ${published.slot} is published`;
  print(`${address.vault}/${address.credential}: ${state}`);
  if (unread !== null) print(`It could not be read: ${unread}`);
  for (const { app, slot } of consumers)
    print(`  ${app} names ${slot === null ? "neither slot, or both" : `slot ${slot}`}`);
  for (const right of missing) print(`  a role lacks ${right}, so that the rotation would be rejected`);
  for (const [index, { step, waitsFor }] of plan.entries())
    print(`${String(index + 1).padStart(2)}. ${step}${waitsFor === "nothing" ? "" : `\n    waits for ${waitsFor}`}`);
  print("Nothing was started.");
}

interface Address {
  readonly vault: string;
  readonly credential: string;
}

function addressOf(given: string): Address {
  const [vault = "", credential = "", ...more] = given.split("/");
  const isRight =
    more.length === 0 &&
    "value" in read(credentialParts.vault, vault) &&
    "value" in read(credentialParts.credential, credential);
  if (isRight) return { vault, credential };
  throw new InvalidArgumentError("Expected <vault>/<credential>, such as shop-kv/database.");
}

function nameOf(given: string): string {
  if ("value" in read(parts.rotation, given)) return given;
  throw new InvalidArgumentError("Expected 1 to 16 lower-case letters and digits.");
}
