// An estate with its load: the app under requests, and ten clients that log in. The story, the soak and the benchmark
// rotate its credential.
import { type LoadSecond, startLoad } from "../../emulator/load.ts";
import type { WantedSecond } from "../../emulator/starvation.ts";
import { type EstateSetting, putUp } from "./estate.ts";
import { startReaders, usualReaders } from "./load.ts";
import { planesOf } from "./planes.ts";
import type { Scene } from "./rotate.ts";
import { type Land, putSite } from "./site.ts";

/** An estate under load, with one control plane. */
export interface RotationsOpen {
  readonly scene: Scene;
  readonly close: () => Promise<void>;
}

/** What may differ from the estate of the story. */
type Chosen = Pick<EstateSetting, "timings" | "form">;

/** Enough for a quick verdict on each cut-over. */
const requestsPerSecond = 100;

/** Puts an estate up, with the control plane that makes the first versions. Both are closed by whoever opened them. */
export async function openEstate(
  { stop, timeline }: Scene["setting"],
  land: Land,
  chosen: Chosen = {},
): Promise<Pick<Scene, "estate" | "planes">> {
  const site = await putSite(land);
  const ends = [site.close];
  try {
    const planes = await planesOf(site, stop);
    ends.push(planes.close);
    await planes.start();
    return { estate: await putUp(site, { planes, stop, ...chosen, during: timeline.during }), planes };
  } catch (error) {
    for (const end of ends.reverse()) await end();
    throw error;
  }
}

/**
 * Puts everything up, and waits until every reader has logged in.
 *
 * @param noteSecond hears of the CPU that was wanted and missed
 */
export async function openRotations(
  setting: Scene["setting"],
  land: Land,
  chosen: Chosen = {},
  noteSecond: (second: WantedSecond) => void = () => undefined,
): Promise<RotationsOpen> {
  const { cloud } = land;
  const ends: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const { estate, planes } = await openEstate(setting, land, chosen);
    ends.push(estate.close, planes.close);
    const requests = { rate: requestsPerSecond, origin: estate.origin, caFile: cloud.caFile };
    const isSecond = (line: { readonly kind: string }): line is LoadSecond => line.kind === "second";
    const load = startLoad({ ...requests, connectTo: { host: "127.0.0.1", port: cloud.port } }, (line) => {
      if (isSecond(line)) noteSecond(line);
    });
    ends.push(load.stop);
    const { credential } = estate.credential;
    const readers = usualReaders.map((some) => startReaders(estate, credential, some, noteSecond));
    ends.push(() => Promise.all(readers.map((each) => each.stop())));
    await Promise.all(readers.map(({ ready }) => ready()));
    return { scene: { setting, estate, planes, readers }, close };
  } catch (error) {
    await close();
    throw error;
  }
}
