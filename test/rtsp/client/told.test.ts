import { expect } from "chai";
import { answer, type Script, VIDEO_SDP } from "./fake-camera.ts";
import { described, pullPictures, setUp } from "./odd-camera.ts";

const TCP = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1";
const base = (write: (uri: string) => string): Script => ({
  DESCRIBE: (asked) => answer(asked, [`Content-Base: ${write(asked.uri)}`], VIDEO_SDP),
});
const line = (from: RegExp | string, to: string): Script => described(VIDEO_SDP.replace(from, to));

/** [what the camera does, where that is told, how, quirks that are noticed]. Each is borne, and asked for its track where that is. */
const TOLD: readonly (readonly [what: string, source: string, script: Script, quirks?: readonly string[]])[] = [
  [
    "writes the scheme of its Content-Base twice",
    "AlexxIT/go2rtc#208",
    base((uri) => `rtsp://${uri}/`),
    ["doubled-scheme"],
  ],
  ["writes no scheme into its Content-Base", "AlexxIT/go2rtc#1852", base((uri) => `${uri.slice(7).split("/")[0]}/`)],
  ["has a port for its picture that is none", "Tuya: AlexxIT/go2rtc#2316", line("m=video 0", "m=video -1353744643")],
  [
    "has bytes that are no text for an address",
    "Tuya: AlexxIT/go2rtc#2316",
    line("c=IN IP4 0.0.0.0", "c=IN IP4 '&\xff\xfe"),
  ],
  ["has no address at all", "Uniview: bluenviron/mediamtx#5033, #120", line("c=IN IP4 0.0.0.0", "c=IN ")],
  ["has numbers below zero in its origin", "bluenviron/mediamtx#231", line("o=- 1 1", "o=-2208991488 2208991488")],
  [
    "has an origin that ends early",
    "bluenviron/mediamtx#2762",
    line(/^o=.*$/m, "o=Channel1 3910280086 3910366486 IN IP4"),
  ],
  ["has an origin with fractions", "bluenviron/mediamtx#2555", line("o=- 1 1", "o=- 1698143674.978737 1")],
  ["has no name for its session", "bluenviron/mediamtx#2473", line(/^s=.*\r\n/m, "")],
  [
    "has a payload type that is not for pictures, and another codec for a type that it does not offer",
    "Bosch: bluenviron/gortsplib#630; DDVTECH/mistserver#295",
    described(
      VIDEO_SDP.replace("AVP 96", "AVP 35").replace(
        "a=rtpmap:96 H264/90000",
        "a=rtpmap:35 H264/90000\r\na=rtpmap:102 H265/90000",
      ),
    ),
  ],
  ["agrees to SETUP without a Transport", "bluenviron/gortsplib#456", setUp("Session: 12"), ["no-channels"]],
  [
    "names its source before its channels, and no way of delivery",
    "scottlamb/retina#120",
    setUp("Transport: RTP/AVP/TCP;ssrc=22345684;interleaved=0-1", "Session: 12"),
  ],
  ["has no RTP-Info", "Vstarcam: scottlamb/retina#10", { PLAY: (asked) => answer(asked, ["Session: 1234"]) }],
  [
    "has an RTP-Info with blanks, words of its own, and no address",
    "Axis, Reolink: bluenviron/mediamtx#250, #333, #336; google/ExoPlayer#9619",
    { PLAY: (asked) => answer(asked, ["Session: 1234", "RTP-Info: url=;seq=-1;rtptime=0, url;ssrc=1;seq=70000 ,,"]) },
  ],
  [
    "announces another description as soon as it plays",
    "bluenviron/gortsplib#56, #549",
    {
      PLAY: (asked) =>
        `${answer(asked, ["Session: 1234"])}ANNOUNCE ${asked.uri} RTSP/1.0\r\nCSeq: 1\r\nSession: 1234\r\nContent-Type: application/sdp\r\nContent-Length: ${VIDEO_SDP.length}\r\n\r\n${VIDEO_SDP}`,
    },
  ],
  [
    "does not know OPTIONS",
    "bluenviron/gortsplib client.go, doOptions",
    { OPTIONS: (asked) => answer(asked, [], "", "404 Not Found") },
  ],
];

describe("a camera with a fault that others have told of", () => {
  for (const [what, source, script, quirks = []] of TOLD)
    it(`is borne that ${what} (${source})`, async () => {
      const { asked, ...pulled } = await pullPictures(script);
      expect(pulled).to.deep.equal({ pictures: 2, fault: undefined, quirks });
      const [described, track] = ["DESCRIBE", "SETUP"].map((method) => asked.find((one) => one.method === method)?.uri);
      expect(track).to.equal(`${described}/trackID=0`);
    });

  it("is borne that names its session behind SETUP alone (bluenviron/mediamtx#822, #840): it is asked to end that one", async () => {
    const { asked, pictures, fault } = await pullPictures({
      SETUP: (one) => answer(one, [TCP]),
      PLAY: (one) => answer(one, ["Session: 77"]),
    });
    expect({ pictures, fault }).to.deep.equal({ pictures: 2, fault: undefined });
    expect(asked.at(-1)?.method).to.equal("TEARDOWN");
    expect(asked.at(-1)?.header("session")).to.equal("77");
  });
});
