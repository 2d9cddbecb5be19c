import { SECOND } from "../../../base/units.ts";
import type { Track } from "../../../media/track.ts";
import { multicastPorts } from "../../../rtsp/server/multicast.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type {
  AudioSourceConfiguration,
  AudioSourceConfigurationOptions,
  MetadataConfiguration,
  MetadataConfigurationOptions,
  MulticastConfiguration,
  VideoSourceConfiguration,
  VideoSourceConfigurationOptions,
} from "../../../wsdl/tables/tt-media.ts";
import type { View } from "./view.ts";

/** What RTSP's own session timeout is; the field has no other meaning for unicast. */
export const SESSION_TIMEOUT_MS = 60 * SECOND;

/** Where one track is sent by multicast. Where it is not, the schema wants an address all the same. */
export function multicastOf({ camera }: View, track: Track): ValueOf<typeof MulticastConfiguration> {
  const { multicast } = camera;
  const ports = multicast && multicastPorts(multicast, camera.tracks.indexOf(track));
  return {
    Address: { Type: "IPv4", IPv4Address: (ports && multicast?.address) ?? "0.0.0.0" },
    Port: ports?.[0] ?? 0,
    TTL: (ports && multicast?.ttl) ?? 0,
    AutoStart: false,
  };
}

/** Name, use count and token of everything that a camera has one of. */
export function entity({ name, token }: View): {
  readonly Name: string;
  readonly UseCount: number;
  readonly token: string;
} {
  return { Name: name, UseCount: 1, token };
}

/** Undefined until the camera's stream is known. */
export function videoSourceConfiguration(view: View): ValueOf<typeof VideoSourceConfiguration> | undefined {
  const { video, token, width, height } = view;
  return video && { ...entity(view), SourceToken: token, Bounds: { x: 0, y: 0, width, height } };
}

export function audioSourceConfiguration(view: View): ValueOf<typeof AudioSourceConfiguration> | undefined {
  return view.audio && { ...entity(view), SourceToken: view.token };
}

export function metadataConfiguration(view: View): ValueOf<typeof MetadataConfiguration> | undefined {
  const { metadata } = view;
  return (
    metadata && {
      ...entity(view),
      Multicast: multicastOf(view, metadata),
      SessionTimeout: SESSION_TIMEOUT_MS,
      Analytics: false,
    }
  );
}

/** Nothing can be set through the bridge: what may be chosen is what is. */
export const fixed = (value: number): { readonly Min: number; readonly Max: number } => ({ Min: value, Max: value });

/** `views` have video and are at least one. */
export function videoSourceOptions(views: readonly View[]): ValueOf<typeof VideoSourceConfigurationOptions> {
  const [first] = views;
  return {
    BoundsRange: {
      XRange: fixed(0),
      YRange: fixed(0),
      WidthRange: fixed(first?.width ?? 0),
      HeightRange: fixed(first?.height ?? 0),
    },
    VideoSourceTokensAvailable: views.map((view) => view.token),
  };
}

export function audioSourceOptions(views: readonly View[]): ValueOf<typeof AudioSourceConfigurationOptions> {
  return { InputTokensAvailable: views.map((view) => view.token) };
}

export const METADATA_OPTIONS: ValueOf<typeof MetadataConfigurationOptions> = {
  PTZStatusFilterOptions: { PanTiltStatusSupported: false, ZoomStatusSupported: false },
};

/** Bit rate in kbit/s where the codec fixes it, and 0 where only the camera knows. */
export function audioBitrate({ codec, clockRateHz, channels }: NonNullable<View["audio"]>): number {
  return codec === "PCMU" || codec === "PCMA" ? (clockRateHz * channels * 8) / 1000 : 0;
}

/** `profile_idc` of an H.264 track (RFC 6184 8.1), undefined where the camera does not say. */
export function h264Profile(fmtp: string): number | undefined {
  const id = /profile-level-id=([0-9a-f]{2})[0-9a-f]{4}/i.exec(fmtp)?.[1];
  return id === undefined ? undefined : Number.parseInt(id, 16);
}

export function invalidStreamSetup(why: string): SoapFault {
  return new SoapFault("invalid", "Sender", ["InvalidArgVal", "InvalidStreamSetup"], why);
}

/** What a list answer is made of: the cameras of `views` that have the thing, in the same order. */
export function have<T>(views: readonly View[], make: (view: View) => T | undefined): readonly T[] {
  return views.flatMap((view) => make(view) ?? []);
}
