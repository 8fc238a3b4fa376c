// `npm run bench:analysis -- --speed`: how long `ballast analyze` takes from the start of Node to the page. It makes
// folders of 40 workflows, and of 40 workflows among 9,000 other files, and prints wall time, processor time and memory
// of the command with the child that it starts, from the package's JavaScript and from the sources. The numbers belong
// to a machine, so a test asserts none of them.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { markdownTable } from "../markdown-table.ts";

const root = join(import.meta.dirname, "..", "..");
const rounds = 9;

/** A workflow as many repositories have them: tests in a matrix, an image, two deployments and a way back. */
const workflow = (at: number): string => `name: service-${at}
on:
  push:
    branches: [main]
  pull_request:
concurrency:
  group: service-${at}-\${{ github.ref }}
  cancel-in-progress: \${{ github.event_name == 'pull_request' }}
permissions:
  contents: read
jobs:
  lint:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@v6
      - run: npm ci
      - run: npm run lint
  test:
    runs-on: \${{ matrix.os }}
    timeout-minutes: 20
    strategy:
      matrix:
        os: [ubuntu-24.04, windows-2025]
        node: [22, 24]
    steps:
      - uses: actions/checkout@v6
      - uses: actions/setup-node@v6
        with:
          node-version: \${{ matrix.node }}
      - run: npm ci
      - run: npm test -- --service ${at}
  image:
    needs: [lint, test]
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    outputs:
      digest: \${{ steps.push.outputs.digest }}
    steps:
      - uses: actions/checkout@v6
      - id: push
        uses: docker/build-push-action@v6
        with:
          push: \${{ github.event_name == 'push' }}
          tags: shop.azurecr.io/service-${at}:\${{ github.sha }}
  staging:
    needs: image
    if: github.event_name == 'push'
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    environment: staging
    steps:
      - run: az containerapp update -g staging -n service-${at} --image "shop.azurecr.io/service-${at}@$DIGEST"
        env:
          DIGEST: \${{ needs.image.outputs.digest }}
      - run: curl --fail --retry 5 https://service-${at}.staging.example/health
  production:
    needs: [image, staging]
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    environment: production
    steps:
      - id: deploy
        run: az containerapp update -g production -n service-${at} --image "shop.azurecr.io/service-${at}@$DIGEST"
        env:
          DIGEST: \${{ needs.image.outputs.digest }}
      - name: Roll back
        if: failure() && steps.deploy.outcome == 'success'
        run: az containerapp revision activate -g production -n service-${at} --revision "$STABLE"
`;

function folderOf(others: number): string {
  const folder = mkdtempSync(join(tmpdir(), "ballast-speed-"));
  const workflows = join(folder, ".github", "workflows");
  mkdirSync(workflows, { recursive: true });
  for (let at = 0; at < 40; at += 1) writeFileSync(join(workflows, `service-${at}.yml`), workflow(at));
  for (let at = 0; at < others; at += 1) {
    const below = join(folder, "packages", String(at % 90), "src");
    if (at < 90) mkdirSync(below, { recursive: true });
    writeFileSync(join(below, `${at}.${at % 3 === 0 ? "md" : "ts"}`), `export const value = ${at};\n`);
  }
  return folder;
}

interface Ran {
  readonly wall: number;
  readonly cpu: number;
  readonly megabytes: number;
}

/** Runs the command once. GNU time reports what it and its child took. */
async function run(entry: string, folder: string): Promise<Ran> {
  const command = [process.execPath, join(root, entry), "analyze", folder];
  const start = performance.now();
  const child = spawn("/usr/bin/time", ["-f", "%U %S %M", ...command], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await once(child, "close");
  const wall = performance.now() - start;
  const [user = 0, system = 0, kilobytes = 0] = said.trim().split("\n").at(-1)!.split(" ").map(Number);
  return { wall, cpu: (user + system) * 1000, megabytes: kilobytes / 1024 };
}

/** What is measured: the package as `npm pack` makes it, and the sources, whose types Node takes off first. */
const entries = { package: "dist/cli/ballast.mjs", sources: "cli/ballast.mjs" };

/** Prints the table: median, fastest and slowest of nine runs after one that warms the file cache. */
export async function speed(): Promise<void> {
  spawnSync(process.execPath, [join(root, "toolchain", "package", "emit.ts")], { stdio: "inherit" });
  console.log(`${cpus().length} processors, load ${loadavg()[0]!.toFixed(1)} at the start.\n`);
  const rows: string[][] = [];
  for (const others of [0, 9000]) {
    const folder = folderOf(others);
    try {
      for (const [name, entry] of Object.entries(entries)) {
        const what = others === 0 ? "40 workflows" : `40 workflows, ${others.toLocaleString("en")} other files`;
        rows.push([what, name, ...(await measured(entry, folder))]);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  console.log(markdownTable(["folder", "run", "wall ms", "fastest", "slowest", "processor ms", "MB at most"], rows));
}

async function measured(entry: string, folder: string): Promise<readonly string[]> {
  await run(entry, folder);
  const ran: Ran[] = [];
  for (let round = 0; round < rounds; round += 1) ran.push(await run(entry, folder));
  const sorted = (key: keyof Ran): number[] => ran.map((each) => each[key]).toSorted((one, other) => one - other);
  const [wall, cpu, memory] = [sorted("wall"), sorted("cpu"), sorted("megabytes")];
  const shown = [wall[rounds >> 1]!, wall[0]!, wall.at(-1)!, cpu[rounds >> 1]!, memory.at(-1)!];
  return shown.map((value) => value.toFixed(0));
}
