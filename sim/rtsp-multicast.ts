import { openPortPair, type PortPair } from "../net/udp.ts";
import type { Feed } from "./feed.ts";
import type { Quirk } from "./quirks.ts";
import type { MediaName } from "./sdp.ts";
import { type Outlet, type Showing, Viewer } from "./viewer.ts";

/** No router sends it on. */
const TTL = 1;

/** A track to a group, from two ports of the camera to the ports of the group with the same numbers, which nobody else here uses. */
class GroupOutlet implements Outlet {
  /** UDP does not tell. */
  readonly full = false;
  readonly #pair: PortPair;
  readonly #group: string;
  #closed = false;

  static async open(address: string, group: string): Promise<GroupOutlet> {
    const pair = await openPortPair(address);
    for (const socket of [pair.rtp, pair.rtcp]) {
      socket.setMulticastInterface(address);
      socket.setMulticastTTL(TTL);
    }
    return new GroupOutlet(pair, group);
  }

  private constructor(pair: PortPair, group: string) {
    this.#pair = pair;
    this.#group = group;
  }

  get transport(): string {
    return `RTP/AVP;multicast;destination=${this.#group};port=${this.#pair.ports.join("-")};ttl=${TTL}`;
  }

  rtp(packets: readonly Buffer[]): void {
    for (const packet of packets) this.#send(0, packet);
  }

  rtcp(packet: Buffer): void {
    this.#send(1, packet);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pair.close();
  }

  #send(end: 0 | 1, packet: Buffer): void {
    if (this.#closed) return;
    const socket = end === 0 ? this.#pair.rtp : this.#pair.rtcp;
    socket.send(packet, this.#pair.ports[end], this.#group, () => undefined);
  }
}

/** One stream to one group: sent once, however many clients play it, and as long as one does (RFC 2326 10.1). */
export class MulticastStream {
  readonly #feed: Feed;
  readonly #viewer: Viewer;
  readonly #outlets: ReadonlyMap<MediaName, GroupOutlet>;
  readonly #players = new Set<Showing>();

  /** Faults as of {@link openPortPair}. */
  static async open(o: {
    readonly address: string;
    readonly group: string;
    readonly feed: Feed;
    readonly media: readonly MediaName[];
    readonly quirks: ReadonlySet<Quirk>;
  }): Promise<MulticastStream> {
    const outlets = new Map<MediaName, GroupOutlet>();
    try {
      for (const name of o.media) outlets.set(name, await GroupOutlet.open(o.address, o.group));
    } catch (error) {
      for (const outlet of outlets.values()) outlet.close();
      throw error;
    }
    return new MulticastStream(o.feed, outlets, o.quirks);
  }

  private constructor(feed: Feed, outlets: ReadonlyMap<MediaName, GroupOutlet>, quirks: ReadonlySet<Quirk>) {
    this.#feed = feed;
    this.#outlets = outlets;
    this.#viewer = new Viewer(feed, quirks);
    for (const [name, outlet] of outlets) this.#viewer.setUp(name, outlet);
  }

  /** As it is answered to SETUP; undefined for a track that the stream does not have. */
  transportOf(name: MediaName): string | undefined {
    return this.#outlets.get(name)?.transport;
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
