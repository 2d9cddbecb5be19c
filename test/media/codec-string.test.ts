import { expect } from "chai";
import { Fault } from "../../base/fault.ts";
import { codecString } from "../../media/codec-string.ts";
import { avcConfig } from "../../media/h264-config.ts";
import { hevcConfig } from "../../media/h265-config.ts";
import type { SampleFormat } from "../../media/sample.ts";
import { H264_SETS, H265_SETS, hex } from "./codec-fixture.ts";

const size = { width: 1920, height: 1080 };
const aac = (config: string): SampleFormat => ({
  codec: "MPEG4-GENERIC",
  sampleRateHz: 48_000,
  channels: 2,
  config: hex(config),
});

describe("the name that browsers have for a codec", () => {
  const table: readonly (readonly [string | undefined, SampleFormat])[] = [
    ["avc1.42C028", { codec: "H264", ...size, config: avcConfig(H264_SETS) }],
    ["avc1.64001F", { codec: "H264", ...size, config: hex("0164001fffe1") }],
    ["hvc1.1.6.L120.90", { codec: "H265", ...size, config: hevcConfig(H265_SETS) }],
    // The examples of ISO/IEC 14496-15 E.3, and a high tier in a profile space.
    ["hvc1.1.2.L93.B0", { codec: "H265", ...size, config: hex("01 01 40000000 b00000000000 5d") }],
    ["hvc1.A4.41.H120.B0.23", { codec: "H265", ...size, config: hex("01 64 82000000 b02300000000 78") }],
    ["hvc1.2.4.L153.B0.0.1", { codec: "H265", ...size, config: hex("01 02 20000000 b00001000000 99") }],
    ["mp4a.40.2", aac("1190")],
    ["mp4a.40.5", aac("2b118800")],
    [undefined, { codec: "JPEG", ...size }],
    ["ulaw", { codec: "PCMU", sampleRateHz: 8000, channels: 1 }],
    ["alaw", { codec: "PCMA", sampleRateHz: 8000, channels: 1 }],
    ["opus", { codec: "OPUS", sampleRateHz: 48_000, channels: 2 }],
    [undefined, { codec: "VND.ONVIF.METADATA" }],
  ];
  for (const [name, format] of table)
    it(`${name ?? "is missing"} for ${format.codec}`, () => expect(codecString(format)).to.equal(name));

  it("cannot be made of a broken configuration", () => {
    expect(() => codecString({ codec: "H264", ...size, config: hex("01") })).to.throw(Fault);
    expect(() => codecString({ codec: "H265", ...size, config: hex("01") })).to.throw(Fault);
    expect(() => codecString(aac("11"))).to.throw(Fault);
  });
});
