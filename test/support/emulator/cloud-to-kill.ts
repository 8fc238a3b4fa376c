// A process with a replica that ignores SIGTERM. A test kills the process and
// expects that the replica does not outlive it.
import { containerCloud, storefrontApp } from "./container-cloud.ts";

const folder = new URL("./", import.meta.url).pathname;
const c = await containerCloud({ moody: { folder, entry: "moody.mjs" } });
const properties = storefrontApp({ STUBBORN: "1" });
Object.assign(properties["template"].containers[0], {
  image: "moody:1",
  probes: [
    { type: "Startup", tcpSocket: { port: 8080 }, periodSeconds: 1 },
    { type: "Readiness", tcpSocket: { port: 8080 }, periodSeconds: 1 },
  ],
});
await c.apply("shop", properties);
const timer = setInterval(async () => {
  const { processes } = await c.emulator("GET", "processes");
  if (processes[0]?.pid && processes[0].ready) {
    clearInterval(timer);
    setInterval(() => undefined, 1000);
    console.log(processes[0].pid);
  }
}, 30);
