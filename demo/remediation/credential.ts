// The credential whose password expires: that of the rotations' story, put up by its program. The control plane that
// made its first versions ends then; the one of the remediations rotates it.
import { type Estate, putUp } from "../rotation/estate.ts";
import { planesOf } from "../rotation/planes.ts";
import { putSite } from "../rotation/site.ts";
import type { Setting } from "../story.ts";

/** Puts up the app, its database and its credential. */
export async function putUpCredential({ ground, stop, timeline }: Setting): Promise<Estate> {
  const site = await putSite(ground);
  try {
    const planes = await planesOf(site, stop);
    try {
      await planes.start();
      return await putUp(site, { planes, stop, during: timeline.during });
    } finally {
      await planes.close();
    }
  } catch (error) {
    await site.close();
    throw error;
  }
}
