import type { Peer, Principal } from "../../auth/principal.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, type Fault } from "../../base/fault.ts";
import type { RequestAddress } from "./address.ts";
import type { Carrier } from "./carrier.ts";
import type { Cohorts } from "./cohorts.ts";
import type { Datagrams } from "./datagrams.ts";
import { tracksOf } from "./description.ts";
import type { Presentation, RtspHost } from "./host.ts";
import type { KeyOffer } from "./key-management.ts";
import { multicastChoice } from "./multicast.ts";
import { RtspSession } from "./session.ts";

/** What a session needs of its connection. */
export interface OpeningOptions {
  readonly carrier: Carrier;
  readonly peer: Peer;
  /** Our address as the client reached it. */
  readonly localAddress: string;
  readonly host: RtspHost;
  /** The client may have datagrams. */
  readonly datagrams: Datagrams;
  readonly clock: Clock;
  /** Of the clients of one server. */
  readonly cohorts: Cohorts;
  readonly dropped: () => void;
  /** A sign of life that is no request. */
  readonly alive: () => void;
  /** The session cannot go on. */
  readonly failed: (fault: Fault) => void;
}

/** What DESCRIBE found, for the SETUPs that follow it, by the same account. */
export interface Described {
  readonly address: RequestAddress;
  readonly presentation: Presentation;
  readonly accountId: string;
  readonly keys: KeyOffer | undefined;
}

export interface Opening {
  readonly who: Principal;
  readonly address: RequestAddress;
  /** The client asks for the camera's speaker. */
  readonly talk: boolean;
  /** By the last DESCRIBE of this connection. */
  readonly described: Described | undefined;
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal;
}

/** Begins the session of a first SETUP, about what was described before or, where that was something else, opened now. Faults: those of the host. */
export async function openSession(o: OpeningOptions, opening: Opening): Promise<RtspSession> {
  const { host, peer, carrier, datagrams, localAddress, clock, cohorts, dropped, alive, failed } = o;
  const { who, address, talk, gone } = opening;
  const { udp, srtp } = datagrams;
  const described = isAbout(opening) ? opening.described : undefined;
  const wanted = { purpose: "describe", talk } as const;
  const presentation = described?.presentation ?? (await host.open(who, address, peer, wanted));
  return new RtspSession({
    carrier,
    clock,
    cohorts,
    address: described?.address ?? address,
    kind: presentation.kind,
    tracks: await tracksOf(presentation, { clock, gone }),
    withheld: presentation.withheld,
    ended: presentation.ended,
    talk: presentation.kind === "live" ? presentation.talk : undefined,
    accountId: who.accountId,
    accountName: who.name,
    dropped,
    udp: udp && { localAddress, peerAddress: peer.address, range: udp.range },
    srtp: srtp && { localAddress, peerAddress: peer.address, range: srtp.range },
    ...(presentation.kind === "live" ? { ssrc: (track) => presentation.source.ssrc(track) } : {}),
    multicast: multicastChoice(presentation, localAddress, datagrams.multicast),
    alive,
    failed: (fault) => failed(asFault(fault)),
  });
}

/** What was described is what the SETUP is about, and still there for its account. */
function isAbout({ who, address, described }: Opening): boolean {
  if (described?.accountId !== who.accountId || described.presentation.ended.aborted) return false;
  if (described.address.segments.join("/") !== address.segments.join("/")) return false;
  // A track's address may have lost the query that the presentation was described with.
  return described.address.key === address.key || address.query.size === 0;
}
