// Adopts an app that `az containerapp` created, so that it is released by canary. The app stays in its resource group
// and environment; what moves its traffic is in a group of its own and can be removed without the app.
// docs/start/adopting.md explains each configuration key and the way to the first canary.

import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import * as pulumi from "@pulumi/pulumi";
import {
  CanaryApp,
  ControlPlane,
  DatabaseRole,
  DeadMansSwitch,
  httpApp,
  ImageRegistry,
  JournalDatabase,
} from "ballast";

const config = new pulumi.Config();
const subscription = config.require("subscription");
const tenant = config.require("tenant");
const location = config.require("location");
const audience = config.require("audience");
const environment = config.requireObject<{ id: string; domain: string }>("environment");
const workspace = config.requireObject<{ id: string; customerId: string }>("workspace");
const { group, name } = config.requireObject<{ group: string; name: string }>("app");
// Another cloud's addresses, and a database password: for the emulator, whose database cannot verify Entra tokens.
const endpoints = config.getObject<{ resourceManager: string; logs: string; login: string }>("endpoints") ?? {
  resourceManager: "https://management.azure.com",
  logs: "https://api.loganalytics.io",
  login: "https://login.microsoftonline.com",
};
const password = config.getSecret("databasePassword");
const server = config.getObject<{ port: number; tls: "require" | "disable" }>("server") ?? {
  port: 5432,
  tls: "require",
};

const ownGroup = config.require("releasesGroup");
const groupId = (of: string): string => `/subscriptions/${subscription}/resourceGroups/${of}`;
const releases = new ResourceGroup("releases", { resourceGroupName: ownGroup, location });
const place = { scope: groupId(ownGroup), resourceGroupName: releases.name, location };
const overApps = { ...place, scope: groupId(group) }; // the rights are assigned where the app is

const images = new ImageRegistry("images", { ...place, subscription, registry: config.require("registry") });
const journal = new JournalDatabase("journal", { ...place, tenant, password });

const controlPlane = new ControlPlane(
  "control-plane",
  {
    ...overApps,
    subscription,
    tenant,
    audience,
    environment,
    workspace,
    endpoints,
    image: config.require("controlPlaneImage"),
    pull: images.pull,
    database: {
      host: journal.host,
      name: journal.databaseName,
      ...server,
      login: password && { user: "ballast", password },
    },
    managedTargets: [{ resourceGroup: group, app: name }],
    leaseSeconds: 60,
    requestSeconds: 30,
    ingestionSeconds: config.getNumber("ingestionSeconds") ?? 180,
  },
  { dependsOn: images },
);

if (password === undefined)
  new DatabaseRole(
    "database-role",
    {
      ...place,
      tenant,
      image: config.require("controlPlaneImage"),
      pull: images.pull,
      environmentId: environment.id,
      database: { serverName: journal.serverName, host: journal.host, name: journal.databaseName },
      grantee: { name: controlPlane.identityName, objectId: controlPlane.identityObjectId },
    },
    { dependsOn: images },
  );

// `retainOnDelete`: destroying this stack leaves the app as it is.
const app = new CanaryApp(
  name,
  {
    ...httpApp({
      containerAppName: name,
      resourceGroupName: group,
      location,
      environmentId: environment.id,
      image: config.require("image"),
      variables: config.getObject<Record<string, string>>("variables") ?? {},
      // The app's own values: `az containerapp create` leaves the transport to Azure.
      targetPort: config.getNumber("targetPort") ?? 8080,
      transport: "auto",
      registries: config.getObject<{ server: string; identity: string }[]>("registries") ?? [],
    }),
    controlPlane: { endpoint: controlPlane.endpoint, audience },
    probePath: config.get("probePath") ?? "/",
    strategy: config.getObject("strategy") ?? {},
    thresholds: config.getObject("thresholds") ?? {},
  },
  { dependsOn: controlPlane, retainOnDelete: true },
);

new DeadMansSwitch(
  "dead-mans-switch",
  {
    ...overApps,
    subscription,
    image: config.require("deadMansSwitchImage"),
    pull: images.pull,
    environmentId: environment.id,
    controlPlaneEndpoint: controlPlane.endpoint,
    resourceManager: endpoints.resourceManager,
    silenceSeconds: 240,
    managedTargets: [{ resourceGroup: group, app: name, id: app.appId }],
  },
  { dependsOn: images },
);

export const {
  endpoint: controlPlaneEndpoint,
  audience: controlPlaneAudience,
  binding: controlPlaneBinding,
} = controlPlane;
export const { url, revision, result, message } = app;
