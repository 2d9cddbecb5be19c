import { type Millis, SECOND, type UnixMillis, unixMillis } from "../base/units.ts";
import { RTP_HEADER_BYTES } from "../media/rtp.ts";
import { AAC, silence, withAdts, withAuHeader } from "./aac.ts";
import type { Quirk } from "./quirks.ts";
import { h264Fragments, h264InOneUnit, h264Payloads, isParameterSet } from "./rtp.ts";
import type { MediaName } from "./sdp.ts";

/** How much, how often, and when, where a fault is switched on. */
const FAULT = {
  clockDrift: 300e-6,
  jumpPeriodMs: 10 * SECOND,
  jumpBackMs: 4 * SECOND,
  clockStepPeriodMs: 15 * SECOND,
  clockStepMs: -1500,
  firstReportMs: 12 * SECOND,
  stopsAfterMs: 6 * SECOND,
  dropEvery: 101,
  datagramBytes: 10_000,
  foreignPayloadType: 50,
  /** Between the parameter sets and the picture behind them. */
  splitSeconds: 0.02,
  /** Of every second access unit of sound, in samples. */
  unevenSamples: 371,
} as const;

/** Payloads that have one timestamp. */
export interface Burst {
  readonly payloads: readonly Buffer[];
  /** Of the instant that it belongs to, on the camera's RTP clock. */
  readonly seconds: number;
  readonly marked: (index: number) => boolean;
}

/** What the switched-on faults make of one session's pictures, sound, times and reports. Without any, all is as it should be. */
export class MediaFaults {
  readonly #quirks: ReadonlySet<Quirk>;
  readonly #unit = silence();
  #nextUnit: number | undefined;
  #sent = 0;

  constructor(quirks: ReadonlySet<Quirk>) {
    this.#quirks = quirks;
  }

  /** Timestamp of the camera's beginning; undefined: any. */
  get base(): number | undefined {
    return this.#quirks.has("time-from-zero") ? 0 : undefined;
  }

  /** The camera's RTP clock, at an instant that is given as seconds since the camera began. `sinceMs`: since its session began. */
  rtpSeconds(name: MediaName, seconds: number, sinceMs: Millis): number {
    let told = seconds;
    if (this.#quirks.has("time-from-zero")) told = sinceMs / SECOND;
    if (this.#quirks.has("fast-clock")) told *= 1 + FAULT.clockDrift;
    if (name === "audio" && this.#quirks.has("slow-sound")) told *= 1 - FAULT.clockDrift;
    if (this.#quirks.has("time-jumps")) told -= (Math.floor(sinceMs / FAULT.jumpPeriodMs) * FAULT.jumpBackMs) / SECOND;
    return told;
  }

  /** What is sent of a picture. `seconds`: on the camera's RTP clock. */
  picture(nals: readonly Buffer[], seconds: number): readonly Burst[] {
    const kept = nals.filter((nal) => !(this.#quirks.has("sprop-only") && isParameterSet(nal)));
    const payloads = this.#payloads(kept);
    const last = payloads.length - 1;
    const whole: Burst = { payloads, seconds, marked: (index) => index === last && !this.#quirks.has("no-marker") };
    const [first, ...rest] = payloads;
    if (first === undefined || rest.length === 0 || !kept.some(isParameterSet)) return [whole];
    if (this.#quirks.has("early-marker")) return [{ ...whole, marked: (index) => index === 0 || index === last }];
    if (!this.#quirks.has("split-times")) return [whole];
    return [
      { payloads: [first], seconds: seconds - FAULT.splitSeconds, marked: () => false },
      { payloads: rest, seconds, marked: (index) => index === rest.length - 1 },
    ];
  }

  #payloads(nals: readonly Buffer[]): readonly Buffer[] {
    const whole = this.#quirks.has("whole-fragments");
    // Units must fit to be whole.
    const bytes = whole || this.#quirks.has("large-datagrams") ? FAULT.datagramBytes : undefined;
    if (this.#quirks.has("key-in-one-unit") && nals.some(isParameterSet)) return h264Fragments(h264InOneUnit(nals));
    return h264Payloads(nals, bytes, whole);
  }

  /** AAC up to an instant, which is given as seconds on the camera's RTP clock: access units of silence, each on its own. */
  aac(seconds: number): readonly Burst[] {
    const bursts: Burst[] = [];
    const unitSeconds = AAC.unitSamples / AAC.sampleRateHz;
    this.#nextUnit ??= Math.ceil(seconds / unitSeconds);
    for (; this.#nextUnit * unitSeconds <= seconds; this.#nextUnit += 1) {
      const payload = this.#quirks.has("adts-in-rtp") ? withAdts(this.#unit) : withAuHeader(this.#unit);
      const late = this.#quirks.has("uneven-sound") && this.#nextUnit % 2 === 1 ? -FAULT.unevenSamples : 0;
      bursts.push({
        payloads: [payload],
        seconds: this.#nextUnit * unitSeconds + late / AAC.sampleRateHz,
        marked: () => true,
      });
    }
    return bursts;
  }

  /** What is left of the packets before they are sent. */
  kept(packets: readonly Buffer[]): readonly Buffer[] {
    if (!this.#quirks.has("drops-packets")) return packets;
    const first = this.#sent;
    this.#sent += packets.length;
    return packets.filter((_, index) => (first + index + 1) % FAULT.dropEvery !== 0);
  }

  /** What is sent before the packets of a picture: none of its own, and numbered as the first of them. */
  foreign(packets: readonly Buffer[]): readonly Buffer[] {
    const [first] = packets;
    if (first === undefined || !this.#quirks.has("foreign-payloads")) return [];
    const packet = Buffer.concat([first.subarray(0, RTP_HEADER_BYTES), Buffer.from("Uniview")]);
    packet[1] = FAULT.foreignPayloadType;
    return [packet];
  }

  /** Whether nothing is sent any more. */
  silent(sinceMs: Millis): boolean {
    return this.#quirks.has("stops-sending") && sinceMs > FAULT.stopsAfterMs;
  }

  reports(sinceMs: Millis): boolean {
    if (this.#quirks.has("late-reports") && sinceMs < FAULT.firstReportMs) return false;
    return !this.#quirks.has("no-reports");
  }

  /** The time that reports tell. `elapsedMs`: since the camera began. */
  wall(now: UnixMillis, elapsedMs: Millis): UnixMillis {
    if (this.#quirks.has("wrong-reports")) return unixMillis(elapsedMs);
    const steps = this.#quirks.has("clock-steps") ? Math.floor(elapsedMs / FAULT.clockStepPeriodMs) % 2 : 0;
    return unixMillis(now + steps * FAULT.clockStepMs);
  }

  /** What goes out for a report: broken ones come besides, for real cameras' are not all broken. */
  report(report: Buffer): readonly Buffer[] {
    // It says that it is longer than it is (RFC 3550 6.4.1: length counts words).
    return this.#quirks.has("broken-reports") ? [report.subarray(0, 18), report] : [report];
  }
}
