import { expect } from "chai";
import { answer, framed, type Script, VIDEO_SDP } from "./fake-camera.ts";
import { changed, described, picture, pullPictures, setUp } from "./odd-camera.ts";

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
  for (const [what, script] of HARMLESS)
    it(`is borne that ${what}`, async () => {
      expect(await pullPictures(script)).to.deep.include({ pictures: 2, fault: undefined });
    });

  for (const [what, bytes] of NOISE)
    it(`is borne that sends ${what} between pictures`, async () => {
      expect(await pullPictures({}, bytes)).to.deep.include({ pictures: 2, fault: undefined });
    });

  for (const [what, script] of DANGEROUS)
    it(`is refused that ${what}`, async () => {
      const { pictures, fault } = await pullPictures(script);
      expect({ pictures, kind: fault?.kind }).to.deep.equal({ pictures: 0, kind: "invalid" });
    });
});
