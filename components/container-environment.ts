// Where apps run, and where every request to them is written down: a managed environment, a workspace, and the diagnostic
// setting that joins them. A judge without request rows is blind, so nobody gets the environment before the rows flow.
// Knows no app.
import * as pulumi from "@pulumi/pulumi";
import { ManagedEnvironment } from "@pulumi/azure-native/app/managedEnvironment.js";
import { DiagnosticSetting } from "@pulumi/azure-native/monitor/diagnosticSetting.js";
import { Workspace } from "@pulumi/azure-native/operationalinsights/workspace.js";
import { child, physicalName } from "./conventions.ts";

/** Where an environment is and how long it remembers. */
export interface ContainerEnvironmentArgs {
  /** The resource group's id, of which names that must be unique are made. */
  readonly scope: string;
  /** The group that everything of it lies in; given as the group's output, it is made first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /**
   * How long request rows and logs are kept.
   *
   * @default 30
   */
  readonly retentionInDays?: number;
  /**
   * The subnet in which the environment lives, by its id.
   *
   * @default one of Azure's own
   */
  readonly subnet?: string | undefined;
  /**
   * Whether replicas are spread over the region's zones. Azure wants a subnet then, and changes neither afterwards.
   *
   * @default false
   */
  readonly zoneRedundant?: boolean;
}

/** The tables that the environment's apps write to. The rows that releases are judged on are the first. */
const categories = ["ContainerAppHTTPLogs", "ContainerAppConsoleLogs", "ContainerAppSystemLogs"];

/** A managed environment whose requests can be queried. */
export class ContainerEnvironment extends pulumi.ComponentResource {
  /** Known only once request logs are wired, so that no app starts in an environment that does not write its requests down. */
  readonly environmentId: pulumi.Output<string>;
  /** The domain under which apps answer: `<app>.<domain>`. */
  readonly domain: pulumi.Output<string>;
  /** The id of the workspace that request rows and logs go to. */
  readonly workspaceId: pulumi.Output<string>;
  /** What the query API calls the workspace. */
  readonly customerId: pulumi.Output<string>;

  constructor(name: string, args: ContainerEnvironmentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ballast:index:ContainerEnvironment", name, args, opts);
    const { scope, resourceGroupName, location, retentionInDays = 30, subnet, zoneRedundant = false } = args;

    const workspace = new Workspace(child(name, "workspace"), {
      workspaceName: physicalName("workspace", name, scope),
      resourceGroupName, location, retentionInDays,
      sku: { name: "PerGB2018" },
    }, { parent: this });

    const environment = new ManagedEnvironment(child(name, "environment"), {
      environmentName: physicalName("environment", name, scope),
      resourceGroupName, location,
      // Request rows exist only for this destination; the older `log-analytics` has console and system logs alone.
      appLogsConfiguration: { destination: "azure-monitor" },
      workloadProfiles: [{ name: "Consumption", workloadProfileType: "Consumption" }],
      zoneRedundant,
      ...(subnet === undefined ? {} : { vnetConfiguration: { infrastructureSubnetId: subnet } }),
    }, { parent: this });

    const requestLogs = new DiagnosticSetting(child(name, "request-logs"), {
      name: "request-logs",
      resourceUri: environment.id,
      workspaceId: workspace.id,
      logs: categories.map((category) => ({ category, enabled: true })),
    }, { parent: this });

    this.environmentId = pulumi.all([environment.id, requestLogs.id]).apply(([id]) => id);
    this.domain = environment.defaultDomain;
    this.workspaceId = workspace.id;
    this.customerId = workspace.customerId;
    this.registerOutputs({ environmentId: this.environmentId, domain: this.domain, workspaceId: this.workspaceId, customerId: this.customerId });
  }
}
