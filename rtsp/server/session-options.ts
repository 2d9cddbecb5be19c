import type { Clock } from "../../base/clock.ts";
import type { Track } from "../../media/track.ts";
import type { Headers } from "../wire/message.ts";
import type { Range } from "../wire/range.ts";
import type { RequestAddress } from "./address.ts";
import type { Cohorts } from "./cohorts.ts";
import type { Presentation, TalkOffer } from "./host.ts";
import type { MulticastChoice } from "./multicast.ts";
import type { OutletOptions } from "./outlet.ts";

export interface SessionOptions extends Omit<OutletOptions, "onReport"> {
  /** The group that the client may listen to; undefined where it cannot have that. */
  readonly multicast: MulticastChoice | undefined;
  readonly clock: Clock;
  /** Of the clients of one server. */
  readonly cohorts: Cohorts;
  /** The presentation that the session is about. */
  readonly address: RequestAddress;
  readonly kind: Presentation["kind"];
  readonly tracks: readonly Track[];
  readonly withheld: Presentation["withheld"];
  /** Of the presentation that was described: what is set up may not be had any longer. */
  readonly ended: AbortSignal;
  /** Of a track by its index, where it is known before PLAY. */
  readonly ssrc?: (track: number) => number | undefined;
  /** The camera's speaker, where the client may use it: it counts as the track behind the last. */
  readonly talk: TalkOffer | undefined;
  /** The account that it belongs to. */
  readonly accountId: string;
  readonly accountName: string;
  /** A group was dropped because the client is too slow. */
  readonly dropped: () => void;
  /** The client has shown that it is there. */
  readonly alive: () => void;
}

/** What a PLAY asks for. */
export interface PlayRequest {
  readonly range: Range | undefined;
  /** Headers that say how. */
  readonly message: { readonly headers: Headers };
}
