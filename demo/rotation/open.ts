// An estate with its load: the app under requests, and ten clients that log in. The story, the soak and the benchmark
// rotate its credential.
import { type LoadSecond, startLoad } from "../../emulator/load.ts";
import type { WantedSecond } from "../../emulator/starvation.ts";
import { type EstateOptions, type Land, putUp } from "./estate.ts";
import { startReaders, usualReaders } from "./load.ts";
import { planesOf } from "./planes.ts";
import type { Scene } from "./rotate.ts";

/** An estate under load. No control plane runs yet. */
export interface RotationsOpen {
  readonly scene: Scene;
  readonly close: () => Promise<void>;
}

/** Enough for a quick verdict on each cut-over. */
const requestsPerSecond = 100;

/**
 * Puts everything up, and waits until every reader has logged in.
 *
 * @param noteSecond hears of the CPU that was wanted and missed
 */
export async function openRotations(
  setting: Scene["setting"],
  land: Land,
  options: EstateOptions = {},
  noteSecond: (second: WantedSecond) => void = () => undefined,
): Promise<RotationsOpen> {
  const { cloud } = land;
  const estate = await putUp(land, options);
  const planes = planesOf(estate, setting.stop);
  const requests = { rate: requestsPerSecond, origin: estate.origin, caFile: cloud.caFile };
  const isSecond = (line: { readonly kind: string }): line is LoadSecond => line.kind === "second";
  const load = startLoad({ ...requests, connectTo: { host: "127.0.0.1", port: cloud.port } }, (line) => {
    if (isSecond(line)) noteSecond(line);
  });
  const { credential } = estate.credential;
  const readers = usualReaders.map((some) => startReaders(estate, credential, some, noteSecond));
  const close = async (): Promise<void> => {
    await Promise.all(readers.map(({ stop }) => stop()));
    await load.stop();
    await planes.close();
    await estate.close();
  };
  try {
    await Promise.all(readers.map(({ ready }) => ready()));
    return { scene: { setting, estate, planes, readers }, close };
  } catch (error) {
    await close();
    throw error;
  }
}
