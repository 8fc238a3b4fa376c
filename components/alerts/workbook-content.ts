// The content of a service's workbook: a text, and charts and tables of queries over the time that its reader picks. It
// is plain data, and tests run the queries as they are.
import { kql, requestsOfApp } from "../../engines/remediation/objectives/kql.ts";
import { badRequest, budgetOf, type Objective } from "../../engines/remediation/objectives/objective.ts";

/** What the page is about. */
export interface WorkbookAbout {
  readonly app: string;
  readonly runbook: string;
  readonly objectives: readonly Objective[];
  readonly workspaceId: string;
}

/** One chart or table. */
interface Panel {
  readonly title: string;
  readonly query: string;
  readonly shownAs: "timechart" | "table";
}

const failed = badRequest({ measures: "availability" });
/** By this width of a bucket a day has 288 points. */
const bucket = "bin(TimeGenerated, 5m)";
const rowsMax = 20;

/** Gives the panels. */
export function panelsOf({ app, objectives }: Pick<WorkbookAbout, "app" | "objectives">): readonly Panel[] {
  const name = JSON.stringify(app);
  const requests = requestsOfApp(app);
  return [
    {
      title: "Requests and failed requests",
      shownAs: "timechart",
      query: kql(...requests, `summarize requests = count(), failed = countif(${failed}) by ${bucket}`),
    },
    {
      title: "Failed requests in percent, by revision",
      shownAs: "timechart",
      query: kql(
        ...requests,
        `summarize requests = count(), failed = countif(${failed}) by ${bucket}, RevisionName`,
        "project TimeGenerated, RevisionName, failedPercent = 100.0 * failed / requests",
      ),
    },
    {
      title: "Milliseconds within which 50, 95 and 99 percent are answered",
      shownAs: "timechart",
      query: kql(
        ...requests,
        "summarize p50 = percentile(RequestDuration, 50), p95 = percentile(RequestDuration, 95), " +
          `p99 = percentile(RequestDuration, 99) by ${bucket}`,
      ),
    },
    ...objectives.map((objective) => burnPanel(requests, objective)),
    {
      title: "Paths that fail",
      shownAs: "table",
      query: kql(
        ...requests,
        `where ${failed}`,
        "summarize requests = count() by Path, StatusCode, RevisionName",
        `top ${rowsMax} by requests desc`,
      ),
    },
    {
      title: "Exceptions",
      shownAs: "table",
      query: kql(
        "AppExceptions",
        `where AppRoleName =~ ${name}`,
        "summarize times = sum(ItemCount) by ExceptionType, ProblemId",
        `top ${rowsMax} by times desc`,
      ),
    },
    {
      title: "What the platform did to its replicas",
      shownAs: "table",
      query: kql(
        "ContainerAppSystemLogs",
        `where ContainerAppName == ${name}`,
        "project TimeGenerated, RevisionName, Reason, Log",
        `top ${rowsMax} by TimeGenerated desc`,
      ),
    },
  ];
}

function burnPanel(requests: readonly string[], objective: Objective): Panel {
  const { measures, goodPercent, periodDays, withinMilliseconds } = objective;
  const within = withinMilliseconds === undefined ? "" : ` within ${withinMilliseconds} ms`;
  return {
    title: `Burn rate of ${measures} (${goodPercent} percent${within} over ${periodDays} days); 1 uses it up exactly`,
    shownAs: "timechart",
    query: kql(
      ...requests,
      `summarize requests = count(), bad = countif(${badRequest(objective)}) by ${bucket}`,
      `project TimeGenerated, burn = todouble(bad) / requests / ${budgetOf(objective)}`,
    ),
  };
}

/** Gives the workbook, as the portal reads it. */
export const workbookOf = (about: WorkbookAbout): object => ({
  version: "Notebook/1.0",
  items: [
    {
      type: 1,
      name: "about",
      content: { json: `# ${about.app}\n\nWhat to do when it fails: ${about.runbook}` },
    },
    {
      type: 9,
      name: "time",
      content: {
        version: "KqlParameterItem/1.0",
        parameters: [
          {
            id: "time",
            name: "Time",
            label: "Time",
            type: 4,
            version: "KqlParameterItem/1.0",
            isRequired: true,
            value: { durationMs: 86_400_000 },
            typeSettings: {
              selectableValues: [3_600_000, 21_600_000, 86_400_000, 604_800_000].map((durationMs) => ({ durationMs })),
            },
          },
        ],
      },
    },
    ...panelsOf(about).map(({ title, query, shownAs }, index) => ({
      type: 3,
      name: `query-${index}`,
      content: {
        version: "KqlItem/1.0",
        query,
        title,
        size: 0,
        timeContextFromParameter: "Time",
        queryType: 0,
        resourceType: "microsoft.operationalinsights/workspaces",
        crossComponentResources: [about.workspaceId],
        visualization: shownAs,
      },
    })),
  ],
});
