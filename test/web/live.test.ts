import { expect } from "chai";
import { Fault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { later, type UnixMillis } from "../../base/units.ts";
import { avcConfig } from "../../media/h264-config.ts";
import { hevcConfig } from "../../media/h265-config.ts";
import { createPacketizer, type Packetizer } from "../../media/packetizer.ts";
import type { SampleFormat } from "../../media/sample.ts";
import type { Track } from "../../media/track.ts";
import { coarseJpeg } from "../../sim/jpeg.ts";
import { Picture } from "../../sim/picture.ts";
import { type LiveMessage, showLive, unplayable, type Viewer } from "../../web/live.ts";
import { AT, group, H264_SETS, H265_SETS, inSample, SMALL_SPS, sampleOf, track } from "../media/codec-fixture.ts";
import { type ScriptedCamera, scriptedCamera } from "../support/web-site.ts";

const H264: SampleFormat = { codec: "H264", width: 1920, height: 1080, config: avcConfig(H264_SETS) };
const SMALL: SampleFormat = {
  codec: "H264",
  width: 320,
  height: 240,
  config: avcConfig({ ...H264_SETS, sps: SMALL_SPS }),
};
const H265: SampleFormat = { codec: "H265", width: 1920, height: 1080, config: hevcConfig(H265_SETS) };
const JPEG: SampleFormat = { codec: "JPEG", width: 64, height: 48 };

const ANY_JPEG = coarseJpeg(new Picture(64, 48));
const IDR = { H264: Buffer.from("6588", "hex"), H265: Buffer.from("2601af", "hex") };
const FRAME = Buffer.from("419a", "hex");

/** A camera that sends one track, and what a viewer of it got: words, `init` and `moof` for the two kinds of bytes. */
class Stage implements Viewer {
  readonly camera: ScriptedCamera;
  readonly shown: unknown[] = [];
  readonly times: unknown[] = [];
  queuedBytes = 0;
  readonly stop: () => void;
  #packetizer: Packetizer;
  #rtpTime = 0;

  constructor(format: SampleFormat, more: readonly Track[] = []) {
    this.#packetizer = packetizerOf(format);
    this.camera = scriptedCamera("gate", [...more, this.#packetizer.track], () => undefined);
    this.stop = showLive(this.camera.streams[0], this, silentLog());
  }

  text(message: LiveMessage): void {
    (message.type === "time" ? this.times : this.shown).push(message);
  }

  binary(bytes: Buffer): void {
    this.shown.push(boxOf(bytes) === "ftyp" ? "init" : boxOf(bytes));
  }

  /** One access unit, a fifteenth of a second behind the one before. */
  send(format: SampleFormat, data: Buffer, more: { key?: boolean; track?: number; at?: UnixMillis } = {}): void {
    this.#rtpTime += 6000;
    const { key = false, track: index = 0, at = AT } = more;
    const packets = this.#packetizer.packets(
      sampleOf(data, format, { key, rtpTime: this.#rtpTime }),
      this.#rtpTime,
    ).list;
    this.camera.push(group(this.#rtpTime, packets, { key, track: index, at }));
  }

  become(format: SampleFormat): void {
    this.#packetizer = packetizerOf(format);
    this.camera.describe([this.#packetizer.track]);
  }

  /** What was shown since the last call. */
  take(): readonly unknown[] {
    return this.shown.splice(0);
  }
}

const boxOf = (bytes: Buffer): string => bytes.toString("latin1", 4, 8);
const packetizerOf = (format: SampleFormat): Packetizer =>
  createPacketizer(format, { payloadType: 96, ssrc: 1, sequence: 0, clockRateHz: 90_000 });
const stream = (codec: string, width: number, height: number): object => ({
  type: "stream",
  mime: `video/mp4; codecs="${codec}"`,
  width,
  height,
});
const cannot = (what: string): object => ({ type: "unplayable", why: `Browsers cannot show ${what} video.` });

describe("a live picture in the browser", () => {
  it("begins with its format and an initialization segment, then comes frame by frame", () => {
    const stage = new Stage(H264);
    stage.send(H264, inSample(IDR.H264), { key: true });
    for (let index = 0; index < 3; index += 1) stage.send(H264, inSample(FRAME));
    const [first, init, ...frames] = stage.take();
    expect(first).to.deep.equal(stream("avc1.42C028", 1920, 1080));
    expect(init).to.equal("init");
    expect(frames.length).to.be.at.least(3);
    expect(new Set(frames)).to.deep.equal(new Set(["moof"]));
  });

  it("is H.265 where the camera sends it", () => {
    const stage = new Stage(H265);
    stage.send(H265, inSample(IDR.H265), { key: true });
    stage.send(H265, inSample(IDR.H265), { key: true });
    expect(stage.take()[0])
      .to.have.property("mime")
      .that.matches(/^video\/mp4; codecs="hvc1\./);
  });

  it("waits for a key frame", () => {
    const stage = new Stage(H264);
    for (let index = 0; index < 3; index += 1) stage.send(H264, inSample(FRAME));
    expect(stage.take()).not.to.include("moof");
    stage.send(H264, inSample(IDR.H264), { key: true });
    stage.send(H264, inSample(FRAME));
    expect(stage.take()).to.include("moof");
  });

  it("takes the video from among the tracks", () => {
    const stage = new Stage(H264, [track("PCMU")]);
    stage.send(H264, inSample(IDR.H264), { key: true, track: 0 });
    expect(stage.take()).to.deep.equal([]);
    stage.send(H264, inSample(IDR.H264), { key: true, track: 1 });
    stage.send(H264, inSample(FRAME), { track: 1 });
    expect(stage.take()[0]).to.deep.equal(stream("avc1.42C028", 1920, 1080));
  });

  it("begins anew when the camera changes its picture", () => {
    const stage = new Stage(H264);
    stage.send(H264, inSample(IDR.H264), { key: true });
    stage.send(H264, inSample(FRAME));
    stage.take();
    stage.become(SMALL);
    stage.send(SMALL, inSample(IDR.H264), { key: true });
    stage.send(SMALL, inSample(FRAME));
    expect(stage.take().slice(0, 2)).to.deep.equal([stream("avc1.42C00D", 320, 240), "init"]);
  });

  it("leaves out frames for a viewer that is too slow, up to the next key frame that it has room for", () => {
    const stage = new Stage(H264);
    stage.send(H264, inSample(IDR.H264), { key: true });
    stage.send(H264, inSample(FRAME));
    stage.take();
    stage.queuedBytes = 5 * 1024 * 1024;
    for (let index = 0; index < 3; index += 1) stage.send(H264, inSample(FRAME));
    stage.send(H264, inSample(IDR.H264), { key: true });
    expect(stage.take()).to.deep.equal([]);
    stage.queuedBytes = 0;
    stage.send(H264, inSample(FRAME));
    stage.send(H264, inSample(FRAME));
    const waiting = stage.take();
    expect(waiting.length, "the key frame had no room").to.be.at.most(1);
    stage.send(H264, inSample(IDR.H264), { key: true });
    stage.send(H264, inSample(FRAME));
    expect(stage.take()).to.include("moof");
  });

  it("says when a key frame was captured and where it stands, once a second at most", () => {
    const stage = new Stage(H264);
    const key = (afterMs: number): void => stage.send(H264, inSample(IDR.H264), { key: true, at: later(AT, afterMs) });
    for (let index = 0; index < 30; index += 1) key((index * 1000) / 15);
    key(60_000);
    const times = stage.times as { mediaMs: number; at: number }[];
    expect(times.map(({ at }) => at - AT)).to.deep.equal([0, 1000, 60_000]);
    expect(times.map(({ mediaMs }) => Math.round(mediaMs))).to.deep.equal([0, 1000, 2000]);
  });

  it("is a file for each picture of MJPEG, but for a viewer that is too slow", () => {
    const stage = new Stage(JPEG);
    const send = (): void => stage.send(JPEG, ANY_JPEG, { key: true });
    for (let count = 0; count < 3; count += 1) send();
    const [first, ...pictures] = stage.take();
    expect(new Set(pictures)).to.deep.equal(new Set([boxOf(ANY_JPEG)]));
    expect(first).to.deep.equal({ type: "stream", mime: "image/jpeg", width: 64, height: 48 });
    expect(pictures.length).to.be.at.least(2);
    stage.queuedBytes = 5 * 1024 * 1024;
    send();
    expect(stage.take()).to.deep.equal([]);
  });

  it("is a sentence for a codec that nobody knows, and for a camera without video", () => {
    const shown: unknown[] = [];
    const viewer = { queuedBytes: 0, text: (message: object) => shown.push(message), binary: () => expect.fail() };
    const mpeg4 = track("unknown", "", { kind: "video", encoding: "MP4V-ES" });
    for (const tracks of [[mpeg4], [track("PCMU")], []]) {
      const camera = scriptedCamera("gate", tracks, () => undefined);
      const stop = showLive(camera.streams[0], viewer, silentLog());
      camera.push(group(0, [Buffer.alloc(20)]));
      stop();
      expect(camera.readers.size).to.equal(0);
    }
    const silent = { type: "unplayable", why: "This camera sends no video." };
    expect(shown).to.deep.equal([cannot("MP4V-ES"), silent, silent]);
  });

  it("stops when it is told", () => {
    const stage = new Stage(H264);
    stage.stop();
    stage.send(H264, inSample(IDR.H264), { key: true });
    expect(stage.take()).to.deep.equal([]);
    expect(stage.camera.readers.size).to.equal(0);
  });

  it("is refused without a word about which cameras there are", () => {
    const hidden = "This camera is not there, or you may not watch it.";
    for (const kind of ["not-found", "denied", "internal"] as const)
      expect(unplayable(new Fault(kind, "gate"), "watch").why, kind).to.equal(hidden);
    expect(unplayable(new Error("gate"), "watch").why).to.equal(hidden);
    expect(unplayable(new Fault("unavailable", "gate"), "watch").why).to.equal(
      "The camera cannot be reached at the moment.",
    );
  });
});
