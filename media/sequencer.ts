import { randomInt } from "node:crypto";
import { SECOND, type UnixMillis } from "../base/units.ts";

const LIMITS = {
  /** A larger gap says nothing about how much is missing, and is kept as a gap of one. */
  gap: 1000,
  /** How far back a packet may lie to be one that came twice. Further back, the camera has begun to count anew. */
  repeated: 16,
  /** Another source takes over when it has sent so many packets with numbers in a row, or when the old one has been silent for so long. */
  strangers: 4,
  /** In a row, where the one so far has sent fewer than `proven`: they may be what is left of an older session. */
  strangersEarly: 2,
  proven: 16,
  silenceMs: 2 * SECOND,
};

/**
 * How a packet follows the one before: as the first of a session, as the next one, after a gap, from a new numbering of the
 * camera, or not at all (it came twice, or is not part of the track).
 */
export type Step = "first" | "next" | "gap" | "reset" | "skip";

export interface SequencerEvents {
  /** What came first was not of this session. */
  stray(): void;
  /** A packet of another payload type had the number of the track's next one. */
  foreign(): void;
}

/**
 * Gives the packets of one track our own sequence numbers, continuous across everything that cameras do; a gap in theirs
 * stays one of the same size. TCP keeps the order, and what comes over UDP was put in order before (media/reorder.ts).
 */
export class Sequencer {
  #ssrc: number | undefined;
  #payloadType: number | undefined;
  #strangers = 0;
  /** The newest of them, which the next one must follow. */
  #stranger: { readonly ssrc: number; readonly sequence: number } | undefined;
  /** Packets of the source, as far as that matters. */
  #proven = 0;
  /** The source has said goodbye: the next one takes over at once. */
  #left = false;
  #lastAt: UnixMillis | undefined;
  /** The next number that we give, and the one that the camera should give. */
  #ours = randomInt(2 ** 16);
  #expected = 0;
  #started = false;
  /** Number of a packet of another payload type, which came as the next one. */
  #foreign: number | undefined;
  readonly #on: SequencerEvents;

  constructor(on: SequencerEvents) {
    this.#on = on;
  }

  /** The camera's next packet belongs to a new session. */
  restart(): void {
    this.#ssrc = undefined;
    this.#payloadType = undefined;
    this.#strangers = 0;
    this.#proven = 0;
    this.#left = false;
    this.#foreign = undefined;
  }

  /** A source says that it sends no more (RFC 3550 6.6). If it goes on all the same, it is believed as before. */
  leave(ssrc: number): void {
    if (ssrc === this.#ssrc) this.#left = true;
  }

  /** Checks the packet against those before it, and writes our sequence number into it unless it is to be skipped. */
  place(packet: Buffer, described: number, arrivedAt: UnixMillis): Step {
    const payloadType = (packet[1] as number) & 0x7f;
    const sequence = packet.readUInt16BE(2);
    const step = this.#step(packet.readUInt32BE(8), sequence, arrivedAt);
    if (step === "skip") return step;
    // There are cameras that describe another payload type than they send; what comes besides is comfort noise and the like.
    const assumed = payloadType !== described && this.#payloadType === undefined;
    if (payloadType === described || assumed) this.#payloadType = payloadType;
    else if (payloadType !== this.#payloadType) return this.#skipOne(sequence, step);
    if (sequence === this.#foreign && step === "next") this.#on.foreign();
    // The first one may be of another type by accident.
    this.#foreign = assumed ? sequence : undefined;
    const missing = step === "gap" ? (sequence - this.#expected) & 0xffff : 0;
    // What is not known to be a small gap is a gap of one; at the very beginning nothing can be missing.
    if (step === "first" || step === "reset") this.#ours += this.#started ? 1 : 0;
    else this.#ours += missing > LIMITS.gap ? 1 : missing;
    packet.writeUInt16BE(this.#ours & 0xffff, 2);
    this.#ours = (this.#ours + 1) & 0xffff;
    this.#expected = (sequence + 1) & 0xffff;
    this.#started = true;
    return step;
  }

  /** One number of the camera's is not ours to miss. There are cameras that use it again, for the packet behind. */
  #skipOne(sequence: number, step: Step): Step {
    if (step !== "next") return "skip";
    this.#foreign = sequence;
    this.#expected = (sequence + 1) & 0xffff;
    return "skip";
  }

  #step(ssrc: number, sequence: number, arrivedAt: UnixMillis): Step {
    const silentMs = this.#lastAt === undefined ? 0 : arrivedAt - this.#lastAt;
    const known = this.#ssrc;
    if (known !== undefined && ssrc !== known && !this.#left) {
      this.#strangers = this.#follows(ssrc, sequence) ? this.#strangers + 1 : 1;
      this.#stranger = { ssrc, sequence };
      const early = this.#proven < LIMITS.proven;
      const most = early ? LIMITS.strangersEarly : LIMITS.strangers;
      if (this.#strangers < most && silentMs < LIMITS.silenceMs) return "skip";
      if (early) this.#on.stray();
    }
    this.#strangers = 0;
    this.#left = false;
    this.#lastAt = arrivedAt;
    if (ssrc !== known) {
      this.#ssrc = ssrc;
      this.#payloadType = undefined;
      this.#proven = 1;
      return known === undefined ? "first" : "reset";
    }
    if (this.#proven < LIMITS.proven) this.#proven += 1;
    const ahead = (sequence - this.#expected) & 0xffff;
    if (ahead === 0 || sequence === this.#foreign) return "next";
    if (ahead >= 0x1_0000 - LIMITS.repeated) return "skip";
    return ahead < 0x8000 ? "gap" : "reset";
  }

  /** Whether it goes on with the numbers of the stranger before it; what is left of another session comes in no such order for long. */
  #follows(ssrc: number, sequence: number): boolean {
    const before = this.#stranger;
    return this.#strangers > 0 && before?.ssrc === ssrc && ((before.sequence + 1) & 0xffff) === sequence;
  }
}
