import { expect } from "chai";
import * as fc from "fast-check";
import { parseRtpInfo, printRtpInfo, type RtpInfo } from "../../../rtsp/wire/rtp-info.ts";
import { testHeader } from "../../support/header-table.ts";

const entry: fc.Arbitrary<RtpInfo> = fc.record(
  {
    url: fc.webUrl({ withQueryParameters: true }).filter((url) => !/[;]|,\s*url/i.test(url)),
    seq: fc.nat(0xffff),
    rtptime: fc.nat(0xffff_ffff),
  },
  { requiredKeys: ["url"] },
);

describe("an RTP-Info header", () => {
  testHeader<readonly RtpInfo[]>({
    rows: [
      [
        "one track",
        "url=rtsp://h/a;seq=1;rtptime=2",
        "url=rtsp://h/a;seq=1;rtptime=2",
        [{ url: "rtsp://h/a", seq: 1, rtptime: 2 }],
      ],
      [
        "two tracks, with blanks",
        "url = rtsp://h/a ; seq = 1, url=rtsp://h/b;rtptime=4294967295",
        "url=rtsp://h/a;seq=1,url=rtsp://h/b;rtptime=4294967295",
        [
          { url: "rtsp://h/a", seq: 1 },
          { url: "rtsp://h/b", rtptime: 4_294_967_295 },
        ],
      ],
      [
        "another order and other letters",
        "RTPTIME=2;SEQ=1;URL=a",
        "url=a;seq=1;rtptime=2",
        [{ url: "a", seq: 1, rtptime: 2 }],
      ],
      ["a comma in the address", "url=rtsp://h/a,b;seq=1", "url=rtsp://h/a,b;seq=1", [{ url: "rtsp://h/a,b", seq: 1 }]],
      [
        "a sequence number in the address",
        "url=rtsp://h/a?seq=5",
        "url=rtsp://h/a?seq=5",
        [{ url: "rtsp://h/a?seq=5" }],
      ],
      ["numbers that make no sense", "url=a;seq=65536;rtptime=-1", "url=a", [{ url: "a" }]],
      ["no address", "seq=7", "url=;seq=7", [{ url: "", seq: 7 }]],
    ],
    refused: [
      ["too much of it", `url=${"x".repeat(9000)}`],
      ["too many tracks", "url=a,".repeat(40)],
    ],
    values: fc.array(entry, { minLength: 1, maxLength: 8 }),
    parse: parseRtpInfo,
    print: printRtpInfo,
  });

  it("gets through long runs of blanks and commas", () => {
    for (const text of [`,${" ".repeat(8000)}`, ", ".repeat(4000), `url=${";seq".repeat(2000)}`])
      expect(parseRtpInfo(text)).to.have.length(1);
  });
});
