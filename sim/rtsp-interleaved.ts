import type { Quirk } from "./quirks.ts";
import type { Line } from "./rtsp-line.ts";
import type { Outlet } from "./viewer.ts";

const LIMITS = {
  /** What waits for a client that does not read. */
  unsentBytes: 4 * 1024 * 1024,
} as const;

/** A track inside the RTSP connection: one write for all packets of a picture (RFC 2326 10.12). */
export class InterleavedOutlet implements Outlet {
  readonly #line: Line;
  readonly #channels: readonly [rtp: number, rtcp: number];
  readonly #quirks: ReadonlySet<Quirk>;

  constructor(line: Line, channels: readonly [rtp: number, rtcp: number], quirks: ReadonlySet<Quirk>) {
    this.#line = line;
    this.#channels = channels;
    this.#quirks = quirks;
  }

  get full(): boolean {
    return this.#line.unsentBytes > LIMITS.unsentBytes;
  }

  rtp(packets: readonly Buffer[]): void {
    this.#line.writeMedia(Buffer.concat(packets.flatMap((packet) => framed(this.#channels[0], packet))));
  }

  rtcp(packet: Buffer): void {
    const channel = this.#channels[this.#quirks.has("reports-on-data-channel") ? 0 : 1];
    this.#line.write(Buffer.concat(framed(channel, packet)));
  }

  /** It ends with the connection. */
  close(): void {}
}

function framed(channel: number, packet: Buffer): readonly Buffer[] {
  return [Buffer.of(0x24, channel, packet.length >> 8, packet.length & 0xff), packet];
}
