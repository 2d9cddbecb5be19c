import { isDeepStrictEqual } from "node:util";
import { unixMillis, unixOfNtp } from "../../base/units.ts";
import { createDepacketizer } from "../../media/depacketizer.ts";
import { PacketGroup } from "../../media/group.ts";
import { parseMikey, printMikey } from "../../media/mikey.ts";
import { lengthPrefixed } from "../../media/nal.ts";
import { createPacketizer } from "../../media/packetizer.ts";
import { TrackReceiver } from "../../media/receiver.ts";
import { ReceptionCounter } from "../../media/reception.ts";
import { Reorder } from "../../media/reorder.ts";
import { ReusedMemory } from "../../media/reused-memory.ts";
import { readRtcp } from "../../media/rtcp.ts";
import { readRtp, writeRtpHeader } from "../../media/rtp.ts";
import type { Sample } from "../../media/sample.ts";
import { SrtpReceiver, SrtpSender } from "../../media/srtp.ts";
import type { SrtpKeys } from "../../media/srtp-cipher.ts";
import type { Codec, Track, TrackKind } from "../../media/track.ts";
import { bodyAt } from "../../recorder/box.ts";
import { initSegment } from "../../recorder/fmp4.ts";
import { readMovie } from "../../recorder/fmp4-read.ts";
import { withReplayExtension } from "../../rtsp/server/replay-extension.ts";
import { holds, orRefused, type Target, target } from "../target.ts";

const START = Date.UTC(2026, 10, 24);

const SRTP_KEYS: readonly SrtpKeys[] = [
  { suite: "AES_CM_128_HMAC_SHA1_80", masterKey: Buffer.alloc(16, 1), masterSalt: Buffer.alloc(14), mki: Buffer.of(7) },
  { suite: "AEAD_AES_128_GCM", masterKey: Buffer.alloc(16, 1), masterSalt: Buffer.alloc(12), mki: Buffer.alloc(0) },
];

/** What a byte before each payload says of its packet. */
const FLAG = { marker: 1, nextPicture: 2, lost: 4, otherSource: 8, padded: 16, extended: 32, swapped: 64 };
const LEAD_BYTES = 3;

/** Packets out of an input: flags and the payload's length in two bytes before each payload. */
function packetsOf(input: Buffer): readonly Buffer[] {
  const packets: Buffer[] = [];
  let [sequence, timestamp] = [65_530, 0xffff_f000];
  for (let at = 0; at + LEAD_BYTES <= input.length && packets.length < 2000; ) {
    const flags = input.readUInt8(at);
    const end = at + LEAD_BYTES + input.readUInt16BE(at + 1);
    const payload = input.subarray(at + LEAD_BYTES, end);
    at = end;
    if ((flags & FLAG.nextPicture) !== 0) timestamp = (timestamp + 3600) >>> 0;
    sequence += (flags & FLAG.lost) !== 0 ? 2 : 1;
    const packet = Buffer.concat([Buffer.alloc(12), payload]);
    const marker = (flags & FLAG.marker) !== 0;
    writeRtpHeader(packet, { marker, payloadType: 96, sequence, timestamp, ssrc: (flags & FLAG.otherSource) >> 3 });
    // The payload's own bytes say how much.
    packet[0] = 0x80 | ((flags & FLAG.padded) << 1) | ((flags & FLAG.extended) >> 1);
    if ((flags & FLAG.swapped) !== 0) packets.splice(-1, 0, packet);
    else packets.push(packet);
  }
  return packets;
}

function trackOf(codec: Codec, kind: TrackKind, fmtp = ""): Track {
  const clockRateHz = kind === "audio" ? 48_000 : 90_000;
  return { kind, codec, encoding: codec, payloadType: 96, clockRateHz, channels: 1, fmtp };
}

/** All the way of a camera's packets: put in order, grouped, taken apart, and written as a file's header and as RTP again. */
function media(name: string, tracks: readonly Track[]): Target {
  return target({
    name,
    maxBytes: 16_384,
    run(input) {
      const track = tracks[(input[0] ?? 0) % tracks.length];
      if (track === undefined) return;
      let now = unixMillis(START);
      const depacketizer = createDepacketizer(track);
      const groups: PacketGroup[] = [];
      const receiver = new TrackReceiver({ index: 0, track, deliver: (group) => groups.push(group) });
      const reception = new ReceptionCounter(track.clockRateHz);
      const reorder = new Reorder({
        clock: { after: () => ({ cancel: () => undefined }), monotonic: () => 0 } as never,
        deliver: (packet, at) => receiver.rtp(packet, at),
      });
      for (const packet of packetsOf(input.subarray(1))) {
        now = unixMillis(now + 5);
        reception.rtp(packet, now);
        reorder.push(packet, now);
      }
      reorder.flush();
      receiver.flush();
      reception.take(now);
      const samples = groups.flatMap((group) => depacketizer?.push(group) ?? []).concat(depacketizer?.flush() ?? []);
      let bytes = 0;
      for (const sample of samples) {
        bytes += sample.data.length;
        assertUsable(sample, track);
      }
      holds(bytes <= input.length * 4 + samples.length * 2048, "samples are not much more than what came");
    },
  });
}

/** A file can be begun with its format and read again, and RTP can be made of it. */
function assertUsable(sample: Sample, { clockRateHz }: Track): void {
  const { format, data } = sample;
  const movie = initSegment([{ id: 1, timescale: clockRateHz, format }]);
  const [read] = readMovie(bodyAt(movie, "moov"));
  holds(read?.format.codec === format.codec, "the file says how to decode it");
  if (format.codec === "H264" || format.codec === "H265") lengthPrefixed(data);
  orRefused(() => {
    const numbers = { payloadType: 96, ssrc: 1, sequence: 0, clockRateHz };
    for (const packet of createPacketizer(format, numbers).packets(sample, 0).list) readRtp(packet);
  });
}

const H264_FMTP = "packetization-mode=1;sprop-parameter-sets=Z0LADdoFB+xEAAADAAQAAAMADIPFCqg=,aM4PyA==";
const AAC = "streamtype=5;mode=AAC-hbr;config=1190;SizeLength=13;IndexLength=3;IndexDeltaLength=3";

export const TARGETS: readonly Target[] = [
  target({
    name: "rtp",
    run(input) {
      const packet = readRtp(input);
      holds(packet.payloadOffset + packet.payload.length <= input.length, "the payload lies in the packet");
      const again = Buffer.concat([Buffer.alloc(12), packet.payload]);
      writeRtpHeader(again, packet);
      const { payloadOffset: _one, payload, ...header } = packet;
      const { payloadOffset: _other, payload: printed, ...read } = readRtp(again);
      holds(payload.equals(printed) && JSON.stringify(header) === JSON.stringify(read), "it is read as it is written");
    },
  }),
  target({
    name: "rtcp",
    maxBytes: 65_535,
    run(input) {
      const { senders, byes } = readRtcp(input);
      holds(senders.length <= 64 && byes.length <= 64 * 31, "no more is told than parts can hold");
      const track = trackOf("H264", "video");
      const receiver = new TrackReceiver({ index: 0, track, deliver: () => undefined });
      receiver.rtcp(input, unixMillis(START));
      new ReceptionCounter(90_000).rtcp(input, unixMillis(START));
    },
  }),
  target({
    name: "mikey",
    maxBytes: 2048,
    run(input) {
      const keys = parseMikey(input);
      const again = parseMikey(printMikey(keys, { ssrc: 0, now: unixMillis(START) }));
      holds(isDeepStrictEqual(again, keys), "what was read is read again as it was printed");
    },
  }),
  target({
    name: "srtcp",
    maxBytes: 2048,
    run(input) {
      for (const keys of SRTP_KEYS)
        holds(new SrtpReceiver(keys).openReport(input) === undefined, "nothing forged is opened");
    },
  }),
  target({
    name: "srtcp-sent",
    maxBytes: 1500,
    run(input) {
      if (input.length < 8) return;
      const place = (input[4] ?? 0) * 8 + (input[5] ?? 0);
      for (const keys of SRTP_KEYS) {
        const sealed = new SrtpSender(keys).protectReport(input);
        const changed = Buffer.from(sealed);
        changed.writeUInt8((changed[place % changed.length] ?? 0) ^ (1 << (place & 7)), place % changed.length);
        const receiver = new SrtpReceiver(keys);
        holds(receiver.openReport(changed) === undefined, "what was changed on its way is not opened");
        holds(receiver.openReport(sealed.subarray(0, -1)) === undefined, "what was cut is not opened");
        holds(receiver.openReport(sealed)?.equals(input) === true, "what was sealed is opened, whatever came before");
        holds(receiver.openReport(sealed) === undefined, "nothing is opened twice");
      }
    },
  }),
  target({
    name: "replay-extension",
    run(input) {
      const { payload, payloadOffset: _offset, ...header } = readRtp(input);
      const marks = { end: true, discontinuity: false, terminal: true, sequence: 7 };
      const [memory, at] = [new ReusedMemory(), unixMillis(START)];
      const told = { track: 0, rtpTime: 0, at, quality: "camera", key: true, discontinuity: false } as const;
      const [packet] = withReplayExtension(new PacketGroup(told, [input]), marks, memory).packets;
      holds(packet !== undefined, "there is a packet still");
      const { payload: moved, payloadOffset, ...again } = readRtp(packet);
      holds(moved.equals(payload) && isDeepStrictEqual(again, header), "header and payload are as they were");
      const start = 12 + ((input[0] ?? 0) & 0x0f) * 4;
      holds(packet.readUInt16BE(start) === 0xabac, "the extension stands behind the sources");
      holds(start + 4 + packet.readUInt16BE(start + 2) * 4 === payloadOffset, "its length is true");
      holds(
        unixOfNtp({ seconds: packet.readUInt32BE(start + 4), fraction: packet.readUInt32BE(start + 8) }) === at,
        "its time is the capture's",
      );
    },
  }),
  media("h264", [trackOf("H264", "video"), trackOf("H264", "video", H264_FMTP)]),
  media("h265", [trackOf("H265", "video")]),
  media("jpeg", [trackOf("JPEG", "video")]),
  media("aac", [
    trackOf("MPEG4-GENERIC", "audio", AAC),
    trackOf("MPEG4-GENERIC", "audio", "mode=AAC-lbr;config=1588"),
    trackOf("MPEG4-GENERIC", "audio"),
    trackOf("MPEG4-GENERIC", "audio", "mode=AAC-hbr;config=2b118800;sizelength=16;indexlength=1"),
  ]),
  media("mpeg4", [
    trackOf("MP4V-ES", "video"),
    trackOf("MP4V-ES", "video", "config=000001B001000001B58913000001000000012000C48D8800CD0A041E1463"),
  ]),
  media("other-media", [
    trackOf("VND.ONVIF.METADATA", "metadata"),
    trackOf("PCMU", "audio"),
    trackOf("PCMA", "audio"),
    trackOf("unknown", "video"),
    trackOf("OPUS", "audio", "sprop-stereo=1"),
  ]),
];
