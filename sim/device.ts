import type { UnixMillis } from "../base/units.ts";
import type { Feed } from "./feed.ts";
import type { Quirk } from "./quirks.ts";

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
  readonly feed: Feed;
  readonly quirks: ReadonlySet<Quirk>;
  readonly httpPort: number;
  readonly rtspPort: number;
  /** Address of the stream as the camera tells it, for use in XML. */
  readonly streamUrl: string;
  /** The camera's own clock. */
  now(): UnixMillis;
  /** Address of a service, as the camera tells it. */
  url(path: string): string;
}
