// The entry of the published pack. The SDK allows one pack in a process and reads the package.json of the folder in
// which the process runs, which is the pack's own.
import { PolicyPack } from "@pulumi/policy";
import { publishedPolicies } from "./policies.ts";

new PolicyPack("ballast-published", {
  displayName: "Ballast (published form)",
  description:
    "Rules about releases, alerts and environments. This form knows no secrets, places, profiles, waivers or " +
    "baseline, and leaves out secret-not-marked; the executable pack has them.",
  enforcementLevel: "advisory",
  policies: publishedPolicies(),
});
