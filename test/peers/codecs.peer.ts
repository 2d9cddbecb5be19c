import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Context } from "mocha";
import { createDepacketizer } from "../../media/depacketizer.ts";
import { lengthPrefixed, splitStartCodes } from "../../media/nal.ts";
import { createPacketizer } from "../../media/packetizer.ts";
import { type RtpPacket, readRtp } from "../../media/rtp.ts";
import type { Sample, SampleFormat } from "../../media/sample.ts";
import { parseSdp, printSdp } from "../../media/sdp.ts";
import type { Track } from "../../media/track.ts";
import { group, track } from "../media/codec-fixture.ts";
import { type Peer, peer } from "../support/peer.ts";

/** How one codec gets through other people's programs. */
interface Row {
  readonly name: string;
  readonly track: Track;
  /** From a test source to a raw stream. */
  readonly encode: { readonly program: "ffmpeg" | "gst-launch-1.0"; readonly args: readonly string[] };
  /** Name of that stream's format for ffmpeg to read. */
  readonly format: readonly string[];
  /** GStreamer, raw stream to RTP packets and back; parse stands before the first and behind the second. */
  readonly pay: string;
  readonly depay: string;
  /** Samples as a raw stream. */
  readonly raw: (samples: readonly Sample[]) => Buffer;
}

const START_CODE = Buffer.of(0, 0, 0, 1);
const byteStream = (samples: readonly Sample[]): Buffer =>
  Buffer.concat(samples.flatMap(({ data }) => lengthPrefixed(data).flatMap((nal) => [START_CODE, nal])));
const joined = (samples: readonly Sample[]): Buffer => Buffer.concat(samples.map((one) => one.data));

/** ISO/IEC 13818-7 6.2: AAC-LC, 48 kHz, stereo. */
function adts(samples: readonly Sample[]): Buffer {
  return Buffer.concat(
    samples.flatMap(({ data }) => {
      const length = data.length + 7;
      const sizes = [0x80 | (length >> 11), (length >> 3) & 0xff, ((length & 7) << 5) | 0x1f];
      return [Buffer.of(0xff, 0xf1, 0x4c, ...sizes, 0xfc), data];
    }),
  );
}

const VIDEO = ["-f", "lavfi", "-i", "testsrc2=s=322x244:r=10", "-frames:v", "12"];
const AUDIO = ["-f", "lavfi", "-i", "sine=f=440:r=48000:d=0.5"];
const withFfmpeg = (...args: readonly string[]): Row["encode"] => ({
  program: "ffmpeg",
  args: ["-v", "error", ...args, "-"],
});
const withGst = (pipeline: string): Row["encode"] => ({
  program: "gst-launch-1.0",
  args: ["-q", ...pipeline.split(" ")],
});
const x264 = ["-c:v", "libx264", "-preset", "veryfast", "-g", "5"];
const x265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=5"];

const ROWS: readonly Row[] = [
  {
    name: "H.264 with B-frames",
    track: track("H264"),
    encode: withFfmpeg(...VIDEO, ...x264, "-f", "h264"),
    format: ["-f", "h264"],
    pay: "h264parse ! rtph264pay config-interval=-1 mtu=500 aggregate-mode=zero-latency",
    depay: "rtph264depay ! video/x-h264,stream-format=byte-stream,alignment=au",
    raw: byteStream,
  },
  {
    name: "H.264 with several slices, interlaced",
    track: track("H264"),
    encode: withFfmpeg(...VIDEO, ...x264, "-x264opts", "slices=4:interlaced=1", "-f", "h264"),
    format: ["-f", "h264"],
    pay: "h264parse ! rtph264pay aggregate-mode=none",
    depay: "rtph264depay ! video/x-h264,stream-format=byte-stream,alignment=au",
    raw: byteStream,
  },
  {
    name: "H.265",
    track: track("H265"),
    encode: withFfmpeg(...VIDEO, ...x265, "-f", "hevc"),
    format: ["-f", "hevc"],
    pay: "h265parse ! rtph265pay config-interval=-1 mtu=500 aggregate-mode=zero-latency",
    depay: "rtph265depay ! video/x-h265,stream-format=byte-stream,alignment=au",
    raw: byteStream,
  },
  {
    name: "JPEG 4:2:0",
    track: track("JPEG", "", { payloadType: 26 }),
    encode: withFfmpeg(
      ...VIDEO,
      "-vf",
      "scale=320:240",
      "-c:v",
      "mjpeg",
      "-huffman",
      "default",
      "-pix_fmt",
      "yuvj420p",
      "-f",
      "mjpeg",
    ),
    format: ["-f", "mjpeg"],
    pay: "image/jpeg,framerate=10/1 ! jpegparse ! rtpjpegpay mtu=500",
    depay: "rtpjpegdepay",
    raw: joined,
  },
  {
    name: "JPEG 4:2:2",
    track: track("JPEG", "", { payloadType: 26 }),
    encode: withGst(
      "videotestsrc num-buffers=12 ! video/x-raw,format=Y42B,width=640,height=480,framerate=10/1 ! jpegenc ! fdsink",
    ),
    format: ["-f", "mjpeg"],
    pay: "image/jpeg,framerate=10/1 ! jpegparse ! rtpjpegpay",
    depay: "rtpjpegdepay",
    raw: joined,
  },
  {
    name: "AAC",
    track: track("MPEG4-GENERIC", "mode=AAC-hbr;config=1190;sizelength=13;indexlength=3;indexdeltalength=3", {
      clockRateHz: 48_000,
      channels: 2,
    }),
    encode: withFfmpeg(...AUDIO, "-c:a", "aac", "-ac", "2", "-f", "adts"),
    format: ["-f", "aac"],
    pay: "aacparse ! audio/mpeg,stream-format=raw ! rtpmp4gpay",
    depay: "rtpmp4gdepay ! aacparse ! audio/mpeg,stream-format=adts",
    raw: adts,
  },
  {
    name: "G.711",
    track: track("PCMU", "", { payloadType: 0 }),
    encode: withFfmpeg(...AUDIO, "-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1", "-f", "mulaw"),
    format: ["-f", "mulaw", "-ar", "8000", "-ac", "1", "-guess_layout_max", "0"],
    pay: "rawaudioparse use-sink-caps=false format=mulaw sample-rate=8000 num-channels=1 ! rtppcmupay",
    depay: "rtppcmudepay",
    raw: joined,
  },
];

/** RTP packets in a byte stream, each behind its length (RFC 4571), as GStreamer reads and writes them in files. */
function readFramed(bytes: Buffer): readonly Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    packets.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return packets;
}

function framed(packets: readonly Buffer[]): Buffer {
  return Buffer.concat(packets.flatMap((one) => [Buffer.of(one.length >> 8, one.length & 0xff), one]));
}

/** Depacketizes packets in groups up to a marker or a new RTP time, as a receiver would. */
function samplesOf(described: Track, packets: readonly Buffer[]): readonly Sample[] {
  const depacketizer = createDepacketizer(described);
  if (depacketizer === undefined) throw new Error(`no depacketizer for ${described.codec}`);
  const groups: Buffer[][] = [];
  let last: RtpPacket | undefined;
  for (const packet of packets) {
    const rtp = readRtp(packet);
    if (last?.timestamp === rtp.timestamp && !last.marker) groups.at(-1)?.push(packet);
    else groups.push([packet]);
    last = rtp;
  }
  const samples = groups.flatMap((one) => depacketizer.push(group(readRtp(one[0] ?? Buffer.alloc(0)).timestamp, one)));
  return [...samples, ...depacketizer.flush()];
}

function packetsOf(described: Track, samples: readonly Sample[]): readonly Buffer[] {
  const [first] = samples;
  if (first === undefined) throw new Error("no samples");
  const { payloadType, clockRateHz } = described;
  const made = createPacketizer(first.format, { payloadType, ssrc: 1, sequence: 0, clockRateHz });
  return samples.flatMap((one) => made.packets(one, one.rtpTime).list);
}

async function run(program: Peer, args: readonly string[], input?: Buffer): Promise<Buffer> {
  const { code, stdout, stderr } = await program.run(args, input === undefined ? {} : { input });
  expect(stderr, args.join(" ")).to.equal("");
  expect(code, args.join(" ")).to.equal(0);
  return stdout;
}

const setsIn = (fmtp: string): string | undefined => /sprop-parameter-sets=([^;]*)/.exec(fmtp)?.[1];

const encode = (context: Context, { encode: { program, args } }: Row): Promise<Buffer> =>
  run(peer(context, program), args);

describe("codecs of other programs", () => {
  let ffmpeg: Peer;
  let folder: string;

  before(async function () {
    ffmpeg = peer(this, "ffmpeg");
    folder = await mkdtemp(join(tmpdir(), "viaduct-codecs-"));
  });

  after(() => (folder === undefined ? undefined : rm(folder, { recursive: true })));

  /** Pictures or sound, decoded by ffmpeg, which must find nothing to complain about. */
  function decode(row: Row, bytes: Buffer): Promise<Buffer> {
    const out = row.track.kind === "video" ? ["-f", "rawvideo", "-fps_mode", "passthrough"] : ["-f", "s16le"];
    return run(ffmpeg, ["-v", "warning", ...row.format, "-i", "-", ...out, "-"], bytes);
  }

  for (const row of ROWS)
    describe(row.name, () => {
      it("comes whole out of GStreamer's packets, and GStreamer gets it whole out of ours", async function () {
        const gst = peer(this, "gst-launch-1.0");
        const original = await encode(this, row);
        const decoded = await decode(row, original);
        const [raw, rtp, back, out] = ["raw", "rtp", "back", "out"].map((one) => join(folder, one));
        await writeFile(raw ?? "", original);
        await run(
          gst,
          `-q filesrc location=${raw} blocksize=160 ! ${row.pay} pt=${row.track.payloadType} ! rtpstreampay ! filesink location=${rtp}`.split(
            " ",
          ),
        );
        const samples = samplesOf(row.track, readFramed(await readFile(rtp ?? "")));
        expect(samples.filter((one) => one.discontinuity)).to.deep.equal([]);
        expect((await decode(row, row.raw(samples))).equals(decoded), "decoded from GStreamer's packets").to.equal(
          true,
        );

        const packets = packetsOf(row.track, samples);
        const again = samplesOf(row.track, packets);
        expect(row.raw(again).equals(row.raw(samples)), "round trip").to.equal(true);
        await writeFile(back ?? "", framed(packets));
        const { kind, encoding, clockRateHz, payloadType } = row.track;
        const caps = `application/x-rtp-stream,media=${kind},encoding-name=${encoding},clock-rate=${clockRateHz},payload=${payloadType}`;
        const more =
          row.track.codec === "MPEG4-GENERIC"
            ? ",mode=AAC-hbr,config=(string)1190,sizelength=(string)13,indexlength=(string)3,indexdeltalength=(string)3"
            : "";
        await run(
          gst,
          `-q filesrc location=${back} ! ${caps}${more} ! rtpstreamdepay ! ${row.depay} ! filesink location=${out}`.split(
            " ",
          ),
        );
        expect((await decode(row, await readFile(out ?? ""))).equals(decoded), "decoded by way of GStreamer").to.equal(
          true,
        );
      });

      it("comes whole out of ffmpeg's packets, and ffmpeg decodes ours without a warning", async function () {
        const original = await encode(this, row);
        const decoded = await decode(row, original);
        const { described, packets } = await sentByFfmpeg(ffmpeg, folder, row, original);
        const samples = samplesOf(described, packets);
        expect(samples.filter((one) => one.discontinuity)).to.deep.equal([]);
        const got = await decode(row, row.raw(samples));
        // What ffmpeg has gathered of AAC for one more packet at the end of the stream, it does not send.
        const most = row.track.codec === "MPEG4-GENERIC" ? got.length : decoded.length;
        expect(got.equals(decoded.subarray(0, most)), "decoded from ffmpeg's packets").to.equal(true);
        expect(got.length).to.be.greaterThan(decoded.length * 0.8);
        await watchedByFfmpeg(ffmpeg, folder, row, samples);
      });
    });

  describe("parameter sets", () => {
    const encoders: readonly (readonly [
      name: string,
      codec: "H264" | "H265",
      size: string,
      args: readonly string[],
    ])[] = [
      ["H.264 baseline", "H264", "176x144", ["-c:v", "libx264", "-profile:v", "baseline"]],
      ["H.264 high, odd size", "H264", "642x362", ["-c:v", "libx264", "-profile:v", "high"]],
      [
        "H.264 1080 lines, interlaced",
        "H264",
        "1920x1080",
        ["-c:v", "libx264", "-preset", "ultrafast", "-flags", "+ildct"],
      ],
      ["H.264 with matrices", "H264", "640x480", ["-c:v", "libx264", "-x264opts", "cqm=jvt"]],
      ["H.264 high 10", "H264", "320x180", ["-c:v", "libx264", "-pix_fmt", "yuv420p10le"]],
      ["H.264 high 4:2:2", "H264", "322x182", ["-c:v", "libx264", "-pix_fmt", "yuv422p"]],
      ["H.264 high 4:4:4", "H264", "323x181", ["-c:v", "libx264", "-pix_fmt", "yuv444p"]],
      ["H.265 main", "H265", "642x362", ["-c:v", "libx265"]],
      ["H.265 main 10", "H265", "320x180", ["-c:v", "libx265", "-pix_fmt", "yuv420p10le"]],
      ["H.265 4:4:4", "H265", "323x181", ["-c:v", "libx265", "-pix_fmt", "yuv444p"]],
      [
        "H.265 with matrices and temporal layers",
        "H265",
        "640x480",
        ["-c:v", "libx265", "-x265-params", "log-level=none:scaling-list=default:temporal-layers=1"],
      ],
    ];
    for (const [name, codec, size, args] of encoders)
      it(`of ${name}: the size is ffprobe's, the configuration is that of ffmpeg's MP4`, async function () {
        const ffprobe = peer(this, "ffprobe");
        const quiet = codec === "H265" && !args.includes("-x265-params") ? ["-x265-params", "log-level=none"] : [];
        const path = join(folder, "one.mp4");
        const tag = codec === "H264" ? "avc1" : "hvc1";
        await run(ffmpeg, [
          "-v",
          "error",
          "-y",
          "-f",
          "lavfi",
          "-i",
          `testsrc2=s=${size}`,
          "-frames:v",
          "2",
          ...args,
          ...quiet,
          "-tag:v",
          tag,
          path,
        ]);
        const stream = await run(ffmpeg, [
          "-v",
          "error",
          "-i",
          path,
          "-c",
          "copy",
          "-f",
          codec === "H264" ? "h264" : "hevc",
          "-",
        ]);
        const probed = await run(ffprobe, [
          "-v",
          "error",
          "-show_entries",
          "stream=width,height",
          "-of",
          "csv=p=0",
          path,
        ]);
        const [width, height] = probed.toString().trim().split(",").map(Number);
        const format = formatOf(codec, stream);
        expect(format).to.deep.include({ width, height });
        const theirs = boxIn(await readFile(path), codec === "H264" ? "avcC" : "hvcC");
        if (codec === "H264") expect(format.config.toString("hex")).to.equal(theirs.toString("hex"));
        else {
          // Profile, tier and level; then colors and layers. What stands between, and SEI, ffmpeg knows more of.
          expect(format.config.toString("hex", 0, 13)).to.equal(theirs.toString("hex", 0, 13));
          expect(format.config.toString("hex", 16, 19)).to.equal(theirs.toString("hex", 16, 19));
          expect((format.config[21] ?? 0) & 0x3f).to.equal((theirs[21] ?? 0) & 0x3f);
        }
      });

    it("in a description are found by ffmpeg", async function () {
      const row = ROWS[0];
      if (row === undefined) throw new Error("no row");
      const { described } = await sentByFfmpeg(ffmpeg, folder, row, await encode(this, row));
      expect(described.fmtp).to.match(/sprop-parameter-sets=[\w+/=]+,[\w+/=]+/);
      const format = formatOf("H264", await encode(this, row));
      const made = createPacketizer(format, { payloadType: 96, ssrc: 1, sequence: 0, clockRateHz: 90_000 });
      expect(setsIn(made.track.fmtp)).to.equal(setsIn(described.fmtp));
    });
  });
});

type NalFormat = Extract<SampleFormat, { config: Buffer; width: number }>;

/** The format that a depacketizer finds in a byte stream. */
function formatOf(codec: "H264" | "H265", stream: Buffer): NalFormat {
  const nals = splitStartCodes(stream);
  const vcl = nals.findIndex((nal) => (codec === "H264" ? ((nal[0] ?? 0) & 0x1f) < 6 : (nal[0] ?? 0) >> 1 < 32));
  const small = nals.slice(0, vcl + 1).map((nal) => nal.subarray(0, 1000));
  const packets = small.map((nal, index) =>
    Buffer.concat([Buffer.of(0x80, index === vcl ? 0xe0 : 0x60, 0, index, 0, 0, 0, 0, 0, 0, 0, 1), nal]),
  );
  const [sample] = createDepacketizer(track(codec))?.push(group(0, packets)) ?? [];
  if (sample === undefined || !("config" in sample.format) || !("width" in sample.format)) throw new Error("no sample");
  return sample.format;
}

/** The body of the first box of this type. */
function boxIn(file: Buffer, type: string): Buffer {
  const at = file.indexOf(type);
  return file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4));
}

const LAST = Buffer.from("no RTP, the end");

/** As much as the system gives: all that a row has, so that nothing is lost while this process stands still. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** Has ffmpeg send a raw stream by UDP to the loopback, in packets that fit in a socket's buffer all together. */
async function sentByFfmpeg(
  ffmpeg: Peer,
  folder: string,
  row: Row,
  original: Buffer,
): Promise<{ readonly described: Track; readonly packets: readonly Buffer[] }> {
  const socket = createSocket({ type: "udp4", recvBufferSize: BUFFER_BYTES });
  const packets: Buffer[] = [];
  socket.on("message", (packet) => packets.push(packet));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  try {
    // In MP4 a stream has all that a description needs; raw AAC has it in every frame alone.
    const path = join(folder, "sent.mp4");
    const raw = row.track.codec === "PCMU" ? row.format : [];
    if (raw.length > 0) await writeFile(path, original);
    else await ffmpeg.run(["-v", "error", "-y", ...row.format, "-i", "-", "-c", "copy", path], { input: original });
    const url = `rtp://127.0.0.1:${socket.address().port}?pkt_size=1200&rtcpport=${socket.address().port}`;
    const { code, stdout, stderr } = await ffmpeg.run([
      "-v",
      "error",
      "-re",
      ...raw,
      "-i",
      path,
      "-c",
      "copy",
      "-f",
      "rtp",
      url,
    ]);
    expect(code, stderr).to.equal(0);
    // Behind everything that was sent before.
    const last = createSocket("udp4");
    last.send(LAST, socket.address().port, "127.0.0.1");
    while (!packets.some((packet) => packet.equals(LAST))) await once(socket, "message");
    last.close();
    const [media] = parseSdp(stdout.toString().replace(/^SDP:\s*/, "")).media;
    if (media === undefined) throw new Error("no description");
    // Reports come to the same port.
    const rtp = packets.filter((packet) => ((packet[1] ?? 0) & 0x7f) === media.track.payloadType);
    return { described: media.track, packets: rtp };
  } finally {
    socket.close();
  }
}

/** Sends samples by UDP over and over until ffmpeg, which reads a description of ours, has decoded enough of them. */
async function watchedByFfmpeg(ffmpeg: Peer, folder: string, row: Row, samples: readonly Sample[]): Promise<void> {
  const [first] = samples;
  if (first === undefined) throw new Error("no samples");
  const port = freePort();
  const { payloadType, clockRateHz, kind } = row.track;
  const described = createPacketizer(first.format, { payloadType, ssrc: 1, sequence: 0, clockRateHz }).track;
  const text = printSdp({
    name: "-",
    sessionId: "1",
    address: "127.0.0.1",
    control: "*",
    media: [{ track: described, control: "0" }],
  });
  const path = join(folder, "ours.sdp");
  await writeFile(path, text.replace("c=IN IP4 0.0.0.0", "c=IN IP4 127.0.0.1").replace(/^(m=\w+) 0/m, `$1 ${port}`));
  // The times of pictures are not looked at, and begin anew with every round.
  const what =
    kind === "video"
      ? ["-vf", "setpts=N/10/TB", "-frames:v", "12", "-f", "rawvideo"]
      : ["-frames:a", "12", "-f", "s16le"];
  const running = ffmpeg.run(["-v", "warning", "-protocol_whitelist", "file,udp,rtp", "-i", path, ...what, "-"]);
  const socket = createSocket("udp4");
  const packets = packetsOf(described, samples);
  let round = 0;
  let next = 0;
  const sending = setInterval(() => {
    // Only whole access units, and none before ffmpeg has read the one before: it may stand still for longer than a buffer lasts.
    if (waitingBytes(port) !== 0) return;
    let marker = false;
    while (!marker) {
      const packet = Buffer.from(packets[next] ?? Buffer.alloc(0));
      marker = (packet.readUInt8(1) & 0x80) !== 0 || kind === "audio";
      packet.writeUInt16BE((packet.readUInt16BE(2) + round * packets.length) & 0xffff, 2);
      packet.writeUInt32BE((packet.readUInt32BE(4) + round * clockRateHz * 2) >>> 0, 4);
      socket.send(packet, port, "127.0.0.1");
      next = (next + 1) % packets.length;
      if (next === 0) round += 1;
    }
  }, 10);
  try {
    const { code, stderr } = await running;
    expect(stderr).to.equal("");
    expect(code).to.equal(0);
  } finally {
    clearInterval(sending);
    socket.close();
  }
}

/** What the system keeps for whoever listens at this UDP port; undefined where nobody does. */
function waitingBytes(port: number): number | undefined {
  const address = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  const line = readFileSync("/proc/net/udp", "latin1")
    .split("\n")
    .find((one) => one.includes(address));
  // proc_net_udp: sl, local_address, rem_address, st, tx_queue:rx_queue, …
  return line === undefined ? undefined : Number.parseInt(line.trim().split(/\s+/)[4]?.split(":")[1] ?? "", 16);
}

/** An even port that nobody has, nor the next one, below those that the system chooses from: it gives none of these to anybody meanwhile. */
function freePort(): number {
  for (let port = 10_000 + 2 * (process.pid % 2000); ; port += 2)
    if (waitingBytes(port) === undefined && waitingBytes(port + 1) === undefined) return port;
}
