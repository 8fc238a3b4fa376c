// Tools that return before their work is done: what asks for a deployment, and what makes it wait. Only tools that are
// known not to wait stand here, because a wait where there was one already would be noise.
import { deployHook } from "./effect-hosts.ts";
import type { Effect } from "./effects.ts";
import { answersIn, commandsIn } from "./shell.ts";

/** A tool that returns before its work is done. */
export interface Asynchronous {
  /** What the command or the action begins with. */
  readonly asks: RegExp;
  /** What makes it wait, in the same command, in the action's inputs, or in a later command. */
  readonly waits: RegExp;
  /** Whether the tool is so common without a wait that only a reported success makes it a finding. */
  readonly isUsual: boolean;
  readonly fix: string;
}

const hook: Asynchronous = {
  asks: deployHook,
  waits: /curl .*(\/deploys|status|health|version)/,
  isUsual: true,
  fix: "ask the platform for the state of the deployment, or the app for its version, after the call",
};
/** curl succeeds on every answer, so an address that is gone, or a token that is not taken, changes nothing. */
const unheardHook: Asynchronous = {
  ...hook,
  isUsual: false,
  fix: "call curl with --fail, and ask the platform for the state of the deployment after the call",
};

const tools: readonly Asynchronous[] = [
  {
    asks: /^aws-actions\/amazon-ecs-deploy-task-definition@/,
    waits: /wait-for-service-stability=(?!false)|aws ecs wait/i,
    isUsual: false,
    fix: "set wait-for-service-stability to true",
  },
  {
    asks: /^aws ecs update-service\b/,
    waits: /aws ecs wait|ecs describe-services|deployments\[/,
    isUsual: false,
    fix: "run aws ecs wait services-stable after it",
  },
  {
    asks: /^aws deploy create-deployment\b/,
    waits: /aws deploy (wait|get-deployment)\b/,
    isUsual: false,
    fix: "run aws deploy wait deployment-successful after it",
  },
  {
    asks: /^aws ssm send-command\b/,
    waits: /aws ssm (wait|get-command-invocation|list-command)/,
    isUsual: false,
    fix: "run aws ssm wait command-executed after it, or ask get-command-invocation for the status",
  },
  {
    asks: /^aws cloudformation (update-stack|create-stack|execute-change-set)\b/,
    waits: /aws cloudformation (wait|describe-stack)/,
    isUsual: false,
    fix: "run aws cloudformation wait after it, or use aws cloudformation deploy, which waits",
  },
  {
    asks: /^aws amplify start-(job|deployment)\b/,
    waits: /aws amplify (get-job|list-jobs)\b/,
    isUsual: false,
    fix: "ask aws amplify get-job for the status until the job has ended",
  },
  {
    asks: /^aws apprunner (start-deployment|update-service)\b/,
    waits: /aws apprunner (wait|describe-service|list-operations)\b/,
    isUsual: false,
    fix: "ask aws apprunner list-operations for the status until the operation has ended",
  },
  {
    asks: /^aws (codepipeline start-pipeline-execution|autoscaling start-instance-refresh)\b/,
    waits: /aws (codepipeline get-pipeline|autoscaling describe-instance-refreshes)/,
    isUsual: false,
    fix: "ask for the state of the execution until it has ended",
  },
  {
    asks: /^aws elasticbeanstalk update-environment\b/,
    waits: /aws elasticbeanstalk (wait|describe-environment|describe-events)/,
    isUsual: false,
    fix: "run aws elasticbeanstalk wait environment-updated after it",
  },
  {
    asks: /^aws (lightsail create-container-service-deployment|sagemaker update-endpoint)\b/,
    waits: /aws (lightsail get-container|sagemaker (wait|describe-endpoint))/,
    isUsual: false,
    fix: "ask for the state of the deployment until it is active",
  },
  {
    asks: /^az (webapp|containerapp|functionapp|deployment|aks|vmss|stack) .*(--no-wait\b|--async(?! false)\b)/,
    waits: /az .*(?<!no-)\b(wait|show|list)\b/,
    isUsual: false,
    fix: "leave out --no-wait, or ask for the state afterwards",
  },
  {
    asks: /^(gcloud .*--async\b|fly(ctl)? deploy .*--detach\b)/,
    waits: /gcloud .*(wait|describe)\b|fly(ctl)? (status|checks)/,
    isUsual: false,
    fix: "leave out the option that does not wait, or ask for the state afterwards",
  },
  {
    asks: /^(railway up .*(--detach|-d)\b|railway redeploy\b|argocd app sync .*--async\b|nomad (job )?run .*-detach\b)/,
    waits: /railway (status|logs|deployment)|argocd app (wait|get)|nomad (job )?(status|deployment)/,
    isUsual: false,
    fix: "leave out the option that does not wait, or ask for the state afterwards",
  },
  {
    asks: /^(render deploys create\b(?!.*--wait)|doctl apps create-deployment\b(?!.*--wait))/,
    waits: /render deploys (list|get)|doctl apps (get|list)-deployment|\/deploys/,
    isUsual: false,
    fix: "add --wait",
  },
  hook,
  {
    asks: /^kubectl (.* )?(apply|set image|rollout restart|patch|replace)\b/,
    waits: /kubectl (.* )?(rollout status|wait)\b|kubectl (.* )?get\b|argocd app wait|flux .*wait/,
    isUsual: true,
    fix: "run kubectl rollout status with a timeout after it",
  },
  {
    asks: /^helm (.* )?upgrade\b/,
    waits: /--wait\b|--atomic\b|--rollback-on-failure|kubectl (.* )?(rollout status|wait)\b|helm (.* )?(test|status)\b/,
    isUsual: true,
    fix: "add --wait and a --timeout",
  },
];

/** Gives what an effect is asked for with: the words of its command, or its action. */
export const textOf = ({ command, step }: Effect): string => command?.words.join(" ") ?? step.uses?.text ?? "";

/** Gives the tool that asks for an effect and does not wait; undefined if it waits, or is not known. */
export function toolOf(effect: Effect): Asynchronous | undefined {
  const text = textOf(effect);
  const tool = tools.find(({ asks }) => asks.test(text));
  return tool === hook && isUnheard(effect) ? unheardHook : tool;
}

const hearsStatus = /(^| )(-[a-zA-Z]*f[a-zA-Z]*|--fail\S*)( |$)/;
const decides = /\[\[? |\btest |\bcase |\bif |\bgrep\b|\bjq .*-\w*e|\bexit\b/;

/** Whether nothing hears how the address answered: no option asks for it, and the script does nothing with it. */
function isUnheard({ command, step }: Effect): boolean {
  const script = step.run?.text;
  if (command === undefined || script === undefined || hearsStatus.test(command.words.join(" "))) return false;
  const isAnswer = !commandsIn(script).includes(command) && answersIn(script).some(({ line }) => line === command.line);
  return !((isAnswer || command.next === "|") && decides.test(script));
}
