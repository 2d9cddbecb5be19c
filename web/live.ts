import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { SECOND, type UnixMillis } from "../base/units.ts";
import type { BridgedStream } from "../bridge/camera.ts";
import { codecString } from "../media/codec-string.ts";
import { createDepacketizer, type Depacketizer } from "../media/depacketizer.ts";
import type { PacketGroup } from "../media/group.ts";
import type { Sample, SampleFormat } from "../media/sample.ts";
import type { LiveSource } from "../media/source.ts";
import type { Codec } from "../media/track.ts";
import { fragment, initSegment } from "../recorder/fmp4.ts";

/** A viewer is told so often what is the time of its pictures, at a key frame. */
const TOLD_MS = SECOND;

const LIMITS = {
  /** Bytes waiting for one viewer; beyond, it misses frames until the next key frame. Some seconds of an ordinary camera. */
  queuedBytes: 4 * 1024 * 1024,
};

/** What browsers decode as video. The others are not even unpacked, so that the viewer hears of it before the first picture. */
export const SHOWN: ReadonlySet<Codec> = new Set(["H264", "H265"]);

/** The clock of RTP video (RFC 3551 5), and so of the fragments. */
const VIDEO_CLOCK_HZ = 90_000;
const TRACK_ID = 1;
const FIRST_GUESS_TICKS = VIDEO_CLOCK_HZ / 15;

/** Where the picture goes: a WebSocket, or a test. */
export interface Viewer<Message = LiveMessage> {
  /** Bytes that were given to `send` and have not left yet. */
  readonly queuedBytes: number;
  text(message: Message): void;
  binary(bytes: Buffer): void;
}

/** What a viewer is told in words; between two of them come an initialization segment and fragments. */
export type LiveMessage =
  /** `mime` is for `MediaSource.addSourceBuffer`, and an initialization segment follows; or `image/jpeg`: each picture follows as a file. */
  | { readonly type: "stream"; readonly mime: string; readonly width: number; readonly height: number }
  /** The picture that comes next, which stands at `mediaMs` in the time of the fragments, was captured at `at` (milliseconds since 1970). */
  | { readonly type: "time"; readonly mediaMs: number; readonly at: number }
  /** The picture cannot be shown in a browser; `why` is a sentence for people. */
  | { readonly type: "unplayable"; readonly why: string };

/**
 * Shows a stream's video live in a browser: packet groups become fragments of one frame each (ISO/IEC 14496-12 8.8),
 * with nothing decoded or encoded; pictures of MJPEG stay files. Returns how to stop.
 */
export function showLive({ live }: BridgedStream, viewer: Viewer, log: Log): () => void {
  const picture = new LivePicture(viewer, log);
  const describe = (): void => picture.describe(live);
  describe();
  return live.join({ deliver: (group) => picture.deliver(group), changed: describe });
}

class LivePicture {
  readonly #viewer: Viewer;
  readonly #log: Log;
  #track = -1;
  #depacketizer: Depacketizer | undefined;
  #format: SampleFormat | undefined;
  #playable = false;
  #waitingForKey = true;
  #sequence = 0;
  #lastRtpTime: number | undefined;
  #time = 0n;
  #durationTicks = FIRST_GUESS_TICKS;
  #toldAt: UnixMillis | undefined;

  constructor(viewer: Viewer, log: Log) {
    this.#viewer = viewer;
    this.#log = log;
  }

  describe({ tracks }: LiveSource): void {
    this.#track = tracks.findIndex((track) => track.kind === "video");
    const track = tracks[this.#track];
    const isShown = track !== undefined && (SHOWN.has(track.codec) || track.codec === "JPEG");
    this.#depacketizer = isShown ? createDepacketizer(track) : undefined;
    this.#format = undefined;
    this.#waitingForKey = true;
    if (track === undefined) this.#viewer.text({ type: "unplayable", why: "This camera sends no video." });
    else if (this.#depacketizer === undefined)
      this.#viewer.text({ type: "unplayable", why: `Browsers cannot show ${track.encoding} video.` });
  }

  deliver(group: PacketGroup): void {
    if (group.track !== this.#track || this.#depacketizer === undefined) return;
    for (const sample of this.#depacketizer.push(group)) this.#show(sample);
  }

  #show(sample: Sample): void {
    if (sample.format !== this.#format) this.#begin(sample.format);
    if (!this.#playable) return;
    if (sample.key && this.#viewer.queuedBytes < LIMITS.queuedBytes / 4) this.#waitingForKey = false;
    if (this.#viewer.queuedBytes > LIMITS.queuedBytes) this.#waitingForKey = true;
    this.#advance(sample.rtpTime);
    if (this.#waitingForKey) return;
    if (sample.key) this.#tellTime(sample.at);
    if (sample.format.codec === "JPEG") {
      this.#viewer.binary(sample.data);
      return;
    }
    this.#sequence += 1;
    const parts = fragment({
      sequence: this.#sequence,
      tracks: [
        {
          id: TRACK_ID,
          baseTimeTicks: this.#time,
          samples: [{ data: sample.data, durationTicks: this.#durationTicks, key: sample.key }],
        },
      ],
    });
    this.#viewer.binary(Buffer.concat(parts));
  }

  #begin(format: SampleFormat): void {
    this.#format = format;
    this.#waitingForKey = true;
    this.#toldAt = undefined;
    if (format.codec === "JPEG") {
      this.#playable = true;
      this.#viewer.text({ type: "stream", mime: "image/jpeg", width: format.width, height: format.height });
      return;
    }
    const codec = codecString(format);
    this.#playable = codec !== undefined && "width" in format;
    if (codec === undefined || !("width" in format)) {
      this.#viewer.text({ type: "unplayable", why: `Browsers cannot show ${format.codec} video.` });
      return;
    }
    this.#log.debug({ codec }, "live picture begins");
    this.#viewer.text({
      type: "stream",
      mime: `video/mp4; codecs="${codec}"`,
      width: format.width,
      height: format.height,
    });
    this.#viewer.binary(initSegment([{ id: TRACK_ID, timescale: VIDEO_CLOCK_HZ, format }]));
  }

  #tellTime(at: UnixMillis): void {
    if (this.#toldAt !== undefined && Math.abs(at - this.#toldAt) < TOLD_MS) return;
    this.#toldAt = at;
    this.#viewer.text({ type: "time", mediaMs: Number(this.#time) / (VIDEO_CLOCK_HZ / 1000), at });
  }

  /** The time of a frame is its RTP time, unwrapped; its length is not known before the next, so the last one's is taken. */
  #advance(rtpTime: number): void {
    if (this.#lastRtpTime !== undefined) {
      const step = (rtpTime - this.#lastRtpTime) | 0;
      if (step <= 0) return;
      this.#time += BigInt(step);
      if (step < VIDEO_CLOCK_HZ) this.#durationTicks = step;
    }
    this.#lastRtpTime = rtpTime;
  }
}

/** For somebody who may not watch, or hear, or no longer. */
export function unplayable(error: unknown, verb: "watch" | "hear"): Extract<LiveMessage, { type: "unplayable" }> {
  const why =
    error instanceof Fault && error.kind === "unavailable"
      ? "The camera cannot be reached at the moment."
      : `This camera is not there, or you may not ${verb} it.`;
  return { type: "unplayable", why };
}
