import type { Log } from "../base/log.ts";
import type { BridgedStream } from "../bridge/camera.ts";
import { codecString } from "../media/codec-string.ts";
import { createDepacketizer, type Depacketizer } from "../media/depacketizer.ts";
import type { PacketGroup } from "../media/group.ts";
import type { Sample, SampleFormat } from "../media/sample.ts";
import type { LiveSource } from "../media/source.ts";
import type { Viewer } from "./live.ts";

const LIMITS = {
  /** Bytes that wait for one listener; beyond, it misses what comes. Half a minute of a camera's sound. */
  queuedBytes: 256 * 1024,
};

/** Before each piece: the instant of its capture, in milliseconds since 1970 (64-bit floating point). */
const HEAD_BYTES = 8;

/** What a browser has to know to play sound. */
export interface SoundFormat {
  /** As WebCodecs has it: `ulaw`, `alaw`, `opus`, `mp4a.40.2`. */
  readonly codec: string;
  readonly sampleRateHz: number;
  readonly channels: number;
  /** AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1), base64; of AAC alone. */
  readonly config?: string;
}

/** What a listener is told in words; between two of them come pieces of sound, each one access unit behind its instant. */
export type SoundMessage =
  | ({ readonly type: "sound" } & SoundFormat)
  /** There is none that a browser can play; `why` is a sentence for people. */
  | { readonly type: "unplayable"; readonly why: string };

/** Lets somebody hear a stream's sound live, as the camera encoded it, beside the picture. Returns how to stop. */
export function hearLive({ live }: BridgedStream, listener: Viewer<SoundMessage>, log: Log): () => void {
  const sound = new LiveSound(listener, log);
  const describe = (): void => sound.describe(live);
  describe();
  return live.join({ deliver: (group) => sound.deliver(group), changed: describe });
}

class LiveSound {
  readonly #listener: Viewer<SoundMessage>;
  readonly #log: Log;
  #track = -1;
  #depacketizer: Depacketizer | undefined;
  #format: SampleFormat | undefined;
  #playable = false;

  constructor(listener: Viewer<SoundMessage>, log: Log) {
    this.#listener = listener;
    this.#log = log;
  }

  describe({ tracks }: LiveSource): void {
    this.#track = tracks.findIndex(({ kind }) => kind === "audio");
    const track = tracks[this.#track];
    this.#depacketizer = track && createDepacketizer(track);
    this.#format = undefined;
    if (track === undefined) this.#refuse("This camera sends no sound.");
    else if (this.#depacketizer === undefined) this.#refuse(`Browsers cannot play ${track.encoding} sound.`);
  }

  deliver(group: PacketGroup): void {
    if (group.track !== this.#track || this.#depacketizer === undefined) return;
    for (const sample of this.#depacketizer.push(group)) this.#play(sample);
  }

  #play(sample: Sample): void {
    if (sample.format !== this.#format) this.#begin(sample.format);
    if (this.#playable && this.#listener.queuedBytes <= LIMITS.queuedBytes) this.#listener.binary(pieceOf(sample));
  }

  #begin(format: SampleFormat): void {
    this.#format = format;
    const described = soundFormatOf(format);
    this.#playable = described !== undefined;
    if (described === undefined) {
      this.#refuse(`Browsers cannot play ${format.codec} sound.`);
      return;
    }
    this.#log.debug({ codec: described.codec }, "live sound begins");
    this.#listener.text({ type: "sound", ...described });
  }

  #refuse(why: string): void {
    this.#listener.text({ type: "unplayable", why });
  }
}

/** Undefined where no browser plays it. Fault `invalid` for a broken decoder configuration. */
export function soundFormatOf(format: SampleFormat): SoundFormat | undefined {
  if (!("sampleRateHz" in format)) return undefined;
  const codec = codecString(format);
  if (codec === undefined) return undefined;
  const { sampleRateHz, channels } = format;
  const config = format.codec === "MPEG4-GENERIC" ? { config: format.config.toString("base64") } : {};
  return { codec, sampleRateHz, channels, ...config };
}

/** An access unit as it goes to a page, behind the instant of its capture. */
export function pieceOf({ at, data }: Sample): Buffer {
  const piece = Buffer.alloc(HEAD_BYTES + data.length);
  piece.writeDoubleBE(at);
  data.copy(piece, HEAD_BYTES);
  return piece;
}
