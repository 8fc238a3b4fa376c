// What the workflow `db-migrate` asks of the Azure CLI: its own step starts a job with the trace of the run, as bash
// and the real `az` carry it out, and the execution must have the trace beside what the job's own container has.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import type { RunningEmulator } from "../../../emulator/start.ts";

const run = promisify(execFile);
const workflow = path.join(import.meta.dirname, "..", "..", "..", ".github", "workflows", "db-migrate.yml");
const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

interface WorkflowStep {
  readonly name: string;
  readonly run: string;
  readonly env: { readonly CONTAINERS: string };
}

const resourceOf = ({ subscription }: RunningEmulator, type: string, name: string): string =>
  `/subscriptions/${subscription}/resourceGroups/cli/providers/Microsoft.App/${type}/${name}`;
const jobUrl = (emulator: RunningEmulator): string =>
  `https://127.0.0.1:${emulator.port}${resourceOf(emulator, "jobs", "migrate")}?api-version=2025-07-01`;
const jobBody = (emulator: RunningEmulator): object => ({
  location: "westeurope",
  properties: {
    environmentId: resourceOf(emulator, "managedEnvironments", "clienv"),
    configuration: { triggerType: "Manual", replicaTimeout: 60, secrets: [{ name: "key", value: "value" }] },
    template: {
      containers: [
        {
          name: "migrate",
          image: "registry.example/web:1",
          command: ["/bin/true"],
          env: [
            { name: "A", value: "b" },
            { name: "C", secretRef: "key" },
          ],
        },
      ],
    },
  },
});

/** Runs the step on a job of the group `cli`. @returns what was wrong */
export async function startJobAsWorkflow(
  emulator: RunningEmulator,
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const { jobs } = parse(readFileSync(workflow, "utf8")) as { jobs: { migrate: { steps: readonly WorkflowStep[] } } };
  const step = jobs.migrate.steps.find(({ name }) => name === "Run the job")!;
  const expressions = { "steps.set-up.outputs.traceparent": traceparent, "inputs.phase": "expand" };
  const containers = Object.entries(expressions).reduce(
    (text, [expression, value]) => text.replace(`\${{ ${expression} }}`, value),
    step.env.CONTAINERS,
  );
  const env = {
    ...environment,
    ...{ JOB: "migrate", GROUP: "cli", EVIDENCE: folder, RUNNER_TEMP: folder },
    ...{ GITHUB_OUTPUT: path.join(folder, "output"), GITHUB_STEP_SUMMARY: path.join(folder, "summary") },
    CONTAINERS: containers,
  };
  const job = ["-n", "migrate", "-g", "cli"];
  try {
    await run(
      "az",
      ["rest", "--method", "put", "--url", jobUrl(emulator), "--body", JSON.stringify(jobBody(emulator))],
      {
        env,
      },
    );
    await run("bash", ["-c", step.run], { env });
    const list = ["containerapp", "job", "execution", "list", ...job];
    const { stdout } = await run("az", [...list, "--query", "[].properties.template.containers[].[command, env]"], {
      env,
    });
    const expected = [
      [
        ["/bin/true"],
        [
          { name: "A", value: "b" },
          { name: "C", secretRef: "key" },
          { name: "TRACEPARENT", value: traceparent },
          { name: "BALLAST_MIGRATION_PHASE", value: "expand" },
        ],
      ],
    ];
    const found = JSON.stringify(JSON.parse(stdout));
    return found === JSON.stringify(expected) ? undefined : `the executions have ${found}`;
  } catch (error) {
    const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
    return stderr || message;
  }
}
