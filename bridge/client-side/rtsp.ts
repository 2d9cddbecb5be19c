import { decide } from "../../auth/access.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Peer, Principal } from "../../auth/principal.ts";
import type { CameraRight } from "../../auth/right.ts";
import type { HttpAuthenticator } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { SrtpSuite } from "../../media/srtp-cipher.ts";
import type { Track } from "../../media/track.ts";
import type { Presentation, RtspHost } from "../../rtsp/server/host.ts";
import type { BridgedCamera } from "../camera.ts";
import type { EventBus } from "../event-bus.ts";
import { leftOut, MULTICAST_QUERY, SRTP_QUERY } from "./addresses.ts";
import { AgedSource } from "./aged-source.ts";
import { ExtendedSources } from "./extended-sources.ts";
import { type MulticastPlan, multicastAddress } from "./multicast-plan.ts";
import { talkOffer } from "./talk.ts";
import { timeAddress } from "./time-address.ts";
import { endOf, streamOf, type Watch, type WatchLease } from "./watch.ts";

/** How long a client waits for a camera that is being connected, and for one that was not reachable when last tried. */
const READY_LIMIT_MS = { idle: 10_000, connecting: 10_000, online: 10_000, offline: 2000 };

/** What stands at `/live/<camera>` and `/recorded/<camera>`, each also with `/<stream>`, and who may play it. */
export function rtspHost(o: {
  readonly watch: Watch;
  readonly bus: EventBus;
  readonly authenticator: HttpAuthenticator;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly multicast: MulticastPlan | undefined;
}): RtspHost {
  const extended = new ExtendedSources(o.bus, o.clock);
  /** What is played runs under a lease; what is described, no longer than the account stays as it is. */
  const runningOf = (
    who: Principal,
    camera: BridgedCamera,
    rights: readonly CameraRight[],
    peer: Peer,
    purpose: "describe" | "play",
  ): { readonly ended: AbortSignal; readonly lease?: WatchLease; readonly release?: WatchLease["close"] } => {
    if (purpose === "describe") return { ended: endOf(who, camera) };
    const lease = o.watch.run(who, camera, rights, "rtsp", peer.address);
    return { ended: lease.ended, lease, release: lease.close };
  };
  return {
    challenges: (peer, options) => o.authenticator.challenges(peer, options),
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
        const held = heldWith(who, camera, "live");
        const running = runningOf(who, camera, talk === undefined ? held : [...held, "talk"], peer, wanted.purpose);
        return {
          kind,
          name: camera.info.name,
          source: extended.of(camera, live),
          withheld: new Set([...withheldFrom(held), ...leftOut(query)]),
          ...(talk === undefined ? {} : { talk }),
          ...running,
          ...srtp,
          ...(multicast === undefined ? {} : { multicast }),
          describesGroup: query.has(MULTICAST_QUERY),
        };
      }
      if (kind === "recorded") {
        const camera = o.watch.open(who, id, "playback", "rtsp", peer.address);
        const { recorded } = streamOf(camera, stream);
        const asked = timeAddress(query, o.clock.now());
        const { name } = camera.info;
        const held = heldWith(who, camera, "playback");
        const running = runningOf(who, camera, held, peer, wanted.purpose);
        const { maxAgeMs } = decide(who, { right: "playback", camera: id, interface: "rtsp" });
        const { lease } = running;
        const limit =
          lease === undefined ? { maxAgeMs: () => maxAgeMs } : { maxAgeMs: () => lease.maxAgeMs, showed: lease.showed };
        const source =
          maxAgeMs === Number.POSITIVE_INFINITY ? recorded : new AgedSource(recorded, { clock: o.clock, ...limit });
        return { kind, name, source, withheld: withheldFrom(held), ...srtp, ...asked, ...running };
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

/** With the right to the picture, those to what goes with it that the account has as well. */
function heldWith(who: Principal, { info }: BridgedCamera, right: "live" | "playback"): readonly CameraRight[] {
  const may = (more: CameraRight): boolean => decide(who, { right: more, camera: info.id, interface: "rtsp" }).allowed;
  return [right, ...(["audio", "metadata"] as const).filter(may)];
}

function withheldFrom(held: readonly CameraRight[]): ReadonlySet<Track["kind"]> {
  return new Set((["audio", "metadata"] as const).filter((kind) => !held.includes(kind)));
}
