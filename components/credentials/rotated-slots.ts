// What every rotated credential has, whatever accepts it: two slots in a vault, one identity that reads them, and the
// declaration to the control plane. The kinds differ in what they declare, and in how their values are written.

import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import type { Strategy, Thresholds } from "../../engines/rollout/vocabulary.ts";
import {
  type Consumer,
  type Credential as Declared,
  type Freeze,
  type RotationWindow,
  slotSecret,
  slots,
} from "../../engines/rotation/declaration.ts";
import type { PasswordPolicy } from "../../engines/rotation/password-policy.ts";
import { assignmentName, child, physicalName, roleDefinitionId, subscriptionOf } from "../conventions.ts";
import { completedConsumer } from "./completed-consumer.ts";
import { Credential } from "./credential.ts";
import { present } from "./present.ts";

/** An app that logs in with the credential. Fields that are left out have their defaults. */
export interface ConsumerArgs extends Pick<Consumer, "resourceGroup" | "app">, Partial<Pick<Consumer, "probePath">> {
  readonly strategy?: Partial<Strategy>;
  readonly thresholds?: Partial<Thresholds>;
}

/** What every kind of rotated credential takes: where it is, for whom, and how long each wait may take. */
export interface RotatedArgs {
  /** The resource group's id. Names that must be unique in Azure are derived from it. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /** The vault that holds the secrets: outputs of `SecretVault`. */
  readonly vault: {
    /** The vault's id. The identity that reads the two slots gets its role there. */
    readonly id: pulumi.Input<string>;
    /** The vault's name. */
    readonly name: pulumi.Input<string>;
  };
  /**
   * The name of the published secret, and the beginning of the names of both slots: `database` has the slots
   * `database-a` and `database-b`.
   */
  readonly credential: string;
  /** The control plane that rotates it. */
  readonly controlPlane: {
    /** Its address: the output `endpoint` of `ControlPlane`. */
    readonly endpoint: pulumi.Input<string>;
    /** The audience of the tokens that it accepts. */
    readonly audience: string;
  };
  /**
   * The apps that log in with the credential, in the order in which a rotation cuts them over. They must be managed
   * targets of the control plane. Each may have a `probePath`, a `strategy` and `thresholds`, as a release has.
   */
  readonly consumers: readonly ConsumerArgs[];
  /**
   * After how many days a version expires.
   *
   * @default 60
   */
  readonly validDays?: number;
  /**
   * How many days before it expires a version is replaced.
   *
   * @default 30
   */
  readonly dueDays?: number;
  /**
   * How long each wait of a rotation may take, in seconds. A field that is left out has its default.
   *
   * @default every field's own
   */
  readonly timings?: Partial<Declared["timings"]>;
  /**
   * When a rotation may begin, in UTC: `{ days: ["monday"], from: "22:00", until: "04:00" }`. Without `days` it is
   * every day. Another one waits, and says until when.
   *
   * @default at any time
   */
  readonly window?: RotationWindow;
  /**
   * Times in which no rotation begins, each with the reason: `{ from: "2026-12-20T00:00:00Z", until: …, why: … }`. A
   * leaked password waits for none.
   *
   * @default []
   */
  readonly freezes?: readonly Freeze[];
  /**
   * The object ids in Entra of those who may ask for a rotation. A version that is due needs nobody.
   *
   * @default []: everybody with the app role
   */
  readonly mayRotate?: readonly string[];
  /**
   * What the system demands of a password: `{ length: 24, needs: ["upper", "digit", "symbol"], alphabet: "…" }`. One
   * that no password meets is refused, and so is one for the keys of a storage account.
   *
   * @default 32 letters, digits, `-` and `_`
   */
  readonly passwordPolicy?: Partial<PasswordPolicy>;
  /**
   * The credential with which this one is changed, as `vault/name`. The two are never rotated at once, and that one
   * goes first.
   *
   * @default none
   */
  readonly managedBy?: pulumi.Input<string>;
}

/** A slot of a credential for one variable of an app: where the two secrets are, and who may read them. No value. */
export interface CredentialReference {
  /** The name of the published secret. */
  readonly credential: string;
  /** How the values are written. */
  readonly form: Declared["form"];
  /** The names of the two secrets, in the vault and in the app. */
  readonly slots: readonly [string, string];
  /** The URL of a version of each slot. */
  readonly urls: pulumi.Input<SlotUrls>;
  /** The id of the identity that may read both. */
  readonly identity: pulumi.Input<string>;
  /** The apps that may use it. */
  readonly consumers: readonly {
    /** The app's resource group. */
    readonly resourceGroup: string;
    /** The app's name in Azure. */
    readonly app: string;
  }[];
}

/** The URL of a version of each slot. */
export interface SlotUrls {
  readonly a: string;
  readonly b: string;
}

/** Key Vault Secrets User, by the GUID that the role has in every tenant. */
const secretsUser = "4633458b-17de-408a-b874-0445c86b69e6";

/** What a kind of credential has of its own. */
interface Kind {
  /** What the control plane is told beside the common part. */
  readonly declared: { readonly roles: Declared["roles"] } & Readonly<Record<string, unknown>>;
  /** The secrets beside the two slots that an app reads. */
  readonly alsoRead?: readonly string[];
  /** The rights that the control plane must have before it makes the first versions. */
  readonly rights?: readonly pulumi.Resource[];
}

/** What a component gives of its slots. */
interface Slots {
  readonly urls: pulumi.Output<SlotUrls>;
  readonly identity: pulumi.Output<string>;
  readonly reference: Omit<CredentialReference, "form">;
}

/** Declares a credential and the identity that reads its slots, as children of a component. */
export function declareSlots(
  component: pulumi.ComponentResource,
  name: string,
  args: RotatedArgs,
  { declared, alsoRead = [], rights = [] }: Kind,
): Slots {
  const { scope, resourceGroupName, location, credential } = args;
  const reader = new UserAssignedIdentity(
    child(name, "identity"),
    { resourceName: physicalName("identity", name, scope), resourceGroupName, location },
    { parent: component },
  );
  const made = new Credential(
    child(name, "credential"),
    { ...commonOf(args), ...declared },
    { parent: component, dependsOn: [...rights] },
  );
  const names = slots.map((slot) => slotSecret(credential, slot)) as [string, string];
  const readers = [...names, ...alsoRead].map((secret) => readerOf(component, name, args, { secret, reader, made }));

  const urls = pulumi.all([made.urls, pulumi.all(readers.map(({ id }) => id))]).apply(([found]) => found);
  const identity = reader.id;
  const consumers = args.consumers.map(({ resourceGroup, app }) => ({ resourceGroup, app }));
  return { urls, identity, reference: { credential, slots: names, urls, identity, consumers } };
}

/** Lets the identity read one secret. Azure gives no role at a secret that does not exist. */
function readerOf(
  component: pulumi.ComponentResource,
  name: string,
  { scope, vault }: RotatedArgs,
  of: { readonly secret: string; readonly reader: UserAssignedIdentity; readonly made: Credential },
): RoleAssignment {
  return new RoleAssignment(
    child(name, `role-at-${of.secret}`),
    {
      roleAssignmentName: assignmentName(scope, name, `reader of ${of.secret}`),
      scope: pulumi.interpolate`${vault.id}/secrets/${of.secret}`,
      roleDefinitionId: roleDefinitionId(subscriptionOf(scope), secretsUser),
      principalId: of.reader.principalId,
      principalType: "ServicePrincipal", // else it may fail until Entra has replicated the new identity
    },
    { parent: component, dependsOn: of.made },
  );
}

/** Returns what the control plane is told of any credential. */
function commonOf({ controlPlane, vault, credential, consumers, ...args }: RotatedArgs) {
  const { validDays, dueDays, timings, window, freezes, mayRotate, managedBy, passwordPolicy } = args;
  return {
    ...controlPlane,
    vault: vault.name,
    credential,
    consumers: consumers.map(completedConsumer),
    ...present({ validDays, dueDays, timings, window, freezes, mayRotate, managedBy, passwordPolicy }),
  };
}
