import { expect } from "chai";
import * as fc from "fast-check";
import { isFault } from "../../../base/fault.ts";
import { Held } from "../../../rtsp/wire/held.ts";
import type { Interleaved, Message } from "../../../rtsp/wire/message.ts";
import { MessageParser } from "../../../rtsp/wire/parser.ts";
import { frameInterleaved, printRequest, printResponse } from "../../../rtsp/wire/print.ts";
import { garbled, orRefused } from "../../support/garbled.ts";
import { pieces, splits } from "../../support/splits.ts";
import { BROKEN, bytesOf, ENDLESS, FOR_CLIENTS_ONLY, request, STREAMS, TOLERATED } from "./streams.ts";

type Role = "server" | "client";

/** Channels 0 to 3 are the ones that a client has set up. */
const parserOf = (role: Role): MessageParser => new MessageParser({ role, isChannel: (channel) => channel < 4 });
const read = (role: Role, chunks: Iterable<Buffer>): readonly Message[] => {
  const parser = parserOf(role);
  return [...chunks].flatMap((chunk) => parser.push(chunk));
};

describe("the RTSP parser", () => {
  for (const role of ["server", "client"] as const)
    describe(`of a ${role}`, () => {
      for (const [name, text, messages] of STREAMS)
        it(`reads ${name}, however it is cut`, () => {
          for (const chunks of splits(bytesOf(text))) expect(read(role, chunks)).to.deep.equal(messages);
        });

      for (const [why, text] of BROKEN)
        it(`refuses ${why}, however it is cut`, () => {
          for (const chunks of splits(bytesOf(text))) expect(orRefused(() => read(role, chunks))).to.equal(undefined);
        });

      for (const [what, text] of ENDLESS)
        it(`refuses ${what} without end, before the end`, () => {
          for (const lengths of [[1], [7], [1460], [text.length]])
            expect(orRefused(() => read(role, pieces(bytesOf(text), lengths)))).to.equal(undefined);
        });

      it("reads whatever was printed, in whatever pieces it comes", () => {
        fc.assert(
          fc.property(fc.array(message, { maxLength: 12 }), cuts, (sent, lengths) => {
            expect(read(role, pieces(Buffer.concat(sent.map(print)), lengths))).to.deep.equal(sent);
          }),
        );
      });

      it("throws nothing but refusals, and holds no more than the longest message, whatever comes", () => {
        const texts = fc.oneof(
          garbled([...STREAMS, ...TOLERATED, ...BROKEN].map((row) => row[1])),
          fc.string({ unit: "binary", maxLength: 400 }),
        );
        fc.assert(
          fc.property(fc.array(texts, { maxLength: 6 }), cuts, (some, lengths) => {
            const bytes = bytesOf(some.join(""));
            const parser = parserOf(role);
            orRefused(() => {
              for (const chunk of pieces(bytes, lengths)) {
                for (const one of parser.push(chunk)) expect(sizeOf(one)).to.be.at.most(bytes.length);
                expect(parser.buffered).to.be.at.most(bytes.length);
              }
            });
          }),
          { numRuns: 500 },
        );
      });

      it("comes to the same messages whatever the pieces are, also where it refuses what follows", () => {
        fc.assert(
          fc.property(garbled([...STREAMS, ...TOLERATED].map((row) => row[1])), cuts, (text, lengths) => {
            const [cut, whole] = [pieces(bytesOf(text), lengths), [...pieces(bytesOf(text), [1])]].map((chunks) =>
              untilRefused(role, chunks),
            );
            expect(cut?.refused).to.equal(whole?.refused);
            // A refusal takes with it what the same piece had completed.
            expect(whole?.messages.slice(0, cut?.messages.length)).to.deep.equal(cut?.messages);
            if (cut?.refused === false) expect(cut.messages).to.have.length(whole?.messages.length ?? 0);
          }),
          { numRuns: 1000 },
        );
      });

      it("reads the longest body and the longest packet byte by byte, and holds no more of them", () => {
        const length = role === "server" ? 65_536 : 131_072;
        const body = Buffer.alloc(length, "RTSP/1.0 $\r\n");
        const sent: Message[] = [
          { ...request("SET_PARAMETER", [["Content-Length", String(length)]]), body } as Message,
          { type: "interleaved", channel: 0, payload: body.subarray(0, 65_535) },
        ];
        const parser = parserOf(role);
        let most = 0;
        const found = [...pieces(Buffer.concat(sent.map(print)), [1])].flatMap((chunk) => {
          const messages = parser.push(chunk);
          most = Math.max(most, parser.buffered);
          return messages;
        });
        expect(found).to.deep.equal(sent);
        expect(most).to.be.at.most(Math.max(length, 65_539));
        expect(parser.buffered).to.equal(0);
      });
    });

  for (const [name, text, messages] of TOLERATED)
    it(`of a client reads ${name}, however it is cut`, () => {
      for (const chunks of splits(bytesOf(text))) expect(read("client", chunks)).to.deep.equal(messages);
    });

  for (const [name, text] of TOLERATED.slice(0, 6))
    it(`of a server refuses ${name}, however it is cut`, () => {
      for (const chunks of splits(bytesOf(text))) expect(orRefused(() => read("server", chunks))).to.equal(undefined);
    });

  for (const [why, text] of FOR_CLIENTS_ONLY)
    it(`of a server refuses ${why}, however it is cut`, () => {
      for (const chunks of splits(bytesOf(text))) expect(orRefused(() => read("server", chunks))).to.equal(undefined);
    });

  it("of a client gives up a camera that sends nothing but rubbish, and counts anew behind each message", () => {
    const rubbish = Buffer.alloc(40_000, "rubbish ");
    const packetBytes = frameInterleaved(0, Buffer.of(1));
    expect(read("client", [rubbish, packetBytes, rubbish, packetBytes, rubbish])).to.have.length(2);
    expect(orRefused(() => read("client", [rubbish, rubbish]))).to.equal(undefined);
  });

  it("copies no packet that is whole in what came, also where the one before it is not", () => {
    const packets = Buffer.concat(Array.from({ length: 50 }, (_, one) => frameInterleaved(0, Buffer.alloc(200, one))));
    const chunk = Buffer.from(packets.subarray(100));
    const parser = parserOf("client");
    expect(parser.push(Buffer.from(packets.subarray(0, 100)))).to.deep.equal([]);
    const [first, ...rest] = parser.push(chunk) as Interleaved[];
    expect([...(first?.payload ?? [])]).to.deep.equal(Array.from({ length: 200 }, () => 0));
    expect(rest).to.have.length(49);
    for (const one of rest) expect(one.payload.buffer).to.equal(chunk.buffer);
  });

  it("keeps no chunk in memory for the few bytes behind its last message", () => {
    const held = new Held();
    const chunk = Buffer.alloc(65_536);
    held.append(chunk.subarray(65_000));
    expect(held.bytes.buffer).not.to.equal(chunk.buffer);
    expect(held.bytes.buffer.byteLength).to.be.below(4096);
  });

  it("moves what waits only when its room doubles, however small the pieces are", () => {
    const held = new Held();
    const rooms = new Set<ArrayBufferLike>();
    for (let count = 0; count < 65_536; count += 1) {
      held.append(Buffer.of(count & 0xff));
      rooms.add(held.bytes.buffer);
    }
    expect(rooms.size).to.be.at.most(6);
    expect(held.bytes.every((byte, at) => byte === (at & 0xff))).to.equal(true);
  });
});

const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 });

const field = fc.tuple(fc.stringMatching(/^X-[a-z]{1,8}$/), fc.stringMatching(/^(?:[!-~](?:[ -~]{0,20}[!-~])?)?$/));
const body = fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes));
const lengthOf = (bytes: Buffer): [string, string][] =>
  bytes.length > 0 ? [["Content-Length", String(bytes.length)]] : [];
const message: fc.Arbitrary<Message> = fc.oneof(
  fc
    .record({
      method: fc.constantFrom("OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE"),
      uri: fc.webUrl(),
      headers: fc.array(field, { maxLength: 5 }),
      body,
    })
    .map(
      (one): Message => ({
        ...one,
        type: "request",
        version: "1.0",
        headers: [...one.headers, ...lengthOf(one.body)],
      }),
    ),
  fc.record({ headers: fc.array(field, { maxLength: 5 }), body }).map(
    ({ headers, body: bytes }): Message => ({
      type: "response",
      status: 200,
      reason: "OK",
      body: bytes,
      headers: [...headers, ...lengthOf(bytes)],
    }),
  ),
  fc.record({ type: fc.constant("interleaved" as const), channel: fc.nat(3), payload: body }),
);

function print(one: Message): Buffer {
  if (one.type === "interleaved") return frameInterleaved(one.channel, one.payload);
  const headers = one.headers.filter(([name]) => name !== "Content-Length");
  return one.type === "request" ? printRequest({ ...one, headers }) : printResponse({ ...one, headers });
}

function sizeOf(one: Message): number {
  return one.type === "interleaved" ? one.payload.length + 4 : one.body.length;
}

function untilRefused(role: Role, chunks: readonly Buffer[]): { messages: Message[]; refused: boolean } {
  const parser = parserOf(role);
  const messages: Message[] = [];
  try {
    for (const chunk of chunks) messages.push(...parser.push(chunk));
    return { messages, refused: false };
  } catch (error) {
    expect(isFault(error, "invalid"), String(error)).to.equal(true);
    return { messages, refused: true };
  }
}
