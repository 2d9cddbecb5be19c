import { silentLog } from "../../base/log.ts";
import { Secret } from "../../base/secret.ts";
import type { UnixMillis } from "../../base/units.ts";
import { createDepacketizer } from "../../media/depacketizer.ts";
import type { PacketGroup } from "../../media/group.ts";
import { lengthPrefixed } from "../../media/nal.ts";
import { TrackReceiver } from "../../media/receiver.ts";
import type { Sample } from "../../media/sample.ts";
import type { Track } from "../../media/track.ts";
import { cameraSide } from "../../net/sides.ts";
import { type PullOptions, pull } from "../../rtsp/client/session.ts";
import { startSimCamera } from "../../sim/camera.ts";
import type { Quirk } from "../../sim/quirks.ts";
import { framesOf } from "./frame-code.ts";
import type { Peer } from "./peer.ts";
import { VirtualClock } from "./virtual-clock.ts";

const SIZE = { width: 320, height: 176 };
export const FPS = 10;
const LOGIN = { user: "service", password: "c4mera-pass" };
/** A loopback network that only these tests use. */
const ADDRESS = "127.0.29.1";
const side = cameraSide({ interfaces: ["127.0.29.0/24"], clientAddresses: [] });

/** What came of one camera, in the camera's and our common time. */
export interface Watched {
  /** By track. */
  readonly groups: readonly (readonly PacketGroup[])[];
  readonly tracks: readonly Track[];
  readonly quirks: ReadonlySet<string>;
  /** How often a session was begun. */
  readonly sessions: number;
  /** When the frame with this burnt-in number was taken. */
  readonly takenAt: (frame: number) => UnixMillis;
}

/** Pulls from a simulated camera as a bridge does, in time that stands still between steps: `seconds` pass within a second or so. */
export async function watchCamera(o: {
  readonly quirks: readonly Quirk[];
  readonly seconds: number;
  readonly transports?: PullOptions["transports"];
}): Promise<Watched> {
  const clock = new VirtualClock();
  const log = silentLog();
  const begunAt = clock.now();
  const camera = await startSimCamera({
    name: "Odd",
    address: ADDRESS,
    httpPort: 0,
    rtspPort: 0,
    audio: true,
    fps: FPS,
    ...LOGIN,
    ...SIZE,
    quirks: o.quirks,
    clock,
    log,
  });
  const stop = new AbortController();
  const quirks = new Set<string>();
  const groups: PacketGroup[][] = [];
  let tracks: Track[] = [];
  let receivers: TrackReceiver[] = [];
  let sessions = 0;
  const once = (): Promise<void> =>
    pull({
      url: new URL(camera.rtspUrl),
      side,
      clock,
      log,
      signal: stop.signal,
      credentials: { user: LOGIN.user, password: new Secret(LOGIN.password) },
      ...(o.transports && { transports: o.transports }),
      events: {
        described: (media) => {
          sessions += 1;
          tracks = media.map(({ track }) => track);
          if (receivers.length > 0) for (const [index, track] of tracks.entries()) receivers[index]?.restart(track);
          else
            receivers = tracks.map((track, index) => {
              groups[index] = [];
              return new TrackReceiver({
                index,
                track,
                deliver: (group) => groups[index]?.push(group),
                onTrack: (changed) => {
                  tracks[index] = changed;
                },
                onQuirk: (name) => quirks.add(name),
              });
            });
        },
        rtp: (track, packet, at) => receivers[track]?.rtp(packet, at),
        rtcp: (track, packet, at) => receivers[track]?.rtcp(packet, at),
        quirk: (name) => quirks.add(name),
      },
    });
  // It has been on for a while.
  await clock.advance(5000);
  const pulling = (async () => {
    while (!stop.signal.aborted)
      await once().catch(async () => {
        await clock.sleep(1000, stop.signal).catch(() => undefined);
      });
  })();
  for (let second = 0; second < o.seconds; second += 1) await clock.advance(1000);
  stop.abort();
  while (camera.sessions > 0) await clock.advance(100);
  await clock.advance(3000);
  await pulling;
  await camera.close();
  return { groups, tracks, quirks, sessions, takenAt: (frame) => (begunAt + (frame * 1000) / FPS) as UnixMillis };
}

/** The burnt-in numbers of what an ordinary decoder makes of the picture's groups, of those that a reader is given. `damaged`: some cannot be read. */
export async function framesSeen(
  ffmpeg: Peer,
  { groups, tracks }: Watched,
  o: { readonly damaged: boolean },
): Promise<readonly { readonly frame: number; readonly group: PacketGroup }[]> {
  const [video = []] = groups;
  const [track] = tracks;
  const depacketizer = track && createDepacketizer(track);
  if (track === undefined || depacketizer === undefined) throw new Error("no picture");
  const byTime = new Map(video.map((group) => [group.rtpTime, group]));
  const samples = [...video.flatMap((group) => depacketizer.push(group)), ...depacketizer.flush()];
  const whole = samples.filter(showable());
  const { stdout, code, stderr } = await ffmpeg.run(
    ["-v", "error", "-f", "h264", "-i", "-", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-"],
    { input: byteStream(track, whole) },
  );
  if (code !== 0) throw new Error(stderr);
  const bytes = SIZE.width * SIZE.height;
  const read = new Set<number>();
  return Array.from({ length: stdout.length / bytes }, (_, index) => index).flatMap((index) => {
    const group = byTime.get(whole[index]?.rtpTime ?? -1);
    if (group === undefined) throw new Error(`no group for picture ${index}`);
    try {
      const [frame = 0] = framesOf(stdout.subarray(index * bytes, (index + 1) * bytes), SIZE.width, SIZE.height);
      // A decoder repeats the number before where it conceals a damage.
      if (o.damaged && read.has(frame)) return [];
      read.add(frame);
      return [{ frame, group }];
    } catch (error) {
      if (o.damaged) return [];
      throw error;
    }
  });
}

/** What a reader is given: nothing from a gap on until a decoder can begin again. */
function showable(): (sample: Sample) => boolean {
  let waits = true;
  return ({ key, discontinuity }) => {
    waits = !key && (waits || discontinuity);
    return !waits;
  };
}

/** As a file, with the described parameter sets in front. */
function byteStream(track: Track, samples: readonly Sample[]): Buffer {
  const described = /sprop-parameter-sets=([^;]*)/.exec(track.fmtp)?.[1] ?? "";
  const sets = described.split(",").map((one) => Buffer.from(one, "base64"));
  const nals = [...sets, ...samples.flatMap(({ data }) => lengthPrefixed(data))];
  return Buffer.concat(nals.flatMap((nal) => [Buffer.of(0, 0, 0, 1), nal]));
}
