// Application Insights on the environment's workspace, and alerts that notify an on-call address by e-mail.
import { ContainerEnvironment, Telemetry } from "ballast";

const place = {
  scope: "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop",
  resourceGroupName: "shop",
  location: "westeurope",
};

const environment = new ContainerEnvironment("apps", place);

const telemetry = new Telemetry("telemetry", {
  ...place,
  workspaceId: environment.workspaceId,
  emails: ["on-call@example.com"],
  apps: ["shop"],
});

// Pass `telemetry.sender` to ControlPlane and CanaryApp as `telemetry`.
export const { insightsId, connectionString } = telemetry.sender;
