import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { Fault } from "../base/fault.ts";
import { assertWhole, elementAt } from "./ber.ts";

const LIMITS = {
  /** One message: one entry with all its values. */
  messageBytes: 8 * 1024 * 1024,
  /** Everything that the server sends on one request, a page of a search at most. */
  answerBytes: 32 * 1024 * 1024,
  /** The same in messages. A page has five hundred entries, and a few references to other servers. */
  answerMessages: 5000,
} as const;

/** LDAPMessage is a sequence of a number and an operation (RFC 4511 4.1.1). */
const SEQUENCE = 0x30;
const INTEGER = 0x02;

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
 * length that is too long, and ended by many short messages in one piece. One request is answered at a time.
 */
export class LdapStream extends Duplex {
  /** What `ldapts` asks of a socket to know that it stands. */
  readonly connecting = false;
  readonly readyState = "open";
  readonly #socket: Socket;
  readonly #frames = new Frames();
  #bytesLeft: number = LIMITS.answerBytes;
  #messagesLeft: number = LIMITS.answerMessages;
  /** The number of the last request. Only its answer is expected. */
  #asked: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    super({ readableObjectMode: true });
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
    socket.on("end", () => this.push(null));
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#asked = numberOf(chunk) ?? this.#asked;
    this.#bytesLeft = LIMITS.answerBytes;
    this.#messagesLeft = LIMITS.answerMessages;
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
    let more = true;
    try {
      this.#bytesLeft -= chunk.length;
      if (this.#bytesLeft < 0) throw refusal("an answer without end");
      for (const message of this.#frames.push(chunk)) {
        this.#messagesLeft -= 1;
        if (this.#messagesLeft < 0) throw refusal("an answer without end");
        if (numberOf(message)?.equals(this.#asked) !== true) throw refusal("a message that is no answer");
        more = this.push(message);
      }
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    if (!more) this.#socket.pause();
  }
}

/** The bytes of the number of a message that has an operation. */
function numberOf(message: Buffer): Buffer | undefined {
  const number = elementAt(message, elementAt(message, 0)?.start ?? 0);
  if (number?.tag !== INTEGER || elementAt(message, number.end) === undefined) return undefined;
  return message.subarray(number.start, number.end);
}

function refusal(what: string): Fault {
  const tell = `the directory server sent ${what}`;
  return new Fault("invalid", tell, { tell });
}
