import { ChallengeAnswerer, type Credentials } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { CameraSide } from "../../net/sides.ts";
import type { CameraTls } from "../../net/tcp.ts";
import type { UpstreamTransport } from "../wire/transport.ts";
import { Attempt, type ReplayStretch } from "./attempt.ts";
import type { Door } from "./dial-rtsp.ts";
import type { UpstreamEvents } from "./incoming.ts";
import { mayBeTransport, RefusedSetup, Unreachable } from "./refusal.ts";

const LIMITS = {
  redirects: 1,
};

export interface PullOptions {
  /** `rtsp:` or `rtsps:`, without user information; its host is an IP address. */
  readonly url: URL;
  readonly credentials?: Credentials;
  readonly side: CameraSide;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: UpstreamEvents;
  readonly signal: AbortSignal;
  /** How the camera is known; only for `rtsps:`. */
  readonly tls?: CameraTls;
  /** The password may travel readable. Inside TLS it may anyway. */
  readonly allowBasic?: boolean;
  /** Where the camera serves HTTP, so that RTSP may go in it there; its port for RTSP is tried anyway. */
  readonly tunnelAt?: Door;
  /** What the camera itself recorded then, instead of what it sees. A camera that has sent it stops, which is the Fault of one that is silent. */
  readonly replay?: ReplayStretch;
  /** Told of all that was read; what it returns is waited for before more is. Must not reject. */
  readonly paced?: (bytes: number) => Promise<void> | undefined;
  /** In the order in which they are tried. If absent TCP, then UDP; over TLS TCP alone, for UDP would be readable. */
  readonly transports?: readonly [UpstreamTransport, ...UpstreamTransport[]];
}

/**
 * One upstream session, from connect to TEARDOWN, with RTP inside the RTSP connection, over UDP to ports of ours, or over UDP to a
 * group (RFC 2326 10.4, 10.12), or with all of it inside HTTP. Another transport is tried where the camera refuses one, or may mean that, where
 * nothing ever comes by UDP, for something between us may be in its way, and, in HTTP at another port, where nobody answers.
 *
 * Resolves when `signal` is aborted, after the TEARDOWN. Rejects with a Fault when the camera fails: `unauthenticated` (wrong
 * credentials, or none where some are needed; tried at most twice, for cameras lock accounts), `denied`, `not-found`, `busy`,
 * `invalid` (it breaks the protocol or our limits), `unavailable` (everything else; trying later may work).
 */
export async function pull(o: PullOptions): Promise<void> {
  const secure = o.url.protocol === "rtsps:";
  const allowBasic = o.allowBasic === true || secure;
  const answerer = o.credentials && new ChallengeAnswerer(o.credentials, { allowBasic });
  const transports = o.transports ?? (secure ? (["tcp"] as const) : (["tcp", "udp"] as const));
  try {
    let unreachable: Unreachable | undefined;
    let refused: RefusedSetup | undefined;
    for (const transport of transports) {
      // All but HTTP begin at the port where nobody is.
      if (unreachable !== undefined && transport !== "http") continue;
      try {
        await follow({ ...o, allowBasic }, transport, answerer);
        return;
      } catch (error) {
        if (error instanceof Unreachable && o.tunnelAt !== undefined) unreachable ??= error;
        else if (!mayBeTransport(error)) throw error;
        else if (!o.signal.aborted) o.events.refused?.(transport);
        if (error instanceof RefusedSetup) refused ??= error;
        // It was not the transport, where no other one is better: then the first refusal says most.
        if (transport === transports.at(-1)) throw unreachable ?? refused ?? error;
        o.log.info({ err: error }, "another transport is tried");
      }
    }
    if (unreachable !== undefined) throw unreachable;
  } catch (error) {
    if (o.signal.aborted) return;
    throw asFault(error);
  }
}

/** A session by one transport, wherever the camera redirects to. */
async function follow(
  o: PullOptions & { readonly allowBasic: boolean },
  transport: UpstreamTransport,
  answerer: ChallengeAnswerer | undefined,
): Promise<void> {
  let { url } = o;
  for (let redirects = 0; ; redirects += 1) {
    // A connection for each attempt: there are cameras that describe only once on one (Hikvision; retina client/mod.rs).
    const next = await new Attempt({ ...o, url, transport, answerer }).run();
    if (next === undefined) return;
    if (redirects === LIMITS.redirects) throw new Fault("invalid", `the camera redirects again, to ${next.href}`);
    url = next;
  }
}
