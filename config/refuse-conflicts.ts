// Refuses settings that are each valid and contradict one another, such as a request that outlives its lease. Most of
// these Azure would refuse too, but only in the middle of an update, or they would show only when something fails.
import { quietSecondsOf } from "../defaults.ts";
import {
  configEmulatorMismatch,
  configImageMutable,
  configImageUnapproved,
  configLeaseTooShort,
  configNetworkUnfit,
  configPasswordMissing,
  configSilenceTooShort,
  configZonesUnfit,
} from "../errors/config.ts";
import type { Settings } from "./keys.ts";
import type { NetworkChoice } from "./objects.ts";

/** The only subscription that the emulator serves; Azure does not have it. */
const emulatorSubscription = "00000000-0000-0000-0000-0000ba11a57e";

/** Refuses the first contradiction among the settings; `hasPassword` is whether the database's password is set. */
export function refuseConflicts(settings: Settings, hasPassword: boolean): void {
  const { emulator, subscription, network, databaseAuthentication } = settings;
  if (emulator !== (subscription === emulatorSubscription)) throw configEmulatorMismatch({ emulator, subscription });
  refuseShortTimes(settings);
  refuseImages(settings);
  const networkReason = networkConflict(network);
  if (networkReason !== undefined) throw configNetworkUnfit({ why: networkReason });
  const zonesReason = zonesConflict(settings);
  if (zonesReason !== undefined) throw configZonesUnfit({ why: zonesReason });
  if (databaseAuthentication === "password" && !hasPassword) throw configPasswordMissing();
}

function refuseShortTimes({ leaseSeconds, requestSeconds, silenceSeconds }: Settings): void {
  if (requestSeconds >= leaseSeconds) throw configLeaseTooShort({ leaseSeconds, requestSeconds });
  const quietSeconds = quietSecondsOf({ leaseSeconds, requestSeconds });
  if (silenceSeconds <= quietSeconds) throw configSilenceTooShort({ silenceSeconds, quietSeconds });
}

const isImageKey = (key: string): key is Extract<keyof Settings, `${string}Image`> => key.endsWith("Image");

function refuseImages(settings: Settings): void {
  const { immutableImages, approvals, storefrontApproval, storefrontImage: image } = settings;
  const mutable = Object.keys(settings)
    .filter(isImageKey)
    .find((key) => immutableImages && !hasDigest(settings[key]));
  if (mutable !== undefined) throw configImageMutable({ key: mutable, image: settings[mutable] });
  const by = storefrontApproval.image === image ? [...new Set(storefrontApproval.by)] : [];
  if (by.length < approvals) throw configImageUnapproved({ image, approvals, by });
}

/**
 * A digest always means the same image. A tag can be moved, and a replica that starts later would run another image.
 */
const hasDigest = (image: string): boolean => /@sha256:[0-9a-f]{64}$/.test(image);

/** Returns why the stack cannot be zone-redundant as it is configured. */
function zonesConflict(settings: Settings): string | undefined {
  const {
    zoneRedundant,
    network: { range, environmentSubnet },
    databaseSku,
    replicas,
  } = settings;
  if (!zoneRedundant) return undefined;
  if (range + environmentSubnet === "")
    return "the environment then needs a subnet, but ballast:network sets neither range nor environmentSubnet";
  if (databaseSku.startsWith("Standard_B"))
    return `a database of the burstable size ${databaseSku} cannot have a standby in another zone`;
  const alone = (["storefrontMin", "controlPlaneMin"] as const).find((key) => replicas[key] < 2);
  return alone && `ballast:replicas.${alone} is ${replicas[alone]}, but a single replica runs in a single zone`;
}

/**
 * Returns why a choice of network cannot work.
 *
 * Azure checks sizes and delegations of existing subnets; components compare what cannot be changed later with what is
 * live.
 */
function networkConflict(choice: NetworkChoice): string | undefined {
  const { range, environmentSubnet, internal, callers } = choice;
  const existing = (["environmentSubnet", "databaseSubnet", "databaseZone"] as const).find((key) => choice[key] !== "");
  if (range !== "" && existing !== undefined)
    return (
      `it sets both range, from which the program makes a network, and ${existing}, which belongs to an ` +
      "existing one"
    );
  if (internal && range + environmentSubnet === "")
    return "internal is true, but an internal environment needs a subnet: neither range nor environmentSubnet is set";
  const databaseReason = databaseConflict(choice);
  if (databaseReason !== undefined) return databaseReason;
  if (callers.length > 0 && range === "")
    return (
      "callers is set without range, but the control plane must accept the dead man's switch too, whose addresses " +
      "are known only in a network that the program makes from range"
    );
  return undefined;
}

function databaseConflict({ environmentSubnet, databaseSubnet, databaseZone }: NetworkChoice): string | undefined {
  if ((databaseSubnet === "") !== (databaseZone === "")) {
    const [set, unset] =
      databaseSubnet === "" ? ["databaseZone", "databaseSubnet"] : ["databaseSubnet", "databaseZone"];
    return `${set} is set and ${unset} is not, but a private database needs both`;
  }
  if (databaseSubnet !== "" && environmentSubnet === "")
    return (
      "databaseSubnet is set and environmentSubnet is not, so the control plane is in no network and cannot reach " +
      "the database"
    );
  if (databaseSubnet !== "" && databaseSubnet.toLowerCase() === environmentSubnet.toLowerCase())
    return "environmentSubnet and databaseSubnet are the same subnet, but each must be delegated to its own service";
  if (databaseZone !== "" && !/\.postgres\.database\.azure\.com$/i.test(databaseZone))
    return "databaseZone must end in .postgres.database.azure.com";
  return undefined;
}
