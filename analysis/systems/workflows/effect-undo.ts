// Commands that go back to what ran before, and commands that delete what going back would need. They are matched
// before all others, because many of them also look like a deployment.
import type { Verb } from "./effect-actions.ts";

export interface CommandEffect {
  readonly command: RegExp;
  readonly unless?: RegExp;
  readonly verb: Verb;
  readonly category: string;
  /** Options whose values together name the target. */
  readonly name?: readonly string[];
  /** Finds the name in the command if no option has it. */
  readonly operand?: RegExp;
  /** What names the target if the command does not. */
  readonly fallback?: "working-directory";
  readonly isAtomic?: boolean;
  /** How sure it is that the command does this, if only its words say so. */
  readonly confidence?: number;
}

/** Matches a command that begins with one of the forms, each an expression. */
export const begins = (...forms: readonly string[]): RegExp => new RegExp(`^(${forms.join("|")})\\b`);

/** Options with which a command only says what it would do. */
export const dryRun = /--(dry-run|dryrun|check|diff|what-if|no-execute-changeset|plan|preview|help)\b/;

export const undoing: readonly CommandEffect[] = [
  {
    command: /^kubectl (.* )?rollout undo\b/,
    verb: "undo",
    category: "kubernetes",
    name: ["-n", "--namespace"],
    operand: /rollout undo (\S+)/,
  },
  { command: /^helm (.* )?rollback\b/, verb: "undo", category: "helm-release", operand: /rollback (?:-\S+ )*(\S+)/ },
  { command: /^(\S*\/)?(rollback|roll-back|revert)(\.\w+)?\b/, verb: "undo", category: "script" },
  {
    command: /^(bash|sh|\.|source|node|python3?) (\S*\/)?(rollback|roll-back|revert)\S*/,
    verb: "undo",
    category: "script",
  },
  {
    command: /^(make|just|task|npm run|pnpm|yarn|pnpm run|yarn run) (\S*[:-])?roll-?back\b/,
    verb: "undo",
    category: "script",
  },
  {
    command: begins(
      "heroku (releases:|pg:backups:)?(rollback|restore)",
      "vercel rollback",
      "(fly|flyctl|convox) releases rollback",
      "(serverless|sls|dep|dokku|railway|cf|ecs-deploy|octopus) .*rollback",
      "(bundle exec )?cap \\S+ deploy:rollback",
      "docker service (rollback|update .*--rollback)",
      "nomad (job )?revert",
      "oc (rollout undo|rollback)",
      "kubectl argo rollouts (undo|abort)",
      "aws deploy stop-deployment",
      "eas update:(rollback|republish)",
      "firebase hosting:rollback",
      "php artisan migrate:rollback",
      "(bin/)?(rails|rake) db:rollback",
      "kamal rollback",
      "netlify rollback",
      "argocd app rollback",
      "wrangler rollback",
    ),
    verb: "undo",
    category: "app",
  },
];

export const removing: readonly CommandEffect[] = [
  {
    command: begins(
      "az (spring|spring-cloud) app deployment delete",
      "gcloud (beta |alpha )?(run revisions|app versions|functions) delete",
      "aws (ecs deregister-task-definition|elasticbeanstalk terminate-environment|lambda delete-alias)",
      "(fly|flyctl) machines? destroy",
      "vercel (remove|rm)",
    ),
    verb: "remove",
    category: "app",
  },
  {
    command: /^az containerapp revision deactivate\b/,
    verb: "remove",
    category: "containerapp",
    name: ["-g", "--resource-group", "-n", "--name"],
  },
  {
    command: /^az (webapp|functionapp) deployment slot delete\b/,
    verb: "remove",
    category: "webapp",
    name: ["-g", "--resource-group", "-n", "--name"],
  },
  {
    command: begins(
      "docker (image|system) prune",
      "docker (rmi|image rm)",
      "docker[ -]compose (.* )?down .*--rmi all",
      "az acr (repository delete|run .*purge)",
      "aws ecr batch-delete-image",
    ),
    verb: "remove",
    category: "image",
  },
  {
    command:
      /^(helm (uninstall|delete)|kubectl delete (deploy|deployment|rs|replicaset|svc|service|ns|namespace)\S*)\b/,
    verb: "remove",
    category: "kubernetes",
  },
  { command: /^docker[ -]compose (.* )?down\b/, verb: "remove", category: "host" },
  { command: /^rm -\w*r\w* .*(releases|backup|previous|old)\b/, verb: "remove", category: "host" },
];
