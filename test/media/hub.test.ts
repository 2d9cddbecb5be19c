import { expect } from "chai";
import { isFault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { unixMillis } from "../../base/units.ts";
import { FRAME_HEADER_BYTES, FramedPackets, writeFrameHeader } from "../../media/framed-packets.ts";
import { PacketGroup } from "../../media/group.ts";
import { Hub } from "../../media/hub.ts";
import { ReusedMemory } from "../../media/reused-memory.ts";
import type { Track } from "../../media/track.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { START, videoTrack } from "./receiver-fixture.ts";

const VIDEO = videoTrack("H264");
const AUDIO: Track = { ...VIDEO, kind: "audio", codec: "PCMU", encoding: "PCMU", payloadType: 0, clockRateHz: 8000 };

interface GroupOptions {
  readonly track?: number;
  readonly key?: boolean;
  readonly discontinuity?: boolean;
  readonly bytes?: number;
  readonly atMs?: number;
}

function group(o: GroupOptions = {}): PacketGroup {
  const { track = 0, key = false, discontinuity = false, bytes = 20, atMs = 0 } = o;
  const at = unixMillis(START + atMs);
  return new PacketGroup({ track, key, discontinuity, rtpTime: 0, at, quality: "arrival" }, [Buffer.alloc(bytes)]);
}

describe("the hub of a stream", () => {
  let clock: VirtualClock;
  let hub: Hub;

  beforeEach(() => {
    clock = new VirtualClock(START);
    hub = new Hub({ clock, log: silentLog() });
    hub.describe([VIDEO, AUDIO], [1, 2]);
  });
  afterEach(() => expect(clock.pending).to.equal(0));

  /** Joins a reader that notes what it gets. */
  const join = (): { readonly got: PacketGroup[]; changes: number; leave(): void } => {
    const reader = { got: [] as PacketGroup[], changes: 0, leave: (): void => undefined };
    reader.leave = hub.join({
      deliver: (one) => reader.got.push(one),
      changed: () => {
        reader.changes += 1;
      },
    });
    return reader;
  };
  const publish = (...groups: readonly PacketGroup[]): readonly PacketGroup[] => {
    for (const one of groups) hub.publish(one);
    return groups;
  };

  it("makes a reader wait for the first key frame of the picture", () => {
    const reader = join();
    publish(group(), group({ track: 1, key: true }));
    const shown = publish(group({ key: true }), group({ track: 1, key: true }), group());
    expect(reader.got).to.deep.equal(shown);
  });

  it("gives a reader who joins everything since the newest key frame, and goes on without gap or repeat", () => {
    publish(group({ key: true }), group());
    const kept = publish(group({ key: true }), group({ track: 1, key: true }), group());
    const reader = join();
    expect(reader.got).to.deep.equal(kept);
    const live = publish(group(), group({ track: 1, key: true }), group({ key: true }), group());
    expect(reader.got).to.deep.equal([...kept, ...live]);
  });

  it("gives all readers the same objects", () => {
    const [one, two] = [join(), join()];
    publish(group({ key: true }), group());
    for (const [index, got] of one.got.entries()) expect(two.got[index]).to.equal(got);
  });

  it("begins at once where there is no picture", () => {
    hub.describe([AUDIO], [2]);
    const reader = join();
    const sent = publish(group({ key: true }), group({ key: true }));
    expect(reader.got).to.deep.equal(sent);
    const late = join();
    expect(late.got).to.deep.equal([]);
    publish(group({ key: true }));
    expect(late.got).to.have.length(1);
  });

  it("keeps nothing beyond 16 MiB or 20 seconds, until the next key frame", () => {
    publish(group({ key: true, bytes: 60_000 }));
    for (let count = 0; count < 300; count += 1) publish(group({ bytes: 60_000 }));
    expect(join().got).to.deep.equal([]);
    publish(group({ key: true }));
    expect(join().got).to.have.length(1);
    publish(group({ atMs: 20_001 }));
    expect(join().got).to.deep.equal([]);
  });

  it("counts what groups cost, not only their bytes: a camera can send a million of almost nothing", () => {
    publish(group({ key: true }));
    for (let count = 0; count < 30_000; count += 1) publish(group({ track: 1, key: true, bytes: 12 }));
    expect(join().got).to.deep.equal([]);
  });

  it("keeps nothing that is damaged", () => {
    publish(group({ key: true }), group(), group({ discontinuity: true }), group());
    const reader = join();
    expect(reader.got).to.deep.equal([]);
    publish(group(), group({ key: true, discontinuity: true }));
    expect(reader.got).to.have.length(1);
    expect(join().got).to.have.length(1);
  });

  it("does not stop for lost sound", () => {
    publish(group({ key: true }), group({ track: 1, key: true, discontinuity: true }));
    expect(join().got).to.have.length(2);
  });

  describe("asks the camera for a key frame", () => {
    let asked: number;
    beforeEach(() => {
      asked = 0;
      hub.onKeyRequest(() => {
        asked += 1;
      });
    });

    const joins: readonly (readonly [when: string, groups: () => void, asked: number])[] = [
      ["the newest one is near", () => publish(group({ key: true }), group({ atMs: 4000 })), 0],
      ["the newest one is long ago", () => publish(group({ key: true }), group({ atMs: 4001 })), 1],
      ["it is too long ago to be kept", () => publish(group({ key: true }), group({ atMs: 20_001 })), 1],
      ["packets were lost since", () => publish(group({ key: true }), group({ discontinuity: true })), 1],
      ["nothing has come yet, for a camera begins with one", () => undefined, 0],
    ];
    for (const [when, groups, count] of joins)
      it(`${count === 0 ? "not " : ""}when a reader joins and ${when}`, () => {
        groups();
        join();
        expect(asked).to.equal(count);
      });

    it("not while the camera is lost, and not where there is no picture", () => {
      publish(group({ key: true }));
      hub.lost();
      hub.requestKey();
      hub.describe([AUDIO], [2]);
      publish(group({ key: true }));
      hub.requestKey();
      expect(asked).to.equal(0);
    });

    it("a few times in a row and then every 5 s, however often and by how many it is wanted", async () => {
      publish(group({ key: true }));
      const at: number[] = [];
      for (let second = 0; second < 60; second += 1) {
        const before = asked;
        for (let count = 0; count < 1000; count += 1) hub.requestKey();
        if (asked > before) at.push(second);
        expect(asked - before).to.be.at.most(1);
        await clock.advance(1000);
      }
      expect(at.slice(0, 5)).to.deep.equal([0, 1, 2, 3, 4]);
      expect(at.length).to.be.within(15, 17);
    });
  });

  describe("with groups whose memory is used again", () => {
    /** Large enough that two share a block of memory. */
    const BYTES = 60_000;
    /** Pictures that are full of the number that each has, from 1 on; every fourth is a key frame. */
    const film = (groups: number): Buffer[] => {
      const memory = new ReusedMemory();
      const sent: Buffer[] = [];
      for (let index = 0; index < groups; index += 1) {
        const content = Buffer.alloc(FRAME_HEADER_BYTES + BYTES, index + 1);
        writeFrameHeader(content, 0, 0, BYTES);
        const bytes = memory.take(content.length);
        content.copy(bytes);
        const marks = group({ key: index % 4 === 0 });
        hub.publish(new PacketGroup(marks, new FramedPackets(bytes, 1), memory));
        sent.push(content);
      }
      return sent;
    };
    const contents = (groups: readonly PacketGroup[]): Buffer[] => groups.map(({ bytes }) => Buffer.from(bytes));

    it("leaves them alone for a reader that does not say which ones it keeps", () => {
      const reader = join();
      const sent = film(40);
      expect(contents(reader.got)).to.deep.equal(sent);
    });

    it("leaves those alone that a reader says it keeps, and no others", () => {
      const got: PacketGroup[] = [];
      hub.join({
        saysWhatItKeeps: true,
        deliver: (one) => {
          if (got.length % 8 === 0) one.keep();
          got.push(one);
        },
      });
      const sent = film(40);
      const same = contents(got).map((bytes, index) => bytes.equals(sent[index] as Buffer));
      expect(same.filter((_, index) => index % 8 === 0)).to.deep.equal([true, true, true, true, true]);
      expect(same.filter((one) => !one).length, "overwritten").to.be.greaterThan(10);
    });

    it("leaves those alone that a reader holds, until it lets go, in whatever order", () => {
      const held: { readonly one: PacketGroup; readonly letGo: () => void; readonly index: number }[] = [];
      const seen: { readonly bytes: Buffer; readonly index: number }[] = [];
      let index = 0;
      hub.join({
        saysWhatItKeeps: true,
        deliver: (one) => {
          held.push({ one, letGo: one.hold(), index });
          index += 1;
          if (held.length < 12) return;
          const [oldest] = held.splice((index * 7) % held.length, 1);
          if (oldest === undefined) return;
          seen.push({ bytes: Buffer.from(oldest.one.bytes), index: oldest.index });
          oldest.letGo();
          // The second time it holds nothing.
          oldest.letGo();
        },
      });
      const sent = film(80);
      expect(seen).to.have.length(69);
      for (const { bytes, index: at } of seen) expect(bytes.equals(sent[at] as Buffer), `${at}`).to.equal(true);
      expect(new Set(held.map(({ one }) => one.bytes.buffer)).size).to.be.at.most(12);
    });

    it("holds the newest for those who join", () => {
      const sent = film(39);
      expect(contents(join().got)).to.deep.equal(sent.slice(36));
    });

    it("takes none of them back while readers are being given them", () => {
      const memory = new ReusedMemory();
      const bytes = memory.take(16);
      const seen: number[] = [];
      hub.join({ saysWhatItKeeps: true, deliver: () => hub.lost() });
      hub.join({
        saysWhatItKeeps: true,
        deliver: (one) => {
          memory.take(16).fill(0xee);
          seen.push(one.bytes.readUInt8(8));
        },
      });
      bytes.fill(7);
      writeFrameHeader(bytes, 0, 0, 12);
      hub.publish(new PacketGroup(group({ key: true }), new FramedPackets(bytes, 1), memory));
      expect(seen).to.deep.equal([7]);
    });
  });

  it("removes a reader that throws, and serves the others", () => {
    const before = join();
    hub.join({
      deliver: () => {
        throw new Error("bug");
      },
    });
    const after = join();
    publish(group({ key: true }), group());
    expect([before.got.length, after.got.length, hub.readers]).to.deep.equal([2, 2, 2]);
    hub.join({
      deliver: () => {
        throw new Error("bug at once");
      },
    });
    expect(hub.readers).to.equal(2);
  });

  it("lets readers leave and join while a group is handed out", () => {
    const late: PacketGroup[] = [];
    const gone = { got: 0, leave: (): void => undefined };
    let joined = false;
    hub.join({
      deliver: () => {
        gone.leave();
        if (!joined) hub.join({ deliver: (one) => late.push(one) });
        joined = true;
      },
    });
    gone.leave = hub.join({
      deliver: () => {
        gone.got += 1;
      },
    });
    const sent = publish(group({ key: true }), group());
    expect(late, "each once").to.deep.equal(sent);
    expect(gone.got).to.equal(0);
    gone.leave();
    expect(hub.readers).to.equal(2);
  });

  it("makes readers wait for a key frame when the camera comes back", () => {
    const reader = join();
    publish(group({ key: true }), group());
    hub.lost();
    expect(join().got, "nothing is kept").to.deep.equal([]);
    publish(group());
    expect(reader.got).to.have.length(2);
    publish(group({ key: true, discontinuity: true }));
    expect(reader.got).to.have.length(3);
  });

  const descriptions: readonly (readonly [what: string, tracks: readonly Track[], changes: number])[] = [
    ["the same", [VIDEO, AUDIO], 0],
    ["other parameter sets", [{ ...VIDEO, fmtp: "x=y" }, AUDIO], 0],
    ["another codec", [{ ...VIDEO, codec: "H265", encoding: "H265" }, AUDIO], 1],
    ["another unknown codec", [VIDEO, { ...AUDIO, encoding: "G722" }], 1],
    ["another clock", [VIDEO, { ...AUDIO, clockRateHz: 16_000 }], 1],
    ["another payload type", [{ ...VIDEO, payloadType: 97 }, AUDIO], 1],
    ["a track less", [VIDEO], 1],
    ["a track more", [VIDEO, AUDIO, AUDIO], 1],
  ];
  for (const [what, tracks, changes] of descriptions)
    it(`tells readers ${changes === 0 ? "nothing" : "to start over"} when the camera describes ${what}`, () => {
      publish(group({ key: true }));
      const reader = join();
      hub.describe(tracks, [1, 2, 3]);
      expect(reader.changes).to.equal(changes);
      publish(group());
      expect(reader.got).to.have.length(changes === 0 ? 2 : 1);
      expect(hub.tracks.map(({ codec }) => codec)).to.deep.equal(tracks.map(({ codec }) => codec));
    });

  it("keeps what it learned from the stream when the camera repeats its description", () => {
    hub.updateTrack(0, { ...VIDEO, fmtp: "learned" });
    hub.describe([VIDEO, AUDIO], [1, 2]);
    expect(hub.tracks[0]?.fmtp).to.equal("learned");
    hub.describe(
      [
        { ...VIDEO, fmtp: "said" },
        { ...AUDIO, fmtp: "said" },
      ],
      [1, 2],
    );
    expect(hub.tracks.map(({ fmtp }) => fmtp)).to.deep.equal(["learned", "said"]);
  });

  it("knows the SSRC of each track, and of no other", () => {
    expect([hub.ssrc(0), hub.ssrc(1)]).to.deep.equal([1, 2]);
    expect(hub.ssrc(2)).to.equal(undefined);
  });

  describe("is ready", () => {
    it("with the first key frame, and at once after that", async () => {
      const ready = hub.ready(1000);
      publish(group(), group({ track: 1, key: true }));
      let done = false;
      void ready.then(() => {
        done = true;
      });
      await clock.advance(500);
      expect(done).to.equal(false);
      publish(group({ key: true }));
      await ready;
      await hub.ready(0);
    });

    it("not when the camera stays away", async () => {
      const ready = hub.ready(1000).catch((error: unknown) => error);
      await clock.advance(1000);
      expect(isFault(await ready, "unavailable")).to.equal(true);
    });

    it("not for someone who has gone", async () => {
      const stop = new AbortController();
      const ready = hub.ready(1000, stop.signal).catch((error: unknown) => error);
      stop.abort();
      expect(await ready).to.equal(stop.signal.reason);
      expect(await hub.ready(1000, stop.signal).catch((error: unknown) => error)).to.equal(stop.signal.reason);
    });

    it("not while the camera is lost", async () => {
      publish(group({ key: true }));
      hub.lost();
      const ready = hub.ready(1000);
      publish(group({ key: true }));
      await ready;
    });
  });
});
