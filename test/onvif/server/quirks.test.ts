import { expect } from "chai";
import { encoderAsMeant } from "../../../onvif/server/quirks.ts";
import { decode } from "../../../wsdl/decode.ts";
import { parseXml } from "../../../wsdl/parse-xml.ts";
import { MEDIA2 } from "../../../wsdl/tables/tr2.ts";
import { MEDIA } from "../../../wsdl/tables/trt.ts";

const [TR2, TRT] = ["http://www.onvif.org/ver20/media/wsdl", "http://www.onvif.org/ver10/media/wsdl"];
const TT = 'xmlns="http://www.onvif.org/ver10/schema"';

/** As npm's onvif 0.8.1 sent it: what it had read from us had a quality, a bit rate and a size of 0. */
const VIDEO = `<SetVideoEncoderConfiguration xmlns="${TR2}"><Configuration token="gate" Profile="Baseline"><Name ${TT}>Gate</Name><UseCount ${TT}>1</UseCount><Encoding ${TT}>H264</Encoding><Resolution ${TT}></Resolution><Quality ${TT}>3</Quality><RateControl ConstantBitRate="false"  ${TT}> <FrameRateLimit>5</FrameRateLimit><BitrateLimit>0</BitrateLimit></RateControl><Multicast ${TT}><Address><Type>IPv4</Type><IPv4Address>0.0.0.0</IPv4Address></Address><Port>0</Port><TTL>0</TTL><AutoStart>false</AutoStart></Multicast></Configuration></SetVideoEncoderConfiguration>`;
const AUDIO = `<SetAudioEncoderConfiguration xmlns="${TRT}"><Configuration token = "gate"><Name ${TT}>Gate</Name><Encoding ${TT}>AAC</Encoding><SampleRate ${TT}>48</SampleRate><Multicast ${TT}><Address><Type>IPv4</Type><IPv4Address>0.0.0.0</IPv4Address></Address><Port>0</Port><TTL>0</TTL><AutoStart>false</AutoStart></Multicast><SessionTimeout ${TT}>PT1M</SessionTimeout></Configuration><ForcePersistence>true</ForcePersistence></SetAudioEncoderConfiguration>`;

describe("quirks of ONVIF clients", () => {
  const { SetVideoEncoderConfiguration } = MEDIA2.operations;
  const { SetAudioEncoderConfiguration } = MEDIA.operations;
  const video = (xml: string, operation = "tr2:SetVideoEncoderConfiguration") =>
    decode(
      SetVideoEncoderConfiguration.request,
      encoderAsMeant(operation, SetVideoEncoderConfiguration.request, parseXml(xml)),
    );

  it("put a video encoder of Media2 in order, and take what is left out for 0", () => {
    const { Configuration } = video(VIDEO);
    expect(Configuration).to.deep.include({ token: "gate", Encoding: "H264", Quality: 3 });
    expect(Configuration.Resolution).to.deep.include({ Width: 0, Height: 0 });
    expect(Configuration.RateControl).to.deep.include({ FrameRateLimit: 5, BitrateLimit: 0 });
    expect(Configuration.Multicast).to.deep.include({ Port: 0, AutoStart: false });
  });

  it("take what is left out of an audio encoder for 0", () => {
    const { request } = SetAudioEncoderConfiguration;
    const read = decode(request, encoderAsMeant("trt:SetAudioEncoderConfiguration", request, parseXml(AUDIO)));
    expect(read.Configuration).to.deep.include({ UseCount: 0, Bitrate: 0, SampleRate: 48, Encoding: "AAC" });
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ["an element twice", VIDEO.replace(/<UseCount.*?<\/UseCount>/, "$&$&"), /Encoding is missing/],
    ["a missing word", VIDEO.replace(/<Encoding.*?<\/Encoding>/, ""), /Encoding is missing/],
    ["a number that is none", VIDEO.replace(">3<", ">much<"), /not allowed/],
  ];
  for (const [what, xml, words] of refused)
    it(`refuse ${what} all the same`, () => {
      expect(() => video(xml)).to.throw(words);
    });

  it("are of no other operation", () => {
    expect(() => video(VIDEO, "tr2:SetMetadataConfiguration")).to.throw(/Unexpected|missing/);
  });
});
