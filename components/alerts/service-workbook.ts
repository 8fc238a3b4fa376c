// A page about one service for whoever is called: what its users get, what its objectives have left, and what fails.

import { Workbook } from "@pulumi/azure-native/applicationinsights/workbook.js";
import * as pulumi from "@pulumi/pulumi";
import type { Objective } from "../../engines/remediation/objectives/objective.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { assignmentName, child } from "../conventions.ts";
import { workbookOf } from "./workbook-content.ts";

/** Which service the page is about. */
export interface ServiceWorkbookArgs {
  /** The resource group's id. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /** The id of the workspace that has the request rows: the output `workspaceId` of `ContainerEnvironment`. */
  readonly workspaceId: pulumi.Input<string>;
  /** The name of the container app. A plain string, since the queries name it. */
  readonly app: string;
  /** Where whoever is called finds what to do: a page's address or a chapter. */
  readonly runbook: string;
  /**
   * The objectives of the service: the output `objectives` of its `ServiceObjectives`. The page then shows how fast
   * each error budget is used up.
   *
   * @default none
   */
  readonly objectives?: readonly Objective[];
}

/**
 * An Azure Monitor workbook on one service: requests, failures and times, how fast its error budgets are used up, the
 * paths and exceptions that fail, and what the platform did to its replicas.
 */
export class ServiceWorkbook extends pulumi.ComponentResource {
  /** The workbook's id, by which the portal opens it. */
  readonly workbookId: pulumi.Output<string>;

  constructor(name: string, given: ServiceWorkbookArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("ServiceWorkbook", name, argumentForms.ServiceWorkbook, given);
    const { scope, resourceGroupName, location, workspaceId, app, runbook, objectives = [] } = args;
    super("ballast:index:ServiceWorkbook", name, args, opts);
    const content = pulumi
      .output(workspaceId)
      .apply((id) => JSON.stringify(workbookOf({ app, runbook, objectives, workspaceId: id })));
    const workbook = new Workbook(
      child(name, "workbook"),
      {
        resourceName: assignmentName(scope, name, "workbook"),
        resourceGroupName,
        location,
        kind: "shared",
        category: "workbook",
        displayName: `${app}: service`,
        sourceId: workspaceId,
        serializedData: content,
      },
      { parent: this },
    );
    this.workbookId = workbook.id;
    this.registerOutputs({ workbookId: workbook.id });
  }
}
