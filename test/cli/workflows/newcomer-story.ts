// What a newcomer sees, from the first command to the first update that fails: the values to set, one comment for each
// stack in the pull request, updates in turn after the merge, and one issue while an update fails.
import { DeliveredProject } from "./delivered-project.ts";

type Say = (title: string, complaint: string | undefined) => void;

const id = "00000000-0000-0000-0000-0000ba11a57e";

/** A program with one component; the size `bad` makes it fail. */
const program = (size: string): string => `import * as pulumi from "@pulumi/pulumi";
class Shop extends pulumi.ComponentResource {
  constructor(name, size) {
    super("example:index:Shop", name, { size });
    this.registerOutputs({});
  }
}
const size = Number("${size}");
if (Number.isNaN(size)) throw new Error("the size is no number");
new Shop("shop", size);
export { size };
`;

const repository = { full_name: "acme/shop", name: "shop", owner: { login: "acme" } };
const one = (text: string, part: string): number => text.split(part).length - 1;
/** The lines of a log that say what happened. */
const endOf = (log: string): readonly string[] =>
  log
    .split("\n")
    .filter((line) => !/LocalRepositoryCache|⭐|✅/.test(line))
    .slice(-120);

/** Plays it, and says of each scene whether it was as it should be. */
export async function newcomerStory(act: string, say: Say): Promise<void> {
  await using here = await DeliveredProject.make(act, {
    stacks: ["dev", "prod"],
    files: { "index.js": program("1") },
    tenant: id,
    subscription: id,
  });
  const printed = await here.init();
  const toSet = [
    ...["AZURE_PREVIEW_CLIENT_ID", "AZURE_DEPLOY_CLIENT_ID_DEV", "AZURE_DEPLOY_CLIENT_ID_PROD"],
    "PULUMI_ACCESS_TOKEN",
  ];
  const named = printed.match(/^ {2}[A-Z]\w+/gm)?.map((each) => each.trim()) ?? [];
  say(
    "a newcomer is told the values to set, one identity for each stack",
    named.join() === toSet.join() ? undefined : printed,
  );
  const number = await pullRequest(here, say);
  await here.ask("PUT", `/pulls/${number}/merge`, {});
  await updates(here, say);
}

async function pullRequest(here: DeliveredProject, say: Say): Promise<number> {
  here.commit("topic", "Workflows");
  const { number } = await here.ask("POST", "/pulls", { title: "Workflows", head: "topic", base: "main" });
  for (const [at, text] of ["", "// another commit\n"].entries()) {
    here.write({ "comment.js": text });
    const sha = here.commit("topic", `Commit ${at}`);
    const head = { sha, ref: "topic", repo: { full_name: "acme/shop" } };
    const ran = await here.event("pull_request", "preview.yml", {
      number,
      pull_request: { number, head, base: { ref: "main" } },
      repository,
    });
    const comments = here.hosted.comments.map(({ body }) => body);
    const about = ["dev", "prod"].map((stack) => comments.filter((body) => body.includes(`Preview of shop/${stack}`)));
    const right =
      ran.code === 0 &&
      comments.length === 2 &&
      about.every(([body]) => body?.includes(sha.slice(0, 8)) && one(body, "to create") === 1);
    const complaint = [`act ended with ${ran.code}`, ...comments, ...endOf(ran.log)].join("\n");
    say(`a pull request has one comment for each stack after commit ${at + 1}`, right ? undefined : complaint);
  }
  return number;
}

/** A commit on the main branch reaches dev and then prod. One that fails at dev does not reach prod. */
async function updates(here: DeliveredProject, say: Say): Promise<void> {
  const push = { ref: "refs/heads/main", repository };
  const sizes = async (): Promise<string> =>
    (await Promise.all(["dev", "prod"].map((stack) => here.output(stack, "size")))).join();
  const issues = (): string => here.hosted.issues.map(({ title, state }) => `${title}: ${state}`).join();
  const scenes = [
    ["a merge updates both stacks", "1", "1,1", "", 0],
    ["an update that fails at dev does not reach prod, and opens one issue", "bad", "1,1", "open", 1],
    ["the next one that succeeds reaches both, and closes the issue", "2", "2,2", "closed", 0],
  ] as const;
  for (const [title, size, expected, state, code] of scenes) {
    here.write({ "index.js": program(size) });
    here.commit("main-work", `Size ${size}`);
    const ran = await here.event("push", "deploy.yml", push);
    const issue = state === "" ? "" : `The update of the stack dev failed: ${state}`;
    const found = [await sizes(), issues(), ran.code === 0 ? 0 : 1];
    const right = JSON.stringify(found) === JSON.stringify([expected, issue, code]);
    say(title, right ? undefined : [`found ${JSON.stringify(found)}`, ...endOf(ran.log)].join("\n"));
  }
}
