// What the program of the story is given: what is there already, and the times of the demo.
import type { Consumer, Timings } from "../../../engines/rotation/declaration.ts";

export interface Given {
  readonly place: { readonly scope: string; readonly resourceGroupName: string; readonly location: string };
  /** The name of the app, and its image. */
  readonly app: string;
  readonly image: string;
  readonly controlPlane: { readonly endpoint: string; readonly audience: string };
  readonly tenant: string;
  readonly environmentId: string;
  readonly workspaceId: string;
  /** The object id of the control plane's identity. */
  readonly officer: string;
  readonly server: { readonly host: string; readonly port: number; readonly tls: "disable" };
  readonly database: string;
  readonly rotator: string;
  readonly roles: { readonly a: string; readonly b: string };
  /** How a slot is written: as one URI, or the role and its password apart. */
  readonly form: "uri" | "apart";
  readonly timings: Timings;
  /** How a release and a cut-over are judged. */
  readonly plan: Pick<Consumer, "probePath" | "strategy" | "thresholds">;
  /** How often a replica logs in. */
  readonly everyMilliseconds: number;
}
