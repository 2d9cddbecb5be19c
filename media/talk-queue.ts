import { randomInt } from "node:crypto";
import type { Clock, Timer } from "../base/clock.ts";
import { isFault } from "../base/fault.ts";
import { type Millis, type MonotonicMillis, SECOND } from "../base/units.ts";
import { senderReport } from "./rtcp.ts";
import { RTP_HEADER_BYTES, type RtpPacket, readRtp, writeRtpHeader } from "./rtp.ts";
import type { Track } from "./track.ts";

const LIMITS = {
  /** Of one packet: some frames of a codec for speech, or a tenth of a second of G.711. */
  payloadBytes: 2048,
  /** What waits to be heard. Who is late is not heard later, but less: the oldest goes. */
  heldMs: 500,
  /** How far ahead of its time sound may go out: what the network has pushed together passes as it came. */
  aheadMs: 100,
  /** Of one packet, where the codec does not tell: no format is packed finer or coarser. */
  packetMs: [2, 200],
  /** A talker's clock that jumps by more begins anew. */
  jumpMs: 10 * SECOND,
  /** Sequence numbers that are so far behind are repetitions; beyond, the talker has begun to count anew. */
  behind: 100,
} as const;

/** Usual for speech; only the first packet of a codec that does not tell is counted so. */
const USUAL_PACKET_MS: Millis = 20;

const CNAME = "viaduct";

interface Waiting {
  readonly packet: Buffer;
  readonly durationMs: Millis;
}

/**
 * What one talker says, on its way to a camera: RTP with our numbers around the payload as it came, no faster than it is heard.
 * Bounded by {@link LIMITS}; what is no RTP of the speaker's format is passed over.
 */
export class TalkQueue {
  readonly #clock: Clock;
  readonly #track: Track;
  readonly #send: (packet: Buffer) => void;
  readonly #ssrc = randomInt(2 ** 32);
  #sequence = randomInt(2 ** 16);
  readonly #queue: Waiting[] = [];
  #heldMs: Millis = 0;
  /** When the next packet may leave. */
  #freeAt = Number.NEGATIVE_INFINITY as MonotonicMillis;
  #timer: Timer | undefined;
  /** The newest packet, by the talker's numbers and by ours. */
  #newest:
    | {
        readonly ssrc: number;
        readonly sequence: number;
        readonly timestamp: number;
        readonly rtpTime: number;
        readonly at: MonotonicMillis;
      }
    | undefined;
  #packetMs: Millis = USUAL_PACKET_MS;
  #packets = 0;
  #octets = 0;

  /** `send` is given RTP packets, and keeps them. */
  constructor(o: { readonly clock: Clock; readonly track: Track; readonly send: (packet: Buffer) => void }) {
    this.#clock = o.clock;
    this.#track = o.track;
    this.#send = o.send;
  }

  /** Packets that were sent. */
  get packets(): number {
    return this.#packets;
  }

  /** What waits, by the time that it takes to be heard. */
  get heldMs(): Millis {
    return this.#heldMs;
  }

  /** A packet of the talker. Nothing of it is kept. */
  push(packet: Buffer): void {
    const said = this.#read(packet);
    if (said === undefined) return;
    const { payload } = said;
    const rtpTime = this.#number(said);
    const ours = Buffer.allocUnsafe(RTP_HEADER_BYTES + payload.length);
    const { payloadType } = this.#track;
    // The sequence number is given when it leaves: what is left out here was not lost on the way.
    writeRtpHeader(ours, { marker: said.marker, payloadType, sequence: 0, timestamp: rtpTime, ssrc: this.#ssrc });
    ours.set(payload, RTP_HEADER_BYTES);
    const durationMs = this.#durationOf(payload);
    this.#queue.push({ packet: ours, durationMs });
    this.#heldMs += durationMs;
    while (this.#heldMs > LIMITS.heldMs && this.#queue.length > 1) this.#heldMs -= this.#queue.shift()?.durationMs ?? 0;
    this.#pump();
  }

  /** What the camera is told of the talker's clock (RFC 3550 6.4.1); undefined before the first packet. */
  report(): Buffer | undefined {
    const newest = this.#newest;
    if (newest === undefined) return undefined;
    const sinceMs = this.#clock.monotonic() - newest.at;
    return senderReport({
      ssrc: this.#ssrc,
      at: this.#clock.now(),
      rtpTime: newest.rtpTime + this.#ticks(sinceMs),
      packets: this.#packets,
      octets: this.#octets,
      cname: CNAME,
    });
  }

  /** What waits is not sent any more. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#queue.length = 0;
    this.#heldMs = 0;
  }

  #read(packet: Buffer): RtpPacket | undefined {
    try {
      const said = readRtp(packet);
      const { payload, payloadType, ssrc, sequence } = said;
      if (payloadType !== this.#track.payloadType) return undefined;
      if (payload.length === 0 || payload.length > LIMITS.payloadBytes) return undefined;
      const newest = this.#newest;
      if (newest === undefined || newest.ssrc !== ssrc) return said;
      const behind = (newest.sequence - sequence) & 0xffff;
      return behind < LIMITS.behind ? undefined : said;
    } catch (error) {
      if (isFault(error, "invalid")) return undefined;
      throw error;
    }
  }

  /** The talker's timestamp in our numbering, which goes on with the time that has passed where the talker's makes no sense. */
  #number({ ssrc, sequence, timestamp }: RtpPacket): number {
    const { newest, at } = { newest: this.#newest, at: this.#clock.monotonic() };
    let ticks = 0;
    if (newest !== undefined) {
      ticks = (timestamp - newest.timestamp) | 0;
      const isContinued = newest.ssrc === ssrc && ticks > 0 && ticks <= this.#ticks(LIMITS.jumpMs);
      const [least, most] = LIMITS.packetMs;
      if (isContinued) this.#packetMs = Math.min(most, Math.max(least, (ticks / this.#track.clockRateHz) * SECOND));
      else ticks = Math.max(1, this.#ticks(at - newest.at));
    }
    const rtpTime = newest === undefined ? randomInt(2 ** 32) : (newest.rtpTime + ticks) >>> 0;
    this.#newest = { ssrc, sequence, timestamp, rtpTime, at };
    return rtpTime;
  }

  #durationOf(payload: Buffer): Millis {
    const { codec, clockRateHz, channels } = this.#track;
    // A byte for each sample.
    if (codec === "PCMU" || codec === "PCMA") return (payload.length / (clockRateHz * channels)) * SECOND;
    return this.#packetMs;
  }

  #ticks(ms: Millis): number {
    return Math.round((ms / SECOND) * this.#track.clockRateHz);
  }

  #pump(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    this.#freeAt = Math.max(this.#freeAt, now - LIMITS.aheadMs) as MonotonicMillis;
    while (this.#freeAt <= now) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#heldMs -= next.durationMs;
      this.#freeAt = (this.#freeAt + next.durationMs) as MonotonicMillis;
      this.#leave(next.packet);
    }
    if (this.#queue.length > 0) this.#timer = this.#clock.after(this.#freeAt - now, () => this.#pump());
  }

  #leave(packet: Buffer): void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    packet.writeUInt16BE(this.#sequence, 2);
    this.#packets += 1;
    this.#octets += packet.length - RTP_HEADER_BYTES;
    this.#send(packet);
  }
}
