import type { Unpacked, Unpacker } from "./access-units.ts";
import type { SampleFormat } from "./sample.ts";

const LIMITS = {
  /** Of one XML document. Those of cameras with many detected objects have some 100 KiB. */
  bytes: 16 * 1024 * 1024,
};

const FORMAT: SampleFormat = { codec: "VND.ONVIF.METADATA" };

/** XML documents of a metadata stream; the marker ends one (ONVIF Streaming 5.1.2.1). */
export class DocumentUnpacker implements Unpacker {
  readonly holds = false;
  #pieces: Buffer[] = [];
  #bytes = 0;

  get hasContent(): boolean {
    return this.#bytes > 0;
  }

  /** Every document begins with an element or a declaration. */
  get fromStart(): boolean {
    return this.#pieces[0]?.toString("latin1", 0, 64).replace("\xef\xbb\xbf", "").trimStart().startsWith("<") ?? false;
  }

  get atEnd(): boolean {
    return true;
  }

  add(bytes: Buffer, start: number, end: number): boolean {
    const payload = bytes.subarray(start, end);
    this.#pieces.push(payload);
    this.#bytes += payload.length;
    return this.#bytes <= LIMITS.bytes;
  }

  finish(): Unpacked {
    const data = Buffer.concat(this.#pieces, this.#bytes);
    this.drop();
    return { key: true, data, format: FORMAT };
  }

  drop(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }
}
