import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Identity } from "../net/tls.ts";
import type { UpstreamTransport } from "../rtsp/wire/transport.ts";
import type { DigestGate } from "./digest.ts";
import type { Feed } from "./feed.ts";
import type { Quirk } from "./quirks.ts";
import type { Speaker } from "./speaker.ts";

/** What the RTSP server of a simulated camera serves, and how. */
export interface RtspOptions {
  readonly address: string;
  /** Absent: without TLS. */
  readonly tls: Identity | undefined;
  /** Host to name in addresses. */
  readonly saidHost: string;
  readonly feeds: { readonly main: Feed; readonly sub?: Feed };
  readonly audio: boolean;
  /** What it has on a card, and replays: of no stream, of the main one, or of `both`. */
  readonly card: boolean | "both";
  /** Absent: it has none. */
  readonly speaker: Speaker | undefined;
  /** By which it sends. */
  readonly transports: ReadonlySet<UpstreamTransport>;
  /** To which it sends by multicast (IPv4): of its main stream, and of the other one. */
  readonly groups: { readonly main: string; readonly sub: string };
  readonly gate: DigestGate;
  readonly quirks: ReadonlySet<Quirk>;
  readonly clock: Clock;
  readonly log: Log;
}
