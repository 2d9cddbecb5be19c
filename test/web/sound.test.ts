import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { createPacketizer } from "../../media/packetizer.ts";
import type { SampleFormat } from "../../media/sample.ts";
import type { Track } from "../../media/track.ts";
import { hearLive, type SoundMessage } from "../../web/sound.ts";
import { AT, group, hex, sampleOf, track } from "../media/codec-fixture.ts";
import { type ScriptedCamera, scriptedCamera } from "../support/web-site.ts";

const AAC: SampleFormat = { codec: "MPEG4-GENERIC", sampleRateHz: 48_000, channels: 2, config: hex("1190") };
const CLOCK_HZ: Readonly<Record<string, number>> = { PCMU: 8000, PCMA: 8000, OPUS: 48_000, "MPEG4-GENERIC": 48_000 };

/** A camera that sends sound, and what a listener of it got. */
function stage(tracks: readonly Track[]) {
  const camera = scriptedCamera("gate", tracks, () => undefined);
  const heard: (SoundMessage | readonly [at: number, data: string])[] = [];
  const listener = {
    queuedBytes: 0,
    text: (message: SoundMessage) => heard.push(message),
    binary: (bytes: Buffer) => heard.push([bytes.readDoubleBE(0), bytes.toString("hex", 8)]),
  };
  const stop = hearLive(camera.streams[0], listener, silentLog());
  return { camera, heard, listener, stop };
}

/** Sends access units of one format, 20 ms apart. */
function sender(camera: ScriptedCamera, format: SampleFormat, index: number) {
  const clockRateHz = CLOCK_HZ[format.codec] ?? 8000;
  const packetizer = createPacketizer(format, { payloadType: 96, ssrc: 1, sequence: 0, clockRateHz });
  let sent = 0;
  return {
    track: packetizer.track,
    send: (data: Buffer): void => {
      const rtpTime = (sent * clockRateHz) / 50;
      const { list } = packetizer.packets(sampleOf(data, format, { key: true, rtpTime }), rtpTime);
      camera.push(group(rtpTime, list, { key: true, track: index, at: (AT + sent * 20) as typeof AT }));
      sent += 1;
    },
  };
}

describe("live sound in the browser", () => {
  const formats: readonly (readonly [SampleFormat, object])[] = [
    [
      { codec: "PCMU", sampleRateHz: 8000, channels: 1 },
      { codec: "ulaw", sampleRateHz: 8000, channels: 1 },
    ],
    [
      { codec: "PCMA", sampleRateHz: 8000, channels: 1 },
      { codec: "alaw", sampleRateHz: 8000, channels: 1 },
    ],
    [
      { codec: "OPUS", sampleRateHz: 48_000, channels: 2 },
      { codec: "opus", sampleRateHz: 48_000, channels: 2 },
    ],
    [AAC, { codec: "mp4a.40.2", sampleRateHz: 48_000, channels: 2, config: "EZA=" }],
  ];
  for (const [format, described] of formats)
    it(`is described, and comes piece by piece with its time, as the camera encoded it: ${format.codec}`, () => {
      const scratch = scriptedCamera("gate", [], () => undefined);
      const { track: sound } = sender(scratch, format, 1);
      const { camera, heard } = stage([track("H264"), sound]);
      const { send } = sender(camera, format, 1);
      send(hex("0102"));
      send(hex("0304"));
      expect(heard).to.deep.equal([{ type: "sound", ...described }, [AT, "0102"], [AT + 20, "0304"]]);
    });

  it("leaves out what a listener is too slow for", () => {
    const format: SampleFormat = { codec: "PCMU", sampleRateHz: 8000, channels: 1 };
    const { camera, heard, listener } = stage([track("PCMU")]);
    const { send } = sender(camera, format, 0);
    send(hex("01"));
    listener.queuedBytes = 1024 * 1024;
    send(hex("02"));
    listener.queuedBytes = 0;
    send(hex("03"));
    expect(heard.slice(1)).to.deep.equal([
      [AT, "01"],
      [AT + 40, "03"],
    ]);
  });

  it("is a sentence where there is none, and for a codec that nobody knows, until the camera sends another", () => {
    const g726 = track("unknown", "", { kind: "audio", encoding: "G726-32" });
    const { camera, heard, stop } = stage([track("H264")]);
    camera.describe([track("H264"), g726]);
    camera.push(group(0, [Buffer.alloc(20)], { track: 1 }));
    camera.describe([track("PCMU")]);
    sender(camera, { codec: "PCMU", sampleRateHz: 8000, channels: 1 }, 0).send(hex("01"));
    expect(heard).to.deep.equal([
      { type: "unplayable", why: "This camera sends no sound." },
      { type: "unplayable", why: "Browsers cannot play G726-32 sound." },
      { type: "sound", codec: "ulaw", sampleRateHz: 8000, channels: 1 },
      [AT, "01"],
    ]);
    stop();
    expect(camera.readers.size).to.equal(0);
  });
});
