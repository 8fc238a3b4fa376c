// A page in the portal about one service: what its users get, what is left of its error budgets, and what fails.
import { ServiceWorkbook } from "ballast";

const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";

const page = new ServiceWorkbook("shop-page", {
  scope,
  resourceGroupName: "shop",
  location: "westeurope",
  workspaceId: `${scope}/providers/Microsoft.OperationalInsights/workspaces/apps`,
  app: "shop",
  runbook: "https://wiki.example.com/shop-fails",
  objectives: [
    { target: "app/shop/shop", measures: "availability", goodPercent: 99.9, periodDays: 28, failuresMin: 10 },
  ],
});

export const { workbookId } = page;
