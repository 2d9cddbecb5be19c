import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { Fault, isFault } from "../../base/fault.ts";
import { peekHead } from "../../net/http-head.ts";
import { Base64Stream } from "../../rtsp/wire/base64-stream.ts";
import type { Role } from "../../rtsp/wire/head.ts";
import type { Message } from "../../rtsp/wire/message.ts";
import { MessageParser } from "../../rtsp/wire/parser.ts";
import { frameInterleaved, printRequest, printResponse } from "../../rtsp/wire/print.ts";
import { cutUp, holds, type Target, target } from "../target.ts";

/** No message of a camera or client is longer than its head and the longest body or packet. */
const LONGEST = 32 * 1024 + 128 * 1024;

const WORDS =
  "OPTIONS DESCRIBE SETUP PLAY GET_PARAMETER RTSP/1.0 RTSP/ 200 \r\n \r\n\r\n \n\n \r : $ $\0\0\x01 $\x01\xff\xff \0 \t " +
  "CSeq:1 Content-Length: Content-Length:0 Content-Length:5 Transfer-Encoding:chunked Session: rtsp://h/a *";

interface Read {
  readonly messages: readonly Message[];
  readonly refused: boolean;
}

function read(role: Role, pieces: readonly Buffer[]): Read {
  const parser = new MessageParser({ role, isChannel: (channel) => channel < 4 });
  const messages: Message[] = [];
  try {
    for (const piece of pieces) {
      messages.push(...parser.push(piece));
      holds(parser.buffered <= LONGEST, "no more is held than the longest message");
    }
    return { messages, refused: false };
  } catch (error) {
    if (!isFault(error, "invalid")) throw error;
    return { messages, refused: true };
  }
}

/** As it was received, but with a length that is its body's. */
function printed(message: Message): Buffer {
  if (message.type === "interleaved") return frameInterleaved(message.channel, message.payload);
  const headers = message.headers.filter(([name]) => name.toLowerCase() !== "content-length");
  return message.type === "request" ? printRequest({ ...message, headers }) : printResponse({ ...message, headers });
}

/** Without what printing decides: where the length stands, the reason, and our own version. */
function plain(message: Message): unknown {
  if (message.type === "interleaved") return message;
  const headers = message.headers.filter(([name]) => name.toLowerCase() !== "content-length");
  if (message.type === "request") return { ...message, headers, version: "1.0" };
  return { ...message, headers, reason: "" };
}

function messages(role: Role): Target {
  return target({
    name: `rtsp-${role}`,
    words: WORDS,
    run(input) {
      const whole = read(role, [Buffer.from(input)]);
      const cut = read(role, cutUp(input));
      holds(whole.refused === cut.refused, "it is refused however it is cut");
      const both = Math.min(whole.messages.length, cut.messages.length);
      // A refusal takes with it what the same piece had completed.
      holds(whole.refused || whole.messages.length === cut.messages.length, "there are as many messages");
      holds(
        isDeepStrictEqual(whole.messages.slice(0, both), cut.messages.slice(0, both)),
        "they are the same however they are cut",
      );
      for (const message of cut.messages) {
        const again = read(role, [printedOrSkip(message)]).messages;
        holds(isDeepStrictEqual(again.map(plain), [plain(message)]), "what was read is read again as it was printed");
      }
    },
  });
}

/** Cameras may send control characters, which we never print: that is refused. */
function printedOrSkip(message: Message): Buffer {
  try {
    return printed(message);
  } catch (error) {
    if (isFault(error, "internal")) throw new Fault("invalid", "not for printing", { cause: error });
    throw error;
  }
}

/** As much of a socket as looking at its first request needs. */
class FirstBytes extends EventEmitter {
  taken: Buffer = Buffer.alloc(0);
  destroyed = false;

  pause(): this {
    return this;
  }

  unshift(bytes: Buffer): void {
    this.taken = bytes;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

const NO_TIME = {
  after: () => ({ cancel: () => undefined }),
} as unknown as Parameters<typeof peekHead>[1];

async function peeked(pieces: readonly Buffer[]): Promise<unknown> {
  const socket = new FirstBytes();
  const looking = peekHead(socket as unknown as Socket, NO_TIME);
  const given: Buffer[] = [];
  for (const piece of pieces.filter(({ length }) => length > 0)) {
    if (socket.listenerCount("data") === 0) break;
    socket.emit("data", piece);
    given.push(piece);
  }
  if (socket.listenerCount("data") > 0) return "waits";
  const { head, undo } = await looking;
  undo();
  holds(socket.taken.equals(Buffer.concat(given)), "every byte is put back");
  return head && { method: head.method, fields: [...head.fields] };
}

function decoded(pieces: readonly Buffer[]): Buffer {
  const stream = new Base64Stream();
  return Buffer.concat(pieces.map((piece) => stream.push(piece)));
}

export const TARGETS: readonly Target[] = [
  messages("server"),
  messages("client"),
  target({
    name: "http-head",
    maxBytes: 20_000,
    words: "GET POST / HTTP/1.0 \r\n \r\n\r\n Accept: x-sessioncookie: application/x-rtsp-tunnelled : Upgrade",
    async run(input) {
      const whole = await peeked([input]);
      const cut = await peeked(cutUp(input));
      // Beyond the limit it matters how much had come when somebody looked.
      if (input.length <= 16 * 1024) holds(isDeepStrictEqual(whole, cut), "the head is the same however it is cut");
    },
  }),
  target({
    name: "base64-stream",
    words: "= == T1BUSU9OUw== \r\n QQ== QUI= QUJD - _",
    run(input) {
      const whole = decoded([input]);
      holds(whole.equals(decoded(cutUp(input))), "it is the same however it is cut");
      holds(whole.length <= Math.ceil(input.length / 4) * 3, "it does not grow");
    },
  }),
];
