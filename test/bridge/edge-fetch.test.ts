import { expect } from "chai";
import { BytePace } from "../../base/byte-pace.ts";
import { systemClock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { ntpOf, SECOND, unixMillis } from "../../base/units.ts";
import type { CameraClock } from "../../bridge/camera-side/edge/edge-camera.ts";
import { type Fetched, fetchSpan } from "../../bridge/camera-side/edge/fetch.ts";
import { cameraSide } from "../../net/sides.ts";
import { Archive } from "../../recorder/archive.ts";
import { FakeCamera, framed } from "../rtsp/client/fake-camera.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { resized, START_MS, scratchFolder, videoSample } from "../support/recorder-samples.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const FPS = 25;
const SPAN_SECONDS = 4;
const TERMINAL = 0x10;
const RIGHT: CameraClock = { aheadMs: 0, quality: "camera" };
const UNBOUNDED = new BytePace(systemClock, { bytesPerSecond: 1e9, burstBytes: 1e9 });

/** A picture as a camera sends it: what it shows, and when it says that was, in seconds from the beginning of what was asked for. */
interface Sent {
  readonly index: number;
  readonly seconds: number | undefined;
  readonly flags?: number;
  /** It has another size, as it may be of another stream. */
  readonly isResized?: boolean;
}

const second = (from: number, to: number, at = (index: number): number => index / FPS): Sent[] =>
  Array.from({ length: (to - from) * FPS }, (_, offset) => ({
    index: from * FPS + offset,
    seconds: at(from * FPS + offset),
  }));
const END: Sent = { index: 1000, seconds: SPAN_SECONDS + 5, flags: TERMINAL };

describe("fetching from a camera that sends", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let archive: Archive;
  let camera: FakeCamera | undefined;

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    archive = await Archive.open({ folder, clock: systemClock, log: silentLog(), metrics: new Metrics() });
  });
  afterEach(async () => {
    await camera?.close();
    await archive.close();
    await remove();
  });

  const from = unixMillis(START_MS);
  const range = { from, to: unixMillis(START_MS + SPAN_SECONDS * SECOND) };

  /** `write` is let do what it wants once the camera was asked to play. */
  async function fetched(
    write: (to: FakeCamera) => void,
    cameraClock = RIGHT,
    pace = UNBOUNDED,
    { span = range, signal = new AbortController().signal, isOfAnother = (): boolean => false } = {},
  ): Promise<Fetched> {
    camera = await FakeCamera.start();
    const to = camera;
    const playing = (async () => {
      while (!to.methods.includes("PLAY")) await systemClock.sleep(5);
      write(to);
    })();
    const [result] = await Promise.all([
      fetchSpan({
        camera: "gate",
        stream: "main",
        url: to.url,
        side: cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] }),
        span,
        cameraClock,
        isOfAnother,
        archive,
        pace,
        clock: systemClock,
        log: silentLog(),
        signal,
      }),
      playing,
    ]);
    return result;
  }

  const pictures =
    (sent: readonly Sent[]) =>
    (to: { send(bytes: Buffer): void }): void => {
      const made = new GroupCamera();
      for (const { index, seconds, flags = 0, isResized = false } of sent) {
        const sample = videoSample(index);
        const packets = made
          .group(0, isResized ? resized(sample) : sample)
          .packets.map((packet) => Buffer.from(packet));
        const [first, ...rest] = packets;
        if (first === undefined) continue;
        const dated = seconds === undefined ? first : withTime(first, START_MS + seconds * SECOND, flags);
        for (const packet of [dated, ...rest]) to.send(framed(0, packet));
      }
    };

  async function recorded(): Promise<readonly number[]> {
    const found: number[] = [];
    const reading = { from: unixMillis(START_MS - 3600 * SECOND) };
    for await (const { at } of archive.source("gate", "main").read(reading, new AbortController().signal))
      found.push(Math.round(((at - START_MS) / SECOND) * FPS));
    return found;
  }
  const indices = (first: number, last: number): readonly number[] =>
    Array.from({ length: (last - first) * FPS }, (_, offset) => first * FPS + offset);

  it("asks for exactly what is missing, as fast as it comes, by the camera's clock", async () => {
    const aheadMs = 3600 * SECOND;
    const late = second(0, SPAN_SECONDS, (index) => index / FPS + 3600);
    await fetched(pictures([...late, { ...END, seconds: 4000 }]), { aheadMs, quality: "corrected" });
    const play = camera?.asked.find(({ method }) => method === "PLAY");
    expect(["Require", "Rate-Control", "Range"].map((name) => play?.header(name))).to.deep.equal([
      "onvif-replay",
      "no",
      "clock=20261124T140500.000Z-20261124T140504.000Z",
    ]);
    expect(camera?.asked.find(({ method }) => method === "SETUP")?.header("Require")).to.equal("onvif-replay");
    expect(await recorded()).to.deep.equal(indices(0, SPAN_SECONDS));
  });

  for (const [name, ownSeconds, kept] of [
    ["from the beginning: nothing of it is kept, and another recording may be the wanted one", 0, indices(0, 0)],
    ["behind its own: what came before that group is kept, and there is no other to ask for", 2, indices(0, 1)],
  ] as const)
    it(`pictures of another stream ${name}`, async () => {
      const foreign = second(ownSeconds, SPAN_SECONDS).map((one) => ({ ...one, isResized: true }));
      let looks = 0;
      const isOfAnother = (): boolean => {
        looks += 1;
        return ownSeconds === 0 || looks > 1;
      };
      const sent = pictures([...second(0, ownSeconds), ...foreign, END]);
      const found = await fetched(sent, RIGHT, UNBOUNDED, { isOfAnother });
      expect(found).to.include({ groups: kept.length, isOfAnother: kept.length === 0 });
      expect(found.why).to.include("not of this stream");
      expect(await recorded()).to.deep.equal(kept);
    });

  it("pictures until it is stopped amid them, and the rest later: nothing is missing between", async () => {
    const stop = new AbortController();
    let [sent, came] = [0, 0];
    class Stopping extends BytePace {
      override spend(bytes: number, signal: AbortSignal): Promise<void> {
        came += bytes;
        if (sent > 0 && came >= sent) stop.abort();
        return super.spend(bytes, signal);
      }
    }
    const pace = new Stopping(systemClock, { bytesPerSecond: 1e9, burstBytes: 1e9 });
    const amid = pictures(second(0, 2).slice(0, 1.5 * FPS));
    const counted = (to: FakeCamera): void =>
      amid({
        send(bytes) {
          sent += bytes.length;
          to.send(bytes);
        },
      });
    await fetched(counted, RIGHT, pace, { signal: stop.signal });
    expect(await recorded()).to.deep.equal(indices(0, 1));
    await camera?.close();
    const span = { from: unixMillis(START_MS + SECOND), to: range.to };
    await fetched(pictures([...second(1, SPAN_SECONDS), END]), RIGHT, UNBOUNDED, { span });
    expect(await recorded()).to.deep.equal(indices(0, SPAN_SECONDS));
  });

  for (const [name, sent, expected, discarded] of [
    [
      "what is before the gap and behind it",
      [...second(0, 2, (index) => index / FPS - 2), ...second(2, 9, (index) => index / FPS - 2)],
      indices(0, 4),
      { outside: 3 * FPS + 2 },
    ],
    [
      "pictures without a time before it sends any with one",
      [...second(0, 1).map((one) => ({ ...one, seconds: undefined })), ...second(1, 4)],
      indices(1, 4),
      { untimed: FPS + 1 },
    ],
    ["the same twice", [...second(0, 3), ...second(0, 2), ...second(3, 4)], indices(0, 4), { repeated: 2 * FPS }],
    [
      "the times of another year",
      [...second(0, 1), ...second(1, 2, () => -1e8), ...second(2, 4)],
      [...indices(0, 1), ...indices(2, 4)],
      { outside: FPS + 1 },
    ],
  ] as const)
    it(`${name}: nothing comes of it but what was asked for, in order`, async () => {
      const result = await fetched(pictures([...sent, END]));
      expect(await recorded()).to.deep.equal(expected);
      expect(result.discarded).to.include(discarded);
    });

  it("as fast as it can: it is read at the rate of all fetches together", async () => {
    const clock = new VirtualClock();
    const bytesPerSecond = 10_000;
    let sentBytes = 0;
    const at = { end: false };
    const before = 20;
    const send = pictures([...second(0, before + SPAN_SECONDS, (index) => index / FPS - before), END]);
    const counting = (to: FakeCamera): void =>
      send({
        send(bytes) {
          sentBytes += bytes.length;
          to.send(bytes);
        },
      });
    const fetching = fetched(counting, RIGHT, new BytePace(clock, { bytesPerSecond, burstBytes: 1 })).finally(() => {
      at.end = true;
    });
    // Time passes only where it is waited for.
    while (!at.end) await (clock.pending > 0 ? clock.advance(SECOND) : systemClock.sleep(1));
    expect((await fetching).groups).to.equal(SPAN_SECONDS * FPS);
    const lastPieceBytes = 64 * 1024;
    expect(clock.monotonic()).to.be.above(((sentBytes - lastPieceBytes) / bytesPerSecond) * SECOND);
    expect(sentBytes).to.be.above(2 * lastPieceBytes);
  });

  it("nothing: the fault says so, and nothing is recorded", async () => {
    const error = await fetched((to) => to.hangUp()).catch((one: unknown) => one);
    expect(error).to.be.instanceOf(Fault).with.property("kind", "unavailable");
    expect(await recorded()).to.deep.equal([]);
  });

  it("without an end: it is cut off at the bytes that such a stretch may have", async () => {
    const packet = Buffer.alloc(60_000, 0x41);
    packet[0] = 0x80;
    packet[1] = 96;
    const flood = (to: FakeCamera): void => {
      for (let count = 0; count < 2200; count += 1) {
        packet.writeUInt16BE(count, 2);
        to.send(framed(0, withTime(packet, START_MS, 0)));
      }
    };
    const error = await fetched(flood).catch((one: unknown) => one);
    expect(error).to.be.instanceOf(Fault).with.property("kind", "invalid");
  });
});

/** ONVIF Streaming 6.3. */
function withTime(packet: Buffer, at: number, flags: number): Buffer {
  const extension = Buffer.alloc(16);
  const { seconds, fraction } = ntpOf(unixMillis(at));
  extension.writeUInt16BE(0xabac, 0);
  extension.writeUInt16BE(3, 2);
  extension.writeUInt32BE(seconds, 4);
  extension.writeUInt32BE(fraction, 8);
  extension[12] = flags;
  const head = Buffer.from(packet.subarray(0, 12));
  head[0] = (head[0] ?? 0) | 0x10;
  return Buffer.concat([head, extension, packet.subarray(12)]);
}
