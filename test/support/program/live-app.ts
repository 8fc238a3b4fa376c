// An app that is live with some traffic, as components read it, and a parent for calls that need one.
import * as pulumi from "@pulumi/pulumi";
import type { LiveApp } from "../../../components/canary-app/traffic.ts";

export class Somewhere extends pulumi.ComponentResource {
  constructor() {
    super("test:index:Somewhere", "somewhere");
  }
}

/** Returns an app with these entries of traffic; without any it has no traffic at all. */
export const live = (traffic: readonly object[] | undefined, latestReadyRevisionName = ""): LiveApp => ({
  latestReadyRevisionName,
  configuration: { ingress: traffic ? { traffic: traffic as never } : {} },
});
