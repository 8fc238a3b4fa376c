// Loaded into a control plane before its program. On SIGUSR2 it collects the garbage and reports what is left, as a
// line of the process's own log, so that a soak measures what is kept and not what was not collected yet.
import v8 from "node:v8";
import vm from "node:vm";

v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc") as () => void;

process.on("SIGUSR2", () => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().length;
  process.stdout.write(`${JSON.stringify({ what: "measured", bytes: heapUsed + external, handles })}\n`);
});
