import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Identity } from "../net/tls.ts";
import type { UpstreamTransport } from "../rtsp/wire/transport.ts";
import type { Settable } from "./device.ts";
import type { Motion } from "./motion.ts";
import type { Played } from "./played.ts";
import type { Quirk } from "./quirks.ts";
import type { Heard } from "./speaker.ts";

/** What a simulated camera is like. */
export interface SimCameraOptions {
  readonly name: string;
  /** Own address of this machine, best one on a network of cameras alone. */
  readonly address: string;
  /** 0: any. */
  readonly httpPort: number;
  readonly rtspPort: number;
  /** Absent: the camera cannot be found. */
  readonly discoveryPort?: number;
  readonly user: string;
  readonly password: string;
  /** Pixels, even. 640 by 360 if absent. */
  readonly width?: number;
  readonly height?: number;
  /** 15 if absent. */
  readonly fps?: number;
  /** What its main stream shows instead of a drawn picture, in its own size; it has no sub-stream then. */
  readonly played?: Played;
  /** With sound. */
  readonly audio?: boolean;
  /** With a speaker. */
  readonly speaker?: boolean;
  /** It has RTSPS and HTTPS, and nothing without TLS. */
  readonly tls?: Identity;
  /** Can be moved and set, has a relay and an input, and gives a snapshot. */
  readonly controls?: boolean;
  /** It has a card, on which it records its main stream all the time, or `both`, and from which it replays that (ONVIF Profile G). */
  readonly card?: boolean | "both";
  /** By which it sends. If absent by every one: multicast only from an IPv4 address. */
  readonly transports?: readonly UpstreamTransport[];
  readonly quirks?: readonly Quirk[];
  readonly clock: Clock;
  readonly log: Log;
}

/** A camera that runs in this process. */
export interface SimCamera {
  /** Its ONVIF device service. */
  readonly deviceUrl: string;
  /** Its main stream, without user information. */
  readonly rtspUrl: string;
  /** Its sub-stream, a smaller picture; absent where the main one is small already. */
  readonly subUrl: string | undefined;
  /** RTSP connections that it has accepted so far. */
  readonly connections: number;
  /** Clients that it sends a picture to. */
  readonly sessions: number;
  /** What was said to it; undefined where it has no speaker. */
  readonly heard: Heard | undefined;
  /** Of one that can be controlled. */
  readonly motion: Motion | undefined;
  readonly settable: Settable | undefined;
  /** Somebody has its speaker. */
  readonly talkedTo: boolean;
  /** Requests of ONVIF that it was sent so far. */
  readonly requests: number;
  /** Subscriptions to its events that were made so far, and that there are. */
  readonly subscriptions: number;
  readonly subscribers: number;
  /** Goes off the network, breaking all connections. */
  pause(): Promise<void>;
  /** Comes back at the same addresses. */
  resume(): Promise<void>;
  /** Changes the size of the main picture under running sessions. */
  setResolution(width: number, height: number): void;
  /** Sends bytes that are neither RTSP nor RTP to all RTSP clients. */
  sendGarbage(): void;
  close(): Promise<void>;
}
