import { expect } from "chai";
import * as fc from "fast-check";
import { readRtcp } from "../../media/rtcp.ts";
import { readRtp, writeRtpHeader } from "../../media/rtp.ts";
import { TalkQueue } from "../../media/talk-queue.ts";
import type { Track } from "../../media/track.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { START } from "./receiver-fixture.ts";

const PCMU: Track = {
  kind: "audio",
  codec: "PCMU",
  encoding: "PCMU",
  payloadType: 0,
  clockRateHz: 8000,
  channels: 1,
  fmtp: "",
};
/** 20 ms. */
const SAMPLES = 160;

interface Said {
  readonly sequence: number;
  readonly timestamp?: number;
  readonly payloadType?: number;
  readonly ssrc?: number;
  readonly bytes?: number;
}

function packetOf({
  sequence,
  timestamp = sequence * SAMPLES,
  payloadType = 0,
  ssrc = 7,
  bytes = SAMPLES,
}: Said): Buffer {
  const packet = Buffer.alloc(12 + bytes, sequence & 0xff);
  writeRtpHeader(packet, { marker: false, payloadType, sequence, timestamp, ssrc });
  return packet;
}

describe("the queue of one who talks to a camera", () => {
  let clock: VirtualClock;
  let queue: TalkQueue;
  let sent: Buffer[];

  const start = (track = PCMU): void => {
    clock = new VirtualClock(START);
    sent = [];
    queue = new TalkQueue({ clock, track, send: (packet) => void sent.push(packet) });
  };
  beforeEach(() => start());
  afterEach(() => {
    queue.close();
    expect(clock.pending).to.equal(0);
  });

  /** The first byte of each payload that was sent: the talker's sequence number. */
  const heard = (): readonly (number | undefined)[] => sent.map((packet) => packet[12]);
  const push = (...said: readonly Said[]): void => {
    for (const one of said) queue.push(packetOf(one));
  };
  const speech = (from: number, to: number): readonly Said[] =>
    Array.from({ length: to - from }, (_, index) => ({ sequence: from + index }));

  it("sends on what comes in time at once, with numbers of its own that go on one by one", async () => {
    for (const one of speech(0, 10)) {
      push(one);
      await clock.advance(20);
    }
    expect(heard()).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const packets = sent.map(readRtp);
    const [first] = packets;
    for (const [index, { sequence, timestamp, ssrc, payloadType, payload }] of packets.entries()) {
      expect((sequence - (first?.sequence ?? 0)) & 0xffff).to.equal(index);
      expect((timestamp - (first?.timestamp ?? 0)) >>> 0).to.equal(index * SAMPLES);
      expect([ssrc, payloadType, payload.length]).to.deep.equal([first?.ssrc, 0, SAMPLES]);
    }
    expect(first?.ssrc).not.to.equal(7);
  });

  it("sends what comes in a heap no faster than it is heard, and of a longer heap the newest half second", async () => {
    push(...speech(0, 100));
    const atOnce = sent.length;
    expect(atOnce, "a tenth of a second, and the one that is due").to.equal(6);
    await clock.advance(100);
    expect(sent.length - atOnce).to.equal(5);
    await clock.advance(5000);
    expect(heard().slice(atOnce)).to.deep.equal(Array.from({ length: 25 }, (_, index) => 75 + index));
  });

  it("leaves out what the network stalled too long, and goes on with what is said now", async () => {
    push(...speech(0, 1));
    await clock.advance(3000);
    push(...speech(1, 150));
    await clock.advance(600);
    push(...speech(150, 151));
    await clock.advance(20);
    expect(heard().at(-1)).to.equal(150);
    expect(sent.length).to.be.lessThan(40);
  });

  const refused: readonly (readonly [what: string, packet: Buffer])[] = [
    ["nothing", Buffer.alloc(0)],
    ["no RTP", Buffer.alloc(100)],
    ["another format", packetOf({ sequence: 1, payloadType: 8 })],
    ["a packet without sound", packetOf({ sequence: 1, bytes: 0 })],
    ["a packet of more than 2 KiB", packetOf({ sequence: 1, bytes: 2049 })],
  ];
  for (const [what, packet] of refused)
    it(`passes over ${what}`, () => {
      queue.push(packet);
      expect(sent).to.deep.equal([]);
    });

  it("takes a packet once, and none that comes after its successor", async () => {
    for (const sequence of [5, 5, 6, 4, 6, 7]) {
      push({ sequence });
      await clock.advance(20);
    }
    expect(heard()).to.deep.equal([5, 6, 7]);
  });

  const jumps: readonly (readonly [what: string, said: Said])[] = [
    ["another source", { sequence: 9000, timestamp: 5, ssrc: 8 }],
    ["timestamps that go back", { sequence: 1, timestamp: 0 }],
    ["timestamps that jump by more than ten seconds", { sequence: 1, timestamp: 160 + 80_001 }],
    ["sequence numbers that begin anew", { sequence: 40_000, timestamp: 3 }],
  ];
  for (const [what, said] of jumps)
    it(`goes on by the time that has passed at ${what}`, async () => {
      push({ sequence: 0, timestamp: 160 });
      await clock.advance(1000);
      push(said);
      const [one, two] = sent.map(readRtp);
      expect(((two?.timestamp ?? 0) - (one?.timestamp ?? 0)) >>> 0).to.equal(8000);
    });

  it("leaves a pause of the talker as it is", () => {
    push({ sequence: 0 }, { sequence: 1, timestamp: 40_000 });
    const [one, two] = sent.map(readRtp);
    expect(((two?.timestamp ?? 0) - (one?.timestamp ?? 0)) >>> 0).to.equal(40_000);
  });

  it("reports how its time stamps go with the clock", async () => {
    expect(queue.report()).to.equal(undefined);
    push({ sequence: 0 });
    await clock.advance(500);
    const { senders } = readRtcp(queue.report() ?? Buffer.alloc(0));
    const [packet] = sent.map(readRtp);
    expect(senders[0]?.ssrc).to.equal(packet?.ssrc);
    expect(((senders[0]?.rtpTime ?? 0) - (packet?.timestamp ?? 0)) >>> 0).to.equal(4000);
  });

  it("never holds more than half a second and never sends faster than the sound goes, whatever comes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(
          fc.record({
            sequence: fc.nat(0xffff),
            timestamp: fc.nat(0xffff_ffff),
            ssrc: fc.constantFrom(7, 8),
            bytes: fc.constantFrom(1, 160, 1600, 2048),
            waitMs: fc.constantFrom(0, 1, 20, 700),
          }),
          { maxLength: 60 },
        ),
        async (compressed, all) => {
          start(compressed ? { ...PCMU, codec: "MPEG4-GENERIC", encoding: "MPEG4-GENERIC" } : PCMU);
          for (const { waitMs, ...said } of all) {
            push(said);
            expect(queue.heldMs).to.be.at.most(compressed ? 500 : 500 + 256);
            await clock.advance(waitMs);
          }
          const elapsedMs = clock.monotonic();
          if (!compressed) {
            const soundMs = sent.reduce((sum, packet) => sum + (packet.length - 12) / 8, 0);
            expect(soundMs).to.be.at.most(elapsedMs + 100 + 256);
          } else expect(sent.length).to.be.at.most((elapsedMs + 100) / 2 + 1);
          queue.close();
          expect(clock.pending).to.equal(0);
        },
      ),
      { numRuns: 30 },
    );
  });
});
