import { BytePace } from "../../../base/byte-pace.ts";
import type { Clock, Timer } from "../../../base/clock.ts";
import { asFault, isFault } from "../../../base/fault.ts";
import type { Log } from "../../../base/log.ts";
import type { Metrics } from "../../../base/metrics.ts";
import { DAY, HOUR, isoOf, MINUTE, type Millis, SECOND, unixMillis } from "../../../base/units.ts";
import type { Span } from "../../../media/source.ts";
import type { CameraSide } from "../../../net/sides.ts";
import type { Archive } from "../../../recorder/archive.ts";
import type { GapCause } from "../../../recorder/gap.ts";
import { type CameraInfo, MAIN_STREAM, type StreamInfo } from "../../camera.ts";
import type { CameraRecord } from "../../camera-store.ts";
import type { EdgeSettings } from "../../edge-settings.ts";
import { loginOf } from "../login.ts";
import { askEdge } from "./edge-camera.ts";
import { type Fetched, fetchSpan, holesIn } from "./fetch.ts";
import { Tries } from "./tries.ts";

const LIMITS = {
  periodMs: MINUTE,
  /** What is shorter is about a group of pictures: a fetch begins with a key frame. */
  leastMs: 2 * SECOND,
  /** Fetched in one go; the rest of a gap the next time. */
  longestMs: HOUR,
  /** Between the end of retention and what is fetched: it would go again at once. */
  marginMs: 10 * MINUTE,
  /** Of all cameras together, in one go: about 200 ms at the usual rate. */
  burstBytes: 512 * 1024,
} as const;

const SETTLED_MS = 30 * SECOND;
const BITS_PER_BYTE = 8;

/** What the camera may have recorded although we have not. */
const FILLABLE: ReadonlySet<GapCause> = new Set(["camera", "network", "stopped"]);

/** An adopted camera, as far as its gaps are concerned. */
export interface EdgeCamera {
  readonly record: CameraRecord;
  readonly info: Pick<CameraInfo, "retention">;
  /** The main one first. */
  readonly streams: readonly [
    {
      readonly info: Pick<StreamInfo, "connection" | "recording">;
      readonly recording: { readonly cameraAheadMs: Millis | undefined };
    },
    ...unknown[],
  ];
  /** Aborted when the camera is removed. */
  readonly removed: AbortSignal;
}

export interface EdgeFillOptions {
  readonly settings: EdgeSettings;
  /** Of cameras that have no bound of their own. */
  readonly maxAgeMs: Millis;
  readonly cameras: { list(): readonly EdgeCamera[] };
  readonly archive: Pick<Archive, "gaps" | "spans" | "fetched">;
  readonly side: CameraSide;
  /** Of the site's own authority, PEM. */
  readonly ca: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** How long a camera's live stream has to have been there: it may be gone again at once, and comes first. 30 s if absent. */
  readonly settledMs?: Millis;
}

/** A fetch that runs. */
interface Running {
  readonly camera: EdgeCamera;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Fills gaps of what cameras that are recorded all the time should have sent, from what these recorded themselves: oldest first, a few
 * cameras at once, within a rate, while their live stream flows. What cannot be had stays a gap, and is asked for again, ever more rarely.
 */
export class EdgeFill {
  readonly #o: EdgeFillOptions;
  readonly #log: Log;
  readonly #pace: BytePace;
  readonly #tries: Tries;
  readonly #running = new Map<string, Running>();
  readonly #timers: readonly Timer[];
  readonly #count: (result: "filled" | "nothing" | "failed") => void;
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor(o: EdgeFillOptions) {
    const { clock, settings, metrics } = o;
    this.#o = o;
    this.#log = o.log.child({ part: "edge" });
    const bytesPerSecond = (settings.megabitsPerSecond * 1e6) / BITS_PER_BYTE;
    this.#pace = new BytePace(clock, { bytesPerSecond, burstBytes: LIMITS.burstBytes });
    this.#tries = new Tries(clock);
    const counter = metrics.counter("viaduct_edge_fetches_total", "Fetches from cameras' own recordings", ["result"]);
    this.#count = (result) => counter.inc({ result });
    this.#timers = settings.fill.length === 0 ? [] : this.#watch();
  }

  #watch(): readonly Timer[] {
    const { clock } = this.#o;
    return [
      clock.every(LIMITS.periodMs, () => void this.look()),
      clock.every(SECOND, () => {
        for (const { camera, stop } of this.#running.values()) if (!this.#isHealthy(camera, 0)) stop.abort();
      }),
    ];
  }

  /** Begins what can be fetched now, as otherwise happens every minute. Resolves when it has begun. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#begin()
      .catch((err: unknown) => this.#log.error({ err }, "it cannot be told which gaps there are"))
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  /** Resolves when nothing is being fetched. */
  async idle(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    for (const { stop } of this.#running.values()) stop.abort();
    await this.#looking;
    await this.idle();
  }

  async #begin(): Promise<void> {
    const { settings, cameras, settledMs = SETTLED_MS } = this.#o;
    for (const camera of cameras.list()) {
      const { id } = camera.record;
      const isMeant = settings.fill === "all" || settings.fill.includes(id);
      if (!isMeant || this.#running.has(id) || !this.#isHealthy(camera, settledMs)) continue;
      if (this.#running.size >= settings.atOnce) return;
      const hole = await this.#oldestHole(camera);
      if (hole === undefined || this.#closed) continue;
      const stop = new AbortController();
      const ended = this.#fill(camera, hole, stop.signal).finally(() => this.#running.delete(id));
      this.#running.set(id, { camera, stop, ended });
    }
  }

  /** Its live stream comes, and is recorded, as it always is. */
  #isHealthy({ streams: [main], removed }: EdgeCamera, sinceMs: Millis): boolean {
    const { connection, recording } = main.info;
    return (
      !removed.aborted &&
      connection.state === "online" &&
      this.#o.clock.now() - connection.since >= sinceMs &&
      recording.plan.mode === "continuous" &&
      recording.state === "recording"
    );
  }

  /** What is missing, is not about to be removed, and was not asked for in vain a moment ago. */
  async #oldestHole({ record, info }: EdgeCamera): Promise<Span | undefined> {
    const { archive, clock, settings, maxAgeMs } = this.#o;
    const now = clock.now();
    const { maxDays } = info.retention;
    const keptMs = maxDays === undefined ? maxAgeMs : maxDays * DAY;
    const reachMs = Math.min(keptMs - LIMITS.marginMs, settings.maxHours * HOUR);
    const oldest = unixMillis(now - reachMs);
    for (const { from, to, cause } of await archive.gaps(record.id, oldest, now, MAIN_STREAM)) {
      if (to === undefined || !FILLABLE.has(cause)) continue;
      const stretch = { from: unixMillis(Math.max(from, oldest)), to };
      if (to - stretch.from < LIMITS.leastMs) continue;
      const there = await archive.spans(record.id, stretch.from, stretch.to, MAIN_STREAM);
      for (const hole of holesIn(stretch, there, LIMITS.leastMs)) {
        const part = { from: hole.from, to: unixMillis(Math.min(hole.to, hole.from + LIMITS.longestMs)) };
        if (this.#tries.mayTry(record.id, part)) return part;
      }
    }
    return undefined;
  }

  /** Never rejects. */
  async #fill(camera: EdgeCamera, span: Span, signal: AbortSignal): Promise<void> {
    const { id } = camera.record;
    const about = { camera: id, from: isoOf(span.from), to: isoOf(span.to) };
    try {
      const fetched = await this.#fetch(camera, span, signal);
      if (signal.aborted) return;
      this.#tries.tried(id, span);
      this.#count(fetched.groups === 0 ? "nothing" : "filled");
      this.#log.info({ ...about, ...fetched }, "fetched from the camera's own recording");
    } catch (error) {
      if (signal.aborted) return;
      this.#tries.tried(id, span);
      const nothing = isFault(error, "not-found");
      this.#count(nothing ? "nothing" : "failed");
      const said = nothing
        ? "the camera has nothing to fill a gap with"
        : "the camera's own recording cannot be fetched";
      this.#log.warn({ ...about, err: asFault(error) }, said);
    }
  }

  async #fetch(camera: EdgeCamera, span: Span, signal: AbortSignal): Promise<Fetched> {
    const { archive, side, ca, clock, log } = this.#o;
    const { record, streams } = camera;
    const reportedAheadMs = streams[0].recording.cameraAheadMs;
    const source = await askEdge(record, { side, clock, ca, signal, reportedAheadMs });
    const { aheadMs } = source.clock;
    // What a camera does not say to have, it may have all the same; what it says not to have, it has not.
    const recording = source.recordings.find(
      ({ from, to }) =>
        (from === undefined || from - aheadMs < span.to) && (to === undefined || to - aheadMs > span.from),
    );
    if (recording === undefined) return { groups: 0, discarded: NONE, why: "it has no recording of that time" };
    const common = { camera: record.id, stream: MAIN_STREAM, span, cameraClock: source.clock, archive, side, clock };
    const url = await source.replayUrl(recording);
    const { credentials, tls } = loginOf(record, ca);
    return fetchSpan({
      ...common,
      url,
      ...(credentials === undefined ? {} : { credentials }),
      ...(tls === undefined ? {} : { tls }),
      pace: this.#pace,
      log,
      signal,
    });
  }
}

const NONE = { outside: 0, untimed: 0, repeated: 0 };
