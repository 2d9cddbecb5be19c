import type { UnixMillis } from "../base/units.ts";
import type { Feed } from "./feed.ts";
import type { Motion } from "./motion.ts";

import type { Quirk } from "./quirks.ts";

/** Token of the one sensor. */
export const VIDEO_SOURCE = "video_source";

/** One way in which the camera sends its picture. */
export interface DeviceStream {
  /** Of its profile: `main`, `sub`. */
  readonly token: string;
  readonly feed: Feed;
  /** Its address as the camera tells it, for use in XML. */
  readonly url: string;
  /** To which it is sent by multicast; undefined where it is not. */
  readonly group: string | undefined;
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
  /** It has a card with recordings. */
  readonly card: { readonly from: UnixMillis; readonly url: string } | undefined;
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
