import { Fault } from "../../base/fault.ts";

/**
 * Decodes base64 that comes in pieces, cut anywhere. A client may encode each of its messages by itself, so that padding stands
 * in the middle, too. Line ends and blanks are passed over; anything else is a Fault of kind `invalid`.
 */
export class Base64Stream {
  /** Less than a group of four. */
  #rest = "";

  /** What `chunk` completes. */
  push(chunk: Buffer): Buffer {
    const text = this.#rest + chunk.toString("latin1").replace(/[\r\n\t ]+/g, "");
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    if (!/^[A-Za-z0-9+/=]*$/.test(text)) throw new Fault("invalid", "not base64");
    return Buffer.concat((text.slice(0, whole).match(/[^=]+={0,2}|=+/g) ?? []).map(decoded));
  }
}

/** Up to padding, or to the end. */
function decoded(run: string): Buffer {
  if (run.length % 4 !== 0 || run.startsWith("=")) throw new Fault("invalid", "padding in the middle of base64");
  return Buffer.from(run, "base64");
}
