import type { Quirk } from "./quirks.ts";
import type { Line } from "./rtsp-session.ts";
import type { Outlet } from "./viewer.ts";

const LIMITS = {
  /** What waits for a client that does not read. */
  unsentBytes: 4 * 1024 * 1024,
} as const;

/** Every so many writes of media one lacks the end of a packet, where that is switched on. */
const TORN = { every: 25, bytes: 20 };

/** A track inside the RTSP connection: one write for all packets of a picture (RFC 2326 10.12). */
export class InterleavedOutlet implements Outlet {
  readonly #line: Line;
  readonly #channels: readonly [rtp: number, rtcp: number];
  readonly #quirks: ReadonlySet<Quirk>;
  #writes = 0;

  constructor(line: Line, channels: readonly [rtp: number, rtcp: number], quirks: ReadonlySet<Quirk>) {
    this.#line = line;
    this.#channels = channels;
    this.#quirks = quirks;
  }

  get full(): boolean {
    return this.#line.unsentBytes > LIMITS.unsentBytes;
  }

  rtp(packets: readonly Buffer[]): void {
    this.#line.write(this.#torn(Buffer.concat(packets.flatMap((packet) => framed(this.#channels[0], packet)))));
  }

  rtcp(packet: Buffer): void {
    const channel = this.#channels[this.#quirks.has("reports-on-data-channel") ? 0 : 1];
    this.#line.write(Buffer.concat(framed(channel, packet)));
  }

  /** It ends with the connection. */
  close(): void {}

  /** What a camera writes that does not look whether all of it was taken. */
  #torn(bytes: Buffer): Buffer {
    this.#writes += 1;
    const tears = this.#quirks.has("torn-framing") && this.#writes % TORN.every === 0;
    return tears && bytes.length > 2 * TORN.bytes ? bytes.subarray(0, -TORN.bytes) : bytes;
  }
}

function framed(channel: number, packet: Buffer): readonly Buffer[] {
  return [Buffer.of(0x24, channel, packet.length >> 8, packet.length & 0xff), packet];
}
