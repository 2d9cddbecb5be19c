import { openPortPair } from "../net/udp.ts";
import type { Feed } from "./feed.ts";
import type { Quirk } from "./quirks.ts";
import { UdpOutlet } from "./rtsp-udp.ts";
import type { MediaName } from "./sdp.ts";
import { type Showing, Viewer } from "./viewer.ts";

/** No router sends it on. */
const TTL = 1;

/** A track to a group, from two ports of the camera to the ports of the group with the same numbers, which nobody else here uses. */
async function openOutlet(address: string, group: string, quirks: ReadonlySet<Quirk>): Promise<UdpOutlet> {
  const pair = await openPortPair(address);
  for (const socket of [pair.rtp, pair.rtcp]) {
    socket.setMulticastInterface(address);
    socket.setMulticastTTL(TTL);
  }
  return new UdpOutlet(pair, { address: group, ports: pair.ports }, quirks);
}

/** One stream to one group: sent once, however many clients play it, and as long as one does (RFC 2326 10.1). */
export class MulticastStream {
  readonly #group: string;
  readonly #feed: Feed;
  readonly #viewer: Viewer;
  readonly #outlets: ReadonlyMap<MediaName, UdpOutlet>;
  readonly #players = new Set<Showing>();

  /** Faults as of {@link openPortPair}. */
  static async open(o: {
    readonly address: string;
    readonly group: string;
    readonly feed: Feed;
    readonly media: readonly MediaName[];
    readonly quirks: ReadonlySet<Quirk>;
  }): Promise<MulticastStream> {
    const outlets = new Map<MediaName, UdpOutlet>();
    try {
      for (const name of o.media) outlets.set(name, await openOutlet(o.address, o.group, o.quirks));
    } catch (error) {
      for (const outlet of outlets.values()) outlet.close();
      throw error;
    }
    return new MulticastStream(o, outlets);
  }

  private constructor(
    { group, feed, quirks }: { readonly group: string; readonly feed: Feed; readonly quirks: ReadonlySet<Quirk> },
    outlets: ReadonlyMap<MediaName, UdpOutlet>,
  ) {
    this.#group = group;
    this.#feed = feed;
    this.#outlets = outlets;
    this.#viewer = new Viewer(feed, quirks);
    for (const [name, outlet] of outlets) this.#viewer.setUp(name, outlet);
  }

  /** As it is answered to SETUP; undefined for a track that the stream does not have. */
  transportOf(name: MediaName): string | undefined {
    const ports = this.#outlets.get(name)?.ports.join("-");
    return ports && `RTP/AVP;multicast;destination=${this.#group};port=${ports};ttl=${TTL}`;
  }

  ssrcOf(name: MediaName): string | undefined {
    return this.#viewer.ssrcOf(name);
  }

  /** For one more client. */
  join(): Showing {
    const players = this.#players;
    const member: Showing = {
      get playing() {
        return players.has(member);
      },
      get watching() {
        return players.has(member);
      },
      play: () => {
        // A newcomer must be able to begin.
        if (players.size === 0) this.#viewer.play();
        else this.#feed.wantKeyFrame();
        players.add(member);
      },
      rtpInfo: (controls) => this.#viewer.rtpInfo(controls),
      pause: () => {
        if (players.delete(member) && players.size === 0) this.#viewer.pause();
      },
      close: () => member.pause(),
    };
    return member;
  }

  close(): void {
    this.#players.clear();
    this.#viewer.close();
  }
}
