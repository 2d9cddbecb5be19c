import { isFault } from "../base/fault.ts";
import { attributeOf, findPath, type XmlElement } from "../wsdl/xml.ts";
import type { Device, DeviceStream } from "./device.ts";
import { assertDrawable } from "./drawable.ts";
import type { Encoding, Size } from "./feed.ts";
import type { Asked, Operations } from "./onvif.ts";
import { SoapFault } from "./soap.ts";

// The video encoders of a simulated camera: what they are set to is what comes out.

/** Told as long as nobody has set it. */
const BITRATE_KILOBITS = 1024;
const QUALITY = 5;
const PROFILE = "Baseline";
const CHOICES = {
  sizes: [
    [1920, 1080],
    [1280, 720],
    [640, 360],
    [320, 176],
  ],
  quality: [1, 10],
  fps: [1, 30],
  bitrateKilobits: [64, 8192],
  groupFrames: [1, 400],
} as const;

/** Of the older media service (ONVIF Media). */
export function encoderOperations(device: Device): Operations {
  return {
    GetVideoEncoderConfigurations: () =>
      `<trt:GetVideoEncoderConfigurationsResponse>${device.streams.map((one) => videoEncoder(one, "trt:Configurations")).join("")}</trt:GetVideoEncoderConfigurationsResponse>`,
    GetVideoEncoderConfiguration: (asked) =>
      `<trt:GetVideoEncoderConfigurationResponse>${videoEncoder(named(device, asked), "trt:Configuration")}</trt:GetVideoEncoderConfigurationResponse>`,
    GetVideoEncoderConfigurationOptions: (asked) => {
      const { fps, groupFrames, quality, bitrateKilobits } = CHOICES;
      const h264 = `${sizesOf(named(device, asked))}<tt:GovLengthRange>${range(groupFrames)}</tt:GovLengthRange><tt:FrameRateRange>${range(fps)}</tt:FrameRateRange><tt:EncodingIntervalRange>${range([1, 1])}</tt:EncodingIntervalRange><tt:H264ProfilesSupported>${PROFILE}</tt:H264ProfilesSupported>`;
      return `<trt:GetVideoEncoderConfigurationOptionsResponse><trt:Options><tt:QualityRange>${range(quality)}</tt:QualityRange><tt:H264>${h264}</tt:H264><tt:Extension><tt:H264>${h264}<tt:BitrateRange>${range(bitrateKilobits)}</tt:BitrateRange></tt:H264></tt:Extension></trt:Options></trt:GetVideoEncoderConfigurationOptionsResponse>`;
    },
    SetVideoEncoderConfiguration: (asked) => {
      set(device, asked, (wish) => findPath(wish, "H264", "GovLength")?.text);
      return "<trt:SetVideoEncoderConfigurationResponse/>";
    },
  };
}

/** Of the newer one (ONVIF Media 2). */
export function encoder2Operations(device: Device): Operations {
  return {
    GetVideoEncoderConfigurations: (asked) => {
      const all = findPath(asked.element, "ConfigurationToken") === undefined ? device.streams : [named(device, asked)];
      return `<tr2:GetVideoEncoderConfigurationsResponse>${all.map((one) => videoEncoder2(one, "tr2:Configurations")).join("")}</tr2:GetVideoEncoderConfigurationsResponse>`;
    },
    GetVideoEncoderConfigurationOptions: (asked) => {
      const { fps, groupFrames, quality, bitrateKilobits } = CHOICES;
      const rates = Array.from({ length: fps[1] }, (_, index) => fps[1] - index);
      return `<tr2:GetVideoEncoderConfigurationOptionsResponse><tr2:Options GovLengthRange="${groupFrames.join(" ")}" FrameRatesSupported="${rates.join(" ")}" ProfilesSupported="${PROFILE}"><tt:Encoding>H264</tt:Encoding><tt:QualityRange>${range(quality)}</tt:QualityRange>${sizesOf(named(device, asked))}<tt:BitrateRange>${range(bitrateKilobits)}</tt:BitrateRange></tr2:Options></tr2:GetVideoEncoderConfigurationOptionsResponse>`;
    },
    SetVideoEncoderConfiguration: (asked) => {
      set(device, asked, (wish) => attributeOf(wish, "GovLength"));
      return "<tr2:SetVideoEncoderConfigurationResponse/>";
    },
  };
}

export function videoEncoder(stream: DeviceStream, name: string): string {
  const { fps, groupFrames, bitrateKilobits = BITRATE_KILOBITS } = stream.feed.encoding;
  return `<${name} token="${tokenOf(stream)}"><tt:Name>H.264</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding>${resolution(stream)}<tt:Quality>${QUALITY}</tt:Quality><tt:RateControl><tt:FrameRateLimit>${fps}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>${bitrateKilobits}</tt:BitrateLimit></tt:RateControl><tt:H264><tt:GovLength>${groupFrames}</tt:GovLength><tt:H264Profile>${PROFILE}</tt:H264Profile></tt:H264>${multicast(stream.group)}<tt:SessionTimeout>PT60S</tt:SessionTimeout></${name}>`;
}

export function videoEncoder2(stream: DeviceStream, name: string): string {
  const { fps, groupFrames, bitrateKilobits = BITRATE_KILOBITS } = stream.feed.encoding;
  return `<${name} token="${tokenOf(stream)}" GovLength="${groupFrames}" Profile="${PROFILE}"><tt:Name>H.264</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding>${resolution(stream)}<tt:RateControl ConstantBitRate="false"><tt:FrameRateLimit>${fps}</tt:FrameRateLimit><tt:BitrateLimit>${bitrateKilobits}</tt:BitrateLimit></tt:RateControl><tt:Quality>${QUALITY}</tt:Quality></${name}>`;
}

export function resolution({ feed: { size } }: DeviceStream): string {
  return `<tt:Resolution>${sizeText(size)}</tt:Resolution>`;
}

/** The schema wants one, also from a camera that does not multicast. The port is for RTSP to tell. */
export function multicast(group = "0.0.0.0"): string {
  return `<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>${group}</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>`;
}

function tokenOf({ token }: DeviceStream): string {
  return `video_encoder_${token}`;
}

function named({ streams }: Device, { element }: Asked): DeviceStream {
  return ofToken(streams, findPath(element, "ConfigurationToken")?.text.trim());
}

function ofToken(streams: Device["streams"], token: string | undefined): DeviceStream {
  const found = streams.find((one) => tokenOf(one) === token);
  if (found === undefined) throw new SoapFault("Sender", ["InvalidArgVal", "NoConfig"], "There is no such encoder");
  return found;
}

/** What is not named stays; what it cannot is refused, as real cameras do. */
function set({ streams }: Device, { element }: Asked, groupIn: (wish: XmlElement) => string | undefined): void {
  const wish = findPath(element, "Configuration") ?? element;
  const { feed } = ofToken(streams, attributeOf(wish, "token"));
  const now = feed.encoding;
  const inRate = (name: string): string | undefined => findPath(wish, "RateControl", name)?.text;
  const rate = numberOr(inRate("BitrateLimit"), now.bitrateKilobits ?? BITRATE_KILOBITS);
  const next: Encoding = {
    width: numberOr(findPath(wish, "Resolution", "Width")?.text, now.width),
    height: numberOr(findPath(wish, "Resolution", "Height")?.text, now.height),
    fps: numberOr(inRate("FrameRateLimit"), now.fps),
    groupFrames: numberOr(groupIn(wish), now.groupFrames),
    // What it was told as, and was not set to, is not made up for.
    ...(now.bitrateKilobits === undefined && rate === BITRATE_KILOBITS ? {} : { bitrateKilobits: rate }),
  };
  if (feed.isPlayed || !isPossible(next))
    throw new SoapFault("Sender", ["InvalidArgVal", "ConfigModify"], "The encoder cannot be set to that");
  feed.encode(next);
}

function numberOr(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : Number(text);
}

function isPossible({ width, height, fps, groupFrames, bitrateKilobits = BITRATE_KILOBITS }: Encoding): boolean {
  try {
    assertDrawable({ width, height }, fps);
  } catch (error) {
    if (isFault(error, "invalid")) return false;
    throw error;
  }
  return within(groupFrames, CHOICES.groupFrames) && within(bitrateKilobits, CHOICES.bitrateKilobits);
}

function within(value: number, [least, most]: readonly [number, number]): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** Its own size first. */
function sizesOf({ feed: { size } }: DeviceStream): string {
  const others = CHOICES.sizes.map(([width, height]) => ({ width, height })).filter((one) => one.width !== size.width);
  return [size, ...others].map((one) => `<tt:ResolutionsAvailable>${sizeText(one)}</tt:ResolutionsAvailable>`).join("");
}

function sizeText({ width, height }: Size): string {
  return `<tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height>`;
}

function range([least, most]: readonly [number, number]): string {
  return `<tt:Min>${least}</tt:Min><tt:Max>${most}</tt:Max>`;
}
