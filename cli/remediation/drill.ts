// `ballast remediation drill`: sends a synthetic incident through everything, which says that it is one and changes
// nothing.
import type { Command } from "commander";
import { remediations } from "../../client/remediations.ts";
import { streamCalls } from "../../client/streams.ts";
import { usageWrong } from "../../errors/cli.ts";
import { type ReachOptions, reach, withReachOptions } from "../reach.ts";
import { print, printJson } from "../terminal.ts";

/** Adds the command `drill` to the group `remediation`. */
export const addDrill = (group: Command): Command =>
  withReachOptions(group.command("drill").argument("<target>", "target, as in app/shop/web"))
    .description("go through a policy with a synthetic incident, and change nothing")
    .requiredOption("--rule <name>", "alert rule whose policy is drilled")
    .requiredOption("-m, --message <text>", "why the drill is held; the journal keeps it")
    .addHelpText(
      "after",
      `
Every guard is asked, the plan is made from the live state, and no write is sent.

Examples:
  ballast remediation drill app/shop/web --rule telemetry-app-failing -m "game day"
  ballast remediation drill app/shop/web --rule telemetry-app-failing -m "game day" --json`,
    )
    .action(async (target: string, options: ReachOptions & { readonly rule: string; readonly message: string }) => {
      const [type = "", resourceGroup = "", name = "", ...more] = target.split("/");
      if (name === "" || more.length > 0)
        throw usageWrong({ reason: "The target of a drill is a type, a resource group and a name: app/shop/web." });
      const calls = streamCalls(await reach(options), remediations);
      const incident = `drill-${Date.now().toString(36)}`;
      const answer = await calls.put(
        { type, resourceGroup, name, incident },
        { rule: options.rule, message: options.message, drill: true },
      );
      if ("refused" in answer) throw answer.refused;
      if (options.json) return printJson(answer.stream);
      print(`Drill ${answer.stream.id} has begun. To see it: ballast remediation follow ${incident}`);
    });
