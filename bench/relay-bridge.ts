import type { Principal } from "../auth/principal.ts";
import { systemClock } from "../base/clock.ts";
import { createLog } from "../base/log.ts";
import { Metrics } from "../base/metrics.ts";
import { Ingest } from "../bridge/camera-side/ingest.ts";
import { Hub } from "../media/hub.ts";
import { cameraSide } from "../net/sides.ts";
import { loadIdentity } from "../net/tls.ts";
import { RtspServer } from "../rtsp/server/server.ts";

// The bridge's own way from a camera to its readers, with nothing else in the process: what one stream to many costs.

const [camera = "", folder = ""] = process.argv.slice(2);
const clock = systemClock;
const log = createLog("error");
const hub = new Hub({ clock, log });
const ingest = new Ingest({
  url: new URL(camera),
  credentials: undefined,
  tls: undefined,
  side: cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] }),
  hub,
  clock,
  log,
  onLost: () => undefined,
  onConnection: () => undefined,
});
ingest.start();
const never = new AbortController().signal;
const server = new RtspServer({
  clock,
  log,
  metrics: new Metrics(),
  udp: { range: undefined },
  host: {
    challenges: () => [],
    // Many accounts, for one has a limit.
    authenticate: async ({ peer }): Promise<Principal> => {
      const name = `bench-${peer.port % 20}`;
      return { accountId: name, name, kind: "integration", grants: [], revoked: never };
    },
    open: async () => ({ kind: "live", name: "bench", source: hub, withMetadata: false, ended: never }),
  },
});
await hub.ready(20_000);
const { port } = await server.listen({ address: "127.0.0.1", port: 0 });
const identity = await loadIdentity(folder, [], clock);
const { port: tlsPort } = await server.listen({ address: "127.0.0.1", port: 0, identity });
process.send?.({ port, tlsPort });
process.on("disconnect", () => process.exit(0));
