import type { Clock, Timer } from "../base/clock.ts";
import type { Millis, MonotonicMillis, UnixMillis } from "../base/units.ts";
import { RTP_HEADER_BYTES } from "./rtp.ts";

// Packets and time are those of FFmpeg, with which cameras are tested (libavformat: reorder_queue_size, max_delay).
const LIMITS = {
  /** That wait for one before them. */
  packets: 500,
  bytes: 4 * 1024 * 1024,
  waitMs: 100,
  /** Of that, for what passes at once: a program that was held up has not read yet what came meanwhile. */
  stepMs: 10,
  /** A packet further behind the newest, or further ahead, belongs to another numbering (RFC 3550 A.1: MAX_MISORDER, MAX_DROPOUT). */
  behind: 100,
  ahead: 3000,
};

interface Held {
  readonly packet: Buffer;
  readonly arrivedAt: UnixMillis;
  /** In counted time. */
  readonly sinceMs: Millis;
}

/** What did not come as it was sent. */
export interface Disorder {
  /** Came when it was not waited for any more. */
  readonly late: number;
  readonly repeated: number;
}

export interface ReorderOptions {
  readonly clock: Clock;
  readonly deliver: (packet: Buffer, arrivedAt: UnixMillis) => void;
}

/**
 * Puts the RTP packets of one track back in order, as they come over UDP. What is missing is waited for as long as the limits
 * allow; then it is a gap in what is handed on. What comes later than that, or twice, is dropped.
 */
export class Reorder {
  readonly #clock: Clock;
  readonly #deliver: ReorderOptions["deliver"];
  /** By sequence number, in the order of arrival. */
  readonly #held = new Map<number, Held>();
  #bytes = 0;
  #timer: Timer | undefined;
  /** Time in steps, and up to when it was counted. */
  #countedMs: Millis = 0;
  #countedAt: MonotonicMillis;
  #ssrc: number | undefined;
  #expected = 0;
  /** What would follow a packet of another numbering: one alone is a stray, two are a camera that has begun anew. */
  #anew: number | undefined;
  #late = 0;
  #repeated = 0;

  constructor(o: ReorderOptions) {
    this.#clock = o.clock;
    this.#countedAt = o.clock.monotonic();
    this.#deliver = o.deliver;
  }

  get disorder(): Disorder {
    return { late: this.#late, repeated: this.#repeated };
  }

  push(packet: Buffer, arrivedAt: UnixMillis): void {
    if (packet.length < RTP_HEADER_BYTES) return;
    const sequence = packet.readUInt16BE(2);
    const ssrc = packet.readUInt32BE(8);
    if (ssrc !== this.#ssrc) this.#begin(ssrc, sequence);
    // The signed distance of two 16-bit numbers.
    const ahead = ((sequence - this.#expected) << 16) >> 16;
    if (ahead < -LIMITS.behind || ahead > LIMITS.ahead) {
      const follows = sequence === this.#anew;
      this.#anew = (sequence + 1) & 0xffff;
      if (!follows) return;
      this.#begin(ssrc, sequence);
    } else if (ahead < 0) {
      this.#late += 1;
      return;
    } else if (ahead > 0) {
      this.#hold(sequence, packet, arrivedAt);
      return;
    }
    this.#anew = undefined;
    this.#pass(packet, arrivedAt);
    this.#handOn();
  }

  /** Hands on what waits: nothing more comes. */
  flush(): void {
    while (this.#held.size > 0) this.#skip();
    this.#watch();
  }

  /** Another source, or another numbering. */
  #begin(ssrc: number, sequence: number): void {
    this.flush();
    this.#ssrc = ssrc;
    this.#expected = sequence;
    this.#anew = undefined;
  }

  #hold(sequence: number, packet: Buffer, arrivedAt: UnixMillis): void {
    if (this.#held.has(sequence)) {
      this.#repeated += 1;
      return;
    }
    this.#anew = undefined;
    this.#held.set(sequence, { packet, arrivedAt, sinceMs: this.#count() });
    this.#bytes += packet.length;
    while (this.#held.size > LIMITS.packets || this.#bytes > LIMITS.bytes) this.#skip();
    this.#watch();
  }

  #pass(packet: Buffer, arrivedAt: UnixMillis): void {
    this.#expected = (this.#expected + 1) & 0xffff;
    this.#deliver(packet, arrivedAt);
  }

  /** What follows without a gap. */
  #handOn(): void {
    for (;;) {
      const next = this.#held.get(this.#expected);
      if (next === undefined) break;
      this.#held.delete(this.#expected);
      this.#bytes -= next.packet.length;
      this.#pass(next.packet, next.arrivedAt);
    }
    this.#watch();
  }

  /** Gives up what is missing before the first packet that waits. */
  #skip(): void {
    let nearest = 0x1_0000;
    for (const sequence of this.#held.keys()) nearest = Math.min(nearest, (sequence - this.#expected) & 0xffff);
    this.#expected = (this.#expected + nearest) & 0xffff;
    this.#handOn();
  }

  /** The timer runs while something waits, a step at a time, and at last for what has waited the longest. */
  #watch(): void {
    if (this.#held.size === 0) {
      this.#timer?.cancel();
      this.#timer = undefined;
      return;
    }
    if (this.#timer !== undefined) return;
    const leftMs = Math.max(0, LIMITS.waitMs - this.#longestMs());
    this.#timer = this.#clock.after(Math.min(LIMITS.stepMs, leftMs), () => {
      this.#timer = undefined;
      while (this.#held.size > 0 && this.#longestMs() >= LIMITS.waitMs) this.#skip();
      this.#watch();
    });
  }

  #longestMs(): Millis {
    const [first] = this.#held.values();
    return first === undefined ? 0 : this.#count() - first.sinceMs;
  }

  /** By now. */
  #count(): Millis {
    const now = this.#clock.monotonic();
    this.#countedMs += Math.min(LIMITS.stepMs, now - this.#countedAt);
    this.#countedAt = now;
    return this.#countedMs;
  }
}
