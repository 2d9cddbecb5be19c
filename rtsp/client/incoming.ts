import { randomInt } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import { type Millis, type MonotonicMillis, SECOND, type UnixMillis } from "../../base/units.ts";
import { ReceptionCounter } from "../../media/reception.ts";
import { Reorder } from "../../media/reorder.ts";
import { CNAME, keyRequest, receiverReport } from "../../media/rtcp.ts";
import type { MediaDescription } from "../../media/sdp.ts";
import type { TrackKind } from "../../media/track.ts";
import type { UpstreamTransport } from "../wire/transport.ts";
import type { RtspQuirk } from "./known-quirks.ts";
import type { Lane } from "./lane.ts";
import { isRtcp } from "./quirks.ts";
import { RefusedTransport } from "./refusal.ts";

const LIMITS = {
  /** A camera that sends no picture and no sound for this long does not send any more. */
  silenceMs: 10 * SECOND,
  /** Where there is neither, as with events alone, it need only answer from time to time: three signs of life. */
  quietPeriods: 3,
};

/** What can be asked of a running upstream session. */
export interface UpstreamSession {
  /** Asks the camera for a key frame by RTCP; false where it does not say that it understands that (RFC 4585 4.2). */
  requestKey(): boolean;
}

/** What happens in an upstream session. */
export interface UpstreamEvents {
  /** The media that the camera is going to send, in the order of tracks. Comes once, before the first packet. */
  described(media: readonly MediaDescription[], session: UpstreamSession): void;
  /** The camera does not send this way. Another one is tried, where there is one. */
  refused?(transport: UpstreamTransport): void;
  /** The camera shows a known quirk. The same one may come again. */
  quirk?(name: RtspQuirk): void;
  /** The first packet of media has come, by this transport. */
  flows?(transport: UpstreamTransport): void;
  /** An RTP packet, in the camera's order. It is the callee's during the call: it may be written to, and not be kept. */
  rtp(track: number, packet: Buffer, arrivedAt: UnixMillis): void;
  /** A compound RTCP packet, on the same terms. */
  rtcp(track: number, packet: Buffer, arrivedAt: UnixMillis): void;
}

interface IncomingTrack {
  readonly media: MediaDescription;
  readonly lane: Lane;
  readonly reception: ReceptionCounter;
  /** Where packets may overtake one another. */
  readonly reorder: Reorder | undefined;
}

export interface IncomingOptions {
  readonly transport: UpstreamTransport;
  readonly events: UpstreamEvents;
  readonly clock: Clock;
  readonly log: Log;
  /** The callee of an event has thrown. */
  readonly failed: (fault: Fault) => void;
}

/** What comes in one upstream session: counted, put in order, handed on, reported to the camera, and missed when it stops. */
export class Incoming implements UpstreamSession {
  readonly #options: IncomingOptions;
  readonly #tracks: IncomingTrack[] = [];
  readonly #ssrc = randomInt(2 ** 32);
  #keyRequests = 0;
  #described = false;
  #flows = false;
  #muted = false;
  #watched: ReadonlySet<number> = new Set();
  #lastSign: MonotonicMillis;

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.#lastSign = options.clock.monotonic();
  }

  get media(): readonly MediaDescription[] {
    return this.#tracks.map(({ media }) => media);
  }

  /** A further track that the camera has agreed to. */
  add(media: MediaDescription, lane: Lane): void {
    const { clock, transport } = this.#options;
    const index = this.#tracks.length;
    const deliver = (packet: Buffer, arrivedAt: UnixMillis): void => this.#deliver(index, packet, arrivedAt);
    this.#tracks.push({
      media,
      lane,
      reception: new ReceptionCounter(media.track.clockRateHz),
      reorder: transport === "udp" || transport === "multicast" ? new Reorder({ clock, deliver }) : undefined,
    });
  }

  /** The camera is asked to play: from now on it is missed. */
  begin(): void {
    this.#watched = this.#continuous();
    this.#lastSign = this.#options.clock.monotonic();
  }

  /** It plays. Packets may overtake its answer, so that this comes from the first of them, or from the answer. */
  describe(): void {
    if (this.#described) return;
    this.#described = true;
    this.#options.events.described(this.media, this);
  }

  packet(index: number, packet: Buffer, rtcp: boolean): void {
    const track = this.#tracks[index];
    if (track === undefined || this.#muted) return;
    // Without a closure for each packet: there are tens of thousands a second.
    try {
      this.#take(index, track, packet, rtcp);
    } catch (error) {
      this.#options.failed(asFault(error));
    }
  }

  #take(index: number, track: IncomingTrack, packet: Buffer, rtcp: boolean): void {
    const { clock, events, transport } = this.#options;
    const arrivedAt = clock.now();
    this.describe();
    if (rtcp || isRtcp(packet)) {
      if (!rtcp) events.quirk?.("reports-on-data-channel");
      track.reception.rtcp(packet, arrivedAt);
      events.rtcp(index, packet, arrivedAt);
      return;
    }
    if (this.#watched.has(index) || this.#watched.size === 0) this.#lastSign = clock.monotonic();
    if (!this.#flows) {
      this.#flows = true;
      events.flows?.(transport);
    }
    track.reception.rtp(packet, arrivedAt);
    if (track.reorder === undefined) events.rtp(index, packet, arrivedAt);
    else track.reorder.push(packet, arrivedAt);
  }

  /** The camera has answered a sign of life; for streams of events alone that is enough. */
  answered(): void {
    if (this.#watched.size === 0) this.#lastSign = this.#options.clock.monotonic();
  }

  /** What to end the session with where too little comes. `periodMs`: between two signs of life. */
  stall(periodMs: Millis): Fault | undefined {
    const { clock, transport } = this.#options;
    const limitMs = this.#watched.size > 0 ? LIMITS.silenceMs : LIMITS.quietPeriods * periodMs;
    if (clock.monotonic() - this.#lastSign <= limitMs) return undefined;
    if (transport !== "tcp" && transport !== "http" && this.#watched.size > 0 && !this.#flows)
      return new RefusedTransport(transport, "nothing has come; a firewall may be in its way");
    return new Fault("unavailable", `nothing came for ${limitMs} ms`, { tell: "the camera stopped sending" });
  }

  /** Tells the camera what has come, track by track. */
  report(): void {
    const now = this.#options.clock.now();
    for (const { lane, reception } of this.#tracks)
      lane.report(receiverReport({ ssrc: this.#ssrc, cname: CNAME, reception: reception.take(now) }));
  }

  requestKey(): boolean {
    let asked = false;
    for (const { lane, media, reception } of this.#tracks) {
      const [by] = media.feedback;
      if (media.track.kind !== "video" || by === undefined || reception.ssrc === undefined) continue;
      this.#keyRequests += 1;
      const sequence = this.#keyRequests;
      lane.report(keyRequest({ by, ssrc: this.#ssrc, cname: CNAME, media: reception.ssrc, sequence }));
      asked = true;
    }
    return asked;
  }

  /** Nothing is handed on from now on. */
  mute(): void {
    this.#muted = true;
  }

  /** Hands on what waits for its order. */
  close(): void {
    for (const { reorder, media } of this.#tracks) {
      if (reorder === undefined) continue;
      reorder.flush();
      const { late, repeated } = reorder.disorder;
      if (late + repeated > 0)
        this.#options.log.info({ media: media.track.encoding, late, repeated }, "packets came late, or twice");
    }
  }

  /** The tracks that must not pause: the picture, or the sound where there is none. Metadata come when something happens. */
  #continuous(): ReadonlySet<number> {
    const of = (kind: TrackKind): number[] =>
      this.#tracks.flatMap(({ media }, index) => (media.track.kind === kind ? [index] : []));
    const video = of("video");
    return new Set(video.length > 0 ? video : of("audio"));
  }

  /** From the reorder buffer, which may do so when its time is up. */
  #deliver(index: number, packet: Buffer, arrivedAt: UnixMillis): void {
    const { events } = this.#options;
    if (!this.#muted) this.#guard(() => events.rtp(index, packet, arrivedAt));
  }

  /** Sockets and timers call us: what a packet does wrong must end the session, and nothing else. */
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#options.failed(asFault(error));
    }
  }
}
