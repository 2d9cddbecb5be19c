import { randomInt } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { type MonotonicMillis, SECOND } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import { bye, senderReport } from "../../media/rtcp.ts";
import type { Lane, Lanes } from "./lane.ts";

/** RFC 3550 6.2: not more often than every 5 s. */
const PERIOD_MS = 5 * SECOND;

const CNAME = "viaduct";

interface Counts {
  readonly ssrc: number;
  packets: number;
  octets: number;
  reportedAt: MonotonicMillis;
}

/**
 * What one client is told of what it is sent (RFC 3550 6.4.1): a report before the first group of each track, so that tracks can be
 * laid side by side from the beginning, and one every 5 s while groups flow.
 */
export class SenderReports {
  readonly #clock: Clock;
  readonly #counts = new Map<number, Counts>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts `group`, which is sent now. The report to send before it, where one is due. */
  before(group: PacketGroup): Buffer | undefined {
    const now = this.#clock.monotonic();
    const known = this.#counts.get(group.track);
    const ssrc = group.ssrc ?? 0;
    const counts = known?.ssrc === ssrc ? known : { ssrc, packets: 0, octets: 0, reportedAt: now };
    const { packets, octets } = counts;
    counts.packets += group.packetCount;
    counts.octets += group.payloadBytes;
    if (counts === known && now - counts.reportedAt < PERIOD_MS) return undefined;
    counts.reportedAt = now;
    this.#counts.set(group.track, counts);
    return senderReport({ ssrc, at: group.at, rtpTime: group.rtpTime, packets, octets, cname: CNAME });
  }

  /** The end of every track (RFC 3550 6.6), those that never began too: clients wait for all of them. */
  goodbyes(lanes: Lanes): readonly (readonly [Lane, Buffer])[] {
    return [...lanes.values()].map((lane) => [
      lane,
      bye(this.#counts.get(lane.index)?.ssrc ?? randomInt(2 ** 32), CNAME),
    ]);
  }
}
