// Where apps run, and where every request to them is logged: a managed environment, a Log Analytics workspace, and the
// diagnostic setting that connects them. Without request rows the judge is blind, so the environment's id becomes known
// only after that setting is in place.

import { getManagedEnvironment } from "@pulumi/azure-native/app/getManagedEnvironment.js";
import { ManagedEnvironment } from "@pulumi/azure-native/app/managedEnvironment.js";
import { DiagnosticSetting } from "@pulumi/azure-native/monitor/diagnosticSetting.js";
import { Workspace } from "@pulumi/azure-native/operationalinsights/workspace.js";
import { PrivateRecordSet } from "@pulumi/azure-native/privatedns/privateRecordSet.js";
import { PrivateZone } from "@pulumi/azure-native/privatedns/privateZone.js";
import { VirtualNetworkLink } from "@pulumi/azure-native/privatedns/virtualNetworkLink.js";
import * as pulumi from "@pulumi/pulumi";
import { retentionDays } from "../../defaults.ts";
import { environmentWithoutInside } from "../../errors/components.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { child, physicalName, refusal } from "../conventions.ts";
import { keptPlace } from "./network.ts";

/** Where the environment is, and how long its logs are kept. */
export interface ContainerEnvironmentArgs {
  /** The resource group's id. Names that must be unique in Azure are derived from it. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /**
   * How many days request rows and logs are kept.
   *
   * @default 30
   */
  readonly retentionInDays?: number;
  /**
   * The id of the environment's subnet. It must be a /27 or larger, be delegated to Microsoft.App/environments, and
   * hold nothing else. It cannot be changed later.
   *
   * @default a network of Azure's own
   */
  readonly subnet?: pulumi.Input<string> | undefined;
  /**
   * Whether the environment has no address on the internet, so that its apps answer only inside the subnet's network.
   * It needs a subnet. Its domain gets a private DNS zone that is linked to that network. It cannot be changed later.
   *
   * @default false
   */
  readonly internal?: boolean;
  /**
   * Whether replicas are spread over the region's zones. This needs a subnet and cannot be changed later.
   *
   * @default false
   */
  readonly zoneRedundant?: boolean;
}

/** The log tables of the environment. Releases are judged by the rows of the first. */
const categories = ["ContainerAppHTTPLogs", "ContainerAppConsoleLogs", "ContainerAppSystemLogs"];

/** A managed environment that logs every request to a workspace. */
export class ContainerEnvironment extends pulumi.ComponentResource {
  /**
   * The environment's id. It is known once requests are logged, and for an internal environment once its names resolve,
   * so that no app starts before.
   */
  readonly environmentId: pulumi.Output<string>;
  /** The domain of the apps: an app answers at `<app>.<domain>`. */
  readonly domain: pulumi.Output<string>;
  /** The id of the workspace that gets request rows and logs. */
  readonly workspaceId: pulumi.Output<string>;
  /** The workspace's customer id, by which the query API names it. */
  readonly customerId: pulumi.Output<string>;

  constructor(name: string, given: ContainerEnvironmentArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("ContainerEnvironment", name, argumentForms.ContainerEnvironment, given);
    super("ballast:index:ContainerEnvironment", name, args, opts);
    const { scope, resourceGroupName, location, retentionInDays = retentionDays.logDays, subnet } = args;
    const environment = this.#environment(name, args);
    const workspace = new Workspace(
      child(name, "workspace"),
      {
        workspaceName: physicalName("workspace", name, scope),
        resourceGroupName,
        location,
        retentionInDays,
        sku: { name: "PerGB2018" },
      },
      { parent: this },
    );
    const requestLogs = new DiagnosticSetting(
      child(name, "request-logs"),
      {
        name: "request-logs",
        resourceUri: environment.id,
        workspaceId: workspace.id,
        logs: categories.map((category) => ({ category, enabled: true })),
      },
      { parent: this },
    );
    const insideIds = args.internal ? this.#resolveInside(name, environment, resourceGroupName, subnet!) : [];

    this.environmentId = pulumi.all([environment.id, pulumi.all([requestLogs.id, ...insideIds])]).apply(([id]) => id);
    this.domain = environment.defaultDomain;
    this.workspaceId = workspace.id;
    this.customerId = workspace.customerId;
    this.registerOutputs({
      environmentId: this.environmentId,
      domain: this.domain,
      workspaceId: this.workspaceId,
      customerId: this.customerId,
    });
  }

  #environment(name: string, args: ContainerEnvironmentArgs): ManagedEnvironment {
    const { scope, resourceGroupName, location, subnet, internal = false, zoneRedundant = false } = args;
    const environmentName = physicalName("environment", name, scope);
    if (internal && !subnet) throw refusal(environmentWithoutInside({ name: environmentName }));
    const live = getManagedEnvironment(
      { resourceGroupName: scope.split("/").at(-1)!, environmentName },
      { parent: this },
    );
    const planned = placeOf({ vnetConfiguration: { infrastructureSubnetId: subnet, internal } });
    const choice = subnet === undefined ? undefined : { infrastructureSubnetId: subnet, internal };
    return new ManagedEnvironment(
      child(name, "environment"),
      {
        environmentName,
        resourceGroupName,
        location,
        // Only this destination has request rows; the older `log-analytics` has console and system logs only.
        appLogsConfiguration: { destination: "azure-monitor" },
        workloadProfiles: [{ name: "Consumption", workloadProfileType: "Consumption" }],
        zoneRedundant,
        vnetConfiguration: pulumi.output(keptPlace(`environment ${environmentName}`, live, placeOf, planned, choice)),
      },
      { parent: this },
    );
  }

  /**
   * Makes every name under the environment's domain resolve to its private address in the subnet's network.
   *
   * The zone cannot exist beforehand, since Azure chooses domain and address. Without it neither the control plane nor
   * the machine that deploys can reach a canary's own address.
   */
  #resolveInside(
    name: string,
    environment: ManagedEnvironment,
    resourceGroupName: pulumi.Input<string>,
    subnet: pulumi.Input<string>,
  ): readonly pulumi.Output<string>[] {
    const zone = new PrivateZone(
      child(name, "zone"),
      { privateZoneName: environment.defaultDomain, resourceGroupName, location: "global" },
      { parent: this },
    );
    const inZone = { privateZoneName: zone.name, resourceGroupName };
    const record = new PrivateRecordSet(
      child(name, "zone-record"),
      {
        ...inZone,
        recordType: "A",
        relativeRecordSetName: "*",
        ttl: 300,
        aRecords: [{ ipv4Address: environment.staticIp }],
      },
      { parent: this },
    );
    const link = new VirtualNetworkLink(
      child(name, "zone-link"),
      {
        ...inZone,
        virtualNetworkLinkName: "network",
        location: "global",
        registrationEnabled: false,
        virtualNetwork: { id: pulumi.output(subnet).apply((id) => id.replace(/\/subnets\/[^/]+$/i, "")) },
      },
      { parent: this },
    );
    return [record.id, link.id];
  }
}

/** Describes the part of an environment's place that Azure never changes. */
export const placeOf = ({
  vnetConfiguration,
}: {
  readonly vnetConfiguration?: { readonly infrastructureSubnetId?: unknown; readonly internal?: boolean } | null;
}): string =>
  vnetConfiguration?.infrastructureSubnetId
    ? `in your subnet and ${vnetConfiguration.internal ? "internal" : "open to the internet"}`
    : "in Azure's own network";
