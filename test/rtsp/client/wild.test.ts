import { expect } from "chai";
import { asFault, type Fault } from "../../../base/fault.ts";
import { silentLog } from "../../../base/log.ts";
import { TrackReceiver } from "../../../media/receiver.ts";
import { writeRtpHeader } from "../../../media/rtp.ts";
import type { Track } from "../../../media/track.ts";
import { cameraSide } from "../../../net/sides.ts";
import { pull } from "../../../rtsp/client/session.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { type Asked, answer, FakeCamera, framed, type Script, VIDEO_SDP } from "./fake-camera.ts";

const side = cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] });

/** A picture in one packet: an IDR slice that begins at the first macroblock. */
function picture(sequence: number): Buffer {
  const packet = Buffer.alloc(32, 0x55);
  writeRtpHeader(packet, { marker: true, payloadType: 96, sequence, timestamp: sequence * 3600, ssrc: 7 });
  packet[12] = 0x65;
  packet[13] = 0x88;
  return packet;
}

const described = (sdp: string, headers: readonly string[] = []): Script => ({
  DESCRIBE: (asked) => answer(asked, ["Content-Type: application/sdp", ...headers], sdp),
});
const setUp = (...headers: readonly string[]): Script => ({ SETUP: (asked) => answer(asked, headers) });
/** Every answer, changed. */
const changed = (change: (text: string, asked: Asked) => string | Buffer): Script => {
  const honest: Readonly<Record<string, (asked: Asked) => string>> = {
    OPTIONS: (asked) => answer(asked, ["Public: DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"]),
    DESCRIBE: (asked) => answer(asked, [`Content-Base: ${asked.uri}/`], VIDEO_SDP),
    SETUP: (asked) => answer(asked, [`Transport: ${asked.header("transport")}`, "Session: 1234;timeout=60"]),
    PLAY: (asked) => answer(asked, ["Session: 1234"]),
  };
  return Object.fromEntries(
    Object.entries(honest).map(([method, script]) => [method, (asked: Asked) => change(script(asked), asked)]),
  );
};

/** Faults that are on no list: whether there are such cameras, nobody has told. */
const HARMLESS: readonly (readonly [what: string, script: Script])[] = [
  [
    "puts several blanks into its status lines",
    changed((text) => text.replace("RTSP/1.0 200 OK", "RTSP/1.0  200   Okay  then ")),
  ],
  ["puts blanks around the colons of its header lines", changed((text) => text.replace(/^([\w-]+): /gm, "$1 \t:\t "))],
  [
    "shouts the names of its header lines",
    changed((text) => text.replace(/^[\w-]+(?=:)/gm, (name) => name.toUpperCase())),
  ],
  ["answers everything twice", changed((text) => text + text)],
  [
    "says 100 Continue first",
    changed((text, asked) => `RTSP/1.0 100 Continue\r\nCSeq: ${asked.header("cseq")}\r\n\r\n${text}`),
  ],
  ["counts in three digits", changed((text) => text.replace(/CSeq: /, "CSeq: 00"))],
  ["sends blank lines before each answer", changed((text) => `\r\n\r\n\n${text}`)],
  ["writes words of its own between answers", changed((text) => `[rtspd] client ok\n${text}`)],
  [
    "asks for our options before it answers, under the number of our request",
    {
      DESCRIBE: (asked) => `OPTIONS * RTSP/1.0\r\nCSeq: ${asked.header("cseq")}\r\n\r\n${answer(asked, [], VIDEO_SDP)}`,
    },
  ],
  ["calls its description plain text", { DESCRIBE: (asked) => answer(asked, ["Content-Type: text/plain"], VIDEO_SDP) }],
  ["begins its description with a byte order mark", described(`\xef\xbb\xbf${VIDEO_SDP}`)],
  ["ends its description with zeros", described(`${VIDEO_SDP}\0\0\0\0`)],
  ["repeats lines of its description", described(VIDEO_SDP.replace(/(a=rtpmap.*\r\n)/, "$1$1$1"))],
  ["indents its description", described(VIDEO_SDP.replace(/^(?=a=)/gm, "  "))],
  [
    "offers ports and a second format",
    described(VIDEO_SDP.replace("m=video 0 RTP/AVP 96", "m=video  5004/2\tRTP/AVP 96 97 ")),
  ],
  [
    "has an fmtp of nothing but separators",
    described(VIDEO_SDP.replace("a=control:t", "a=fmtp:96 ;;= ; = ;packetization-mode = 1;;\r\na=control:t")),
  ],
  [
    "has blanks in its session",
    setUp("Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session:   12 ; timeout = 60 ; "),
  ],
  ["has blanks in its transport", setUp("Transport: RTP/AVP/TCP ; unicast ; interleaved = 0 - 1 ;", "Session: 12")],
  ["names channels that do not exist", setUp("Transport: RTP/AVP/TCP;unicast;interleaved=300-301", "Session: 12")],
  [
    "sends us to another machine in its transport",
    setUp("Transport: RTP/AVP/TCP;unicast;destination=192.0.2.9;source=192.0.2.8;interleaved=0-1", "Session: 12"),
  ],
];

const DANGEROUS: readonly (readonly [what: string, script: Script])[] = [
  ["has two lengths", { DESCRIBE: (asked) => answer(asked, ["Content-Length: 3"], VIDEO_SDP) }],
  ["has a length below zero", { DESCRIBE: (asked) => answer(asked, ["Content-Length: -5"]) }],
  ["has a length in other digits", { DESCRIBE: (asked) => answer(asked, ["Content-Length: 0x40"]) }],
  ["has a length that nobody would read", { DESCRIBE: (asked) => answer(asked, ["Content-Length: 999999999"]) }],
  ["answers two requests at once", changed((text) => text.replace(/CSeq: (\d+)/, "CSeq: $1\r\nCSeq: 77"))],
  ["has zeros in its header lines", changed((text) => text.replace("Public", "Pub\0lic"))],
];

/** What may come in between packets; the pictures around it come whole. */
const NOISE: readonly (readonly [what: string, bytes: Buffer])[] = [
  ["an empty packet", framed(0, Buffer.alloc(0))],
  ["a packet of one byte", framed(0, Buffer.of(0x80))],
  ["a packet of RTP version 1", framed(0, Buffer.concat([Buffer.of(0x40), picture(2).subarray(1)]))],
  [
    "a packet with more padding than bytes",
    framed(0, Buffer.concat([Buffer.of(0xa0), picture(2).subarray(1, 31), Buffer.of(0xff)])),
  ],
  [
    "a packet with an extension that is longer than it is",
    framed(0, Buffer.concat([Buffer.of(0x90), picture(2).subarray(1)])),
  ],
  ["reports of an unknown type", framed(1, Buffer.from("80d2000100000007", "hex"))],
  ["an empty report", framed(1, Buffer.alloc(0))],
  ["a report with rubbish behind it", framed(1, Buffer.from("81cb000100000009deadbeefdead", "hex"))],
  ["text", Buffer.from("WARN encoder: buffer 3 late\n")],
];

describe("a camera with faults that nobody has told of", () => {
  let camera: FakeCamera;
  const clock = new VirtualClock();

  /** Pulls until `enough` pictures have come, or the session has failed. */
  const run = async (
    script: Script,
    between: Buffer = Buffer.alloc(0),
  ): Promise<{ readonly pictures: number; readonly fault: Fault | undefined }> => {
    camera = await FakeCamera.start(script);
    const stop = new AbortController();
    let pictures = 0;
    let receiver: TrackReceiver | undefined;
    const pulling = pull({
      url: camera.url,
      side,
      clock,
      log: silentLog(),
      signal: stop.signal,
      events: {
        described: ([media]) => {
          const deliver = (): void => {
            pictures += 1;
            if (pictures === 2) stop.abort();
          };
          receiver = new TrackReceiver({ index: 0, track: media?.track as Track, deliver });
          camera.send(Buffer.concat([framed(0, picture(1)), between, framed(0, picture(2)), framed(0, picture(3))]));
        },
        rtp: (_, packet, at) => receiver?.rtp(packet, at),
        rtcp: (_, packet, at) => receiver?.rtcp(packet, at),
      },
    });
    const fault = await pulling.then(
      () => undefined,
      (error: unknown) => asFault(error),
    );
    await camera.close();
    return { pictures, fault };
  };

  for (const [what, script] of HARMLESS)
    it(`is borne that ${what}`, async () => {
      expect(await run(script)).to.deep.equal({ pictures: 2, fault: undefined });
    });

  for (const [what, bytes] of NOISE)
    it(`is borne that sends ${what} between pictures`, async () => {
      expect(await run({}, bytes)).to.deep.equal({ pictures: 2, fault: undefined });
    });

  for (const [what, script] of DANGEROUS)
    it(`is refused that ${what}`, async () => {
      const { pictures, fault } = await run(script);
      expect({ pictures, kind: fault?.kind }).to.deep.equal({ pictures: 0, kind: "invalid" });
    });
});
