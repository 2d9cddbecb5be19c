import type { Peer, Principal } from "../../auth/principal.ts";
import type { AuthenticatedRequest } from "../../auth/scheme/http.ts";
import type { UnixMillis } from "../../base/units.ts";
import type { Talk } from "../../media/back-channel.ts";
import type { Sent } from "../../media/sent.ts";
import type { LiveSource, RecordedSource } from "../../media/source.ts";
import type { SrtpSuite } from "../../media/srtp-cipher.ts";
import type { Track } from "../../media/track.ts";
import type { ReplayManner } from "../wire/replay.ts";

/** What an RTSP address names, without the track at its end. */
export interface PresentationAddress {
  /** Of the path, decoded. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

interface Presented {
  /** For people; it stands in the description. */
  readonly name: string;
  /** The address asks for SRTP: the description offers keys for it. */
  readonly srtp?: SrtpSuite;
  /** Aborted when whoever opened it may not watch any longer: its sessions end at once. */
  readonly ended: AbortSignal;
  /** To be called, where it is there, when what was opened to be played is no longer played, with what was sent of it. */
  readonly release?: (sent?: Sent) => void;
  /** Kinds of tracks that may not be had: they are neither described nor set up. */
  readonly withheld: ReadonlySet<Track["kind"]>;
}

/** A speaker that the client may use, as a track behind those of the source. */
export interface TalkOffer {
  readonly track: Track;
  /** Keeps it for this client. See `BackChannel.take`; Fault `denied` besides, where the right has ended. */
  take(failed: (fault: unknown) => void): Talk;
}

/** Where a stream is sent once for all who want that: a group of its own, and two ports for each track. */
export interface MulticastAddress {
  /** IPv4. */
  readonly address: string;
  /** Even; of the first track's RTP. */
  readonly port: number;
  /** Routers that a packet may pass, and one: 1 does not leave the network. */
  readonly ttl: number;
}

export interface LivePresentation extends Presented {
  readonly kind: "live";
  readonly source: LiveSource;
  /** Where it is sent once for all clients that want that; absent where multicast is switched off. */
  readonly multicast?: MulticastAddress;
  /** The address asks for multicast: the description names the group. */
  readonly describesGroup?: boolean;
  /** The camera's speaker; absent where it was not asked for, `who` may not use it, or there is none. */
  readonly talk?: TalkOffer;
}

export interface RecordedPresentation extends Presented {
  readonly kind: "recorded";
  readonly source: RecordedSource;
  /** The stretch of time that the address asks for; without it, all that is recorded. */
  readonly from?: UnixMillis;
  readonly to?: UnixMillis;
  /** How the address wants it to be played, for players that cannot say it themselves. */
  readonly manner?: Partial<ReplayManner>;
}

export type Presentation = LivePresentation | RecordedPresentation;

/** What the server needs of the product. The server knows RTSP; who may play what, and where it comes from, is known here. */
export interface RtspHost {
  /** Values of WWW-Authenticate, one field each, for a request with that Authorization, if any. */
  challenges(
    peer: Peer,
    options: { readonly stale: boolean; readonly authorization: string | undefined },
  ): readonly string[];
  /** Who sent the request. Throws a Fault: `unauthenticated`, `busy`, `invalid`. */
  authenticate(request: AuthenticatedRequest): Promise<Principal>;
  /**
   * The presentation, if `who` may play it; to be described, or to be played at once, and with its speaker, if that is wanted and
   * may be used. Throws a Fault: `not-found`, `denied`, `invalid`, `unavailable`.
   */
  open(
    who: Principal,
    address: PresentationAddress,
    peer: Peer,
    wanted: { readonly purpose: "describe" | "play"; readonly talk: boolean },
  ): Promise<Presentation>;
}
