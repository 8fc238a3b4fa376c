// The events of a vault's secrets: a new version at once; near expiry thirty days before it, or within a quarter of an
// hour for a version that is made later than that; and expired. As on Azure only versions that are made while somebody
// is subscribed have the latter two, disabled ones as well, and only while they are the latest.
import type { Cloud } from "../arm/resource.ts";
import { schedulerOf } from "../controls/scheduler.ts";
import { isSubscribed, publish } from "../eventgrid/publish.ts";
import { contentsOf, type Secret, type SecretVersion } from "./contents.ts";
import { nameOfVault, originOfVault, vaultNamed } from "./deleted-vaults.ts";

const kind = "secret-expiry";
const nearMilliseconds = 30 * 86_400_000;
const soonMilliseconds = 900_000;

type Event = "SecretNewVersionCreated" | "SecretNearExpiry" | "SecretExpired";

function raise(cloud: Cloud, event: Event, { vault: name, name: secret }: Secret, version: SecretVersion): void {
  const vault = vaultNamed(cloud, name);
  if (!vault) return;
  publish(cloud, {
    source: String(vault.body["id"]),
    type: `Microsoft.KeyVault.${event}`,
    subject: secret,
    at: cloud.clock.now(),
    data: {
      Id: `${originOfVault(cloud, name)}/secrets/${secret}/${version.id}`,
      VaultName: nameOfVault(vault),
      ObjectType: "Secret",
      ObjectName: secret,
      Version: version.id,
      NBF: version.nbf ?? null,
      EXP: version.exp ?? null,
    },
  });
}

const keyOf = (event: Event, { vault, name }: Secret, { id }: SecretVersion): string =>
  `${kind} ${event} ${vault}/${name}/${id}`;

const nearAt = (exp: number): number => exp * 1000 - nearMilliseconds;

/** Raises the event of a new version, and makes the appointments for its expiry. */
export function newVersion(cloud: Cloud, secret: Secret, version: SecretVersion): void {
  raise(cloud, "SecretNewVersionCreated", secret, version);
  const vault = vaultNamed(cloud, secret.vault);
  if (version.exp === undefined || !vault || !isSubscribed(cloud, vault.id)) return;
  const soon = cloud.clock.now() + soonMilliseconds;
  const scheduler = schedulerOf(cloud);
  scheduler.at(Math.max(nearAt(version.exp), soon), keyOf("SecretNearExpiry", secret, version));
  scheduler.at(Math.max(version.exp * 1000, soon), keyOf("SecretExpired", secret, version));
}

/** Raises what is due from now on. */
export function watchExpiries(cloud: Cloud): void {
  schedulerOf(cloud).handle(kind, ({ key }, now) => {
    const [, event = "", at = ""] = key.split(" ");
    const [vault = "", name = "", id] = at.split("/");
    const secret = contentsOf(cloud).get(vault, name);
    const version = secret?.versions.at(-1);
    if (!secret || secret.deleted || version?.id !== id || version?.exp === undefined) return undefined;
    // An expiry that was moved moves its event.
    const due = event === "SecretExpired" ? version.exp * 1000 : nearAt(version.exp);
    if (due > now) schedulerOf(cloud).at(due, key);
    else raise(cloud, event as Event, secret, version);
    return undefined;
  });
}
