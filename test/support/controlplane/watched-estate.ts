// The estate of the dead man's switch with a control plane that sends telemetry, users who never stop, and queries of
// the alerts' rules. A minute of a rule's window is a second here: what Azure gets each minute is reported each second.
import type { Alert } from "../../../components/platform/alerts.ts";
import { defaultThresholds } from "../../../engines/rollout/plan.ts";
import type { RunningPostgres } from "../../../toolchain/postgres.ts";
import { eventually } from "../emulator/container-cloud.ts";
import { type LogRow, logRows } from "../emulator/log-rows.ts";
import { startUsers, type Users } from "../emulator/users.ts";
import { type Estate, openEstate } from "./dead-mans-estate.ts";
import {
  deployPlane,
  openWorkspace,
  pinTraffic,
  planeOrigin,
  quarterStrategy,
  startJournalServer,
} from "./deploy-plane.ts";

export interface WatchedEstate extends Estate {
  readonly postgres: RunningPostgres;
  readonly stable: string;
  readonly canary: string;
  /** The connection string and the identity that apps send as. */
  readonly sender: { readonly connectionString: string; readonly identity: string };
  /** Runs a query, over all rows or over the latest seconds. */
  readonly query: (text: string, seconds?: number) => Promise<readonly LogRow[]>;
  /** Gives the rows for which an alert's rule would fire now. */
  readonly firing: (alert: Alert) => Promise<readonly LogRow[]>;
  /** Calls the control plane. */
  readonly plane: (
    method: string,
    path: string,
    body?: object,
  ) => Promise<{ readonly status: number; readonly body: any }>;
  /** Ensures a rollout under way in which the canary has a quarter of the users. */
  readonly inMidCanary: () => Promise<void>;
  readonly signalPlane: (signal: string) => Promise<void>;
}

/** The secret part of a notifier's address. */
export const notifierSecret = "only-slack-knows-this-part";
const insights = "providers/Microsoft.Insights";
const publisher = "3913510d-42f4-4e42-8a64-420c390055eb";
export const thresholds = {
  ...defaultThresholds,
  oddsTolerated: 1.5,
  slowdownTolerated: 10,
  failurePointsMax: 20,
  ceilingRequests: 1000,
  stableFailurePercentMax: 20,
  probeFailuresMax: 1000,
};

/** Starts the estate, up to a control plane that answers and reports. Nothing is released yet. */
export async function openWatchedEstate(everyMilliseconds = 1000): Promise<WatchedEstate> {
  const [estate, postgres] = await Promise.all([openEstate(), startJournalServer()]);
  const workspace = await openWorkspace(estate, "ContainerAppHTTPLogs", "ContainerAppConsoleLogs");
  const { body: component } = await estate.ask(
    "PUT",
    `${estate.group}/${insights}/components/telemetry?api-version=2020-02-02`,
    {
      location: "westeurope",
      kind: "web",
      properties: { Application_Type: "web", WorkspaceResourceId: workspace.id, DisableLocalAuth: true },
    },
  );
  const connectionString: string = component.properties.ConnectionString;
  const sender = await estate.makeIdentity("telemetry");
  await estate.assign(sender.principalId, publisher, component.id);
  await deployPlane(estate, postgres, workspace, {
    variables: {
      APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString,
      OTEL_METRIC_EXPORT_INTERVAL: String(everyMilliseconds),
      BALLAST_NOTIFY: JSON.stringify({ slackUrl: `https://127.0.0.1:2/services/${notifierSecret}` }), // nobody is there
    },
    assignments: [{ role: publisher, scope: component.id }],
  });
  const stable = await pinTraffic(estate);
  const canary = await estate.release({ RELEASE: "2" });
  const token = await estate.tokenFor("api://ballast");
  const plane: WatchedEstate["plane"] = (method, path, body) =>
    estate.ask(method, `${planeOrigin}${path}`, body, { token });
  const query: WatchedEstate["query"] = (text, seconds) => logRows(estate, workspace.customerId, text, seconds);
  const rollout = `/rollouts/estate/storefront/${canary}`;
  return {
    ...estate,
    postgres,
    stable,
    canary,
    sender: { connectionString, identity: sender.id },
    plane,
    query,
    firing: (alert) => query(alert.query, alert.windowMinutes),
    inMidCanary: async () => {
      const shown = await plane("GET", rollout);
      if (shown.status === 404)
        await plane("PUT", rollout, {
          release: "2",
          strategy: quarterStrategy,
          thresholds,
          probePath: "/health/ready",
        });
      else if (shown.body.phase === "finished")
        await plane("POST", `${rollout}/signals`, { signal: "retry", message: "once more" });
      await eventually(
        () => estate.traffic(),
        (entries) => entries.some(({ revisionName, weight }) => revisionName === canary && weight === 25),
        40,
      );
    },
    signalPlane: async (signal) => void (await estate.ask("POST", "/_emulator/kill", { app: "control-plane", signal })),
    close: async () => {
      await estate.close();
      await postgres.stop();
    },
  };
}

/** Starts concurrent users of an app, enough for the hundred requests that a rule wants in its window. */
export function usersOf(estate: Pick<Estate, "ask">, app: string): Users {
  const url = `https://${app}.estate.westeurope.ballast.localhost/products/1`;
  const visit = async (): Promise<number> => (await estate.ask("GET", url, undefined, { token: null })).status;
  return startUsers(Array.from({ length: 6 }, () => visit));
}
