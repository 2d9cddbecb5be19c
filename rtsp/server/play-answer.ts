import type { Headers, Request } from "../wire/message.ts";
import { printRange } from "../wire/range.ts";
import { printRtpInfo } from "../wire/rtp-info.ts";
import { trackAddress } from "./address.ts";
import type { Presentation } from "./host.ts";
import type { Player } from "./player.ts";
import type { RtspSession } from "./session.ts";

/** What the answer to PLAY says besides the session. */
export function playHeaders(
  request: Request,
  presentation: Presentation,
  session: RtspSession,
  player: Player,
): Headers {
  return [...playing(session, player), ...granted(request, presentation)];
}

/** Scale and Speed as they were asked for: they are had, or refused (RFC 2326 12.34, 12.35). Live video has neither. */
function granted(request: Request, { kind }: Presentation): Headers {
  if (kind === "live") return [];
  return request.headers.filter(([name]) => /^(?:scale|speed)$/i.test(name));
}

/** From when on is played, and where each track begins, as far as it is known (RFC 2326 12.29, 12.33). */
function playing(session: RtspSession, player: Player): Headers {
  const entries = session.lanes().map(({ index }) => {
    const first = player.first.get(index);
    const url = trackAddress(session.address, index);
    const packet = first?.packets[0];
    return packet === undefined || first === undefined
      ? { url }
      : { url, seq: packet.readUInt16BE(2), rtptime: first.rtpTime };
  });
  return [
    ...(player.range === undefined ? [] : ([["Range", printRange(player.range)]] as const)),
    ["RTP-Info", printRtpInfo(entries)],
  ];
}
