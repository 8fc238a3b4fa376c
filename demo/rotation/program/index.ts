// The program of the story: a vault, a database credential that is rotated, and the app that logs in with it. The
// environment, the workspace and the server with its roles are there already, as for a service that comes under
// rotation. Neither the program nor its state has a password.
import * as pulumi from "@pulumi/pulumi";
import { CanaryApp } from "../../../components/canary-app/canary-app.ts";
import { httpApp } from "../../../components/canary-app/http-app.ts";
import { DatabaseCredential } from "../../../components/credentials/database-credential.ts";
import { SecretVault } from "../../../components/credentials/secret-vault.ts";
import type { Given } from "./given.ts";

const config = new pulumi.Config();
const { place, app, image, controlPlane, tenant, environmentId, workspaceId, officer, ...given } =
  config.requireObject<Given>("given");
const { server, database, roles, rotator, form, timings, plan, everyMilliseconds } = given;

// The demo deletes everything at its end. Elsewhere a vault stays protected.
const vault = new SecretVault("vault", { ...place, tenant, workspaceId, officer }, { protect: false });
const credential = new DatabaseCredential("database", {
  ...place,
  controlPlane,
  credential: "database",
  vault: { id: vault.vaultId, name: vault.vaultName },
  server,
  database,
  roles,
  rotator,
  form,
  checks: ["select count(*) from orders"],
  consumers: [{ resourceGroup: place.resourceGroupName, app, ...plan }],
  timings,
});
const isApart = form === "apart";
const orders = new CanaryApp(app, {
  ...httpApp({
    resourceGroupName: place.resourceGroupName,
    location: place.location,
    containerAppName: app,
    environmentId,
    image,
    variables: {
      RELEASE: config.require("release"),
      FAULT: "none",
      DATABASE_MILLISECONDS: String(everyMilliseconds),
      ...(isApart && { DATABASE_URL: `postgresql://${server.host}:${server.port}/${database}` }),
    },
    healthPath: "/health/ready",
    minReplicas: 2,
    maxReplicas: 2,
  }),
  controlPlane,
  ...plan,
  credentials: isApart
    ? { PGUSER: credential.user(), PGPASSWORD: credential.password() }
    : { DATABASE_URL: credential.uri() },
});

export const { url } = orders;
export const { vaultName } = vault;
