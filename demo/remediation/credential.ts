// The credential whose password expires: that of the rotations' story, put up by its program. The control plane that
// made its first versions ends then; the one of the remediations rotates it.
import type { Estate } from "../rotation/estate.ts";
import { openEstate } from "../rotation/open.ts";
import type { Setting } from "../story.ts";

/** Puts up the app, its database and its credential. */
export async function putUpCredential(setting: Setting): Promise<Estate> {
  const { estate, planes } = await openEstate(setting, setting.ground);
  await planes.close();
  return estate;
}
