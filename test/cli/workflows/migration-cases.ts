// What `db-migrate` does, as cases.ts says of the others.
import { type Case, checkout, closed, onEnvironment, opened, trace, traceparentOf } from "./case.ts";
import type { Run } from "./run-act.ts";

/** What `az` says of the job: the name of an execution, how that ended, and the name of a volume. */
const jobs = (ended = "Succeeded", volume = ""): string =>
  `case "$*" in *"job start"*) echo run1 ;; *volumes*) echo "${volume}" ;; *execution*) echo ${ended} ;; esac`;
const migrationRun = (phase: string, outcomes: Run["outcomes"] = {}): Run => ({
  workflow: "db-migrate",
  inputs: { ...onEnvironment, phase, app: "shop", "resource-group": "rg", job: `migrate-${phase}` },
  outcomes: {
    "az-containerapp-job": jobs(),
    "az-containerapp-revision": "echo 1",
    "ballast-release-show": 'echo \'{"result":"promoted"}\'',
    ...outcomes,
  },
});
const checkedMigration = (phase: string): string => `ballast migration check migrations --phase ${phase}`;
/** The containers of a start, as `az` is asked for them. */
export const containersOf = (phase: string): string =>
  "properties.template.{initContainers: initContainers, containers: containers[].merge(@, " +
  "{env: [env[?name != 'TRACEPARENT' && name != 'BALLAST_MIGRATION_PHASE'], " +
  `[{name: 'TRACEPARENT', value: '${traceparentOf("migrate")}'}, ` +
  `{name: 'BALLAST_MIGRATION_PHASE', value: '${phase}'}]][]})}`;
const jobOf = (phase: string, hasVolume = false): readonly string[] => [
  `az containerapp job show --name migrate-${phase} --resource-group rg ` +
    "--query properties.template.volumes[0].name --output tsv",
  ...(hasVolume
    ? []
    : [
        `az containerapp job show --name migrate-${phase} --resource-group rg ` +
          `--query ${containersOf(phase)} --output yaml`,
      ]),
  `az containerapp job start --name migrate-${phase} --resource-group rg ` +
    `${hasVolume ? "" : "--yaml execution.yaml "}--query name --output tsv`,
  `az containerapp job execution show --name migrate-${phase} --resource-group rg --job-execution-name run1 ` +
    "--query properties.status --output tsv",
];
const old = [
  "ballast release show shop --stack prod --json",
  "az containerapp revision list --name shop --resource-group rg --query length([?properties.active]) --output tsv",
];
const migrationFailed = (phase: string): string =>
  opened(`db-migrate/prod/shop/${phase}`, `The ${phase} of the database of shop in prod failed`, "migration.txt");
const migrationKept = "actions/upload-artifact db-migrate-prod";

export const migrations: readonly Case[] = [
  {
    title: "an expand is judged before its job is started, and its execution is an output",
    run: migrationRun("expand"),
    isSuccess: true,
    journal: [
      checkout,
      checkedMigration("expand"),
      ...jobOf("expand"),
      closed("db-migrate/prod/shop/expand"),
      migrationKept,
    ],
    outputs: ['"execution": "run1"', '"result": "success"'],
    summary: `The expand of the database of \`shop\` in \`prod\`: success. Trace: \`${trace}\`.`,
  },
  {
    title: "a job with a volume is started as it is, since a start that names containers mounts none",
    run: migrationRun("expand", { "az-containerapp-job": jobs("Succeeded", "sql") }),
    isSuccess: true,
    journal: [
      checkout,
      checkedMigration("expand"),
      ...jobOf("expand", true),
      closed("db-migrate/prod/shop/expand"),
      migrationKept,
    ],
  },
  {
    title: "an expand that stable cannot live with starts no job",
    run: migrationRun("expand", { "ballast-migration-check": "echo refused; exit 1" }),
    isSuccess: false,
    journal: [checkout, checkedMigration("expand"), migrationFailed("expand"), migrationKept],
  },
  {
    title: "a contract runs once the rollout was promoted and one revision is active",
    run: migrationRun("contract"),
    isSuccess: true,
    journal: [
      checkout,
      checkedMigration("contract"),
      ...old,
      ...jobOf("contract"),
      closed("db-migrate/prod/shop/contract"),
      migrationKept,
    ],
  },
  {
    title: "a contract starts no job while the old revision is still active",
    run: migrationRun("contract", { "az-containerapp-revision": "echo 2" }),
    isSuccess: false,
    journal: [checkout, checkedMigration("contract"), ...old, migrationFailed("contract"), migrationKept],
  },
  {
    title: "a contract starts no job after a rollout that was rolled back",
    run: migrationRun("contract", { "ballast-release-show": 'echo \'{"result":"rolled-back"}\'' }),
    isSuccess: false,
    journal: [checkout, checkedMigration("contract"), ...old, migrationFailed("contract"), migrationKept],
  },
  {
    title: "a job that fails fails the migration",
    run: migrationRun("expand", {
      "az-containerapp-job": jobs("Failed"),
    }),
    isSuccess: false,
    journal: [checkout, checkedMigration("expand"), ...jobOf("expand"), migrationFailed("expand"), migrationKept],
    summary: `The expand of the database of \`shop\` in \`prod\`: failure. Trace: \`${trace}\`.`,
  },
];
