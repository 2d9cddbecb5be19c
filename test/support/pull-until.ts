import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import type { PacketGroup } from "../../media/group.ts";
import { TrackReceiver } from "../../media/receiver.ts";
import type { Track } from "../../media/track.ts";
import { cameraSide } from "../../net/sides.ts";
import { type PullOptions, pull } from "../../rtsp/client/session.ts";

const side = cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] });

/** What was pulled of one stream. */
export interface Pulled {
  readonly tracks: readonly Track[];
  readonly groups: readonly PacketGroup[];
  /** By what they came. */
  readonly transport: string | undefined;
  /** What the camera's key turned out to be, over TLS. */
  readonly pin: string | undefined;
}

/** Pulls until there are `enough` groups of the first track, or until what has come is. */
export async function pullUntil(
  url: URL,
  enough: number | ((pulled: Pick<Pulled, "tracks" | "groups">) => boolean),
  o: Pick<PullOptions, "credentials" | "transports"> & { readonly pin?: string } = {},
): Promise<Pulled> {
  const stop = new AbortController();
  const groups: PacketGroup[] = [];
  const tracks: Track[] = [];
  const isEnough = (): boolean =>
    typeof enough === "number"
      ? groups.filter(({ track }) => track === 0).length >= enough
      : enough({ tracks, groups });
  let receivers: readonly TrackReceiver[] = [];
  let pin: string | undefined;
  let transport: string | undefined;
  await pull({
    url,
    side,
    clock: systemClock,
    log: silentLog(),
    signal: stop.signal,
    tls: o.pin === undefined ? { onPin: (spki) => (pin = spki) } : { pin: o.pin },
    ...(o.credentials && { credentials: o.credentials }),
    ...(o.transports && { transports: o.transports }),
    events: {
      flows: (by) => {
        transport = by;
      },
      described(media) {
        tracks.push(...media.map((one) => one.track));
        receivers = tracks.map(
          (track, index) =>
            new TrackReceiver({
              index,
              track,
              onTrack: (changed) => {
                tracks[index] = changed;
              },
              deliver: (group) => {
                groups.push(group);
                if (isEnough()) stop.abort();
              },
            }),
        );
      },
      rtp: (track, packet, arrivedAt) => receivers[track]?.rtp(packet, arrivedAt),
      rtcp: (track, packet, arrivedAt) => receivers[track]?.rtcp(packet, arrivedAt),
    },
  });
  return { tracks, groups, transport, pin };
}
