// The actions that change something outside of a run. A row says what it does (verb), to what kind of thing
// (category), and which inputs name the thing. Add a row for an action that is missing; a row that is too wide makes
// rules report where nothing happens. `effect-commands.ts` lists the commands.

/**
 * How something is changed. `deploy` replaces what runs, `traffic` moves users, `migrate` changes a schema, `publish`
 * and `release` make an artifact public, `image` pushes an image, `push` writes to git, `undo` goes back, `remove`
 * deletes what an undo would need.
 */
export type Verb = "deploy" | "traffic" | "migrate" | "publish" | "release" | "image" | "push" | "undo" | "remove";

export interface ActionEffect {
  readonly action: RegExp;
  readonly verb: Verb;
  readonly category: string;
  /** Inputs that together name the target. */
  readonly name?: readonly string[];
  readonly when?: (inputs: ReadonlyMap<string, string>) => boolean;
  readonly isAtomic?: boolean;
}

type Inputs = ReadonlyMap<string, string>;
const has =
  (key: string, value: RegExp) =>
  (inputs: Inputs): boolean =>
    value.test(inputs.get(key) ?? "");
const isTrue = (key: string) => has(key, /^(true|\$\{\{.*)/i);

const exactly = (...names: readonly string[]): RegExp => new RegExp(`^(${names.join("|")})$`);

const azureActions: readonly ActionEffect[] = [
  { action: /^azure\/webapps-deploy$/, verb: "deploy", category: "webapp", name: ["app-name", "slot-name"] },
  { action: /^azure\/functions-action$/, verb: "deploy", category: "functionapp", name: ["app-name", "slot-name"] },
  {
    action: /^azure\/(container-apps-deploy-action|aca-.*)$/,
    verb: "deploy",
    category: "containerapp",
    name: ["containerappname"],
  },
  { action: /^azure\/k8s-deploy$/, verb: "deploy", category: "kubernetes", name: ["namespace", "manifests"] },
  {
    action: /^azure\/static-web-apps-deploy$/,
    verb: "deploy",
    category: "static-site",
    name: ["azure_static_web_apps_api_token"],
    when: (inputs) => inputs.get("action") !== "close",
    isAtomic: true,
  },
  {
    action: /^azure\/(arm-deploy|bicep-deploy)$/,
    verb: "deploy",
    category: "arm-deployment",
    name: ["resourcegroupname", "deploymentname"],
    when: (inputs) => !/validate|what-?if/i.test(`${inputs.get("deploymentmode")} ${inputs.get("operation")}`),
  },
  {
    action: /^hashicorp\/tfc-workflows-github\/actions\/apply-run$/,
    verb: "deploy",
    category: "terraform-state",
  },
  { action: /^cloudfoundry\/cli-action$/, verb: "deploy", category: "app", when: has("command", /^push/) },
  { action: /^azure\/aci-deploy$/, verb: "deploy", category: "container-instance", name: ["name"] },
];

const otherClouds: readonly ActionEffect[] = [
  {
    action: /^aws-actions\/amazon-ecs-deploy-(task-definition|express-service)$/,
    verb: "deploy",
    category: "ecs-service",
    name: ["cluster", "service"],
    when: (inputs) => inputs.has("service") || inputs.has("service-name"),
  },
  {
    action: /^aws-actions\/aws-cloudformation-github-deploy$/,
    verb: "deploy",
    category: "cloudformation-stack",
    name: ["name"],
  },
  { action: /^aws-actions\/aws-lambda-deploy$/, verb: "deploy", category: "lambda", name: ["function-name"] },
  { action: /^google-github-actions\/deploy-cloudrun$/, verb: "deploy", category: "cloud-run", name: ["service"] },
  {
    action: /^google-github-actions\/deploy-(appengine|cloud-functions)$/,
    verb: "deploy",
    category: "gcp",
    name: ["name"],
  },
  { action: /^superfly\/flyctl-actions$/, verb: "deploy", category: "fly-app", when: has("args", /^deploy/) },
  { action: /^digitalocean\/app_action(\/deploy)?$/, verb: "deploy", category: "do-app", name: ["app_name"] },
  {
    action: /^akhileshns\/heroku-deploy$/,
    verb: "deploy",
    category: "heroku-app",
    name: ["heroku_app_name"],
    when: (inputs) => !isTrue("justlogin")(inputs),
  },
  {
    action: /^(amondnet\/vercel-action|cloudflare\/pages-action|nwtgck\/actions-netlify|netlify\/actions\/cli)$/,
    verb: "deploy",
    category: "static-site",
    name: ["vercel-project-id", "projectname", "netlify_site_id"],
    isAtomic: true,
  },
  {
    action: /^cloudflare\/wrangler-action$/,
    verb: "deploy",
    category: "worker",
    name: ["workingdirectory", "environment"],
    when: (inputs) => !inputs.has("command") || /deploy|publish/.test(inputs.get("command") ?? ""),
    isAtomic: true,
  },
  {
    action: /^firebaseextended\/action-hosting-deploy$/,
    verb: "deploy",
    category: "static-site",
    name: ["projectid", "target"],
    when: has("channelid", /^live$/),
    isAtomic: true,
  },
  { action: /^actions\/deploy-pages$/, verb: "deploy", category: "pages", isAtomic: true },
  {
    action: /^(peaceiris\/actions-gh-pages|jamesives\/github-pages-deploy-action|crazy-max\/ghaction-github-pages)$/,
    verb: "deploy",
    category: "pages",
    name: ["external_repository", "branch", "destination_dir", "target-folder"],
    isAtomic: true,
  },
  {
    action: /^appleboy\/(scp-action)$|^easingthemes\/ssh-deploy$|^burnett01\/rsync-deployments$/,
    verb: "deploy",
    category: "host",
    name: ["host", "remote_host", "target", "remote_path"],
  },
  { action: /^samkirkland\/ftp-deploy-action$/, verb: "deploy", category: "host", name: ["server", "server-dir"] },
];

/** Commands that change what runs on a host. */
const changesHost = new RegExp(
  String.raw`\b(up|restart|reload|pull|deploy|start|systemctl|pm2|rsync|swarm|kubectl|install|migrate|supervisorctl|` +
    String.raw`docker (run|load)|git (reset --hard|checkout|merge)|(update|upgrade|release|run|start)\.(sh|py))\b|` +
    String.raw`^\s*make (prod|production|release|live)\b`,
  "m",
);

const hosts: readonly ActionEffect[] = [
  {
    // It commits a version to the repository from which a cluster takes what it runs.
    action: /^fjogeleit\/yaml-update-action$/,
    verb: "deploy",
    category: "gitops",
    name: ["repository", "valuefile"],
    when: (inputs) => inputs.get("createpr") !== "true",
  },
  {
    action: exactly("(appleboy|fifsky)/ssh-action", "d3rhase/ssh-command-action", "jimcronqvist/action-ssh"),
    verb: "deploy",
    category: "host",
    name: ["host"],
    when: (inputs) => changesHost.test(inputs.get("script") ?? inputs.get("command") ?? ""),
  },
];

/** An address that deploys when it is called, by its own words or by those of its secret. */
const deployingAddress = new RegExp(
  String.raw`(?<!pre)deploy\w*[_-](web)?hook|(web)?hook[_-]?\w*deploy|coolify|dokploy|` +
    String.raw`onrender\.com\/deploy|render\.com\/deploy`,
  "i",
);

/** Actions of others that deploy whatever they are given. */
const plainDeployers: readonly ActionEffect[] = [
  {
    action: exactly(
      "azure/spring-apps-deploy",
      "azure/functions-container-action",
      "denoland/deployctl",
      "sws2apps/render-deployment",
      "azure/data-factory-deploy-action",
      "webfactory/create-aws-codedeploy-deployment",
      "einaregilsson/beanstalk-deploy",
      "appleboy/lambda-action",
      "google-github-actions/create-cloud-deploy-release",
      "deliverybot/helm",
      "d3adb5/helm-deploy",
      "bitovi/github-actions-\\S+",
      "johnbeynon/render-deploy-action",
      "jorgelnjunior/render-deploy",
      "gonuit/heroku-docker-deploy",
      "caprover/deploy-from-github",
      "dokku/github-action",
      "dawidd6/action-ansible-playbook",
      "dflook/(terraform|tofu)-apply",
      "carlrygart/portainer-stack-deploy",
      "kitconcept/docker-stack-deploy",
    ),
    verb: "deploy",
    category: "app",
    name: ["application", "application_name", "app-name", "function_name", "service-id", "playbook", "path", "release"],
  },
  {
    action: exactly(
      "garygrossgarten/github-action-(scp|ssh)",
      "wlixcc/sftp-deploy-action",
      "cross-the-world/(ssh-scp-ssh-pipelines|scp-pipeline)",
      "wshihadeh/docker-deployment-action",
      "taptap21/docker-remote-deployment-action",
      "(up9cloud|pendect)/action-rsync(er)?",
      "creepios/sftp-action",
      "contention/rsync-deployments",
    ),
    verb: "deploy",
    category: "host",
    name: ["host", "server", "remote_docker_host"],
  },
  {
    action: exactly("jakejarvis/s3-sync-action", "reggionick/s3-deploy", "google-github-actions/upload-cloud-storage"),
    verb: "deploy",
    category: "bucket",
    name: ["bucket", "destination", "folder"],
    isAtomic: true,
  },
  {
    action: exactly("serverless/github-action", "w9jds/firebase-action", "youyo/aws-cdk-github-actions"),
    verb: "deploy",
    category: "serverless",
    when: (inputs) => /deploy/.test(`${inputs.get("args")} ${inputs.get("cdk_subcommand")}`),
  },
  {
    action: exactly("deployphp/action"),
    verb: "deploy",
    category: "host",
    name: ["dep"],
    when: has("dep", /^deploy\b/),
  },
  {
    action: exactly("helmfile/helmfile-action"),
    verb: "deploy",
    category: "helm-release",
    name: ["helmfile-args"],
    when: has("helmfile-args", /\b(apply|sync)\b/),
  },
  {
    action: exactly("clowdhaus/argo-cd-action"),
    verb: "deploy",
    category: "argo-app",
    name: ["options"],
    when: (inputs) => /\bapp (sync|set)\b/.test(`${inputs.get("command")} ${inputs.get("options")}`),
  },
  {
    // A call of an address; which one it is, the name of its secret says.
    action: exactly(
      "joelwmale/webhook-action",
      "distributhor/workflow-webhook",
      "fjogeleit/http-request-action",
      "(wei|indiesdev)/curl",
    ),
    verb: "deploy",
    category: "app",
    when: (inputs) => deployingAddress.test(`${inputs.get("url")} ${inputs.get("webhook_url")} ${inputs.get("args")}`),
  },
  {
    action: exactly("steebchen/kubectl", "actions-hub/kubectl", "kodermax/kubectl-aws-eks", "koslib/helm-eks-action"),
    verb: "deploy",
    category: "kubernetes",
    when: (inputs) =>
      /\b(apply|set image|upgrade|install|rollout restart)\b/.test(`${inputs.get("args")} ${inputs.get("command")}`),
  },
];

const stacks: readonly ActionEffect[] = [
  {
    action: /^pulumi\/actions$/,
    verb: "deploy",
    category: "pulumi-stack",
    name: ["work-dir", "stack-name"],
    when: has("command", /^(up|update|destroy|\$\{\{.*)/),
  },
];

const publications: readonly ActionEffect[] = [
  {
    action: /^docker\/(build-push-action|bake-action)$/,
    verb: "image",
    category: "image",
    name: ["tags"],
    when: isTrue("push"),
  },
  { action: /^js-devtools\/npm-publish$/, verb: "publish", category: "npm-package" },
  {
    action: /^pypa\/gh-action-pypi-publish$/,
    verb: "publish",
    category: "python-package",
    name: ["repository-url", "repository_url"],
  },
  {
    action: /^goreleaser\/goreleaser-action$/,
    verb: "release",
    category: "github-release",
    when: (inputs) =>
      /(^|\s)release/.test(inputs.get("args") ?? "") && !/--snapshot|--skip(=|-)publish/.test(inputs.get("args") ?? ""),
  },
  {
    action: exactly(
      "softprops/action-gh-release",
      "ncipollo/release-action",
      "actions/create-release",
      "marvinpinto/action-automatic-releases",
      "svenstaro/upload-release-action",
    ),
    verb: "release",
    category: "github-release",
    name: ["tag_name", "tag"],
    when: (inputs) => inputs.get("draft") !== "true",
  },
  { action: /^changesets\/action$/, verb: "publish", category: "npm-package", when: (inputs) => inputs.has("publish") },
  { action: /^cycjimmy\/semantic-release-action$/, verb: "release", category: "github-release" },
  {
    action: /^(stefanzweifel\/git-auto-commit-action|ad-m\/github-push-action|endbug\/add-and-commit)$/,
    verb: "push",
    category: "branch",
    name: ["branch"],
  },
];

export const actionEffects: readonly ActionEffect[] = [
  ...azureActions,
  ...otherClouds,
  ...hosts,
  ...plainDeployers,
  ...stacks,
  ...publications,
];
