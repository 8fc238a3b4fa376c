// A PostgreSQL server and an emulator in a process of its own, on which rotations are proven and measured as the demo
// shows them.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";
import { images } from "../../../demo/ground.ts";
import type { Land } from "../../../demo/rotation/site.ts";
import { startPostgres } from "../../../toolchain/postgres.ts";
import { bringPulumi } from "../../../toolchain/pulumi/bring.ts";
import { startCloudProcess } from "./cloud-process.ts";

/** The land, and how it is left. */
export type OpenLand = Land & { readonly close: () => Promise<void> };

/** Starts both. This process signs in to the emulator from then on. */
export async function openLand(): Promise<OpenLand> {
  const pulumiCli = await bringPulumi();
  const postgres = await startPostgres();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ballast-rotation-"));
  fs.mkdirSync(path.join(folder, "state"));
  const { host, port, user, password } = postgres;
  const cloud = await startCloudProcess({ folder, images, postgres: { host, port, user, password } });
  Object.assign(process.env, cloud.environment);
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), fs.readFileSync(cloud.caFile, "utf8")]);
  return {
    pulumiCli,
    folder,
    cloud,
    postgres,
    close: async () => {
      await cloud.close();
      await postgres.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
