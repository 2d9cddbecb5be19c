import { Fault } from "../../base/fault.ts";
import { type Head, type Role, readHead, readLine } from "./head.ts";
import { Held } from "./held.ts";
import type { Message } from "./message.ts";

const LIMITS = {
  /** Start line, header line: a digest with a long address stays well below. */
  lineBytes: 8 * 1024,
  headBytes: 32 * 1024,
  headerLines: 64,
  /** What a camera may send between messages before we give up to find the next one. */
  garbageBytes: 64 * 1024,
  /** Blank lines of a client before a start line (RFC 2326 4.1 allows them). */
  blankBytes: 16,
};

/** What a camera's side of a connection has that it should not have, and that is passed over. */
export type Oddity = "line feed alone" | "rubbish";

const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const INTERLEAVED_HEADER_BYTES = 4;
const EMPTY = Buffer.alloc(0);

/** What a camera's message may begin with: an answer, or one of the requests that RFC 2326 lets a server send, and OPTIONS. */
const STARTS = ["RTSP/", "OPTIO", "GET_P", "SET_P", "ANNOU", "REDIR", "TEARD"].map((text) => Buffer.from(text));

/**
 * Cuts one side of an RTSP connection into messages, however the bytes arrive (RFC 2326 4, 10.12).
 *
 * In the server role a client's framing must be exact, because a message that two programs cut differently is an attack. In
 * the client role what is harmless is tolerated: lines that end with LF alone, and rubbish between messages, which is skipped up
 * to a bound.
 */
export class MessageParser {
  readonly #role: Role;
  readonly #onOddity: ((what: Oddity) => void) | undefined;
  readonly #isChannel: (channel: number) => boolean;
  readonly #held = new Held();
  /** How many bytes must be held before it is worth to look again; `line`: up to the end of a line. */
  #wants: number | "line" = 0;
  /** In what is held, no line ends before here. */
  #searched = 0;
  #lines: string[] = [];
  #headBytes = 0;
  /** Read already; its body is not complete. */
  #head: Head | undefined;
  #garbage = 0;

  /**
   * `isChannel`: in the client role, which interleaved channels there are; anything else behind a `$` is rubbish. `onOddity`: in
   * the client role, and possibly often.
   */
  constructor(
    options: {
      readonly role?: Role;
      readonly isChannel?: (channel: number) => boolean;
      readonly onOddity?: (what: Oddity) => void;
    } = {},
  ) {
    this.#role = options.role ?? "server";
    this.#onOddity = options.onOddity;
    this.#isChannel = options.isChannel ?? (() => true);
  }

  /** Bytes that wait for the rest of their line, packet or body. */
  get buffered(): number {
    return this.#held.length;
  }

  /**
   * The messages that `chunk` completes. Payloads are views into `chunk` or into a buffer that the parser gave up: they stay valid
   * as long as they are held, provided that `chunk` is not written to again. Fault `invalid` on broken framing; the connection
   * cannot be used after that.
   */
  push(chunk: Buffer): Message[] {
    const messages: Message[] = [];
    let rest = chunk;
    while (rest.length > 0 && this.#held.length > 0) {
      // Only what the held message lacks is copied: the many packets behind it stay where they are.
      const count = this.#lacks(rest);
      this.#held.append(rest.subarray(0, count));
      rest = rest.subarray(count);
      if (this.#wants !== "line" && this.#held.length < this.#wants) break;
      const { bytes } = this.#held;
      const used = this.#take(bytes, messages);
      if (used > 0) this.#held.replace(bytes.subarray(used));
    }
    if (rest.length > 0) {
      const used = this.#take(rest, messages);
      // A few waiting bytes must not keep a whole chunk of media in memory.
      this.#held.append(rest.subarray(used));
    }
    return messages;
  }

  #lacks(rest: Buffer): number {
    const count = this.#wants === "line" ? rest.indexOf(LF) + 1 : this.#wants - this.#held.length;
    return count > 0 && count < rest.length ? count : rest.length;
  }

  /** Takes all that is complete. Returns the bytes used. */
  #take(bytes: Buffer, messages: Message[]): number {
    let offset = 0;
    while (offset < bytes.length) {
      const step = this.#next(bytes, offset, messages);
      if (step === 0) break;
      this.#searched = 0;
      offset += step;
    }
    return offset;
  }

  /** Takes one line, body or packet, or a stretch to skip. Returns the bytes used; 0 when more are needed. */
  #next(bytes: Buffer, offset: number, messages: Message[]): number {
    if (this.#head !== undefined) return this.#body(bytes, offset, this.#head, messages);
    if (this.#lines.length > 0) return this.#line(bytes, offset, messages);
    const first = bytes[offset];
    if (first === DOLLAR) return this.#interleaved(bytes, offset, messages);
    const client = this.#role === "client";
    if (first === CR || first === LF) return this.#skip(1, client ? LIMITS.garbageBytes : LIMITS.blankBytes);
    if (client && !startsMessage(bytes, offset)) return this.#resync(bytes, offset);
    return this.#line(bytes, offset, messages);
  }

  #interleaved(bytes: Buffer, offset: number, messages: Message[]): number {
    const here = bytes.length - offset;
    this.#wants = INTERLEAVED_HEADER_BYTES;
    if (here < this.#wants) return 0;
    const channel = bytes.readUInt8(offset + 1);
    if (this.#role === "client" && !this.#isChannel(channel)) return this.#skip(1, LIMITS.garbageBytes);
    this.#wants = INTERLEAVED_HEADER_BYTES + bytes.readUInt16BE(offset + 2);
    if (here < this.#wants) return 0;
    this.#garbage = 0;
    const payload = bytes.subarray(offset + INTERLEAVED_HEADER_BYTES, offset + this.#wants);
    messages.push({ type: "interleaved", channel, payload });
    return this.#wants;
  }

  /** Reads a line of a head; behind the last one a message is complete, or its body comes next. */
  #line(bytes: Buffer, offset: number, messages: Message[]): number {
    const lf = bytes.indexOf(LF, offset + this.#searched);
    const length = (lf < 0 ? bytes.length : lf) - offset;
    if (length > LIMITS.lineBytes) throw new Fault("invalid", `line longer than ${LIMITS.lineBytes} bytes`);
    if (this.#headBytes + length > LIMITS.headBytes)
      throw new Fault("invalid", `head longer than ${LIMITS.headBytes} bytes`);
    if (lf < 0) {
      this.#searched = length;
      this.#wants = "line";
      return 0;
    }
    const line = readLine(bytes, offset, lf, this.#role);
    if (bytes[lf - 1] !== CR) this.#onOddity?.("line feed alone");
    this.#headBytes += length + 1;
    if (line !== "") {
      if (this.#lines.length > LIMITS.headerLines)
        throw new Fault("invalid", `more than ${LIMITS.headerLines} header lines`);
      this.#lines.push(line);
      return length + 1;
    }
    const head = readHead(this.#lines, this.#role);
    this.#lines = [];
    this.#headBytes = 0;
    this.#garbage = 0;
    if (head.bodyBytes > 0) this.#head = head;
    else messages.push({ ...head.message, body: EMPTY });
    return length + 1;
  }

  #body(bytes: Buffer, offset: number, { message, bodyBytes }: Head, messages: Message[]): number {
    this.#wants = bodyBytes;
    if (bytes.length - offset < bodyBytes) return 0;
    this.#head = undefined;
    messages.push({ ...message, body: Buffer.from(bytes.subarray(offset, offset + bodyBytes)) });
    return bodyBytes;
  }

  /** Skips to the next byte that may begin something. */
  #resync(bytes: Buffer, offset: number): number {
    this.#onOddity?.("rubbish");
    let at = offset + 1;
    while (at < bytes.length && bytes[at] !== DOLLAR && !startsMessage(bytes, at)) at += 1;
    return this.#skip(at - offset, LIMITS.garbageBytes);
  }

  #skip(count: number, most: number): number {
    this.#garbage += count;
    if (this.#garbage > most) throw new Fault("invalid", `more than ${most} bytes between messages`);
    return count;
  }
}

/** True while the bytes at `offset` can still be the beginning of a message. */
function startsMessage(bytes: Buffer, offset: number): boolean {
  return STARTS.some((start) => {
    // Byte by byte, for this runs for every byte of rubbish: comparing views made 64 KiB of it cost 35 ms.
    const end = Math.min(start.length, bytes.length - offset);
    for (let at = 0; at < end; at += 1) if (bytes[offset + at] !== start[at]) return false;
    return true;
  });
}
