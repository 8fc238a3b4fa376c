// Inputs and names that a shell would carry out if a script held them: each must reach the command as one text.
import { type Case, checkout, closed, onEnvironment, onStack, opened, runUrl } from "./case.ts";
import { containersOf } from "./migration-cases.ts";

const hostile = "x\"; touch pwned; '$(touch pwned)' `touch pwned` | touch pwned & # *";
const drill = { "ballast-remediation-drill": `echo '{"id":"remediation/app/shop/web/drill-1"}'` };
const kept = (name: string): string => `actions/upload-artifact ${name}`;

export const hostiles: readonly Case[] = [
  {
    title: "an app and a reason with the signs of a shell are texts of a rollback",
    run: {
      workflow: "rollback",
      inputs: { ...onEnvironment, app: hostile, reason: hostile },
      outcomes: { "ballast-release-show": `echo '{"result":null}'` },
    },
    isSuccess: true,
    journal: [
      checkout,
      `ballast release show ${hostile} --stack prod --json`,
      `ballast release abort ${hostile} --stack prod --message ${hostile}`,
    ],
  },
  {
    title: "a branch is no commit to go back to: its newest commit is not the one that was chosen",
    run: { workflow: "rollback", inputs: { ...onEnvironment, commit: "main" } },
    isSuccess: false,
    journal: [
      checkout,
      "actions/checkout main",
      opened("rollback/prod", "The stack prod could not be taken back"),
      kept("rollback-prod"),
    ],
  },
  {
    title: "a stack with the signs of a shell is a text of an update",
    run: { workflow: "pulumi-up", inputs: { ...onEnvironment, stack: hostile } },
    isSuccess: true,
    journal: [
      checkout,
      `pulumi up --stack ${hostile} --yes --non-interactive --policy-pack ` +
        "node_modules/ballast/dist/policies/ballast (traced)",
      closed(`pulumi-up/${hostile}`),
      kept(`pulumi-up-${hostile}`),
    ],
  },
  {
    title: "a credential and a reason with the signs of a shell are texts of a rotation",
    run: { workflow: "credential-rotate", inputs: { ...onEnvironment, credential: hostile, reason: hostile } },
    isSuccess: true,
    journal: [
      checkout,
      `ballast credential rotate ${hostile} --name 1 --message ${hostile} --stack prod (traced)`,
      `ballast credential follow ${hostile}/1 --stack prod (traced)`,
      closed(`credential-rotate/prod/${hostile}`),
      kept("credential-rotate-prod"),
    ],
  },
  {
    title: "a target, a rule and a reason with the signs of a shell are texts of a drill",
    run: {
      workflow: "alert-drill",
      inputs: { ...onStack, target: hostile, rule: hostile, reason: hostile },
      outcomes: drill,
    },
    isSuccess: true,
    journal: [
      checkout,
      `ballast remediation drill ${hostile} --rule ${hostile} --message ${hostile} --stack prod --json (traced)`,
      "ballast remediation follow app/shop/web/drill-1 --stack prod (traced)",
      closed(`alert-drill/prod/${hostile}`),
      kept("alert-drill-prod"),
    ],
  },
  {
    title: "an app, a job and a folder with the signs of a shell are texts of a migration",
    run: {
      workflow: "db-migrate",
      inputs: {
        ...onEnvironment,
        ...{ phase: "expand", app: hostile, "resource-group": hostile, job: hostile, migrations: hostile },
      },
      outcomes: {
        "az-containerapp-job": 'case "$*" in *"job start"*) echo run1 ;; *execution*) echo Succeeded ;; esac',
      },
    },
    isSuccess: true,
    journal: [
      checkout,
      `ballast migration check ${hostile} --phase expand`,
      `az containerapp job show --name ${hostile} --resource-group ${hostile} ` +
        "--query properties.template.volumes[0].name --output tsv",
      `az containerapp job show --name ${hostile} --resource-group ${hostile} --query ${containersOf("expand")} ` +
        "--output yaml",
      `az containerapp job start --name ${hostile} --resource-group ${hostile} --yaml execution.yaml ` +
        "--query name --output tsv",
      `az containerapp job execution show --name ${hostile} --resource-group ${hostile} --job-execution-name run1 ` +
        "--query properties.status --output tsv",
      closed(`db-migrate/prod/${hostile}/expand`),
      kept("db-migrate-prod"),
    ],
  },
  {
    title: "a title, a branch and a label of a pull request are in no command of its preview",
    run: {
      workflow: "pulumi-preview",
      inputs: { ...onStack, traffic: "../x$(touch pwned) ;touch `pwned`" },
      event: {
        name: "pull_request",
        payload: {
          pull_request: {
            number: 7,
            title: hostile,
            body: hostile,
            labels: [{ name: hostile }],
            head: { sha: "4f2a9c1d", ref: hostile, repo: { full_name: "nektos/act" } },
          },
          repository: { full_name: "nektos/act" },
        },
      },
      outcomes: { "pulumi-preview": "exit 255" },
    },
    isSuccess: false,
    journal: [
      checkout,
      "ballast comment mark-stale --pull-request 7",
      "pulumi preview --stack prod --non-interactive --json --show-sames " +
        "--policy-pack node_modules/ballast/dist/policies/ballast",
      ...[" --print", ""].map(
        (print) =>
          `ballast comment write --pull-request 7 --commit 4f2a9c1d ${runUrl} --stack prod ` +
          `--preview evidence/preview.json --failed${print}`,
      ),
      kept("pulumi-preview-prod"),
    ],
  },
];
