// A credential of any other system, rotated: a webhook of your own changes it there, and the control plane does the
// rest.
import * as pulumi from "@pulumi/pulumi";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { type CredentialReference, declareSlots, type RotatedArgs, type SlotUrls } from "./rotated-slots.ts";

/** What is rotated by which webhook, for whom, and how long each wait of a rotation may take. */
export interface WebhookCredentialArgs extends RotatedArgs {
  /**
   * The address of the webhook. Its calls are signed with `credentialWebhookSecret` of `ControlPlane`, so it has no
   * password and no key.
   */
  readonly url: string;
  /** What the system calls the two halves of the credential, such as two accounts. */
  readonly roles: {
    /** The account of slot a. */
    readonly a: string;
    /** The account of slot b. */
    readonly b: string;
  };
}

/**
 * A credential of a system of your own, which a webhook changes when the control plane asks. Give `value()` to a
 * `CanaryApp` as one of its `credentials`.
 */
export class WebhookCredential extends pulumi.ComponentResource {
  /** The URL of a version of each slot. It is known once the versions exist and the identity may read them. */
  readonly urls: pulumi.Output<SlotUrls>;
  /** The id of the identity that may read both slots. An app that names one gets it. */
  readonly identity: pulumi.Output<string>;
  readonly #reference: Omit<CredentialReference, "form">;

  constructor(name: string, given: WebhookCredentialArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("WebhookCredential", name, argumentForms.WebhookCredential, given);
    super("ballast:index:WebhookCredential", name, args, opts);
    const { url, roles } = args;
    const { urls, identity, reference } = declareSlots(this, name, args, { declared: { roles, webhook: { url } } });
    this.urls = urls;
    this.identity = identity;
    this.#reference = reference;
    this.registerOutputs({ urls, identity });
  }

  /** Refers to the value that the control plane made, and that the webhook's system accepts. */
  value(): CredentialReference {
    return { ...this.#reference, form: "uri" };
  }
}
