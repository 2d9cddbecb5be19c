import type { UnixMillis } from "../base/units.ts";
import type { Reception } from "./rtcp.ts";
import { RTP_HEADER_BYTES } from "./rtp.ts";

/** Type of a sender report, and the bytes up to the end of its NTP time (RFC 3550 6.4.1). */
const SENDER_REPORT = 200;
const NTP_END = 16;

/** Counts what came of one track, for the reports to who sends it (RFC 3550 6.4.1, A.3, A.8). */
export class ReceptionCounter {
  readonly #clockRateHz: number;
  #ssrc: number | undefined;
  #first = 0;
  #highest = 0;
  #received = 0;
  #jitterTicks = 0;
  #transit: number | undefined;
  #before = { expected: 0, received: 0 };
  #report: { readonly middle: number; readonly at: UnixMillis } | undefined;

  constructor(clockRateHz: number) {
    this.#clockRateHz = clockRateHz;
  }

  /** The sender's, of the newest packet. */
  get ssrc(): number | undefined {
    return this.#ssrc;
  }

  rtp(packet: Buffer, arrivedAt: UnixMillis): void {
    if (packet.length < RTP_HEADER_BYTES) return;
    const sequence = packet.readUInt16BE(2);
    const ssrc = packet.readUInt32BE(8);
    if (ssrc !== this.#ssrc) this.#begin(ssrc, sequence);
    // The signed distance of two 16-bit numbers.
    const ahead = ((sequence - this.#highest) << 16) >> 16;
    if (ahead > 0) this.#highest += ahead;
    this.#received += 1;
    const arrival = Math.round((arrivedAt / 1000) * this.#clockRateHz);
    const transit = (arrival - packet.readUInt32BE(4)) | 0;
    if (this.#transit !== undefined) {
      const difference = Math.abs((transit - this.#transit) | 0);
      this.#jitterTicks += (difference - this.#jitterTicks) / 16;
    }
    this.#transit = transit;
  }

  rtcp(packet: Buffer, arrivedAt: UnixMillis): void {
    if (packet[1] === SENDER_REPORT && packet.length >= NTP_END)
      this.#report = { middle: packet.readUInt32BE(10), at: arrivedAt };
  }

  /** What to report now; the next one counts from here. */
  take(now: UnixMillis): Reception | undefined {
    if (this.#ssrc === undefined) return undefined;
    const expected = this.#highest - this.#first + 1;
    const expectedNow = expected - this.#before.expected;
    const lostNow = expectedNow - (this.#received - this.#before.received);
    this.#before = { expected, received: this.#received };
    const report = this.#report;
    return {
      ssrc: this.#ssrc,
      highestSequence: this.#highest % 2 ** 32,
      jitterTicks: Math.min(2 ** 32 - 1, Math.round(this.#jitterTicks)),
      lost: expected - this.#received,
      lostFraction: expectedNow > 0 ? Math.max(0, lostNow / expectedNow) : 0,
      newestReport: report && { middle: report.middle, ageMs: Math.max(0, now - report.at) },
    };
  }

  #begin(ssrc: number, sequence: number): void {
    this.#ssrc = ssrc;
    this.#first = sequence;
    this.#highest = sequence;
    this.#received = 0;
    this.#jitterTicks = 0;
    this.#transit = undefined;
    this.#before = { expected: 0, received: 0 };
  }
}
