import { decide } from "../../auth/access.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Peer, Principal } from "../../auth/principal.ts";
import type { HttpAuthenticator } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { SrtpSuite } from "../../media/srtp-cipher.ts";
import type { Presentation, RtspHost } from "../../rtsp/server/host.ts";
import type { BridgedCamera } from "../camera.ts";
import type { EventBus } from "../event-bus.ts";
import { MULTICAST_QUERY, SRTP_QUERY } from "./addresses.ts";
import { ExtendedSources } from "./extended-sources.ts";
import { type MulticastPlan, multicastAddress } from "./multicast-plan.ts";
import { talkOffer } from "./talk.ts";
import { timeAddress } from "./time-address.ts";
import { endOf, streamOf, type Watch } from "./watch.ts";

/** How long a client waits for a camera that is being connected, and for one that was not reachable when last tried. */
const READY_LIMIT_MS = { idle: 10_000, connecting: 10_000, online: 10_000, offline: 2000 };

/** What stands at `/live/<camera>`, `/live/<camera>/<stream>` and `/recorded/<camera>`, and who may play it. */
export function rtspHost(o: {
  readonly watch: Watch;
  readonly bus: EventBus;
  readonly authenticator: HttpAuthenticator;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly multicast: MulticastPlan | undefined;
}): RtspHost {
  const extended = new ExtendedSources(o.bus, o.clock);
  return {
    challenges: (peer, stale) => o.authenticator.challenges(peer, { stale }),
    authenticate: (request) => o.authenticator.verify(request),
    async open(who: Principal, { segments, query }, peer: Peer, wanted): Promise<Presentation> {
      const [kind, id, stream, ...rest] = segments;
      const srtp = srtpAsked(query);
      if (id === undefined || rest.length > 0)
        throw new Fault("not-found", `no presentation at /${segments.join("/")}`);
      if (kind === "live") {
        const camera = o.watch.open(who, id, "live", "rtsp", peer.address);
        const { info, live } = streamOf(camera, stream);
        // What is pulled on demand is described from memory: that alone is no reason to have the camera send.
        if (wanted.purpose === "play" || info.pulling === "always" || info.tracks.length === 0)
          await live.ready(READY_LIMIT_MS[info.connection.state]);
        const { watch, audit, clock } = o;
        const talk = wanted.talk
          ? await talkOffer({ who, camera, address: peer.address, watch, audit, clock })
          : undefined;
        const multicast = o.multicast && multicastAddress(o.multicast, info.number);
        return {
          kind,
          name: camera.info.name,
          source: extended.of(camera, live),
          withMetadata: mayHaveMetadata(who, camera),
          ...(talk === undefined ? {} : { talk }),
          ended: endOf(who, camera),
          ...srtp,
          ...(multicast === undefined ? {} : { multicast }),
          describesGroup: query.has(MULTICAST_QUERY),
        };
      }
      if (kind === "recorded" && stream === undefined) {
        const camera = o.watch.open(who, id, "playback", "rtsp", peer.address);
        const asked = timeAddress(query, o.clock.now());
        const { name } = camera.info;
        const withMetadata = mayHaveMetadata(who, camera);
        return { kind, name, source: camera.recorded, withMetadata, ...srtp, ...asked, ended: endOf(who, camera) };
      }
      throw new Fault("not-found", `no presentation at /${segments.join("/")}`);
    },
  };
}

const SUITES: Readonly<Record<string, SrtpSuite>> = { "": "AES_CM_128_HMAC_SHA1_80", gcm: "AEAD_AES_128_GCM" };

/** `?srtp` or `?srtp=gcm`: the description offers keys. Fault `invalid` for another word. */
function srtpAsked(query: URLSearchParams): { readonly srtp?: SrtpSuite } {
  const asked = query.get(SRTP_QUERY);
  if (asked === null) return {};
  const srtp = Object.hasOwn(SUITES, asked) ? SUITES[asked] : undefined;
  if (srtp === undefined)
    throw new Fault("invalid", `srtp=${asked}`, { tell: "srtp must be srtp alone (AES-CM) or srtp=gcm" });
  return { srtp };
}

function mayHaveMetadata(who: Principal, { info }: BridgedCamera): boolean {
  return decide(who, { right: "metadata", camera: info.id, interface: "rtsp" }).allowed;
}
