import type { Sample, SampleFormat } from "../media/sample.ts";
import { type Fmp4Sample, fragment } from "../recorder/fmp4.ts";

const LIMITS = {
  /** A fragment ends where it is so long, if it can. */
  fragmentTicks: 36_000,
  /** A fragment ends where it is so large, if it can. */
  fragmentBytes: 1024 * 1024,
  /** A fragment that cannot end, for pictures keep coming that belong before others, ends all the same. */
  pictures: 500,
  /** A picture is shown no longer than this, if nothing is known of the next one. */
  longestTicks: 180_000,
};

/** The clock of RTP video (RFC 3551 5), and so of the fragments. */
export const VIDEO_CLOCK_HZ = 90_000;
export const VIDEO_TRACK_ID = 1;
const TICKS_PER_MS = VIDEO_CLOCK_HZ / 1000;
const FIRST_GUESS_TICKS = VIDEO_CLOCK_HZ / 15;

/** Some pictures in a row, for Media Source Extensions. Their media time is the instant of their capture, counted from 1970. */
export interface PictureFragment {
  readonly format: SampleFormat;
  /** The instants of its pictures in the order in which they are seen, in milliseconds since 1970. */
  readonly at: readonly number[];
  /** `moof` and `mdat`. */
  readonly bytes: Buffer;
}

/**
 * Puts pictures into fragments, in the order in which they are decoded. Pictures that are decoded before others which are seen
 * earlier (B-frames) stay together with them, so that decoding times are presentation times put in order.
 */
export class PictureFragments {
  #pending: Sample[] = [];
  #bytes = 0;
  #latestTicks = 0;
  #usualTicks = FIRST_GUESS_TICKS;
  #sequence = 0;

  /** Takes a picture. Returns the fragment that is complete now, if one is; it does not hold that picture. */
  push(sample: Sample): PictureFragment | undefined {
    const made = this.#isBreak(sample) ? this.flush() : this.#mayEnd(sample) ? this.#make(ticksOf(sample)) : undefined;
    this.#latestTicks = this.#pending.length === 0 ? ticksOf(sample) : Math.max(this.#latestTicks, ticksOf(sample));
    this.#pending.push(sample);
    this.#bytes += sample.data.length;
    return made;
  }

  /** What there is, though nothing is known of what comes next. */
  flush(): PictureFragment | undefined {
    return this.#make(undefined);
  }

  /** One key frame alone, to be seen until `endsAt`, in milliseconds since 1970. */
  still(sample: Sample, endsAt: number): PictureFragment {
    const durationTicks = Math.max(
      1,
      Math.min(LIMITS.longestTicks, Math.round(endsAt * TICKS_PER_MS) - ticksOf(sample)),
    );
    return this.#fragment([sample], [ticksOf(sample)], durationTicks);
  }

  /** What comes next has nothing to do with what is there. */
  #isBreak({ format, discontinuity }: Sample): boolean {
    return this.#pending.length > 0 && (discontinuity || format !== this.#pending[0]?.format);
  }

  #mayEnd(sample: Sample): boolean {
    const [first] = this.#pending;
    if (first === undefined) return false;
    if (this.#pending.length >= LIMITS.pictures) return true;
    const isLong = ticksOf(sample) - ticksOf(first) >= LIMITS.fragmentTicks || this.#bytes >= LIMITS.fragmentBytes;
    return isLong && ticksOf(sample) > this.#latestTicks;
  }

  #make(nextTicks: number | undefined): PictureFragment | undefined {
    const samples = this.#pending;
    const last = samples.at(-1);
    if (last === undefined) return undefined;
    const decode = samples.map(ticksOf).toSorted((a, b) => a - b);
    const steps = decode.slice(1).map((ticks, index) => ticks - (decode[index] ?? 0));
    if (steps.length > 0) this.#usualTicks = Math.max(1, steps.toSorted((a, b) => a - b)[steps.length >> 1] ?? 1);
    const toNext = nextTicks === undefined ? 0 : nextTicks - this.#latestTicks;
    const durationTicks = toNext > 0 && toNext <= LIMITS.longestTicks ? toNext : this.#usualTicks;
    this.#pending = [];
    this.#bytes = 0;
    return this.#fragment(samples, decode, durationTicks);
  }

  #fragment(samples: readonly Sample[], decode: readonly number[], lastTicks: number): PictureFragment {
    this.#sequence += 1;
    const { format } = samples[0] as Sample;
    const rows = samples.map((sample, index): Fmp4Sample => {
      const at = decode[index] ?? 0;
      return {
        data: sample.data,
        durationTicks: (decode[index + 1] ?? at + lastTicks) - at,
        key: sample.key,
        compositionOffsetTicks: ticksOf(sample) - at,
      };
    });
    const baseTimeTicks = BigInt(decode[0] ?? 0);
    const parts = fragment({
      sequence: this.#sequence,
      tracks: [{ id: VIDEO_TRACK_ID, baseTimeTicks, samples: rows }],
    });
    return { format, at: samples.map(({ at }) => at as number).toSorted((a, b) => a - b), bytes: Buffer.concat(parts) };
  }
}

/** A double holds it exactly for the next thousand years. */
function ticksOf({ at }: Sample): number {
  return Math.round(at * TICKS_PER_MS);
}
