import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { Metrics } from "../base/metrics.ts";
import { startDatabaseWorker } from "../base/start-database-worker.ts";
import { HOUR, unixMillis } from "../base/units.ts";
import { Archive } from "../recorder/archive.ts";
import { CATALOG_FILE } from "../recorder/archive-settings.ts";
import { benchServer, log, pulled } from "./bench-server.ts";
import { enterOthers, record } from "./footage.ts";
import { benchKeys, benchSigner } from "./protection.ts";

// The bridge with a camera that is pulled, and one that was recorded as a new installation does, encrypted in full and signed, in a
// catalog of many segments, and nothing else in the process.

const [camera = "", folder = "", seconds = "600", segments = "0"] = process.argv.slice(2);
const protection = {
  settings: { encryption: "full" },
  keys: benchKeys(),
  signer: await benchSigner(systemClock.now()),
} as const;
const open = (): Promise<Archive> =>
  Archive.open({
    folder,
    clock: systemClock,
    log,
    metrics: new Metrics(),
    databases: startDatabaseWorker,
    ...protection,
  });
const from = unixMillis(systemClock.now() - 2 * HOUR);
const filling = await open();
await record(filling, "recorded", from, Number(seconds));
await filling.close();
if (Number(segments) > 0) await enterOthers(join(folder, CATALOG_FILE), Number(segments), from);
const began = performance.now();
const archive = await open();
const openMs = performance.now() - began;
const hub = pulled(camera);
await hub.ready(20_000);
const server = benchServer(([kind]) =>
  kind === "live" ? { kind, source: hub } : { kind: "recorded", source: archive.source("recorded") },
);
const { port } = await server.listen({ address: "127.0.0.1", port: 0 });
process.send?.({ port, from, openMs });
process.on("disconnect", () => process.exit(0));
