import type { UnixMillis } from "../base/units.ts";
import type { Feed } from "./feed.ts";
import type { Motion } from "./motion.ts";
import type { Quirk } from "./quirks.ts";
import type { StreamName } from "./rtsp-target.ts";

/** Token of the one sensor. */
export const VIDEO_SOURCE = "video_source";

/** One way in which the camera sends its picture. */
export interface DeviceStream {
  /** Of its profile. */
  readonly token: StreamName;
  readonly feed: Feed;
  /** Its address as the camera tells it, for use in XML. */
  readonly url: string;
  /** To which it is sent by multicast; undefined where it is not. */
  readonly group: string | undefined;
}

/** What a card has of one stream. */
export interface CardRecording {
  readonly stream: DeviceStream;
  readonly from: UnixMillis;
  /** At which it is replayed. */
  readonly url: string;
}

/** What the services of one camera say and share. */
export interface Device {
  readonly address: string;
  readonly user: string;
  readonly serial: string;
  readonly mac: string;
  /** `urn:uuid:…`. */
  readonly endpoint: string;
  readonly scopes: readonly string[];
  readonly audio: boolean;
  /** Of a camera that can be controlled; both or none. */
  readonly motion: Motion | undefined;
  readonly settable: Settable | undefined;
  /** The main one first. */
  readonly streams: readonly [DeviceStream, ...DeviceStream[]];
  /** The recordings on its card, the main stream's first; undefined where it has no card. */
  readonly card: readonly CardRecording[] | undefined;
  readonly quirks: ReadonlySet<Quirk>;
  readonly httpPort: number;
  readonly rtspPort: number;
  /** The camera's own clock. */
  now(): UnixMillis;
  /** Address of a service, as the camera tells it. */
  url(path: string): string;
}

/** What of a simulated camera can be set besides its position. */
export interface Settable {
  /** 0 to 100. */
  brightness: number;
  /** 0 to 1. */
  focus: number;
  relay: "active" | "inactive";
}
