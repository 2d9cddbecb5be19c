import type { Principal } from "../auth/principal.ts";
import { systemClock } from "../base/clock.ts";
import { createLog, type Log } from "../base/log.ts";
import { Metrics } from "../base/metrics.ts";
import { Ingest } from "../bridge/camera-side/ingest.ts";
import { Hub } from "../media/hub.ts";
import { cameraSide } from "../net/sides.ts";
import type { Presentation } from "../rtsp/server/host.ts";
import { RtspServer } from "../rtsp/server/server.ts";

export const log: Log = createLog("error");
const never = new AbortController().signal;

/** A stream that is pulled from `camera` from now on. */
export function pulled(camera: string): Hub {
  const hub = new Hub({ clock: systemClock, log });
  const ingest = new Ingest({
    url: new URL(camera),
    credentials: undefined,
    tls: undefined,
    side: cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] }),
    hub,
    clock: systemClock,
    log,
    onLost: () => undefined,
    onConnection: () => undefined,
  });
  ingest.start();
  return hub;
}

/** What an address names, by its path. */
type Open = (segments: readonly string[]) => {
  readonly source: Presentation["source"];
  readonly kind: Presentation["kind"];
};

/** The bridge's RTSP server, with nothing to log in to. */
export function benchServer(open: Open): RtspServer {
  return new RtspServer({
    clock: systemClock,
    log,
    metrics: new Metrics(),
    udp: { range: undefined },
    host: {
      challenges: () => [],
      // Many accounts, for one has a limit.
      authenticate: async ({ peer }): Promise<Principal> => {
        const name = `bench-${peer.port % 20}`;
        return { accountId: name, name, kind: "integration", grants: [], now: () => systemClock.now(), revoked: never };
      },
      open: async (_who, { segments }) =>
        ({ ...open(segments), name: "bench", withheld: new Set(), ended: never }) as Presentation,
    },
  });
}
