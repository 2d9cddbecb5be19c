import { expect } from "chai";
import * as fc from "fast-check";
import { isFault } from "../../base/fault.ts";
import { parseSdp, printSdp } from "../../media/sdp.ts";
import type { Track } from "../../media/track.ts";

/** What a well-known kind of camera says, from its documentation and from reports. */
const HIKVISION = [
  "v=0",
  "o=- 1109162014219182 1109162014219192 IN IP4 192.0.2.64",
  "s=Media Presentation",
  "e=NONE",
  "b=AS:5100",
  "t=0 0",
  "a=control:rtsp://192.0.2.64/Streaming/Channels/101/",
  "m=video 0 RTP/AVP 96",
  "c=IN IP4 0.0.0.0",
  "b=AS:5000",
  "a=recvonly",
  "a=x-dimensions:1920,1080",
  "a=control:rtsp://192.0.2.64/Streaming/Channels/101/trackID=1",
  "a=rtpmap:96 H264/90000",
  "a=fmtp:96 profile-level-id=420029; packetization-mode=1; sprop-parameter-sets=Z00AKp2oHgCJ+WbgICAoAAADAAgAAAMBlCA=,aO48gA==",
  "m=audio 0 RTP/AVP 8",
  "a=control:trackID=2",
  "m=application 0 RTP/AVP 107",
  "a=control:trackID=3",
  "a=rtpmap:107 vnd.onvif.metadata/90000",
  "",
].join("\r\n");

describe("reading SDP", () => {
  it("reads a camera's description", () => {
    const { control, media } = parseSdp(HIKVISION);
    expect(control).to.equal("rtsp://192.0.2.64/Streaming/Channels/101/");
    expect(media.map(({ track }) => [track.kind, track.codec, track.payloadType, track.clockRateHz])).to.deep.equal([
      ["video", "H264", 96, 90_000],
      ["audio", "PCMA", 8, 8000],
      ["metadata", "VND.ONVIF.METADATA", 107, 90_000],
    ]);
    expect(media.map((one) => [one.control, one.direction, one.index])).to.deep.equal([
      ["rtsp://192.0.2.64/Streaming/Channels/101/trackID=1", "recvonly", 0],
      ["trackID=2", undefined, 1],
      ["trackID=3", undefined, 2],
    ]);
    expect(media[0]?.track.fmtp).to.match(/^profile-level-id=420029; .*aO48gA==$/);
  });

  it("means the same with LF, with CR, and without the last line end", () => {
    for (const text of [HIKVISION.replaceAll("\r\n", "\n"), HIKVISION.replaceAll("\n", ""), HIKVISION.trimEnd()])
      expect(parseSdp(text)).to.deep.equal(parseSdp(HIKVISION));
  });

  const VIDEO = ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000"];
  const quirks: readonly (readonly [what: string, lines: readonly string[], expected: readonly string[]])[] = [
    [
      "session lines inside a medium",
      ["m=video 0 RTP/AVP 96", "v=0", "s=x", "t=0 0", VIDEO[1] ?? ""],
      ["0 video H264"],
    ],
    [
      "a medium of unknown kind",
      ["m=vana 0 RTP/AVP smart/1/90000", "a=rtpmap:smart/1/90000", ...VIDEO],
      ["1 video H264"],
    ],
    [
      "an application with an odd format",
      [...VIDEO, "m=application/MERCURY 0 RTP/AVP smart/1/90000", "a=control:x"],
      ["0 video H264"],
    ],
    ["a format with a clock of 1 Hz", [...VIDEO, "m=vana 0 RTP/AVP 99", "a=rtpmap:99 smart/1/90000"], ["0 video H264"]],
    ["a dynamic type without rtpmap", ["m=audio 0 RTP/AVP 97", ...VIDEO], ["1 video H264"]],
    ["static types without rtpmap", ["m=audio 0 RTP/AVP 0", "m=video 0 RTP/AVP 26"], ["0 audio PCMU", "1 video JPEG"]],
    ["blanks in rtpmap", ["m=video 0 RTP/AVP 96", "a=rtpmap: 96  H264/90000"], ["0 video H264"]],
    ["other letters", ["m=VIDEO 0 RTP/AVP 96", "a=RTPMAP:96 h265/90000"], ["0 video H265"]],
    ["a codec that we do not know", ["m=video 0 RTP/AVP 96", "a=rtpmap:96 VP8/90000"], ["0 video unknown"]],
    ["a payload type beyond 127", ["m=video 0 RTP/AVP 200", "a=rtpmap:200 H264/90000", ...VIDEO], ["1 video H264"]],
    ["several formats", ["m=audio 0 RTP/AVP 0 8 97"], ["0 audio PCMU"]],
    ["lines of nothing", ["", "a=", "=", "m", ...VIDEO, "a=:", "garbage"], ["0 video H264"]],
  ];
  for (const [what, lines, expected] of quirks)
    it(`copes with ${what}`, () => {
      const { media } = parseSdp(lines.join("\n"));
      expect(media.map(({ track, index }) => `${index} ${track.kind} ${track.codec}`)).to.deep.equal(expected);
    });

  const refused: readonly (readonly [what: string, text: string])[] = [
    ["nothing", ""],
    ["no usable media", "v=0\r\nm=video 0 RTP/AVP 96\r\n"],
    ["more than 64 KiB", `${HIKVISION}${"a=x:y\r\n".repeat(10_000)}`],
    ["more than 1000 lines", `${HIKVISION}${"\n".repeat(1000)}`],
    ["more than 32 media", "m=audio 0 RTP/AVP 0\n".repeat(33)],
  ];
  for (const [what, text] of refused)
    it(`refuses ${what}`, () => {
      expect(() => parseSdp(text))
        .to.throw()
        .that.satisfies((error: unknown) => isFault(error, "invalid"));
    });

  it("throws nothing but Faults on lines of all kinds", () => {
    const line = fc.oneof(
      fc.constantFrom(...HIKVISION.split("\r\n")),
      fc.string({ maxLength: 40 }),
      fc.tuple(fc.constantFrom("m=", "a=rtpmap:", "a=fmtp:", "a=control:"), fc.string()).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        try {
          for (const { track } of parseSdp(lines.join("\r\n")).media) {
            expect(track.payloadType).to.be.within(0, 127);
            expect(track.clockRateHz).to.be.at.least(1000);
            expect(track.channels).to.be.at.least(1);
          }
        } catch (error) {
          expect(isFault(error, "invalid")).to.equal(true);
        }
      }),
    );
  });
});

const print = (tracks: readonly Track[], name = "Gate"): string =>
  printSdp({
    name,
    sessionId: "1",
    address: "192.0.2.1",
    control: "*",
    attributes: ["range:npt=now-"],
    media: tracks.map((track, index) => ({ track, control: `track${index}`, attributes: ["x-y:z"] })),
  });

describe("printing SDP", () => {
  it("prints what it reads back to the same tracks", () => {
    const tracks = parseSdp(HIKVISION).media.map(({ track }) => track);
    const stereo: Track = {
      kind: "audio",
      codec: "MPEG4-GENERIC",
      encoding: "mpeg4-generic",
      payloadType: 97,
      clockRateHz: 48_000,
      channels: 2,
      fmtp: "mode=AAC-hbr;config=1190",
    };
    const read = parseSdp(print([...tracks, stereo]));
    expect(read.media.map(({ track }) => track)).to.deep.equal([...tracks, stereo]);
    expect(read.media.map(({ control }) => control)).to.deep.equal(["track0", "track1", "track2", "track3"]);
    expect(read.control).to.equal("*");
  });

  it("lets no name add lines", () => {
    expect(print([], "a\r\nm=video 0 RTP/AVP 26\nb")).to.include("s=a m=video 0 RTP/AVP 26 b\r\n");
    expect(print([], " \r\n ")).to.include("s=-\r\n");
  });
});
