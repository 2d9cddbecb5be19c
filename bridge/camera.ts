import type { UnixMillis } from "../base/units.ts";
import type { BackChannel } from "../media/back-channel.ts";
import type { LiveSource, RecordedSource } from "../media/source.ts";
import type { Track } from "../media/track.ts";
import type { UpstreamTransport } from "../rtsp/wire/transport.ts";
import type { CameraControl } from "./camera-control.ts";
import type { KeptFor } from "./kept-for.ts";
import type { RecordingPlan } from "./recording-plan.ts";

/** How the connection for one stream of a camera stands. */
export type Connection =
  | { readonly state: "connecting"; readonly since: UnixMillis }
  /** Packets come; of events alone, they may. */
  | { readonly state: "online"; readonly since: UnixMillis }
  /** Nobody watches: it is connected when somebody does. */
  | { readonly state: "idle"; readonly since: UnixMillis }
  /** `why` is in words for an operator and holds no credentials. */
  | { readonly state: "offline"; readonly since: UnixMillis; readonly why: string };

/** How a camera is asked to send: by what works, beginning with what worked the last time, or one way alone. */
export type TransportSetting = "auto" | UpstreamTransport;

/** When a stream is pulled from its camera: always, or while somebody watches or it is to be recorded, and ten seconds longer. */
export type Pulling = "always" | "on-demand";

/** How the recording of a stream stands. */
export interface RecordingInfo {
  readonly plan: RecordingPlan;
  /**
   * `closed`: outside its hours. `waiting`: for an event. `starting`: it is to be recorded, and nothing has come yet. `failing`: what
   * comes cannot be written.
   */
  readonly state: "off" | "closed" | "waiting" | "starting" | "recording" | "failing";
  /** Of `failing`, in words. */
  readonly problem?: string;
}

/** What everyone may know of a stream who may see its camera. */
export interface StreamInfo {
  /** Within its camera: `main`, `sub`, `sub-2`. Stands in addresses and tokens; never changes. */
  readonly name: string;
  /** Counts the streams of all cameras from 1; its own as long as its camera is ours, and that of another one afterwards. */
  readonly number: number;
  readonly pulling: Pulling;
  readonly recording: RecordingInfo;
  readonly connection: Connection;
  /** By what it comes, or came the last time. */
  readonly transport: UpstreamTransport | undefined;
  /** How many receive it now, the recorder included. */
  readonly readers: number;
  /** As it was described the last time; empty until the camera was reached for the first time. */
  readonly tracks: readonly Track[];
}

/** What everyone may know of a camera who may see it. */
export interface CameraInfo {
  /** Stands in addresses and tokens; never changes. Letters, digits, `-` and `_`, at most 64. */
  readonly id: string;
  readonly name: string;
  readonly manufacturer: string | undefined;
  readonly model: string | undefined;
  /** Of its main stream. */
  readonly connection: Connection;
  readonly transport: TransportSetting;
  readonly retention: KeptFor;
  /** The main one first. */
  readonly streams: readonly [StreamInfo, ...StreamInfo[]];
  /** Its main stream is being written to the archive now. */
  readonly recording: boolean;
  /** Why its main stream is not recorded although it is there, in words; undefined where nothing is wrong. */
  readonly recordingProblem: string | undefined;
  /** Tracks that are shown live but not recorded, each with the reason in words. */
  readonly unrecordable: readonly string[];
  /** Known faults that it has shown since the bridge pulls from it: what it does, and what the bridge makes of it, in words. */
  readonly quirks: readonly { readonly name: string; readonly does: string; readonly copes: string }[];
}

/** One stream of an adopted camera, seen from the client side. */
export interface BridgedStream {
  readonly info: StreamInfo;
  readonly live: LiveSource;
  readonly recorded: RecordedSource;
}

/** One adopted camera, seen from the client side. */
export interface BridgedCamera {
  readonly info: CameraInfo;
  /** The main one first. */
  readonly streams: readonly [BridgedStream, ...BridgedStream[]];
  /** Of its main stream. */
  readonly recorded: RecordedSource;
  readonly speaker: BackChannel;
  readonly control: CameraControl;
  /** Aborted when the camera is removed. */
  readonly removed: AbortSignal;
}

/** All that the client side knows of the camera side. */
export interface CameraDirectory {
  list(): readonly BridgedCamera[];
  find(id: string): BridgedCamera | undefined;
}

/** The name of the stream that every camera has, and that is meant where none is named. */
export const MAIN_STREAM = "main";
