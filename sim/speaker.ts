import { createHash } from "node:crypto";
import { RTP_HEADER_BYTES } from "../media/rtp.ts";

/** What was said to a simulated camera, of all talkers together. */
export interface Heard {
  readonly packets: number;
  /** Of the payloads, one behind the other. */
  readonly bytes: number;
  readonly sha256: string;
  /** RTCP sender reports. */
  readonly reports: number;
}

/** The speaker of a simulated camera: it counts what it hears, and one may talk at a time. */
export class Speaker {
  #talker: object | undefined;
  readonly #hash = createHash("sha256");
  #packets = 0;
  #bytes = 0;
  #reports = 0;

  get heard(): Heard {
    const sha256 = this.#hash.copy().digest("hex");
    return { packets: this.#packets, bytes: this.#bytes, sha256, reports: this.#reports };
  }

  /** Somebody has it. */
  get taken(): boolean {
    return this.#talker !== undefined;
  }

  /** False while somebody else has it. */
  take(talker: object): boolean {
    if (this.taken) return false;
    this.#talker = talker;
    return true;
  }

  /** Nothing where somebody else has it. */
  leave(talker: object): void {
    if (this.#talker === talker) this.#talker = undefined;
  }

  /** An RTP packet, with nothing but the fixed header before its payload. */
  hear(packet: Buffer): void {
    const payload = packet.subarray(RTP_HEADER_BYTES);
    this.#packets += 1;
    this.#bytes += payload.length;
    this.#hash.update(payload);
  }

  /** RTCP of the talker. */
  report(packet: Buffer): void {
    if (packet[1] === 200) this.#reports += 1;
  }
}
