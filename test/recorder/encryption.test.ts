import { copyFile, open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { unixMillis } from "../../base/units.ts";
import type { KeyRing } from "../../keys/ring.ts";
import { makePair } from "../../keys/wrap.ts";
import { Archive } from "../../recorder/archive.ts";
import type { ArchiveSettings } from "../../recorder/archive-settings.ts";
import { diskFiles } from "../../recorder/files.ts";
import { scanSegment } from "../../recorder/scan.ts";
import { GroupCamera, indexInGroup } from "../support/group-camera.ts";
import { decryptTo, openRing } from "../support/keys.ts";
import { peer } from "../support/peer.ts";
import {
  AUDIO_TRACK,
  audioSample,
  H264,
  START_MS,
  scratchFolder,
  VIDEO_TRACK,
  videoSample,
} from "../support/recorder-samples.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, one) => from + one);
const never = new AbortController().signal;
/** What the test's recordings hold: the beginning of the first picture, parameter sets, sound, boxes of MP4; and the rest of a picture. */
const MARKERS = [
  Buffer.from("#0;UUUUU"),
  H264.config.subarray(8, 24),
  Buffer.alloc(32, 0x81),
  Buffer.from("moof"),
  Buffer.from("avcC"),
];
const REST = Buffer.alloc(32, 0x55);
const MODES = ["light", "full"] as const;

describe("encrypted recordings", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let ring: KeyRing;
  let closeKeys: () => Promise<void>;
  let clock: VirtualClock;
  let camera: GroupCamera;

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    ({ ring, close: closeKeys } = await openRing(folder));
    clock = new VirtualClock(unixMillis(START_MS));
    camera = new GroupCamera();
  });
  afterEach(async () => {
    await closeKeys();
    await remove();
  });

  const start = (
    encryption?: ArchiveSettings["encryption"],
    keys: KeyRing | undefined = ring,
    place = folder,
  ): Promise<Archive> =>
    Archive.open({
      folder: place,
      clock,
      log: silentLog(),
      metrics: new Metrics(),
      settings: { segmentMs: 10_000, ...(encryption && { encryption }) },
      ...(keys && { keys }),
    });

  async function record(archive: Archive, from: number, to: number, name = "cam", bytes = 6000): Promise<void> {
    const recorder = archive.recorder(name, "main");
    recorder.describe([VIDEO_TRACK, AUDIO_TRACK]);
    for (let index = from; index < to; index += 1) {
      recorder.push(camera.group(0, videoSample(index, { bytes })));
      recorder.push(camera.group(1, audioSample(2 * index)));
      recorder.push(camera.group(1, audioSample(2 * index + 1)));
    }
    await recorder.idle();
  }

  async function played(archive: Archive, name = "cam"): Promise<number[]> {
    const groups = await Array.fromAsync(archive.source(name).read({ from: unixMillis(START_MS) }, never));
    return groups.filter((one) => one.track === 0).map(indexInGroup);
  }

  async function files(name = "cam", at = folder): Promise<readonly string[]> {
    const place = join(at, name, "2026-11-24/13");
    return (await readdir(place)).map((file) => join(place, file));
  }

  for (const mode of MODES) {
    it(`(${mode}) are played back as they were recorded, also while they are being written`, async () => {
      const archive = await start(mode);
      await record(archive, 0, 600);
      expect(await played(archive)).to.deep.equal(range(0, 575));
      await archive.close();
      const again = await start(mode);
      expect(await played(again)).to.deep.equal(range(0, 600));
      const backward = await Array.fromAsync(
        again.source("cam").readBackward({ from: unixMillis(START_MS + 23_000) }, never),
      );
      expect(backward.length).to.be.greaterThan(500);
      await again.close();
    });

    it(`(${mode}) are finished after a crash, with the key and without it`, async () => {
      for (const keys of [ring, undefined]) {
        const name = keys === undefined ? "without" : "with";
        const archive = await start(mode);
        await record(archive, 0, 100, name);
        const [part = ""] = await files(name);
        await copyFile(part, `${folder}/saved`);
        await archive.close();
        const [sealed = ""] = await files(name);
        await copyFile(`${folder}/saved`, part);
        const torn = await open(part, "a");
        await torn.write(Buffer.alloc(3000));
        await torn.close();
        await diskFiles.remove(sealed);
        await (await start(mode, keys)).close();
        const again = await start(mode);
        expect(await played(again, name), name).to.deep.equal(range(0, 75));
        await again.close();
      }
    });
  }

  it("show nothing of pictures, sound and parameter sets on the disk where everything is encrypted", async () => {
    const archive = await start("full");
    await record(archive, 0, 300);
    const live = Buffer.concat(await Promise.all((await files()).map((file) => readFile(file))));
    await archive.close();
    const all = Buffer.concat([live, ...(await Promise.all((await files()).map((file) => readFile(file))))]);
    for (const marker of [...MARKERS, REST]) expect(all.includes(marker), marker.toString("hex")).to.equal(false);
    for (const marker of [...MARKERS.slice(0, 2), REST]) expect(videoSample(0).data.includes(marker)).to.equal(true);
  });

  it("show no beginning of a picture, no sound and no parameter set where encryption is light", async () => {
    const archive = await start("light");
    await record(archive, 0, 300);
    await archive.close();
    const all = Buffer.concat(await Promise.all((await files()).map((file) => readFile(file))));
    for (const marker of MARKERS) expect(all.includes(marker), marker.toString("hex")).to.equal(false);
    expect(all.includes(REST)).to.equal(true);
  });

  it("stand beside recordings in clear, whichever came first", async () => {
    for (const [index, mode] of [undefined, "full", undefined, "light"].entries()) {
      const archive = await start(mode as ArchiveSettings["encryption"]);
      await record(archive, index * 100, index * 100 + 100);
      await archive.close();
    }
    const archive = await start("full");
    expect(await played(archive)).to.deep.equal(range(0, 400));
    await archive.close();
  });

  it("are, once decrypted, what would have been written without encryption, but for the random bytes of each fragment", async () => {
    const scans = [];
    for (const mode of [undefined, "light", "full"] as const) {
      const name = mode ?? "none";
      const archive = await start(mode, ring, `${folder}/${name}`);
      await record(archive, 0, 260);
      await archive.close();
      const [file = ""] = await files("cam", `${folder}/${name}`);
      const plain = `${folder}/${name}.mp4`;
      await decryptTo(file, plain, ring);
      const handle = await diskFiles.open(plain, "read");
      const scan = await scanSegment(handle, true);
      await handle.close();
      expect(scan, name).to.include({ sealed: true, tail: "none", protection: undefined });
      if (mode === undefined) expect(await readFile(plain)).to.deep.equal(await readFile(file));
      const media = [];
      for (const { offset, bytes } of scan.fragments) {
        const all = (await readFile(plain)).subarray(offset, offset + bytes);
        media.push(all.subarray(all.indexOf("prft")));
      }
      scans.push(Buffer.concat(media));
    }
    expect(scans[1]?.equals(scans[0] ?? Buffer.alloc(0))).to.equal(true);
    expect(scans[2]?.equals(scans[0] ?? Buffer.alloc(0))).to.equal(true);
  });

  it("are read by ffprobe once decrypted, every frame of them", async function () {
    const ffprobe = peer(this, "ffprobe");
    for (const mode of MODES) {
      const archive = await start(mode);
      await record(archive, 0, 260, mode);
      await archive.close();
      const plain = `${folder}/${mode}.mp4`;
      let frames = 0;
      for (const file of await files(mode)) {
        await decryptTo(file, plain, ring);
        const asked = ["-v", "error", "-select_streams", "v", "-count_packets", "-of", "csv=p=0"];
        const { stdout } = await ffprobe.run([...asked, "-show_entries", "stream=codec_name,nb_read_packets", plain]);
        frames += Number(/^h264,(\d+)\s*$/.exec(stdout.toString())?.[1]);
        expect((await ffprobe.run(["-v", "error", file])).code, "not before").not.to.equal(0);
      }
      expect(frames, mode).to.equal(260);
    }
  });

  it("notice every flipped bit of what is authenticated, in clear or not", async () => {
    for (const mode of MODES) {
      const archive = await start(mode);
      await record(archive, 0, 60, mode, 3000);
      await archive.close();
      const [file = ""] = await files(mode);
      const { size } = await stat(file);
      const bytes = await readFile(file);
      for (let at = 700; at < size - 24; at += Math.floor(size / 50)) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        await writeFile(file, changed);
        const handle = await diskFiles.open(file, "read");
        const scan = await scanSegment(handle, true, ring);
        await handle.close();
        expect(scan.sealed, `${mode}, byte ${at}`).to.equal(false);
      }
    }
  });

  it("stay closed without their key, and harm no other camera", async () => {
    const archive = await start("full");
    await record(archive, 0, 100, "one");
    await record(archive, 0, 100, "two");
    await archive.close();
    // What is being recorded with keeps its key.
    expect(await ring.shred("one", () => true)).to.equal(0);
    await closeKeys();
    ({ ring, close: closeKeys } = await openRing(folder));
    expect(await ring.shred("one", () => true)).to.equal(1);
    const again = await start("full");
    expect(await played(again, "one")).to.deep.equal([]);
    expect(await played(again, "two")).to.deep.equal(range(0, 100));
    await record(again, 200, 300, "one");
    expect((await played(again, "one")).length).to.equal(75);
    await again.close();
  });

  it("lose their key when retention removes the last of a day, and not because a disk is away", async () => {
    const archive = await start("full");
    const day = 25 * 86_400;
    await record(archive, 0, 50);
    await archive.close();
    const later = await start("full");
    await record(later, 3 * day, 3 * day + 50);
    await later.close();
    await closeKeys();
    ({ ring, close: closeKeys } = await openRing(folder));
    const away = await start("full", ring, `${folder}/away`);
    await away.tidy();
    await away.close();
    expect((await ring.status()).dataKeys).to.equal(2);
    clock = new VirtualClock(unixMillis(START_MS + 3 * 86_400_000));
    const again = await start("full");
    again.retain("cam", { maxAgeMs: 86_400_000 });
    await again.tidy();
    await again.close();
    expect(await ring.status()).to.include({ dataKeys: 1, oldestDay: "2026-11-27" });
    const bytes = Buffer.concat(
      await Promise.all(["keys.db", "keys.db-wal"].map((name) => readFile(`${folder}/${name}`))),
    );
    expect(bytes.includes("2026-11-24")).to.equal(false);
  });

  it("cannot be played on a machine that only records, but with the private key elsewhere", async () => {
    const pair = makePair();
    await ring.setReader(pair.publicKey);
    const archive = await start("full");
    await record(archive, 0, 100);
    expect(await played(archive)).to.deep.equal([]);
    await archive.close();
    const closed = await start("full");
    expect(await played(closed)).to.deep.equal([]);
    await closed.close();
    await ring.restore(pair.privateKey);
    const open = await start("full");
    expect(await played(open)).to.deep.equal(range(0, 100));
    await open.close();
  });

  it("are not made in clear because a key cannot be had", async () => {
    const archive = await Archive.open({
      folder,
      clock,
      log: silentLog(),
      metrics: new Metrics(),
      settings: { encryption: "full" },
    });
    await record(archive, 0, 100);
    expect((await archive.summary())[0]?.problem).to.equal("there are no keys to encrypt with");
    expect((await diskFiles.list(folder)).folders).to.deep.equal([]);
    await archive.close();
  });
});
