// Application Insights on the environment's workspace, and the alerts, told to somebody by e-mail.
import { ContainerEnvironment, Telemetry } from "ballast";

const place = { scope: "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop", resourceGroupName: "shop", location: "westeurope" };

const environment = new ContainerEnvironment("apps", place);

const telemetry = new Telemetry("telemetry", {
  ...place,
  workspaceId: environment.workspaceId,
  emails: ["on-call@example.com"],
  apps: ["shop"],
});

// ControlPlane takes { insightsId, connectionString } as `telemetry`, CanaryApp takes the sender as it is.
export const { insightsId } = telemetry;
export const { connectionString } = telemetry.sender;
