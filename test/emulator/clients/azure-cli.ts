// The steps of the Azure CLI on the emulator: it signs in as a service principal and works with a container app, as its
// quick start does. A step with `known` does not work yet, and says why.
import type { RunningEmulator } from "../../../emulator/start.ts";

/** One step of a client. */
export interface Step {
  readonly name: string;
  /** Why the step does not work yet. */
  readonly known?: string;
}

/** One command, and what its answer must show. */
interface CliStep extends Step {
  readonly args: readonly string[];
  readonly shows: RegExp;
}

/** Makes a step of one line. */
const step = (line: string, shows: RegExp, known?: string): CliStep => ({
  name: `az ${line}`,
  args: line.split(" "),
  shows,
  ...(known === undefined ? {} : { known }),
});

/** Gives the commands in order. */
export const azureCliSteps = (emulator: RunningEmulator): readonly CliStep[] => [...signIn(emulator), ...work];

/** Makes the emulator a cloud of the CLI, and signs in to it. */
function signIn({ port, tenant, client }: RunningEmulator): readonly CliStep[] {
  const endpoint = `https://127.0.0.1:${port}`;
  return [
    {
      name: "az cloud register",
      shows: /^/,
      args: [
        ...["cloud", "register", "-n", "ballast", "--endpoint-resource-manager", endpoint],
        ...["--endpoint-active-directory", endpoint, "--endpoint-management", `${endpoint}/`],
        ...["--endpoint-active-directory-resource-id", "https://management.azure.com/"],
        ...["--endpoint-active-directory-graph-resource-id", `${endpoint}/`],
        ...["--endpoint-microsoft-graph-resource-id", `${endpoint}/`],
      ],
    },
    step("cloud set -n ballast", /^/),
    step("config set core.instance_discovery=false", /^/),
    {
      name: "az login --service-principal",
      shows: /"state": "Enabled"/,
      args: ["login", "--service-principal", "-u", client.id, "-p", client.secret, "--tenant", tenant],
    },
  ];
}

const app = ["-n", "shop", "-g", "cli"];
const job = ["-n", "nightly", "-g", "cli"];

/** What the quick start of Container Apps does. */
const work: readonly CliStep[] = [
  step("group create -n cli -l westeurope", /Succeeded/),
  step("group list -o table", /cli/),
  step("containerapp env create -n clienv -g cli -l westeurope --logs-destination none", /"name": "clienv"/),
  {
    name: "az containerapp create",
    shows: /"latestRevisionName": "shop--/,
    args: [
      ...["containerapp", "create", ...app, "--environment", "clienv", "--image", "registry.example/web:1"],
      ...["--ingress", "external", "--target-port", "8080", "--min-replicas", "1"],
    ],
  },
  { name: "az containerapp show", args: ["containerapp", "show", ...app], shows: /"Microsoft.App\/containerApps"/ },
  {
    name: "az containerapp update",
    args: ["containerapp", "update", ...app, "--set-env-vars", "A=b"],
    shows: /shop--0000001/,
  },
  {
    name: "az containerapp revision set-mode",
    args: ["containerapp", "revision", "set-mode", ...app, "--mode", "multiple"],
    shows: /multiple/i,
  },
  {
    name: "az containerapp revision list",
    args: ["containerapp", "revision", "list", ...app, "-o", "table"],
    shows: /shop--0000001/,
  },
  {
    name: "az containerapp ingress traffic set",
    args: ["containerapp", "ingress", "traffic", "set", ...app, "--revision-weight", "latest=100"],
    shows: /100/,
  },
  {
    name: "az containerapp secret set",
    args: ["containerapp", "secret", "set", ...app, "--secrets", "key=value"],
    shows: /"key"/,
  },
  {
    name: "az containerapp logs show",
    args: ["containerapp", "logs", "show", ...app],
    shows: /Successfully Connected to container: 'shop'[^]*listening/,
  },
  {
    name: "az containerapp logs show --type system",
    args: ["containerapp", "logs", "show", ...app, "--type", "system"],
    shows: /ConnectedToEventsServer/,
  },
  {
    name: "az containerapp env logs show",
    args: ["containerapp", "env", "logs", "show", "-n", "clienv", "-g", "cli"],
    shows: /ConnectedToEventsServer/,
  },
  {
    name: "az containerapp replica list",
    args: ["containerapp", "replica", "list", ...app],
    shows: /logStreamEndpoint/,
  },
  {
    name: "az containerapp job create",
    args: [
      ...["containerapp", "job", "create", ...job, "--environment", "clienv", "--image", "registry.example/web:1"],
      ...["--trigger-type", "Manual", "--replica-timeout", "30", "--env-vars", "A=b"],
      ...["--replica-retry-limit", "0", "--parallelism", "1", "--replica-completion-count", "1"],
    ],
    shows: /"Microsoft.App\/jobs"/,
  },
  { name: "az containerapp job show", args: ["containerapp", "job", "show", ...job], shows: /"triggerType": "Manual"/ },
  {
    name: "az containerapp job update",
    args: ["containerapp", "job", "update", ...job, "--replica-timeout", "40"],
    shows: /"replicaTimeout": 40/,
  },
  { name: "az containerapp job start", args: ["containerapp", "job", "start", ...job], shows: /nightly-/ },
  {
    name: "az containerapp job execution list",
    args: ["containerapp", "job", "execution", "list", ...job, "-o", "table"],
    shows: /nightly-/,
  },
  { name: "az containerapp job delete", args: ["containerapp", "job", "delete", ...job, "--yes"], shows: /^/ },
  step("resource list -g cli -o table", /Microsoft.App\/containerApps/),
  step("role definition list --name AcrPull", /7f951dda-4ed3-4680-a7ca-43fe172d538d/),
  { name: "az containerapp delete", args: ["containerapp", "delete", ...app, "--yes"], shows: /^/ },
];
