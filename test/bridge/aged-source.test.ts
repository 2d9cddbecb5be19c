import { expect } from "chai";
import { HOUR, MINUTE, SECOND, type UnixMillis, unixMillis } from "../../base/units.ts";
import { AgedSource } from "../../bridge/client-side/aged-source.ts";
import { FramedPackets } from "../../media/framed-packets.ts";
import { PacketGroup } from "../../media/group.ts";
import { ReusedMemory } from "../../media/reused-memory.ts";
import type { Reading, RecordedSource } from "../../media/source.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const VIDEO = 0;
const SOUND = 1;
const SPARE_BYTES = 16;

/** A picture each second, each fifth a key frame, and sound between; from two hours ago to now. */
function recording(end: UnixMillis): RecordedSource & { readonly asked: Reading[] } {
  /** `memory`: where its packet lies, with spare bytes before it as those of a replay have. */
  const group = (at: number, track: number, key: boolean, memory = new ReusedMemory()): PacketGroup => {
    const marks = { track, rtpTime: 0, at: unixMillis(at), quality: "camera", key, discontinuity: false } as const;
    const { bytes } = FramedPackets.of([Buffer.alloc(16)], 0);
    const lent = memory.take(SPARE_BYTES + bytes.length).subarray(SPARE_BYTES);
    bytes.copy(lent);
    return new PacketGroup(marks, new FramedPackets(lent, 1, SPARE_BYTES), memory);
  };
  const begin = end - 2 * HOUR;
  const asked: Reading[] = [];
  async function* forward({ from, memory }: Reading): AsyncGenerator<PacketGroup> {
    await Promise.resolve();
    // From the last key frame at or before the beginning, as recordings are read.
    const first = Math.floor((Math.max(from, begin) - begin) / (5 * SECOND)) * 5;
    for (let second = first; begin + second * SECOND < end; second += 1) {
      yield group(begin + second * SECOND, VIDEO, second % 5 === 0, memory);
      yield group(begin + second * SECOND + 500, SOUND, true, memory);
    }
  }
  return {
    asked,
    tracks: () => Promise.resolve([]),
    extent: () => Promise.resolve({ from: unixMillis(begin), to: end }),
    read(range) {
      asked.push(range);
      return forward(range);
    },
    follow(range) {
      asked.push(range);
      return forward(range);
    },
    async *readBackward({ memory }) {
      await Promise.resolve();
      for (let second = 7195; second >= 0; second -= 5)
        for (let more = 0; more < 5; more += 1)
          yield group(begin + (second + more) * SECOND, VIDEO, more === 0, memory);
    },
  };
}

describe("a recording of which only the newest part may be had", () => {
  const never = new AbortController().signal;
  const open = (limit: number) => {
    const clock = new VirtualClock();
    const source = recording(clock.now());
    const allowed = { maxAgeMs: limit };
    const shown: UnixMillis[] = [];
    const aged = new AgedSource(source, {
      clock,
      maxAgeMs: () => allowed.maxAgeMs,
      showed: (at) => void shown.push(at),
    });
    return { clock, source, aged, shown, allowed };
  };
  const take = async (
    groups: AsyncIterable<PacketGroup | undefined>,
    count: number,
  ): Promise<readonly PacketGroup[]> => {
    const taken: PacketGroup[] = [];
    for await (const group of groups) {
      if (group !== undefined) taken.push(group);
      if (taken.length >= count) break;
    }
    return taken;
  };

  it("begins at the limit, and has nothing where all is older", async () => {
    const { clock, aged, allowed } = open(HOUR);
    const now = clock.now();
    expect(await aged.extent()).to.deep.equal({ from: now - HOUR, to: now });
    await clock.advance(MINUTE);
    expect(await aged.extent()).to.deep.equal({ from: now - HOUR + MINUTE, to: now });
    allowed.maxAgeMs = MINUTE;
    expect(await aged.extent()).to.equal(undefined);
    expect(await aged.tracks()).to.deep.equal([]);
  });
  for (const way of ["read", "follow"] as const)
    it(`is shown by ${way} from the first key frame within the limit`, async () => {
      const { clock, aged, source, shown } = open(HOUR - 2 * SECOND);
      const now = clock.now();
      const groups = await take(aged[way]({ from: unixMillis(0) }, never), 5);
      expect(source.asked.map(({ from }) => from)).to.deep.equal([now - HOUR + 2 * SECOND]);
      const pictures = groups.filter(({ track }) => track === VIDEO);
      expect(pictures[0]?.key).to.equal(true);
      expect(pictures[0]?.at).to.equal(now - HOUR + 5 * SECOND);
      expect(groups.find(({ track }) => track === SOUND)?.at).to.equal(now - HOUR + 2500);
      expect(shown).to.deep.equal(groups.map(({ at }) => at));
    });
  it("leaves out what becomes too old while it is read, and goes on from a key frame", async () => {
    const { clock, aged } = open(HOUR);
    const reading = aged.read({ from: unixMillis(0) }, never)[Symbol.asyncIterator]();
    const first = (await reading.next()).value as PacketGroup;
    await clock.advance(12 * SECOND);
    const pictures: PacketGroup[] = [];
    while (pictures.length < 2) {
      const { value } = (await reading.next()) as { value: PacketGroup };
      if (value.track === VIDEO) pictures.push(value);
    }
    expect(pictures.map(({ at, key }) => [at - first.at, key])).to.deep.equal([
      [15 * SECOND, true],
      [16 * SECOND, false],
    ]);
  });
  it("gives back the memory of what it leaves out", async () => {
    const { clock, aged } = open(HOUR);
    const memory = new ReusedMemory();
    const reading = aged.read({ from: unixMillis(0), memory }, never)[Symbol.asyncIterator]();
    ((await reading.next()).value as PacketGroup).release();
    await clock.advance(12 * SECOND);
    const behind = (await reading.next()).value as PacketGroup;
    expect(behind.at).to.be.at.least(clock.now() - HOUR);
    behind.release();
    expect(memory.take(8).byteOffset).to.equal(0);
  });
  it("gives back the memory of that with which it ends backwards", async () => {
    const { clock, aged } = open(12 * SECOND);
    const memory = new ReusedMemory();
    for await (const group of aged.readBackward({ from: clock.now(), memory }, never)) group.release();
    expect(memory.take(8).byteOffset).to.equal(0);
  });
  it("ends backwards at the limit, before a picture that cannot be decoded without an older one", async () => {
    const { clock, aged } = open(MINUTE - 2 * SECOND);
    const groups = await take(aged.readBackward({ from: clock.now() }, never), Number.POSITIVE_INFINITY);
    expect(groups.length).to.equal(55);
    expect(Math.min(...groups.map(({ at }) => at))).to.equal(clock.now() - 55 * SECOND);
  });
});
