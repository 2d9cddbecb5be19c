import type { UnixMillis } from "../base/units.ts";
import type { LiveSource, RecordedSource } from "../media/source.ts";
import type { Track } from "../media/track.ts";
import type { LowerTransport } from "../rtsp/wire/transport.ts";

/** How the connection to a camera stands. */
export type Connection =
  | { readonly state: "connecting"; readonly since: UnixMillis }
  | { readonly state: "online"; readonly since: UnixMillis }
  /** `why` is in words for an operator and holds no credentials. */
  | { readonly state: "offline"; readonly since: UnixMillis; readonly why: string };

/** How a camera is asked to send: by what works, beginning with what worked the last time, or one way alone. */
export type TransportSetting = "auto" | LowerTransport;

/** What everyone may know of a camera who may see it. */
export interface CameraInfo {
  /** Stands in addresses and tokens; never changes. Letters, digits, `-` and `_`, at most 64. */
  readonly id: string;
  /** Counts cameras from 1; its own as long as it is ours, and that of another one afterwards. */
  readonly number: number;
  readonly name: string;
  readonly manufacturer: string | undefined;
  readonly model: string | undefined;
  readonly connection: Connection;
  readonly transport: {
    readonly setting: TransportSetting;
    /** By what it sends, or sent the last time. */
    readonly used: LowerTransport | undefined;
  };
  /** Empty until the camera was reached for the first time. */
  readonly tracks: readonly Track[];
  /** Its stream is being written to the archive now. */
  readonly recording: boolean;
  /** Tracks that are shown live but not recorded, each with the reason in words. */
  readonly unrecordable: readonly string[];
  /** Known faults that it has shown since the bridge pulls from it: what it does, and what the bridge makes of it, in words. */
  readonly quirks: readonly { readonly name: string; readonly does: string; readonly copes: string }[];
}

/** One adopted camera, seen from the client side. */
export interface BridgedCamera {
  readonly info: CameraInfo;
  readonly live: LiveSource;
  readonly recorded: RecordedSource;
  /** Aborted when the camera is removed. */
  readonly removed: AbortSignal;
}

/** All that the client side knows of the camera side. */
export interface CameraDirectory {
  list(): readonly BridgedCamera[];
  find(id: string): BridgedCamera | undefined;
}
