// A project that is delivered by workflows: a repository of the emulated GitHub with a Pulumi program, and what
// `ballast workflows init` writes there. The workflows run with act as GitHub would run them, with the real Pulumi CLI,
// the real policy pack and the real `ballast`; only the actions of others are stubs. The reusable workflows come from a
// repository of their own, at the commit that the callers name.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Hosted } from "../../../emulator/github/calls.ts";
import { type Github, startGithub } from "../../../emulator/github/github.ts";
import { runChild } from "../../../toolchain/child.ts";
import { bringPulumi } from "../../../toolchain/pulumi/bring.ts";
import type { JobVariables } from "./federated-login.ts";
import { compatForm, git, makeActions, makeJq } from "./stubs.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const token = "ghs_actions0of0the0emulated0github00000000";
const id = "00000000-0000-0000-0000-0000ba11a57e";

/** What is delivered. */
interface Delivered {
  readonly stacks: readonly string[];
  /** The files of the project's first commit beside those of its stacks. */
  readonly files: Readonly<Record<string, string>>;
  /** The tenant and the subscription of the stacks. */
  readonly tenant: string;
  readonly subscription: string;
  /** More keys of the stacks' configuration. @default {} */
  readonly config?: Readonly<Record<string, string>>;
  /** Variables that every command of the project has. @default {} */
  readonly environment?: NodeJS.ProcessEnv;
}

/** What signs a command in to Azure, and what makes the emulator's own process serve azure-native. */
const ofOwner = /^((ARM|AZURE)_(CLIENT_ID|CLIENT_SECRET|TENANT_ID)|PULUMI_DEBUG_PROVIDERS)$/;
const withoutOwner = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !ofOwner.test(name)));

/** The client ids of the identities on Azure that trust the tokens of the repository's runs. */
interface Identities {
  readonly preview: string;
  /** By stack. */
  readonly deploy: Readonly<Record<string, string>>;
}

/** The project, its repository, and a state that knows its stacks. */
export class DeliveredProject implements AsyncDisposable {
  readonly folder: string;
  readonly github: Github;
  readonly hosted: Hosted;
  readonly work: string;
  /**
   * Runs sign in as these by their own tokens, and have no other credential. Without them, a stub signs them in.
   */
  identities: Identities | undefined;
  readonly #stacks: readonly string[];
  readonly #act: string;
  readonly #actions: readonly string[];
  readonly #environment: NodeJS.ProcessEnv;
  readonly #source: string;
  #runs = 0;

  private constructor(parts: Parts) {
    this.folder = parts.folder;
    this.github = parts.github;
    this.hosted = parts.hosted;
    this.work = join(parts.folder, "work");
    this.#stacks = parts.stacks;
    this.#act = parts.act;
    this.#actions = parts.actions;
    this.#environment = parts.environment;
    this.#source = parts.source;
  }

  /** Makes the repository, the state with the stacks, and the repository of the reusable workflows. */
  static async make(act: string, delivered: Delivered): Promise<DeliveredProject> {
    const pulumiCli = await bringPulumi();
    const folder = mkdtempSync(join(tmpdir(), "ballast-delivered-"));
    const github = await startGithub(join(folder, "hosted"));
    github.tokens.set(token, { login: "github-actions[bot]" });
    const hosted = github.host("acme/shop");
    const source = makeSource(join(folder, "ballast"));
    const commands = join(folder, "commands");
    makeCommands(commands);
    const environment = {
      ...process.env,
      ...delivered.environment,
      ...pulumiCli.environment,
      HOME: join(folder, "home"),
      PATH: `${commands}:${pulumiCli.binFolder}:${process.env["PATH"]}`,
      STORY_ROOT: root,
      STORY_GITHUB: github.api,
      JOURNAL: join(folder, "journal"),
      OUTCOMES: join(folder, "outcomes"),
      REPOSITORY_FOLDER: join(folder, "work"),
      ARTIFACTS: join(folder, "artifacts"),
      PULUMI_HOME: join(folder, "home"),
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "for tests",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    };
    for (const name of ["home", "state", "outcomes", "artifacts"]) mkdirSync(join(folder, name));
    const actions = [...makeActions(join(folder, "actions")), ...source.repositories];
    const { stacks } = delivered;
    const parts = { folder, github, hosted, stacks, act, actions, environment, source: source.commit };
    const made = new DeliveredProject(parts);
    try {
      await made.#writeProject(delivered);
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
    return made;
  }

  async #writeProject({ stacks, files, tenant, subscription, config = {} }: Delivered): Promise<void> {
    const { work } = this;
    git(this.folder, "clone", "--quiet", join(this.folder, "hosted", "acme", "shop"), work);
    git(work, "remote", "set-url", "origin", "https://github.com/acme/shop.git");
    this.write({
      "package.json": '{ "name": "shop", "private": true, "type": "module" }\n',
      ".gitignore": "node_modules\nevidence\n",
      "Pulumi.yaml": "name: shop\nruntime: { name: nodejs, options: { typescript: false } }\nmain: index.js\n",
      ...files,
    });
    const all = { "azure-native:tenantId": tenant, "azure-native:subscriptionId": subscription, ...config };
    for (const stack of stacks) {
      await this.run("pulumi", ["stack", "init", stack, "--non-interactive"]);
      this.write({ [`Pulumi.${stack}.yaml`]: stringify({ config: all }) });
    }
    this.commit("main", "A program");
  }

  /** Writes files of the working copy. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.work, name), text);
  }

  /** Gives an output of a stack. */
  readonly output = async (stack: string, name: string): Promise<string> =>
    (await this.run("pulumi", ["stack", "output", name, "--stack", stack, "--non-interactive"])).trim();

  /** Runs a command in the working copy. @throws an error with its output if it fails */
  async run(command: string, args: readonly string[]): Promise<string> {
    const { code, output } = await runChild(command, args, { cwd: this.work, environment: this.#environment });
    if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}: ${output}`);
    return output;
  }

  /** Writes the callers. @returns what the command prints */
  readonly init = (): Promise<string> =>
    this.run(process.execPath, [
      join(root, "cli", "main.ts"),
      ...["workflows", "init", "--source", `example/ballast@${this.#source}`],
    ]);

  /** Commits everything, and pushes it to a branch. @returns the commit */
  commit(branch: string, message: string): string {
    git(this.work, "add", ".");
    git(this.work, "commit", "--quiet", "--allow-empty", "--message", message);
    git(this.work, "push", "--quiet", join(this.folder, "hosted", "acme", "shop"), `HEAD:refs/heads/${branch}`);
    return git(this.work, "rev-parse", "HEAD");
  }

  /** Brings the working copy to the newest commit of a branch. @returns the commit */
  pull(branch: string): string {
    git(this.work, "fetch", "--quiet", join(this.folder, "hosted", "acme", "shop"), branch);
    git(this.work, "reset", "--quiet", "--hard", "FETCH_HEAD");
    return git(this.work, "rev-parse", "HEAD");
  }

  /** Asks GitHub's API. */
  async ask(method: string, path: string, body: object): Promise<any> {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${this.github.api}/repos/acme/shop${path}`, {
      method,
      headers,
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** Runs what an event starts, as GitHub does. */
  async event(name: string, file: string, payload: object): Promise<Ran> {
    const at = mkdtempSync(join(this.folder, "run-"));
    writeFileSync(join(at, "event.json"), JSON.stringify(payload));
    const handed = ["STORY_ROOT", "STORY_GITHUB", "JOURNAL", "OUTCOMES", "REPOSITORY_FOLDER", "ARTIFACTS"];
    this.#runs += 1;
    const run = String(this.#runs);
    const { preview = id, deploy = {} } = this.identities ?? {};
    const deploys = this.#stacks.map((stack) => `AZURE_DEPLOY_CLIENT_ID_${stack.toUpperCase()}=${deploy[stack] ?? id}`);
    const args = [
      name,
      ...["--workflows", join(this.work, ".github", "workflows", file), "--eventpath", join(at, "event.json")],
      ...["--platform", "ubuntu-24.04=-self-hosted", "--action-cache-path", join(at, "cache"), "--no-cache-server"],
      ...["--secret", `GITHUB_TOKEN=${token}`, "--var", `AZURE_PREVIEW_CLIENT_ID=${preview}`],
      ...deploys.flatMap((each) => ["--var", each]),
      ...["--env", `GITHUB_RUN_ID=${run}`],
      ...(this.identities === undefined ? [] : ["--env", `ID_TOKENS=${JSON.stringify(this.#idTokens(name))}`]),
      ...handed.flatMap((key) => ["--env", `${key}=${this.#environment[key]}`]),
      ...this.#actions.flatMap((action) => ["--local-repository", action]),
    ];
    const environment = this.identities === undefined ? this.#environment : withoutOwner(this.#environment);
    const child = spawn(this.#act, args, {
      cwd: this.work,
      env: { ...environment, HOME: at },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (bytes: Buffer) => {
        log += String(bytes);
      });
    const [code] = (await once(child, "close")) as [number | null];
    return { code: code ?? -1, log, run };
  }

  /** Gives what the jobs of a run ask GitHub for their tokens by, for each stack. */
  #idTokens(event: string): Readonly<Record<string, JobVariables>> {
    const { hosted: of } = this;
    return Object.fromEntries(
      this.#stacks.map((stack) => [
        stack,
        event === "pull_request"
          ? this.github.job({ of, event, ref: "refs/pull/1/merge" })
          : this.github.job({ of, event: "push", ref: "refs/heads/main", environment: stack }),
      ]),
    );
  }

  /** Gives a file of an artifact that the latest run kept. */
  artifact(name: string, file: string): string {
    return readFileSync(join(this.folder, "artifacts", name, file), "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.github[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A run of a workflow. */
interface Ran {
  readonly code: number;
  readonly log: string;
  /** Its id. */
  readonly run: string;
}

interface Parts {
  readonly folder: string;
  readonly github: Github;
  readonly hosted: Hosted;
  readonly stacks: readonly string[];
  readonly act: string;
  readonly actions: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** The commit of the reusable workflows. */
  readonly source: string;
}

/** The repository of the reusable workflows, as act can read it. */
interface Source {
  readonly commit: string;
  /** What act is told about it and about its actions. */
  readonly repositories: readonly string[];
}

/**
 * Makes the repository of the reusable workflows. act does not know `$/`, and looks for `./` of a called workflow in
 * the caller's repository, so here the actions have a repository of their own and are named by its commit.
 */
function makeSource(folder: string): Source {
  const [actions, workflows] = [join(folder, "actions"), join(folder, "workflows")];
  cpSync(join(root, ".github", "actions"), actions, { recursive: true });
  const actionsCommit = committed(actions);
  cpSync(join(root, ".github", "workflows"), join(workflows, ".github", "workflows"), { recursive: true });
  for (const name of readdirSync(join(workflows, ".github", "workflows"))) {
    const path = join(workflows, ".github", "workflows", name);
    const text = compatForm(readFileSync(path, "utf8"));
    writeFileSync(
      path,
      text.replaceAll(/uses: \.\/\.github\/actions\/([\w-]+)/g, `uses: example/actions/$1@${actionsCommit}`),
    );
  }
  const commit = committed(workflows);
  return {
    commit,
    repositories: [`example/actions@${actionsCommit}=${actions}`, `example/ballast@${commit}=${workflows}`],
  };
}

function committed(folder: string): string {
  git(folder, "init", "--quiet", "--initial-branch", "main");
  git(folder, "add", ".");
  git(folder, "commit", "--quiet", "--message", "one");
  return git(folder, "rev-parse", "HEAD");
}

/** Puts the real command and the real policy pack where the packages of a project have them. */
const npm = `#!/bin/sh
mkdir -p node_modules/.bin node_modules/ballast/dist
ln -sfn "$STORY_ROOT/policies" node_modules/ballast/dist/policies
echo '{ "name": "ballast", "type": "module", "exports": "./package.ts" }' > node_modules/ballast/package.json
ln -sfn "$STORY_ROOT/package.ts" node_modules/ballast/package.ts
ln -sfn "$STORY_ROOT/node_modules/@pulumi" node_modules/@pulumi
{
  echo '#!/bin/sh'
  echo "GITHUB_API_URL=$STORY_GITHUB exec node $STORY_ROOT/cli/main.ts" '"$@"'
} > node_modules/.bin/ballast
chmod +x node_modules/.bin/ballast
`;

function makeCommands(folder: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, "npm"), npm);
  chmodSync(join(folder, "npm"), 0o755);
  makeJq(folder);
}
