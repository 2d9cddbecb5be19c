import type { Peer, Principal } from "../../auth/principal.ts";
import type { HttpAuthenticator } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { Presentation, RtspHost } from "../../rtsp/server/host.ts";
import { MULTICAST_QUERY } from "./addresses.ts";
import { type MulticastPlan, multicastAddress } from "./multicast-plan.ts";
import { timeAddress } from "./time-address.ts";
import { endOf, type Watch } from "./watch.ts";

/** How long DESCRIBE waits for a camera that is being connected, and for one that was not reachable when last tried. */
const READY_LIMIT_MS = { connecting: 10_000, online: 10_000, offline: 2000 };

/** What stands at `/live/<camera>` and `/recorded/<camera>`, and who may play it. */
export function rtspHost(o: {
  readonly watch: Watch;
  readonly authenticator: HttpAuthenticator;
  readonly clock: Clock;
  readonly multicast: MulticastPlan | undefined;
}): RtspHost {
  return {
    challenges: (peer, stale) => o.authenticator.challenges(peer, { stale }),
    authenticate: (request) => o.authenticator.verify(request),
    async open(who: Principal, { segments, query }, peer: Peer): Promise<Presentation> {
      const [kind, id, ...rest] = segments;
      if (id === undefined || rest.length > 0)
        throw new Fault("not-found", `no presentation at /${segments.join("/")}`);
      if (kind === "live") {
        const camera = o.watch.open(who, id, "live", "rtsp", peer.address);
        await camera.live.ready(READY_LIMIT_MS[camera.info.connection.state]);
        const multicast = o.multicast && multicastAddress(o.multicast, camera.info.number);
        return {
          kind,
          name: camera.info.name,
          source: camera.live,
          ended: endOf(who, camera),
          ...(multicast === undefined ? {} : { multicast }),
          describesGroup: query.has(MULTICAST_QUERY),
        };
      }
      if (kind === "recorded") {
        const camera = o.watch.open(who, id, "playback", "rtsp", peer.address);
        const asked = timeAddress(query, o.clock.now());
        return { kind, name: camera.info.name, source: camera.recorded, ...asked, ended: endOf(who, camera) };
      }
      throw new Fault("not-found", `no presentation at /${segments.join("/")}`);
    },
  };
}
