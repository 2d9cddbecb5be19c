import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { Fault } from "../base/fault.ts";
import { assertWhole, elementAt } from "./ber.ts";

const LIMITS = {
  /** One message: one entry with all its values. */
  messageBytes: 8 * 1024 * 1024,
  /** Everything that the server sends on one request, a page of a search at most. */
  answerBytes: 32 * 1024 * 1024,
} as const;

/** LDAPMessage is a sequence (RFC 4511 4.1.1). */
const SEQUENCE = 0x30;

/** Puts bytes together to whole LDAP messages, each well-formed. Memory is taken as bytes arrive, never for what is announced. */
export class Frames {
  #buffer = Buffer.alloc(0);
  #length = 0;

  /** Bytes of a message that is not whole yet. */
  get pending(): number {
    return this.#length;
  }

  /** The messages that are whole now. Throws `invalid`. */
  push(chunk: Buffer): readonly Buffer[] {
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(needed, 2 * this.#length));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.#length);
    this.#length = needed;
    const messages: Buffer[] = [];
    let at = 0;
    for (let end = this.#endOf(at); end !== undefined && end <= this.#length; end = this.#endOf(at)) {
      const message = Buffer.from(this.#buffer.subarray(at, end));
      assertWhole(message);
      messages.push(message);
      at = end;
    }
    this.#buffer.copyWithin(0, at, this.#length);
    this.#length -= at;
    return messages;
  }

  #endOf(at: number): number | undefined {
    const element = elementAt(this.#buffer.subarray(0, this.#length), at);
    if (element === undefined) return undefined;
    if (element.tag !== SEQUENCE || element.end - at > LIMITS.messageBytes)
      throw new Fault("invalid", `a message with tag ${element.tag} of ${element.end - at} bytes`, {
        tell: "the directory server sent something that is not LDAP, or an entry that is too large",
      });
    return element.end;
  }
}

/**
 * A connected socket as `ldapts` may have it: one whole, well-formed message at a time. By itself it can be kept busy for ever by a
 * length that is too long, and ended by many short messages in one piece.
 */
export class LdapStream extends Duplex {
  /** What `ldapts` asks of a socket to know that it stands. */
  readonly connecting = false;
  readonly readyState = "open";
  readonly #socket: Socket;
  readonly #frames = new Frames();
  #left: number = LIMITS.answerBytes;

  constructor(socket: Socket) {
    super({ readableObjectMode: true });
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
    socket.on("end", () => this.push(null));
  }

  /** A new request begins: its answer may be as long as any. */
  expectAnswer(): void {
    this.#left = LIMITS.answerBytes;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #received(chunk: Buffer): void {
    this.#left -= chunk.length;
    if (this.#left < 0) {
      this.destroy(new Fault("invalid", "the directory server's answer has no end", { tell: TOO_LONG }));
      return;
    }
    let more = true;
    try {
      for (const message of this.#frames.push(chunk)) more = this.push(message);
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    if (!more) this.#socket.pause();
  }
}

const TOO_LONG = `the directory server sent more than ${LIMITS.answerBytes / 1024 / 1024} MiB on one request`;
