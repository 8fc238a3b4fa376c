// The options by which every command of `ballast alert` names the alerts and what is declared about them.
import { type Command, Option } from "commander";
import { publicAzure } from "../../defaults.ts";

/** Adds the options by which every command names the alerts. */
export const withAlertOptions = (command: Command): Command =>
  command
    .option("--alerts <file>", "file with an answer of the alerts API, with includeContext=true")
    .option("--subscription <id>", "subscription whose alerts are read, as the person who is signed in")
    .addOption(
      new Option("--resource-manager <url>", "address of Resource Manager").default(publicAzure.resourceManager),
    )
    .addOption(new Option("--days <days>", "how far back alerts are read: 1, 7 or 30").default("7"))
    .option("--remediations <file>", "what is declared about remediations, in JSON or YAML")
    .option("--json", "print JSON");
