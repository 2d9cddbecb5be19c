import { MINUTE } from "../base/units.ts";
import type { VideoChange, VideoEncoder, VideoSettings } from "../media/video-settings.ts";
import type { ValueOf } from "../wsdl/schema.ts";
import type { RequestOf, ResponseOf } from "../wsdl/service.ts";
import type { IMAGING } from "../wsdl/tables/timg.ts";
import type { PTZ } from "../wsdl/tables/tptz.ts";
import type { DigitalInput, RelayLogicalState, RelayOutput } from "../wsdl/tables/tt-io.ts";
import type { PTZConfiguration, PTZConfigurationOptions, PTZNode } from "../wsdl/tables/tt-ptz.ts";

/** A continuous move that nobody ends is over by then. */
export const LONGEST_MOVE_MS = 1 * MINUTE;

/** How a camera can be moved. What of it is a token is empty: the camera's own never leave the camera side. */
export interface PtzHead {
  readonly configuration: ValueOf<typeof PTZConfiguration>;
  readonly options: ValueOf<typeof PTZConfigurationOptions>;
  readonly node: ValueOf<typeof PTZNode>;
}

/** How a stream is encoded now. */
export interface HeardEncoder extends VideoEncoder {
  /** How it was when the camera told of it for the first time: another one since is a change, though nobody has looked in between. */
  readonly first?: VideoSettings;
}

/** What can be done with a camera besides watching. Tokens of relays and inputs are the bridge's, unique within the camera. */
export interface Controls {
  readonly ptz: PtzHead | undefined;
  readonly imaging: boolean;
  /** By the name of the stream, for those of which the camera tells how it encodes them. */
  readonly encoders: ReadonlyMap<string, HeardEncoder>;
  readonly relays: readonly ValueOf<typeof RelayOutput>[];
  readonly inputs: readonly ValueOf<typeof DigitalInput>[];
  readonly snapshot: boolean;
}

export const NO_CONTROLS: Controls = {
  ptz: undefined,
  imaging: false,
  encoders: new Map(),
  relays: [],
  inputs: [],
  snapshot: false,
};

type PtzTable = (typeof PTZ)["operations"];
type ImagingTable = (typeof IMAGING)["operations"];

/** Operations on the profile that a camera is moved by. */
export type PtzOperation = {
  [K in keyof PtzTable]: "ProfileToken" extends keyof RequestOf<PtzTable[K]> ? K : never;
}[keyof PtzTable];
export type PtzRequest<K extends PtzOperation> = Omit<RequestOf<PtzTable[K]>, "ProfileToken">;
export type ImagingOperation = Exclude<keyof ImagingTable, "GetServiceCapabilities">;
export type ImagingRequest<K extends ImagingOperation> = Omit<RequestOf<ImagingTable[K]>, "VideoSourceToken">;

/**
 * A camera's controls. Each request goes to the camera and comes back with its answer. Faults: a SOAP fault where the camera
 * refuses it in ONVIF's words, `not-found` for a token that is not known, `unavailable` where it does not answer or does not
 * let the bridge, `busy`.
 */
export interface CameraControl {
  /** As far as the camera has told; nothing before it was reached for the first time since the bridge was started. */
  readonly controls: Controls;
  /** A continuous move ends by itself after its timeout, or the camera's own, or {@link LONGEST_MOVE_MS}: the bridge sees to it. */
  ptz<K extends PtzOperation>(operation: K, request: PtzRequest<K>): Promise<ResponseOf<PtzTable[K]>>;
  imaging<K extends ImagingOperation>(operation: K, request: ImagingRequest<K>): Promise<ResponseOf<ImagingTable[K]>>;
  /**
   * Changes how the camera encodes a stream, and has it described anew: resolves when it flows again, or ten seconds later. Who
   * watches it goes on watching.
   */
  setEncoder(stream: string, change: VideoChange): Promise<void>;
  setRelay(token: string, state: ValueOf<typeof RelayLogicalState>): Promise<void>;
  /** The camera's picture as a JPEG file, at most a second old. */
  snapshot(): Promise<Buffer>;
}
