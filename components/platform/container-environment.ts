// Where apps run, and where every request to them is written down: a managed environment, a workspace, and the diagnostic
// setting that joins them. A judge without request rows is blind, so nobody gets the environment before the rows flow.
// Knows no app.

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
import { child, physicalName, refusal } from "../conventions.ts";
import { keptPlace } from "./network.ts";

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
   * The subnet in which the environment lives, by its id: at least a /27, delegated to Microsoft.App/environments, with nothing else in it.
   *
   * @default one of Azure's own
   */
  readonly subnet?: pulumi.Input<string> | undefined;
  /**
   * Whether it has no address on the internet, so that its apps answer inside the subnet's network alone. It wants a subnet, and gets a private zone
   * of its domain that this network is linked to. Cannot be changed later.
   *
   * @default false
   */
  readonly internal?: boolean;
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
  /** Known only once request logs are wired, so that no app starts in an environment that does not write its requests down, and, of an internal one, once its names are found. */
  readonly environmentId: pulumi.Output<string>;
  /** The domain under which apps answer: `<app>.<domain>`. */
  readonly domain: pulumi.Output<string>;
  /** The id of the workspace that request rows and logs go to. */
  readonly workspaceId: pulumi.Output<string>;
  /** What the query API calls the workspace. */
  readonly customerId: pulumi.Output<string>;

  constructor(name: string, args: ContainerEnvironmentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ballast:index:ContainerEnvironment", name, args, opts);
    const {
      scope,
      resourceGroupName,
      location,
      retentionInDays = retentionDays.logDays,
      subnet,
      internal = false,
      zoneRedundant = false,
    } = args;
    const environmentName = physicalName("environment", name, scope);
    if (internal && !subnet) throw refusal(environmentWithoutInside({ name: environmentName }));
    const live = getManagedEnvironment(
      { resourceGroupName: scope.split("/").at(-1)!, environmentName },
      { parent: this },
    );

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

    const environment = new ManagedEnvironment(
      child(name, "environment"),
      {
        environmentName,
        resourceGroupName,
        location,
        // Request rows exist only for this destination; the older `log-analytics` has console and system logs alone.
        appLogsConfiguration: { destination: "azure-monitor" },
        workloadProfiles: [{ name: "Consumption", workloadProfileType: "Consumption" }],
        zoneRedundant,
        vnetConfiguration: pulumi.output(
          keptPlace(
            `environment ${environmentName}`,
            live,
            placeOf,
            placeOf({ vnetConfiguration: { infrastructureSubnetId: subnet, internal } }),
            subnet === undefined ? undefined : { infrastructureSubnetId: subnet, internal },
          ),
        ),
      },
      { parent: this },
    );
    const inside = internal ? this.#answerInside(name, environment, resourceGroupName, subnet!) : [];

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

    this.environmentId = pulumi.all([environment.id, pulumi.all([requestLogs.id, ...inside])]).apply(([id]) => id);
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

  /**
   * Gives every name under the environment's domain to its private address, for the network that its subnet is of.
   *
   * Nobody can make this zone beforehand: domain and address are Azure's to choose. Without it neither the control plane nor whoever deploys finds a canary's own address.
   */
  #answerInside(
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

/** Says where an environment is, as far as Azure never changes it. */
export const placeOf = ({
  vnetConfiguration,
}: {
  readonly vnetConfiguration?: { readonly infrastructureSubnetId?: unknown; readonly internal?: boolean } | null;
}): string =>
  vnetConfiguration?.infrastructureSubnetId
    ? `in a subnet of yours and ${vnetConfiguration.internal ? "internal" : "open to the internet"}`
    : "in no network of yours";
