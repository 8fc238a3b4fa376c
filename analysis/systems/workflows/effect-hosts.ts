// The commands that change what runs on a machine: over SSH, by the agent of a cloud, by a script of the repository, or
// by an address that starts a deployment when it is called. `effect-commands.ts` lists the others.
import type { CommandEffect } from "./effect-undo.ts";

/** A call of an address that deploys. */
export const deployHook = new RegExp(
  String.raw`^curl .*(deploy\w{0,40}[_-](web)?hook|deployhook|api\.render\.com/deploy|/integrations/deploy/|` +
    String.raw`/api/v1/deploy\?|/webhooks?/deploy|/api/stacks/webhooks/|coolify|/api/(application|compose)\.deploy|` +
    String.raw`netlify\.com/build_hooks)`,
  "i",
);

/** A target of a build tool that deploys, by its own name or by the part behind the last colon. */
/** make and its like take several targets, and variables before them. */
const deployTarget = new RegExp(
  String.raw`^(((make|just|task|rake)( \S+)*|` +
    String.raw`(npm run|pnpm run|yarn workspace \S+( run)?|yarn run|yarn|bun run)( -\S+( [^-\s]\S*)?)*) ` +
    String.raw`((?!pre|test|build|docs|storybook|lint|check)[\w-]+:)?deploy([:_-](?!docs|preview|check|dry)\S*)?( |$)` +
    String.raw`|pnpm( -\S+( [^-\s]\S*)?)* ([\w-]+:deploy|deploy([:-](?!docs|preview)[\w:-]+)?)$)`,
);

/** A script of the repository whose name says that it deploys. */
const deployScript = new RegExp(
  String.raw`^(((bash|sh|\.|source|node|python3?|pwsh|tsx|ts-node) (-\S+ )*)?(\S*\/)?([\w.]+[-_])*deploy([-_][\w-]+)*` +
    String.raw`\.(sh|py|js|mjs|ts|ps1)\b|(\.\/|bin\/|scripts?\/)(\S+\/)?deploy( |$))`,
);

/** Tools that carry a build to a machine, or build what it runs there. */
const machineTools: readonly CommandEffect[] = [
  {
    command: /^docker (--context|-c)[ =]?\S+ (compose .*\bup\b|stack deploy|service update|run)\b/,
    verb: "deploy",
    category: "host",
    operand: /(?:--context|-c)[ =](\S+)/,
  },
  { command: /^fab (.* )?deploy\b/, verb: "deploy", category: "host", operand: /-H[ =]?(\S+)/ },
  {
    command: /^nixos-rebuild (switch|boot) .*--target-host\b/,
    verb: "deploy",
    category: "host",
    name: ["--target-host"],
  },
  { command: /^(colmena apply|deploy-rs|nix run \S*deploy-rs\b)/, verb: "deploy", category: "host" },
  {
    command: /^curl .*(-T|--upload-file) .*\bs?ftps?:/,
    verb: "deploy",
    category: "host",
    operand: /(s?ftps?:\/\/\S+)/,
  },
  {
    command: /^(mise run|devbox run|earthly (.* )?\S*\+|dagger call (.* )?)\s*deploy\b/,
    unless: /--(dry-run|check|help)\b/,
    verb: "deploy",
    category: "script",
    operand: /(deploy\S*)/,
  },
];

export const hostCommands: readonly CommandEffect[] = [
  ...machineTools,
  {
    command: /^ansible-playbook\b/,
    unless: /--(check|syntax-check|list-\w+)\b/,
    verb: "deploy",
    category: "host",
    operand: /(\S+\.ya?ml)/,
  },
  {
    command: new RegExp(
      String.raw`^(rsync|scp) .*(\S+@(\S+|\$\{\{[^}]*\}\}):|` +
        String.raw`\$\{?\{?\s*\S*(host|server|ip|remote|target)\S*\s*\}?\}?:)`,
      "i",
    ),
    unless: /^(rsync|scp) (-\S+ )*\S+@\S+:\S+ [^\s:@]+$/,
    verb: "deploy",
    category: "host",
    operand: /(\S+@\S+:\S*)/,
  },
  {
    command: deployScript,
    unless:
      /(^|[-_/])(pre|post|test|check|build|docs?|verify|validate)[-_]?deploy|deploy[-_](test|docs?|check|preview)/,
    verb: "deploy",
    category: "script",
    operand: /deploy\S* (\$\{\{.*?\}\}|\S+)/,
  },
  {
    command: deployTarget,
    unless: /--(dry-run|check|help)\b/,
    verb: "deploy",
    category: "script",
    operand: /((?:\w+=\S+ )*\S*deploy\S*(?: \w+=\S+)*)/,
  },
  {
    command: /^(ssh|gcloud (beta |alpha )?compute ssh) .*\b(up|restart|reload|pull|deploy|systemctl|pm2)\b/,
    verb: "deploy",
    category: "host",
    operand: /(\S+@\S+)/,
  },
  {
    command: /^aws ssm send-command\b/,
    verb: "deploy",
    category: "host",
    name: ["--instance-ids", "--targets"],
  },
  {
    command: /^az vm run-command invoke\b.*\b(up|restart|pull|deploy|systemctl|pm2|start|install)\b/,
    verb: "deploy",
    category: "host",
    name: ["-g", "--resource-group", "-n", "--name"],
  },
  {
    // Render, Vercel, Netlify and others deploy when an address is called.
    command: deployHook,
    verb: "deploy",
    category: "app",
  },
  {
    command: /^(lftp .*(mirror|put)|ncftpput|sftp .*@|gcloud (beta |alpha )?compute scp)\b/,
    verb: "deploy",
    category: "host",
    operand: /(\S+@\S+)/,
  },
  {
    command: /^(gsutil (-\S+ )*(rsync|cp) .*gs:|gcloud storage (rsync|cp .*(-r|--recursive)) .*gs:)/,
    unless: /(rsync|cp) (-\S+ )*gs:/,
    verb: "deploy",
    category: "bucket",
    operand: /(gs:\/\/\S+)/,
    isAtomic: true,
  },
  {
    command: /^(surge|gh-pages|ng deploy|mkdocs gh-deploy|hexo deploy)( |$)/,
    verb: "deploy",
    category: "static-site",
    isAtomic: true,
  },
  {
    command: /^docker stack deploy\b|^docker[ -]compose .*-H ssh|^docker (-H|--host)[ =]ssh:\S+ .*\b(up|run|deploy)\b/,
    verb: "deploy",
    category: "host",
    operand: /(\S+)$/,
  },
];
