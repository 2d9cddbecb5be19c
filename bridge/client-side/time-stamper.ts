import type { Clock } from "../../base/clock.ts";
import { asFault } from "../../base/fault.ts";
import type { Closable } from "../../base/lifecycle.ts";
import type { Log } from "../../base/log.ts";
import { HOUR, MINUTE, SECOND } from "../../base/units.ts";
import type { TimeStampLog, Unstamped } from "../../recorder/time-stamp-log.ts";
import type { TimeStampAuthority } from "./time-stamp-authority.ts";

const LIMITS = {
  /** Between two requests: an authority that many ask has no patience with one. */
  pauseMs: 2 * SECOND,
  firstRetryMs: 1 * MINUTE,
  longestRetryMs: 1 * HOUR,
  /** How far the authority's clock and ours may be apart before somebody is told. */
  apartMs: 1 * MINUTE,
} as const;

interface StamperPlace {
  readonly stamps: Pick<TimeStampLog, "unstamped" | "keep">;
  readonly authority: Pick<TimeStampAuthority, "stamp">;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Has all anchors stamped that have no time stamp, the newest first, beside recording, which waits for none of it. What fails is tried again,
 * after a restart too: what waits is what has no time stamp.
 */
export class TimeStamper implements Closable {
  readonly #place: StamperPlace;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #news = Promise.withResolvers<void>();
  #waiting = 0;

  constructor(place: StamperPlace) {
    this.#place = place;
    this.#running = this.#run();
  }

  /** How many anchors wait for a time stamp. */
  get waiting(): number {
    return this.#waiting;
  }

  /** There is a new anchor. */
  look(): void {
    this.#waiting += 1;
    this.#news.resolve();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#news.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#place;
    const { signal } = this.#stopping;
    let retryMs: number = LIMITS.firstRetryMs;
    while (!signal.aborted) {
      this.#news = Promise.withResolvers<void>();
      try {
        await this.#stampAll();
        retryMs = LIMITS.firstRetryMs;
        await this.#news.promise;
      } catch (error) {
        if (signal.aborted) return;
        const { message } = asFault(error);
        log.warn(
          { why: message, waiting: this.#waiting, retryMs },
          "anchors of the recordings are not stamped now: it is tried again",
        );
        await clock.sleep(retryMs, signal).catch(() => undefined);
        retryMs = Math.min(LIMITS.longestRetryMs, retryMs * 2);
      }
    }
  }

  async #stampAll(): Promise<void> {
    const { stamps, clock } = this.#place;
    const all = await stamps.unstamped();
    this.#waiting = all.length;
    for (const anchor of all) {
      await this.#stamp(anchor);
      this.#waiting -= 1;
      await clock.sleep(LIMITS.pauseMs, this.#stopping.signal);
    }
  }

  async #stamp(anchor: Unstamped): Promise<void> {
    const { stamps, authority, clock, log } = this.#place;
    const { token, stamp } = await authority.stamp(Buffer.from(anchor.hash, "hex"), this.#stopping.signal);
    await stamps.keep(anchor, token);
    const { seq } = anchor;
    const apartMs = Math.round(stamp.time - clock.now());
    if (Math.abs(apartMs) > LIMITS.apartMs)
      log.warn({ seq, apartMs, authority: stamp.authority }, "the clock of who stamps the time and ours are apart");
    else log.debug({ seq, authority: stamp.authority }, "an anchor of the recordings was stamped");
  }
}
