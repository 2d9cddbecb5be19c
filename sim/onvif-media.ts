import { findPath } from "../wsdl/xml.ts";
import { type Device, type DeviceStream, VIDEO_SOURCE } from "./device.ts";
import { type Asked, type Operations, PATHS } from "./onvif.ts";
import { media2Capabilities, mediaCapabilities } from "./onvif-device.ts";
import {
  encoder2Operations,
  encoderOperations,
  multicast,
  resolution,
  videoEncoder,
  videoEncoder2,
} from "./onvif-encoder.ts";
import { ptzConfiguration } from "./onvif-ptz.ts";
import { SoapFault } from "./soap.ts";

/** Tokens of what all profiles share: one picture, and perhaps its sound. */
const TOKEN = { video: VIDEO_SOURCE, audio: "audio_source", audioEncoder: "audio_encoder" } as const;

/** The older media service (ONVIF Media), as far as clients need it to play. */
export function mediaOperations(device: Device): Operations {
  return {
    GetServiceCapabilities: () =>
      `<trt:GetServiceCapabilitiesResponse>${mediaCapabilities(device)}</trt:GetServiceCapabilitiesResponse>`,
    GetProfiles: () =>
      `<trt:GetProfilesResponse>${each(device, (stream) => profile(device, stream, "trt:Profiles"))}</trt:GetProfilesResponse>`,
    GetProfile: (asked) =>
      `<trt:GetProfileResponse>${profile(device, streamOf(device, asked), "trt:Profile")}</trt:GetProfileResponse>`,
    GetStreamUri: (asked) => {
      const { url } = streamOf(device, asked);
      return `<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>${url}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>`;
    },
    GetVideoSources: () =>
      `<trt:GetVideoSourcesResponse><trt:VideoSources token="${TOKEN.video}"><tt:Framerate>${device.streams[0].feed.fps}</tt:Framerate>${resolution(device.streams[0])}</trt:VideoSources></trt:GetVideoSourcesResponse>`,
    GetAudioSources: () =>
      `<trt:GetAudioSourcesResponse>${device.audio ? `<trt:AudioSources token="${TOKEN.audio}"><tt:Channels>1</tt:Channels></trt:AudioSources>` : ""}</trt:GetAudioSourcesResponse>`,
    GetVideoSourceConfigurations: () =>
      `<trt:GetVideoSourceConfigurationsResponse>${videoSource(device, "trt:Configurations")}</trt:GetVideoSourceConfigurationsResponse>`,
    ...encoderOperations(device),
    GetSnapshotUri: (asked) =>
      `<trt:GetSnapshotUriResponse><trt:MediaUri><tt:Uri>${snapshotOf(device, asked)}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetSnapshotUriResponse>`,
    SetSynchronizationPoint: (asked) => {
      streamOf(device, asked).feed.wantKeyFrame();
      return "<trt:SetSynchronizationPointResponse/>";
    },
  };
}

/** The newer one (ONVIF Media 2). */
export function media2Operations(device: Device): Operations {
  return {
    GetServiceCapabilities: () =>
      `<tr2:GetServiceCapabilitiesResponse>${media2Capabilities(device)}</tr2:GetServiceCapabilitiesResponse>`,
    GetProfiles: () =>
      `<tr2:GetProfilesResponse>${each(device, (stream) => profile2(device, stream))}</tr2:GetProfilesResponse>`,
    GetStreamUri: (asked) =>
      `<tr2:GetStreamUriResponse><tr2:Uri>${streamOf(device, asked).url}</tr2:Uri></tr2:GetStreamUriResponse>`,
    GetVideoSourceConfigurations: () =>
      `<tr2:GetVideoSourceConfigurationsResponse>${videoSource(device, "tr2:Configurations")}</tr2:GetVideoSourceConfigurationsResponse>`,
    ...encoder2Operations(device),
    GetSnapshotUri: (asked) =>
      `<tr2:GetSnapshotUriResponse><tr2:Uri>${snapshotOf(device, asked)}</tr2:Uri></tr2:GetSnapshotUriResponse>`,
    SetSynchronizationPoint: (asked) => {
      streamOf(device, asked).feed.wantKeyFrame();
      return "<tr2:SetSynchronizationPointResponse/>";
    },
  };
}

function each(device: Device, print: (stream: DeviceStream) => string): string {
  return device.streams.map(print).join("");
}

function streamOf(device: Device, { element }: Asked): DeviceStream {
  const token = findPath(element, "ProfileToken")?.text.trim();
  const stream = device.streams.find((one) => one.token === token);
  if (stream === undefined) throw new SoapFault("Sender", ["InvalidArgVal", "NoProfile"], "There is no such profile");
  return stream;
}

function snapshotOf(device: Device, asked: Asked): string {
  streamOf(device, asked);
  if (device.motion === undefined)
    throw new SoapFault("Receiver", ["ActionNotSupported"], "This camera has no snapshot");
  return device.url(PATHS.snapshot);
}

function profile(device: Device, stream: DeviceStream, name: string): string {
  const sound = device.audio ? audioSource("tt:AudioSourceConfiguration") : "";
  const soundEncoder = device.audio ? audioEncoder("tt:AudioEncoderConfiguration") : "";
  return `<${name} token="${stream.token}" fixed="true"><tt:Name>${stream.token}</tt:Name>${videoSource(device, "tt:VideoSourceConfiguration")}${sound}${videoEncoder(stream, "tt:VideoEncoderConfiguration")}${soundEncoder}${ptzConfiguration(device, "tt:PTZConfiguration")}</${name}>`;
}

function profile2(device: Device, stream: DeviceStream): string {
  const sound = device.audio ? audioSource("tr2:AudioSource") : "";
  const soundEncoder = device.audio ? audioEncoder2("tr2:AudioEncoder") : "";
  return `<tr2:Profiles token="${stream.token}" fixed="true"><tr2:Name>${stream.token}</tr2:Name><tr2:Configurations>${videoSource(device, "tr2:VideoSource")}${sound}${videoEncoder2(stream, "tr2:VideoEncoder")}${soundEncoder}${ptzConfiguration(device, "tr2:PTZ")}</tr2:Configurations></tr2:Profiles>`;
}

function videoSource({ streams }: Device, name: string): string {
  const { size } = streams[0].feed;
  return `<${name} token="${TOKEN.video}_config"><tt:Name>Picture</tt:Name><tt:UseCount>${streams.length}</tt:UseCount><tt:SourceToken>${TOKEN.video}</tt:SourceToken><tt:Bounds x="0" y="0" width="${size.width}" height="${size.height}"/></${name}>`;
}

function audioSource(name: string): string {
  return `<${name} token="${TOKEN.audio}_config"><tt:Name>Sound</tt:Name><tt:UseCount>1</tt:UseCount><tt:SourceToken>${TOKEN.audio}</tt:SourceToken></${name}>`;
}

function audioEncoder(name: string): string {
  return `<${name} token="${TOKEN.audioEncoder}"><tt:Name>G.711</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>G711</tt:Encoding><tt:Bitrate>64</tt:Bitrate><tt:SampleRate>8</tt:SampleRate>${multicast()}<tt:SessionTimeout>PT60S</tt:SessionTimeout></${name}>`;
}

function audioEncoder2(name: string): string {
  return `<${name} token="${TOKEN.audioEncoder}"><tt:Name>G.711</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>PCMU</tt:Encoding><tt:Bitrate>64</tt:Bitrate><tt:SampleRate>8</tt:SampleRate></${name}>`;
}
