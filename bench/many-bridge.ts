import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { Metrics } from "../base/metrics.ts";
import { startDatabaseWorker } from "../base/start-database-worker.ts";
import type { Hub } from "../media/hub.ts";
import { Archive } from "../recorder/archive.ts";
import { benchServer, log, pulled } from "./bench-server.ts";
import { watchLoop } from "./loop-delay.ts";
import { benchKeys, benchSigner } from "./protection.ts";

// The bridge with many cameras, all of them recorded, and nothing else in the process but what can watch its event loop.
// In full: encrypted and signed.

const [camera = "", folder = "", count = "1", full] = process.argv.slice(2);
const signer = await benchSigner(systemClock.now());
const archive = await Archive.open({
  folder,
  clock: systemClock,
  log,
  metrics: new Metrics(),
  databases: startDatabaseWorker,
  ...(full === "full" ? { settings: { encryption: "full" }, keys: benchKeys(), signer } : {}),
});
const hubs = new Map<string, Hub>();
for (let number = 1; number <= Number(count); number += 1) hubs.set(`cam${number}`, pulled(camera));
for (const [name, hub] of hubs) {
  await hub.ready(20_000);
  const recorder = archive.recorder(name, "main");
  recorder.describe(hub.tracks);
  const [deliver, changed] = [recorder.push.bind(recorder), (): void => recorder.describe(hub.tracks)];
  hub.join({ deliver, changed, saysWhatItKeeps: true });
}
const server = benchServer(([, name = ""]) => {
  const source = hubs.get(name);
  if (source === undefined) throw new Fault("not-found", `no camera ${name}`);
  return { kind: "live", source };
});
const { port } = await server.listen({ address: "127.0.0.1", port: 0 });
process.send?.({ port });
watchLoop();
process.on("disconnect", () => process.exit(0));
