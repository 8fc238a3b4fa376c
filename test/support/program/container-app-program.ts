// A project whose program declares its apps as ContainerApp or as CanaryApp, as its configuration says, and one that
// tries every shape that a CanaryApp refuses.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Ended, runChild } from "../../../toolchain/child.ts";
import { bringPulumi } from "../../../toolchain/pulumi/bring.ts";

const idle = ["node", "-e", "setInterval(() => {}, 1000)"];
const root = path.join(import.meta.dirname, "..", "..", "..");

/** Where a project gets Ballast from. */
export interface Ballast {
  /** The folder whose `node_modules` the program uses. */
  readonly root: string;
  /** What the program imports, and the folder of the provider, both below the root. */
  readonly module: string;
  readonly provider: string;
}

/** The sources, and the JavaScript that the package has of them. */
const fromSources: Ballast = { root, module: "package.ts", provider: "provider" };
export const fromPackage: Ballast = { root, module: "dist/package.js", provider: "dist/provider" };

/** The program, with the types that only TypeScript has. It says of the apps what its configuration says. */
const program = ([type, text, list]: readonly [string, string, string], ballast: string): string => `
import { ContainerApp } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const given${type} = config.requireObject("app");
const releases${type} = config.getObject("releases");
// A program of plain ContainerApps does not import Ballast.
const { CanaryApp }${type} = releases ? await import(${JSON.stringify(ballast)}) : {};
const [first, ...more] = given.template.containers;
// The group and the image are outputs, as those of other resources are.
const image = pulumi.output(Promise.resolve(first.image));
const args${type} = {
  ...given,
  resourceGroupName: pulumi.output(Promise.resolve(given.resourceGroupName)),
  template: { ...given.template, containers: [{ ...first, image }, ...more] },
};
// The stack adds a tag to the first copy, and a tag and a sidecar to the second one.
const isCopy = (number${type}, { type, name }${type}) =>
  type === "azure-native:app:ContainerApp" && name.startsWith("copy-" + number);
pulumi.runtime.registerStackTransformation((given${type}) =>
  isCopy(1, given) ? { ...given, props: { ...given.props, tags: { team: "shop" } } } : undefined,
);
pulumi.runtime.registerResourceTransform((given${type}) => {
  if (!isCopy(2, given)) return undefined;
  const template = pulumi.output(given.props.template).apply((said${type}) => ({
    ...said,
    containers: [...said.containers, { ...said.containers[0], name: "idle", command: ${JSON.stringify(idle)} }],
  }));
  return { ...given, props: { ...given.props, template, tags: { ...given.props.tags, team: "shop" } } };
});
class Group extends pulumi.ComponentResource {
  constructor() {
    super("shop:index:Group", "group");
    this.registerOutputs({});
  }
}
const wasCanary = config.getBoolean("back");
/** The factory of all apps: these lines are all that changes in it. */
const make = (name${text}, args${type}, more${type} = {})${type} => {
  const parent = pulumi.createUrn(name, "ballast:index:CanaryApp", more.parent);
  const options${type} = { ...more, ...(wasCanary && { aliases: [{ name: name + "-app", parent }] }) };
  return releases ? new CanaryApp(name, { ...args, ...releases }, options) : new ContainerApp(name, args, options);
};
const shop = make("shop", args);
for (const copy of config.requireObject("copies")${list})
  make(copy.containerAppName, copy, copy.containerAppName === "copy-3" ? { parent: new Group() } : {});
export const result = shop.result;
`;

/** Tries each shape that is refused by name, so that one run shows all of them. */
const refusals = `
import * as pulumi from "@pulumi/pulumi";
import { CanaryApp } from ${JSON.stringify(path.join(root, "package.ts"))};

const config = new pulumi.Config();
const { template, ...place } = config.requireObject("app");
const args = { ...place, template, ...config.requireObject("releases") };
const ignoresTemplate = (app) => ({ type, name, props, opts }) =>
  name === app ? { props, opts: { ...opts, ignoreChanges: ["template"] } } : undefined;
pulumi.runtime.registerStackTransformation(ignoresTemplate("of-a-transformation-app"));
pulumi.runtime.registerResourceTransform(ignoresTemplate("of-a-transform-app"));
const { ingress } = args.configuration;
const shapes = {
  autonamed: [{ ...args, containerAppName: undefined }],
  "of-a-pipeline": [args, { ignoreChanges: ["tags", "template.containers[0].image"] }],
  "of-one-path": [args, { ignoreChanges: "template" }],
  tcp: [{ ...args, configuration: { ingress: { external: false, targetPort: 5432, transport: "tcp" } } }],
  "without-ingress": [{ ...args, configuration: {} }],
  sticky: [{ ...args, configuration: { ingress: { ...ingress, stickySessions: { affinity: "sticky" } } } }],
  [config.require("transformed")]: [args],
};
for (const [name, [given, options]] of Object.entries(shapes))
  try {
    new CanaryApp(name, { ...given, containerAppName: given.containerAppName && name }, options);
  } catch (error) {
    console.log(\`\${name}: \${error.message}\`);
  }
`;

/** The programs of the project. */
export type Main = "js" | "ts" | "refusals";
const mains = { js: "index.js", ts: "index.ts", refusals: "refusals.js" } as const;

/** A project in a folder, and its stack. */
export interface ContainerAppProject {
  /** Runs the Pulumi CLI on one of the programs with a configuration. */
  readonly run: (main: Main, command: readonly string[], config: Readonly<Record<string, unknown>>) => Promise<Ended>;
}

/** Makes the project in an empty folder, and its stack. Its JavaScript program may be another one. */
export async function containerAppProject(
  folder: string,
  cloud: NodeJS.ProcessEnv,
  { root: from, module, provider }: Ballast = fromSources,
  javascript = program(["", "", ""], path.join(from, module)),
): Promise<ContainerAppProject> {
  const { command: file, environment: ofCli } = await bringPulumi();
  const cwd = path.join(folder, "program");
  mkdirSync(path.join(folder, "state"));
  mkdirSync(cwd);
  symlinkSync(path.join(from, "node_modules"), path.join(cwd, "node_modules"));
  writeFileSync(path.join(cwd, "package.json"), '{ "name": "shop", "private": true, "type": "module" }');
  writeFileSync(path.join(cwd, mains.js), javascript);
  writeFileSync(path.join(cwd, mains.ts), program([": any", ": string", " as any[]"], path.join(from, module)));
  writeFileSync(path.join(cwd, mains.refusals), refusals);
  const environment = {
    ...process.env,
    ...cloud,
    ...ofCli,
    PULUMI_HOME: path.join(folder, "home"),
    PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "for tests",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  const run: ContainerAppProject["run"] = (main, command, config) => {
    const project = {
      name: "shop",
      runtime: { name: "nodejs", options: { typescript: false } },
      main: mains[main],
      options: { refresh: "always" },
      plugins: { providers: [{ name: "ballast", path: path.join(from, provider) }] },
    };
    writeFileSync(path.join(cwd, "Pulumi.yaml"), JSON.stringify(project));
    const values = Object.entries(config).map(([key, value]) => [`shop:${key}`, value] as const);
    const all = { "azure-native:location": "westeurope", ...Object.fromEntries(values) };
    writeFileSync(path.join(cwd, "Pulumi.dev.yaml"), JSON.stringify({ config: all }));
    return runChild(file, [...command, "--stack", "dev", "--non-interactive", "--color", "never"], {
      cwd,
      environment,
    });
  };
  const made = await run("ts", ["stack", "init"], {});
  if (made.code !== 0) throw new Error(made.output);
  return { run };
}
