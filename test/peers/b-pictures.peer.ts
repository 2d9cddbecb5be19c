import { expect } from "chai";
import { BPictures } from "../../media/b-pictures.ts";
import { PacketGroup } from "../../media/group.ts";
import { h264Track, pickH264 } from "../../media/h264.ts";
import { h265Track, pickH265 } from "../../media/h265.ts";
import { splitStartCodes } from "../../media/nal.ts";
import { H264_CODEC, H265_CODEC, type NalCodec } from "../../media/nal-codec.ts";
import { NalPacketizer } from "../../media/nal-packetizer.ts";
import { PlainPacketizer } from "../../media/plain-packetizer.ts";
import type { Track } from "../../media/track.ts";
import { AT, inSample, sampleOf, track } from "../media/codec-fixture.ts";
import { type Peer, peer } from "../support/peer.ts";

const FRAMES = 48;
const NUMBERS = { payloadType: 96, ssrc: 1, sequence: 0 };
const START_CODE = Buffer.of(0, 0, 0, 1);

interface Film {
  readonly described: Track;
  readonly units: readonly Unit[];
}

interface Unit {
  /** As it stands in a raw stream. */
  readonly raw: Buffer;
  /** As a replay has it. */
  readonly group: PacketGroup;
}

function unitOf(raw: Buffer, data: Buffer, packetizer: NalPacketizer | PlainPacketizer, number: number): Unit {
  const sample = sampleOf(data, { codec: "VND.ONVIF.METADATA" });
  const marks = { track: 0, rtpTime: number, at: AT, quality: "camera", key: false, discontinuity: false } as const;
  return { raw, group: new PacketGroup(marks, packetizer.packets(sample, number)) };
}

/** Of a byte stream in which each access unit begins with its delimiter. */
function nalFilm(codec: NalCodec, describe: (nals: readonly Buffer[]) => Track): (bytes: Buffer) => Film {
  return (bytes) => {
    const [...starts] = piecesOf(bytes, (at) => codec.type(bytes, at + 3) === codec.delimiter);
    const units = starts.map((unit) => splitStartCodes(unit));
    const described = describe(units.flat());
    const packetizer = new NalPacketizer(codec, [], described, NUMBERS);
    const made = units.map((nals, index) =>
      unitOf(Buffer.concat(nals.flatMap((nal) => [START_CODE, nal])), inSample(...nals), packetizer, index),
    );
    return { described, units: made };
  };
}

/** ISO/IEC 14496-2 6.2: headers of the sequence or of a group of pictures (B0, B3) belong to the picture (B6) behind them. */
function mpeg4Film(bytes: Buffer): Film {
  const described = track("MP4V-ES");
  const packetizer = new PlainPacketizer(described, NUMBERS);
  let inPicture = false;
  const pieces = piecesOf(bytes, (at) => {
    const code = bytes[at + 3] ?? 0;
    const begins = inPicture ? [0xb0, 0xb3, 0xb6].includes(code) : at === 0;
    inPicture = code === 0xb6 || (inPicture && !begins);
    return begins;
  });
  return { described, units: pieces.map((raw, index) => unitOf(raw, raw, packetizer, index)) };
}

/** Cuts at those start codes at which something begins. */
function piecesOf(bytes: Buffer, begins: (at: number) => boolean): readonly Buffer[] {
  const cuts: number[] = [];
  for (let at = bytes.indexOf("\0\0\x01"); at >= 0; at = bytes.indexOf("\0\0\x01", at + 3))
    if (begins(at)) cuts.push(at);
  return cuts.map((from, index) => bytes.subarray(from, cuts[index + 1]));
}

const h264Film = nalFilm(H264_CODEC, (nals) =>
  h264Track(track("H264"), pickH264(nals) as Parameters<typeof h264Track>[1]),
);
const h265Film = nalFilm(H265_CODEC, (nals) =>
  h265Track(track("H265"), pickH265(nals) as Parameters<typeof h265Track>[1]),
);

const x264 = (options: string): readonly string[] => [
  "-c:v",
  "libx264",
  "-preset",
  "veryfast",
  "-x264-params",
  `aud=1:keyint=16:${options}`,
  "-f",
  "h264",
];
const x265 = (options: string): readonly string[] => [
  "-c:v",
  "libx265",
  "-preset",
  "ultrafast",
  "-x265-params",
  `log-level=none:aud=1:keyint=16:${options}`,
  "-f",
  "hevc",
];

/** `left`: kinds of pictures that are left; x264 and x265 refer to some B pictures of a pyramid. */
const FILMS: readonly (readonly [
  name: string,
  encoder: readonly string[],
  take: (bytes: Buffer) => Film,
  left: string,
])[] = [
  ["H.264", x264("bframes=3:b-pyramid=none"), h264Film, "IP"],
  ["H.264 in several slices", x264("bframes=3:b-pyramid=none:slices=4"), h264Film, "IP"],
  ["H.264 with B pictures that others refer to", x264("bframes=3:b-pyramid=normal:b-adapt=0"), h264Film, "IPB"],
  ["H.264 without B pictures", x264("bframes=0"), h264Film, "IP"],
  ["H.265", x265("bframes=3:b-pyramid=0"), h265Film, "IP"],
  ["H.265 with B pictures that others refer to", x265("bframes=3:b-adapt=0"), h265Film, "IPB"],
  ["MPEG-4", ["-c:v", "mpeg4", "-bf", "2", "-g", "16", "-f", "m4v"], mpeg4Film, "IP"],
];

describe("B pictures that no other picture needs, in films of ffmpeg's encoders", () => {
  let ffmpeg: Peer;

  before(function () {
    ffmpeg = peer(this, "ffmpeg");
  });

  async function run(args: readonly string[], input: Buffer): Promise<Buffer> {
    const { code, stdout, stderr } = await ffmpeg.run(["-v", "warning", ...args], { input });
    expect([code, stderr], args.join(" ")).to.deep.equal([0, ""]);
    return stdout;
  }

  /** The hash of each picture as it is shown. */
  async function shown(format: string, stream: Buffer, how: readonly string[] = []): Promise<readonly string[]> {
    const out = ["-fps_mode", "passthrough", "-f", "framemd5", "-"];
    const lines = (await run([...how, "-f", format, "-i", "-", ...out], stream)).toString().split("\n");
    return lines.filter((line) => /^\d/.test(line)).map((line) => line.split(",").at(-1)?.trim() ?? "");
  }

  const encoded = (encoder: readonly string[]): Promise<Buffer> => {
    const source = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=25", "-frames:v", String(FRAMES)];
    return run([...source, ...encoder, "-"], Buffer.alloc(0));
  };

  function without({ described, units }: Film): Buffer {
    expect(units).to.have.length(FRAMES);
    expect(Math.max(...units.map(({ group }) => group.packetCount)), "pictures in fragments").to.be.greaterThan(2);
    const bPictures = new BPictures(described);
    return Buffer.concat(units.filter(({ group }) => !bPictures.has(group)).map(({ raw }) => raw));
  }

  for (const [name, encoder, take, left] of FILMS)
    it(`${name}: what is left without them is what ffmpeg shows without pictures that none refers to`, async function () {
      const film = await encoded(encoder);
      const kept = without(take(film));
      const format = encoder.at(-1) ?? "";
      expect(await shown(format, kept)).to.deep.equal(await shown(format, film, ["-skip_frame", "noref"]));
      expect(await kinds(this, format, kept)).to.equal(left);
    });

  it("H.265 in temporal layers: each picture that is left is as it was among all", async () => {
    const film = await encoded(x265("bframes=3:b-adapt=0:temporal-layers=1"));
    const pictures = await shown("hevc", without(h265Film(film)));
    expect(pictures.length).to.be.within(FRAMES / 2, FRAMES - 10);
    expect(await shown("hevc", film)).to.include.members([...pictures]);
  });

  async function kinds(context: Mocha.Context, format: string, stream: Buffer): Promise<string> {
    const asked = ["-v", "error", "-f", format, "-show_entries", "frame=pict_type", "-of", "csv=p=0", "-i", "-"];
    const { stdout } = await peer(context, "ffprobe").run(asked, { input: stream });
    const found = new Set(stdout.toString().match(/[IPB]/g));
    return ["I", "P", "B"].filter((kind) => found.has(kind)).join("");
  }
});
