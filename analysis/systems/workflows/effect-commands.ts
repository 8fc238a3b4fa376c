// The commands that change something outside of a run, as `effect-actions.ts` lists the actions. A row matches the
// words of one command of a script, without what stands before it (`sudo`, `npx`, assignments).
import { hostCommands } from "./effect-hosts.ts";
import { platformCommands } from "./effect-platforms.ts";
import { begins, type CommandEffect, dryRun, removing, undoing } from "./effect-undo.ts";

const stackCommands: readonly CommandEffect[] = [
  {
    command: /^pulumi (.* )?(up|update|destroy|refresh)\b/,
    unless: /--(preview-only|help)\b/,
    verb: "deploy",
    category: "pulumi-stack",
    name: ["-C", "--cwd", "-s", "--stack"],
    fallback: "working-directory",
  },
  {
    command: /^(terraform|tofu) (.* )?(apply|destroy)\b/,
    unless: dryRun,
    verb: "deploy",
    category: "terraform-state",
    name: ["-chdir"],
    fallback: "working-directory",
  },
  {
    command: /^terragrunt (.* )?(apply|apply-all|destroy|run-all apply|run --all (.* )?apply)\b/,
    verb: "deploy",
    category: "terraform-state",
    fallback: "working-directory",
  },
  {
    command: /^((npm run|pnpm( run)?|yarn( run)?|bun run) )?(aws-)?cdk(@\S+)? (.* )?(deploy|destroy)\b/,
    unless: dryRun,
    verb: "deploy",
    category: "cdk-stack",
    operand: /deploy (?:--(?:require-approval|outputs-file|profile|context|app|role-arn) \S+ |-\S+ )*([\w-]+)/,
  },
  {
    command: /^sam deploy\b/,
    unless: /--no-execute-changeset/,
    verb: "deploy",
    category: "cloudformation-stack",
    name: ["--stack-name"],
  },
  {
    command: /^aws cloudformation (deploy|update-stack|create-stack|execute-change-set)\b/,
    unless: /--no-execute-changeset/,
    verb: "deploy",
    category: "cloudformation-stack",
    name: ["--stack-name"],
  },
  { command: /^(serverless|sls)(@\S+)? deploy\b/, verb: "deploy", category: "serverless", name: ["--stage", "-s"] },
  {
    command: /^azd (up|deploy|provision)\b/,
    unless: /--preview/,
    verb: "deploy",
    category: "azd-environment",
    name: ["-e", "--environment"],
  },
  {
    command: /^az ((deployment|stack) \S+|group deployment) create\b/,
    unless: dryRun,
    verb: "deploy",
    category: "arm-deployment",
    name: ["-g", "--resource-group", "-n", "--name"],
  },
];

const azureCommands: readonly CommandEffect[] = [
  {
    command: /^az containerapp ingress traffic set\b/,
    verb: "traffic",
    category: "containerapp",
    name: ["-g", "--resource-group", "-n", "--name"],
  },
  {
    command: /^az (webapp|functionapp) deployment slot swap\b/,
    verb: "traffic",
    category: "webapp",
    name: ["-g", "--resource-group", "-n", "--name"],
  },
  {
    command: /^az webapp traffic-routing set\b/,
    verb: "traffic",
    category: "webapp",
    name: ["-g", "--resource-group", "-n", "--name"],
  },
  {
    command: begins(
      "az containerapp (update|up|create|compose create|revision (copy|activate)|job (update|create|start))",
    ),
    verb: "deploy",
    category: "containerapp",
    name: ["-g", "--resource-group", "-n", "--name"],
  },
  {
    command: /^az webapp (deploy|deployment source|config container|up|restart)\b/,
    verb: "deploy",
    category: "webapp",
    name: ["-g", "--resource-group", "-n", "--name", "-s", "--slot"],
  },
  {
    command: /^az functionapp (deploy|deployment source)\b|^func azure functionapp publish\b/,
    verb: "deploy",
    category: "functionapp",
    name: ["-g", "--resource-group", "-n", "--name"],
    operand: /publish (\S+)/,
  },
  {
    command: /^az (staticwebapp deploy|storage blob (upload-batch|sync))\b|^swa deploy\b/,
    verb: "deploy",
    category: "static-site",
    name: ["--account-name", "-d", "--destination"],
    isAtomic: true,
  },
];

const otherCommands: readonly CommandEffect[] = [
  {
    command: begins(
      "prisma (migrate deploy|db push)",
      "(sqlx|diesel) (migrate|migration) run",
      "dbmate (.* )?(up|migrate)",
      "(migrate-mongo|db-migrate|node-pg-migrate) up",
      "mix ecto.migrate",
      "(php )?bin/console doctrine:migrations:migrate",
      "(mikro-orm|mikro-orm-esm) migration:up",
      "sqitch deploy",
      "hasura (migrate apply|metadata apply|deploy)",
      "wrangler d1 migrations apply .*--remote",
      "alembic upgrade",
      "flyway (.* )?migrate",
      "liquibase (.* )?update",
      "knex migrate:latest",
      "sequelize(-cli)? db:migrate",
      String.raw`(python3? )?manage\.py migrate`,
      "(bundle exec )?(bin/)?(rails|rake) db:migrate",
      "dotnet ef database update",
      "supabase db push",
      "drizzle-kit (migrate|push)",
      "typeorm (.* )?migration:run",
      String.raw`goose .*\bup`,
      "atlas (schema|migrate) apply",
      "php artisan migrate",
    ),
    verb: "migrate",
    category: "database",
  },
  {
    command:
      /^(npm run|pnpm( run)?|yarn( run)?|bun run) (db:migrate|migrate|migrations?:run)(:(deploy|prod(uction)?|up))?$/,
    verb: "migrate",
    category: "database",
  },
  // golang-migrate takes a lock in the database, so that a second run waits.
  { command: /^migrate .*\bup\b/, verb: "migrate", category: "database", isAtomic: true },
  { command: /^supabase functions deploy\b/, verb: "deploy", category: "supabase" },
  {
    command: /^(npm|pnpm|yarn|bun|lerna) (.* )?publish\b/,
    unless: /--dry-run|\brun\b/,
    verb: "publish",
    category: "npm-package",
    name: ["--registry"],
  },
  {
    command: /^(npm run|pnpm|pnpm run|yarn|yarn run|bun run) [\w:-]*publish([:-][\w:-]+)?( |$)/,
    unless: /dry|local|test|docs|storybook|canary/,
    verb: "publish",
    category: "npm-package",
  },
  { command: /^changeset publish\b/, verb: "publish", category: "npm-package" },
  {
    command: /^(twine upload|poetry publish|uv publish|flit publish|hatch publish|maturin (publish|upload))\b/,
    verb: "publish",
    category: "python-package",
    name: ["--repository", "-r"],
  },
  {
    command: /^cargo (.* )?publish\b/,
    unless: /--dry-run/,
    verb: "publish",
    category: "crate",
    name: ["-p", "--package"],
  },
  {
    command: begins(
      "gem push",
      "dotnet nuget push",
      "nuget push",
      "vsce publish",
      "ovsx publish",
      "helm push",
      String.raw`(\.\/)?mvnw? (.* )?deploy`,
      String.raw`(\.\/)?gradlew? (.* )?publish\w*`,
    ),
    unless: /publishToMavenLocal/,
    verb: "publish",
    category: "package",
  },
  { command: /^semantic-release\b/, unless: /--dry-run/, verb: "release", category: "github-release" },
  {
    command: /^gh release (create|upload|edit)\b/,
    unless: /--draft(?!=false)/,
    verb: "release",
    category: "github-release",
    operand: /release \w+ (\S+)/,
  },
  { command: /^goreleaser release\b/, unless: /--snapshot|--skip/, verb: "release", category: "github-release" },
  {
    command:
      /^docker (image )?push\b|^docker buildx build .*--push\b|^az acr build\b|^skopeo copy\b|^crane (push|copy|tag)\b/,
    verb: "image",
    category: "image",
    name: ["-t", "--tag", "--image"],
    operand: /push (\S+)/,
  },
  {
    command: /^git (-\S+ \S+ )*push\b.*\b(gh-pages|pages)\b/,
    verb: "deploy",
    category: "pages",
    isAtomic: true,
  },
  {
    command: /^git (-\S+ \S+ )*push\b/,
    unless: /--dry-run/,
    verb: "push",
    category: "branch",
    operand: /push (?:-\S+ )*(\S+(?: \S+)?)/,
  },
];

/** For these "deploy" is a folder, a user, a branch or a script, or it makes documents. pnpm copies a package. */
const otherTools =
  "echo printf cd cat ls mkdir cp mv rm git gh grep source test mike mkdocs mdbook cargo go apt-get pip chmod chown " +
  "export which tar zip find docker kubectl az aws gcloud ssh scp su useradd usermod adduser groupadd local set node " +
  "python python3 bash sh run pushd rmdir touch ln rsync chgrp tee diff cmp du tree stat head tail sed awk jq pnpm";

/** A tool that is not known, told to deploy. */
const toldToDeploy: CommandEffect = {
  command: /^[a-z][a-z0-9-]+ deploy( |$)/,
  unless: new RegExp(`^(${otherTools.replaceAll(" ", "|")}) |--(dry-run|check|preview|help)`),
  verb: "deploy",
  category: "app",
  operand: /(--(?:env|environment|stage)[= ]\S+)/,
  confidence: 0.75,
};

/** In order of precedence: the first that matches counts. */
export const commandEffects: readonly CommandEffect[] = [
  ...undoing,
  ...removing,
  ...stackCommands,
  ...azureCommands,
  ...platformCommands,
  ...hostCommands,
  ...otherCommands,
  toldToDeploy,
];
