import { randomInt } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { type MonotonicMillis, SECOND } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import { ReceptionCounter } from "../../media/reception.ts";
import { bye, CNAME, receiverReport, senderReport } from "../../media/rtcp.ts";
import type { Lane, Lanes } from "./lane.ts";

/** RFC 3550 6.2: not more often than every 5 s. */
const PERIOD_MS = 5 * SECOND;

/** The bytes of a report up to the end of its sender's SSRC. */
const SSRC_END = 8;

interface Counts {
  readonly ssrc: number;
  packets: number;
  octets: number;
  reportedAt: MonotonicMillis;
}

/**
 * What one client is told of what it is sent (RFC 3550 6.4.1): a report before the first group of each track, so that tracks can be
 * laid side by side from the beginning, and one every 5 s while groups flow.
 */
export class SenderReports {
  readonly #clock: Clock;
  readonly #counts = new Map<number, Counts>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts `group`, which is sent now. The report to send before it, where one is due. */
  before(group: PacketGroup): Buffer | undefined {
    const now = this.#clock.monotonic();
    const known = this.#counts.get(group.track);
    const ssrc = group.ssrc ?? 0;
    const counts = known?.ssrc === ssrc ? known : { ssrc, packets: 0, octets: 0, reportedAt: now };
    const { packets, octets } = counts;
    counts.packets += group.packetCount;
    counts.octets += group.payloadBytes;
    if (counts === known && now - counts.reportedAt < PERIOD_MS) return undefined;
    counts.reportedAt = now;
    this.#counts.set(group.track, counts);
    return senderReport({ ssrc, at: group.at, rtpTime: group.rtpTime, packets, octets, cname: CNAME });
  }

  /** When the next report of a track is due, so that it comes with what is sent then: before all else where there was none. */
  dueAt(track: number): MonotonicMillis {
    const counts = this.#counts.get(track);
    return (counts === undefined ? 0 : counts.reportedAt + PERIOD_MS) as MonotonicMillis;
  }

  /** Counts packets that were sent before any report was due again. */
  count(track: number, packets: number, octets: number): void {
    const counts = this.#counts.get(track);
    if (counts === undefined) return;
    counts.packets += packets;
    counts.octets += octets;
  }

  /** The end of every track (RFC 3550 6.6), those that never began too: clients wait for all of them. */
  goodbyes(lanes: Lanes): readonly (readonly [Lane, Buffer])[] {
    return [...lanes.values()].map((lane) => [
      lane,
      bye(this.#counts.get(lane.index)?.ssrc ?? randomInt(2 ** 32), CNAME),
    ]);
  }
}

/**
 * What one client is told of what it sends (RFC 3550 6.4.2): a report at the first packet, so that it knows that somebody listens, and one
 * every 5 s while packets come.
 */
export class ReceiverReports {
  readonly #clock: Clock;
  readonly #ssrc = randomInt(2 ** 32);
  readonly #reception: ReceptionCounter;
  #reportedAt: MonotonicMillis | undefined;

  constructor(clock: Clock, clockRateHz: number) {
    this.#clock = clock;
    this.#reception = new ReceptionCounter(clockRateHz);
  }

  /** Counts an RTP packet that has come. The report to send now, where one is due. */
  after(packet: Buffer): Buffer | undefined {
    const now = this.#clock.monotonic();
    this.#reception.rtp(packet, this.#clock.now());
    if (this.#reportedAt !== undefined && now - this.#reportedAt < PERIOD_MS) return undefined;
    this.#reportedAt = now;
    const reception = this.#reception.take(this.#clock.now());
    return receiverReport({ ssrc: this.#ssrc, cname: CNAME, reception });
  }

  /** A compound RTCP packet of the client, of whichever track. */
  rtcp(packet: Buffer): void {
    const { ssrc } = this.#reception;
    if (packet.length >= SSRC_END && packet.readUInt32BE(SSRC_END - 4) === ssrc)
      this.#reception.rtcp(packet, this.#clock.now());
  }
}
