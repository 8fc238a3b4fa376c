// The objects among the configuration's values that only the configuration has: their fields, each with its default and
// description. Defaults that components have too come from defaults.ts. The strategy, the thresholds and the gate are
// forms of the rollout engine.
import { publicAzure, replicaCounts, retentionDays } from "../defaults.ts";
import { completed, type Form, flag, list, number, object, text, type ValueOf } from "../engines/form.ts";
import { address, cidr, emails, networkId, word } from "./values.ts";

/** Reads an object that means none if it has no fields, which is how `pulumi config` shows one that is not set. */
export const noneIfEmpty = <Value>(form: Form<Value>): Form<Value | undefined> => ({
  schema: form.schema,
  read: (given, reading) =>
    typeof given === "object" && given !== null && !Array.isArray(given) && Object.keys(given).length === 0
      ? undefined
      : form.read(given, reading),
});

/** The addresses of a cloud's APIs. */
export const endpoints = completed(
  object({
    resourceManager: address({
      otherwise: publicAzure.resourceManager,
      description: "The address of Azure Resource Manager.",
    }),
    logs: address({ otherwise: publicAzure.logs, description: "The address of the Log Analytics query API." }),
    login: address({
      otherwise: publicAzure.login,
      description: "The address of the sign-in (Microsoft Entra).",
    }),
    vaults: text("a host name", {
      pattern: "^[a-z0-9.-]+$",
      otherwise: publicAzure.vaults,
      description: "The suffix of the vaults' hosts.",
    }),
  }),
);

const count = (least: number, otherwise: number, description: string): Form<number> =>
  number({ least, whole: true, otherwise, description });

/** How many replicas each service has. A zone-redundant environment spreads them over its zones. */
export const replicas = completed(
  object(
    {
      storefrontMin: count(
        0,
        replicaCounts.storefrontMin,
        "The minimum number of replicas of each revision of the storefront; with 0 the platform may remove the last " +
          "one.",
      ),
      storefrontMax: count(
        1,
        replicaCounts.storefrontMax,
        "The maximum number of replicas of each revision of the storefront.",
      ),
      controlPlaneMin: count(
        1,
        replicaCounts.controlPlaneMin,
        "The minimum number of replicas of the control plane. With two, rollouts continue at once when one dies.",
      ),
      controlPlaneMax: count(1, replicaCounts.controlPlaneMax, "The maximum number of replicas of the control plane."),
    },
    {
      check: (counts) =>
        (["storefront", "controlPlane"] as const).flatMap((service) => {
          const least = counts[`${service}Min`];
          return least <= counts[`${service}Max`]
            ? []
            : [{ at: `${service}Max`, expected: `at least ${service}Min (${least})` }];
        }),
    },
  ),
);

/** How long data is kept; the ranges are Azure's. */
export const retention = completed(
  object({
    logDays: number({
      least: 30,
      most: 730,
      whole: true,
      otherwise: retentionDays.logDays,
      description: "How many days request rows and logs are kept, from 30 to 730.",
    }),
    backupDays: number({
      least: 7,
      most: 35,
      whole: true,
      otherwise: retentionDays.backupDays,
      description: "For how many days back the database can be restored to any moment, from 7 to 35.",
    }),
  }),
);

/** The stack's network: a range of which the program makes one, or the ids of an existing one. "" means not set. */
export const network = completed(
  object({
    range: cidr({
      otherwise: "",
      description: "The address range, in CIDR, of a network that the program makes.",
    }),
    environmentSubnet: networkId(
      "a subnet",
      ["virtualNetworks", "subnets"],
      "The id of an existing subnet for the environment.",
    ),
    databaseSubnet: networkId(
      "a subnet",
      ["virtualNetworks", "subnets"],
      "The id of an existing subnet for the database.",
    ),
    databaseZone: networkId(
      "a private DNS zone",
      ["privateDnsZones"],
      "The id of an existing private DNS zone for the database's name.",
    ),
    internal: flag({ otherwise: false, description: "Whether the environment has no address on the internet." }),
    callers: list(cidr(), {
      what: "a list of ranges",
      otherwise: [],
      description:
        "The address ranges, in CIDR, from which the control plane accepts calls; an empty list accepts any.",
    }),
  }),
);
export type NetworkChoice = ValueOf<typeof network>;

/** Who is notified of alerts. */
export const alerts = completed(
  object({ emails: emails("The e-mail addresses that are notified when an alert fires.") }),
);

/** Who approved which image of the storefront; `ballast promote` writes it. */
export const approval = completed(
  object({
    image: text("a text", {
      least: 0,
      otherwise: "",
      description: "The approved image. An approval of another image does not count.",
    }),
    by: list(word, { what: "a list of names", otherwise: [], description: "The names of those who approved it." }),
  }),
);
