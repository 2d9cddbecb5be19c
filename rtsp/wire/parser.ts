import { Fault } from "../../base/fault.ts";
import type { Headers, Interleaved, Message, Request, Response } from "./message.ts";

const LIMITS = {
  /** Start line, header line: a digest with a long address stays well below. */
  lineBytes: 8 * 1024,
  headBytes: 32 * 1024,
  headerLines: 64,
  /** SDP of a camera with many tracks and inline parameter sets; clients send next to nothing. */
  bodyBytes: { client: 128 * 1024, server: 64 * 1024 },
  /** What a camera may send between messages before we give up to find the next one. */
  garbageBytes: 64 * 1024,
  /** Blank lines before a start line (RFC 2326 4.1 allows them). */
  blankBytes: 16,
};

const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const INTERLEAVED_HEADER_BYTES = 4;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const REQUEST_LINE = /^([A-Z_]{1,32}) (\S+) RTSP\/(\d\.\d)$/;
const STATUS_LINE = /^RTSP\/\d\.\d (\d{3})(?: (.*))?$/;

/** A field that says how long a message is or which request an answer belongs to: two values would be two readings. */
const SINGLE = new Set(["content-length", "cseq"]);

interface Head {
  readonly start: string;
  readonly headers: Headers;
  readonly bodyBytes: number;
}

/**
 * Cuts one side of an RTSP connection into messages, however the bytes arrive (RFC 2326 4, 10.12).
 *
 * In the server role a client's framing must be exact, because a message that two programs cut differently is an attack. In
 * the client role what is harmless is tolerated: lines that end with LF alone, and rubbish between messages, which is skipped up
 * to a bound.
 */
export class MessageParser {
  readonly #role: "server" | "client";
  readonly #isChannel: (channel: number) => boolean;
  #pending: Buffer = Buffer.alloc(0);
  #head: Head | undefined;
  #garbage = 0;

  /** `isChannel`: in the client role, which interleaved channels there are; anything else behind a `$` is rubbish. */
  constructor(
    options: { readonly role?: "server" | "client"; readonly isChannel?: (channel: number) => boolean } = {},
  ) {
    this.#role = options.role ?? "server";
    this.#isChannel = options.isChannel ?? (() => true);
  }

  /** Bytes of a message that is not complete yet. */
  get buffered(): number {
    return this.#pending.length;
  }

  /**
   * The messages that `chunk` completes. Payloads are views into `chunk` or into a buffer that the parser gave up: they stay valid
   * as long as they are held, provided that `chunk` is not written to again. Fault `invalid` on broken framing; the connection
   * cannot be used after that.
   */
  push(chunk: Buffer): Message[] {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const messages: Message[] = [];
    let offset = 0;
    for (;;) {
      const step = this.#next(bytes, offset, messages);
      if (step === 0) break;
      offset += step;
    }
    this.#pending = offset === 0 ? bytes : bytes.subarray(offset);
    // A few waiting bytes must not keep a whole chunk of media in memory.
    if (offset > 0 && this.#pending.length > 0) this.#pending = Buffer.from(this.#pending);
    return messages;
  }

  /** Takes one message, or a stretch to skip, from `offset` on. Returns the bytes used; 0 when more are needed. */
  #next(bytes: Buffer, offset: number, messages: Message[]): number {
    if (this.#head !== undefined) return this.#body(bytes, offset, this.#head, messages);
    const first = bytes[offset];
    if (first === undefined) return 0;
    if (first === DOLLAR) return this.#interleaved(bytes, offset, messages);
    if (first === CR || first === LF) return this.#skip(1, LIMITS.blankBytes);
    if (this.#role === "client" && !startsMessage(bytes, offset)) return this.#resync(bytes, offset);
    return this.#headSection(bytes, offset);
  }

  #interleaved(bytes: Buffer, offset: number, messages: Message[]): number {
    if (bytes.length - offset < INTERLEAVED_HEADER_BYTES) return 0;
    const channel = bytes[offset + 1] as number;
    if (this.#role === "client" && !this.#isChannel(channel)) return this.#skip(1, LIMITS.garbageBytes);
    const length = bytes.readUInt16BE(offset + 2);
    const end = offset + INTERLEAVED_HEADER_BYTES + length;
    if (bytes.length < end) return 0;
    this.#garbage = 0;
    const message: Interleaved = {
      type: "interleaved",
      channel,
      payload: bytes.subarray(offset + INTERLEAVED_HEADER_BYTES, end),
    };
    messages.push(message);
    return end - offset;
  }

  /** Reads a start line and the header lines behind it; the body is the next step. */
  #headSection(bytes: Buffer, offset: number): number {
    const lines: string[] = [];
    let at = offset;
    for (;;) {
      const end = bytes.indexOf(LF, at);
      if (end < 0) {
        if (bytes.length - at > LIMITS.lineBytes)
          throw new Fault("invalid", `line longer than ${LIMITS.lineBytes} bytes`);
        if (bytes.length - offset > LIMITS.headBytes)
          throw new Fault("invalid", `head longer than ${LIMITS.headBytes} bytes`);
        return 0;
      }
      if (end - at > LIMITS.lineBytes) throw new Fault("invalid", `line longer than ${LIMITS.lineBytes} bytes`);
      const line = this.#line(bytes, at, end);
      at = end + 1;
      if (line === "") break;
      lines.push(line);
      if (lines.length > LIMITS.headerLines + 1)
        throw new Fault("invalid", `more than ${LIMITS.headerLines} header lines`);
      if (at - offset > LIMITS.headBytes) throw new Fault("invalid", `head longer than ${LIMITS.headBytes} bytes`);
    }
    const [start = "", ...rest] = lines;
    const headers = this.#headers(rest);
    this.#head = { start, headers, bodyBytes: this.#bodyBytes(headers) };
    this.#garbage = 0;
    return at - offset;
  }

  #line(bytes: Buffer, from: number, lf: number): string {
    const crlf = lf > from && bytes[lf - 1] === CR;
    if (!crlf && this.#role === "server") throw new Fault("invalid", "line ends with LF alone");
    const text = bytes.toString("latin1", from, crlf ? lf - 1 : lf);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here.
    if (/[\u0000\r]/.test(text)) throw new Fault("invalid", "NUL or bare CR in a line");
    return text;
  }

  #headers(lines: readonly string[]): Headers {
    const headers: [string, string][] = [];
    const seen = new Set<string>();
    for (const line of lines) {
      const last = headers.at(-1);
      if (/^[ \t]/.test(line)) {
        if (this.#role === "server" || last === undefined) throw new Fault("invalid", "folded header line");
        last[1] = `${last[1]} ${line.trim()}`;
        continue;
      }
      const colon = line.indexOf(":");
      const name = colon < 0 ? "" : line.slice(0, colon);
      const plain = this.#role === "client" ? name.trim() : name;
      if (!TOKEN.test(plain)) {
        if (this.#role === "server") throw new Fault("invalid", `header line without a name: ${line.slice(0, 80)}`);
        continue;
      }
      const key = plain.toLowerCase();
      if (SINGLE.has(key)) {
        if (seen.has(key)) throw new Fault("invalid", `${plain} stands twice`);
        seen.add(key);
      }
      headers.push([plain, line.slice(colon + 1).trim()]);
    }
    return headers;
  }

  #bodyBytes(headers: Headers): number {
    const text = headers.find(([name]) => name.toLowerCase() === "content-length")?.[1];
    if (text === undefined) return 0;
    const length = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    const most = LIMITS.bodyBytes[this.#role];
    if (!(length <= most)) throw new Fault("invalid", `Content-Length ${text.slice(0, 40)}: at most ${most}`);
    return length;
  }

  #body(bytes: Buffer, offset: number, head: Head, messages: Message[]): number {
    if (bytes.length - offset < head.bodyBytes) return 0;
    this.#head = undefined;
    const body = Buffer.from(bytes.subarray(offset, offset + head.bodyBytes));
    messages.push(messageOf(head, body));
    // A message without a body takes no bytes here, but the loop has to go on.
    return head.bodyBytes === 0 ? this.#next(bytes, offset, messages) : head.bodyBytes;
  }

  /** Skips to the next byte that may begin something. */
  #resync(bytes: Buffer, offset: number): number {
    for (let at = offset + 1; at < bytes.length; at += 1)
      if (bytes[at] === DOLLAR || startsMessage(bytes, at)) return this.#skip(at - offset, LIMITS.garbageBytes);
    return this.#skip(bytes.length - offset, LIMITS.garbageBytes);
  }

  #skip(count: number, most: number): number {
    this.#garbage += count;
    if (this.#garbage > most) throw new Fault("invalid", `more than ${most} bytes between messages`);
    return count;
  }
}

/** True while the bytes at `offset` can still be the beginning of `RTSP/` or of a request that a camera may send. */
function startsMessage(bytes: Buffer, offset: number): boolean {
  const text = bytes.toString("latin1", offset, Math.min(bytes.length, offset + 5));
  if ("RTSP/".startsWith(text)) return true;
  return ["OPTIO", "GET_P", "SET_P", "ANNOU", "REDIR", "TEARD"].some((method) => method.startsWith(text));
}

function messageOf(head: Head, body: Buffer): Request | Response {
  const status = STATUS_LINE.exec(head.start);
  if (status !== null)
    return { type: "response", status: Number(status[1]), reason: status[2] ?? "", headers: head.headers, body };
  const request = REQUEST_LINE.exec(head.start);
  if (request === null) throw new Fault("invalid", `neither request nor status line: ${head.start.slice(0, 80)}`);
  return { type: "request", method: request[1] ?? "", uri: request[2] ?? "", headers: head.headers, body };
}
