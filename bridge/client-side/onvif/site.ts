import type { Principal } from "../../../auth/principal.ts";
import type { Millis, UnixMillis } from "../../../base/units.ts";
import type { Span } from "../../../media/source.ts";
import type { Track, TrackKind } from "../../../media/track.ts";
import type { VideoChange, VideoChoices, VideoSettings } from "../../../media/video-settings.ts";
import type { Base } from "../../../onvif/server/base.ts";
import type { Journal } from "../../../recorder/journal.ts";
import type { MulticastAddress } from "../../../rtsp/server/host.ts";
import type { CameraControl, Controls } from "../../camera-control.ts";
import type { OwnProfiles } from "../../made-profiles.ts";
import type { RecordingPlan } from "../../recording-plan.ts";
import type { OnvifProfile } from "./profile-scopes.ts";
import type { OnvifScopes } from "./scopes.ts";
import type { OnvifUsers } from "./users.ts";

/** All that the ONVIF services know of the product. */
export interface OnvifSite {
  readonly device: {
    readonly manufacturer: "Viaduct";
    readonly model: string;
    readonly firmware: string;
    readonly serial: string;
    readonly hardwareId: string;
    /** Without `urn:uuid:`. */
    readonly uuid: string;
    readonly name: string;
  };
  /** Those that `who` may see through ONVIF, in a stable order. */
  cameras(who: Principal): readonly OnvifCamera[];
  /** Fault `not-found` when missing or hidden, which must look the same. */
  camera(who: Principal, id: string): OnvifCamera;
  /** Profiles that `who` has made at the device of `camera`, or, without one, at that of all cameras. */
  profiles(who: Principal, camera?: string): OwnProfiles;
  /** Where a client plays a camera, or one of its other streams. Fault `invalid` for a transport that is switched off. */
  streamUri(
    id: string,
    kind: "live" | "recorded",
    o: {
      readonly stream?: string;
      readonly transport: "tcp" | "udp" | "multicast" | "http" | "rtsps";
      /** What of it alone; all of it if absent. */
      readonly tracks?: readonly TrackKind[];
      /** How the client reached us. */
      readonly base: Base;
    },
  ): string;
  /** Asks a camera's stream for a key frame; see `LiveSource.requestKey`. Fault `not-found` when missing or hidden. */
  requestKey(who: Principal, stream: { readonly camera: string; readonly stream: string }): void;
  /** A camera's controls, for who holds the right. Fault `not-found` when missing or hidden. */
  control(who: Principal, id: string): CameraControl;
  /**
   * Changes how a camera encodes a stream, for all who watch it. Faults: `denied`, `not-found`, and those of the camera's control.
   */
  setEncoder(
    who: Principal,
    stream: { readonly camera: string; readonly stream: string },
    change: VideoChange,
    address: string,
  ): Promise<void>;
  /** Lets `who`, with the right that was demanded, move the camera from `address`, as long as nobody else does. Fault `busy`. */
  takePtz(who: Principal, id: string, needs: "ptz" | "presets", address: string): void;
  /** Where a client fetches the camera's picture. */
  snapshotUri(id: string, base: Base): string;
  /**
   * Recordings that `who` may play: of each main stream, though there be nothing in it yet, and of other streams where they are or
   * were recorded.
   */
  recordings(who: Principal): Promise<readonly OnvifRecording[]>;
  /** The one of a stream. Fault `not-found` when it is missing or hidden, or `who` may not play the camera's recordings. */
  recording(who: Principal, of: { readonly camera: string; readonly stream: string }): Promise<OnvifRecording>;
  /** Switches the recording of a stream off, or on again as it was. Fault `not-found` when missing or hidden. */
  switchRecording(
    who: Principal,
    of: { readonly camera: string; readonly stream: string },
    o: { readonly on: boolean; readonly address: string },
  ): Promise<void>;
  /** What was recorded, and what happened; not every bit of it for everybody. */
  readonly history: EventHistory;
  /** How far back `who` may be told of what happened at a camera, in milliseconds; 0 where not at all. */
  eventsReachMs(who: Principal, id: string): Millis;
  /** What is listening on the client side; absent where it is not. */
  ports(base: Base): {
    readonly http?: number | undefined;
    readonly https?: number | undefined;
    readonly rtsp?: number | undefined;
  };
  /** Live streams can be had by multicast. */
  readonly multicast: boolean;
  /** RTSPS can bring SRTP over UDP. */
  readonly srtp: boolean;
  /** Answers probes of WS-Discovery. */
  readonly discoverable: boolean;
  /** Accounts as ONVIF's users; absent at the device of a camera, which has none. */
  readonly users?: OnvifUsers | undefined;
  /** Scopes that clients may set; absent at the device of a camera, whose name is the camera's. */
  readonly scopes?: OnvifScopes | undefined;
  /** Announced although they are not full, for clients that insist. */
  readonly profileScopes: readonly OnvifProfile[];
  /** The network interfaces that clients reach. */
  addresses(base: Base): readonly {
    readonly name: string;
    readonly mac: string;
    readonly address: string;
    readonly prefixLength: number;
  }[];
}

export interface OnvifCamera {
  /** Letters, digits, `-` and `_`, at most 64: it is the token of everything that is the camera's. */
  readonly id: string;
  readonly name: string;
  /** The main one first. */
  readonly streams: readonly [OnvifStream, ...OnvifStream[]];
  /** What the caller may control, and, beside it, see the settings of. */
  readonly controls: Omit<Controls, "encoders">;
}

export interface OnvifStream {
  /** Within its camera: `main`, `sub`, … */
  readonly name: string;
  /** The camera's own. Empty until it was reached for the first time. */
  readonly tracks: readonly Track[];
  /** Those that are sent live, in their order: the camera's, and what the bridge has to say. */
  readonly sent: readonly Track[];
  /** The first of metadata; undefined where there is none, or the caller may not have it. */
  readonly metadata?: Track;
  /** In pixels; undefined while unknown. */
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  /** How the camera says that it encodes it, where it does. */
  readonly settings?: VideoSettings;
  /** What of that the caller may set; absent where nothing. */
  readonly choices?: VideoChoices;
  /** Where it is sent by multicast to clients that want that; absent where it is not. */
  readonly multicast?: MulticastAddress;
}

export interface OnvifRecording {
  readonly camera: OnvifCamera;
  /** Within its camera: `main`, `sub`, … */
  readonly stream: string;
  /** When it is to be recorded. */
  readonly plan: RecordingPlan;
  /** Undefined where nothing is recorded. */
  readonly earliest: UnixMillis | undefined;
  readonly latest: UnixMillis | undefined;
  /** How far back `who` may know of it; infinite where all the way. */
  readonly reachMs: Millis;
  /** How long it is kept; absent where nothing but space limits it. */
  readonly retentionMs?: number;
  /** It is being written now. */
  readonly recording: boolean;
  /** It is not written although the stream is there. */
  readonly failing: boolean;
}

/** What is known of the past. */
export interface EventHistory {
  spans(camera: string, from: UnixMillis, to: UnixMillis, stream?: string): Promise<readonly Span[]>;
  readonly journal: Pick<Journal, "earliest" | "beginnings" | "events" | "standing">;
  /** The id in the journal of the last event that was told so far, once all of them are kept. Those that are told from now on have greater ones. */
  newest(): Promise<number>;
}
