import type { Unpacked, Unpacker } from "./access-units.ts";
import { fmtpValue } from "./fmtp.ts";
import { mpeg4Config, mpeg4Picture, mpeg4Size } from "./mpeg4.ts";
import type { SampleFormat } from "./sample.ts";
import type { Track } from "./track.ts";

const LIMITS = {
  /** Of one access unit. */
  bytes: 8 * 1024 * 1024,
};

/** Pictures of MPEG-4 Visual (RFC 6416 5): the bitstream itself, cut anywhere. Headers are taken from the description and from the stream. */
export class Mpeg4Unpacker implements Unpacker {
  #format: Extract<SampleFormat, { codec: "MP4V-ES" }> | undefined;
  readonly holds = false;
  #pieces: Buffer[] = [];
  #bytes = 0;
  hasContent = false;

  constructor({ fmtp }: Track) {
    this.#describe(Buffer.from(fmtpValue(fmtp, "config") ?? "", "hex"));
  }

  /** Without the beginning of a picture there is no content either. */
  get fromStart(): boolean {
    return this.hasContent;
  }

  get atEnd(): boolean {
    return true;
  }

  add(bytes: Buffer, start: number, end: number): boolean {
    const payload = bytes.subarray(start, end);
    // Headers are in one piece (RFC 6416 5.2), so that a picture's beginning is in one packet.
    this.hasContent ||= mpeg4Picture(payload) !== undefined;
    this.#pieces.push(payload);
    this.#bytes += payload.length;
    return this.#bytes <= LIMITS.bytes;
  }

  finish(): Unpacked | undefined {
    const data = Buffer.concat(this.#pieces, this.#bytes);
    this.drop();
    this.#describe(data);
    const picture = mpeg4Picture(data);
    if (this.#format === undefined || picture === undefined) return undefined;
    return { key: picture.kind === "I", data, format: this.#format };
  }

  drop(): void {
    this.#pieces = [];
    this.#bytes = 0;
    this.hasContent = false;
  }

  #describe(bytes: Buffer): void {
    const config = mpeg4Config(bytes);
    const size = config && mpeg4Size(config);
    if (config === undefined || size === undefined || this.#format?.config.equals(config) === true) return;
    // A copy: what it was found in is given away.
    this.#format = { codec: "MP4V-ES", ...size, config: Buffer.from(config) };
  }
}
