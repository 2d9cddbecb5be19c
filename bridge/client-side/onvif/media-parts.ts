import { remembered } from "../../../base/remember.ts";
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

/** Told to everybody, so it is the same however many cameras there are. Of those that it makes itself, an account has fewer. */
export const MOST_PROFILES = 1024;

/** What RTSP's own session timeout is; the field has no other meaning for unicast. */
export const SESSION_TIMEOUT_MS = 60 * SECOND;

/** Where one track is sent by multicast. Where it is not, the schema wants an address all the same. */
export function multicastOf({ multicast, tracks }: View, track: Track): ValueOf<typeof MulticastConfiguration> {
  const ports = multicast && multicastPorts(multicast, tracks.indexOf(track));
  return {
    Address: { Type: "IPv4", IPv4Address: (ports && multicast?.address) ?? "0.0.0.0" },
    Port: ports?.[0] ?? 0,
    TTL: (ports && multicast?.ttl) ?? 0,
    AutoStart: false,
  };
}

interface Entity {
  readonly Name: string;
  readonly UseCount: number;
  readonly token: string;
}

/** Name, use count and token of everything that a stream has one of. */
export function entity({ name, token }: View): Entity {
  return { Name: name, UseCount: 1, token };
}

/** Likewise of what all streams of a camera have together. */
function sharedEntity({ source }: View): Entity {
  return { Name: source.name, UseCount: source.uses, token: source.token };
}

/** Undefined until the camera's stream is known. */
export const videoSourceConfiguration = remembered(
  (view: View): ValueOf<typeof VideoSourceConfiguration> | undefined => {
    const { token, width, height } = view.source;
    return view.video && { ...sharedEntity(view), SourceToken: token, Bounds: { x: 0, y: 0, width, height } };
  },
);

export const audioSourceConfiguration = remembered(
  (view: View): ValueOf<typeof AudioSourceConfiguration> | undefined => {
    return view.audio && { ...sharedEntity(view), SourceToken: view.source.token };
  },
);

export const metadataConfiguration = remembered((view: View): ValueOf<typeof MetadataConfiguration> | undefined => {
  const { metadata } = view;
  return (
    metadata && {
      ...entity(view),
      // Without a filter: all of them.
      Events: {},
      Analytics: false,
      Multicast: multicastOf(view, metadata),
      SessionTimeout: SESSION_TIMEOUT_MS,
    }
  );
});

/** Of what cannot be set: what may be chosen is what is. */
export const fixed = (value: number): { readonly Min: number; readonly Max: number } => ({ Min: value, Max: value });

/** `views` have video and are at least one. */
export function videoSourceOptions(views: readonly View[]): ValueOf<typeof VideoSourceConfigurationOptions> {
  const [first] = views;
  return {
    BoundsRange: {
      XRange: fixed(0),
      YRange: fixed(0),
      WidthRange: fixed(first?.source.width ?? 0),
      HeightRange: fixed(first?.source.height ?? 0),
    },
    VideoSourceTokensAvailable: sourcesOf(views),
  };
}

export function audioSourceOptions(views: readonly View[]): ValueOf<typeof AudioSourceConfigurationOptions> {
  return { InputTokensAvailable: sourcesOf(views) };
}

function sourcesOf(views: readonly View[]): readonly string[] {
  return [...new Set(views.map((view) => view.source.token))];
}

export const METADATA_OPTIONS: ValueOf<typeof MetadataConfigurationOptions> = {
  PTZStatusFilterOptions: { PanTiltStatusSupported: false, ZoomStatusSupported: false },
};

/** Bit rate in kbit/s where the codec fixes it, and 0 where only the camera knows. */
export function audioBitrate({ codec, clockRateHz, channels }: NonNullable<View["audio"]>): number {
  return codec === "PCMU" || codec === "PCMA" ? (clockRateHz * channels * 8) / 1000 : 0;
}

const H264_PROFILES: Readonly<Record<number, string>> = { 66: "Baseline", 77: "Main", 88: "Extended", 100: "High" };

/** ONVIF's word for the `profile_idc` of an H.264 track (RFC 6184 8.1): empty where it has none, undefined where the camera does not say. */
export function h264ProfileName(fmtp: string): string | undefined {
  const id = /profile-level-id=([0-9a-f]{2})[0-9a-f]{4}/i.exec(fmtp)?.[1];
  return id === undefined ? undefined : (H264_PROFILES[Number.parseInt(id, 16)] ?? "");
}

export function invalidStreamSetup(why: string): SoapFault {
  return new SoapFault("invalid", "Sender", ["InvalidArgVal", "InvalidStreamSetup"], why);
}

/** What a list answer is made of: the things of `views`, in the same order; what several have together, once. */
export function have<T extends Tokened>(views: readonly View[], make: (view: View) => T | undefined): readonly T[] {
  const made = new Map<string, T>();
  for (const one of views.flatMap((view) => make(view) ?? [])) if (!made.has(one.token)) made.set(one.token, one);
  return [...made.values()];
}

/** What a token names. */
export interface Tokened {
  readonly token: string;
}
