import type { Timer } from "../../../base/clock.ts";
import { Fault } from "../../../base/fault.ts";
import type { Log } from "../../../base/log.ts";
import { DAY, HOUR, MINUTE, type Millis, SECOND, unixMillis } from "../../../base/units.ts";
import type { Span } from "../../../media/source.ts";
import type { Archive } from "../../../recorder/archive.ts";
import type { GapCause } from "../../../recorder/gap.ts";
import type { EdgeFetch, EdgeFetches, FetchAsker, WantedStretch } from "../../edge-fetches.ts";
import type { EdgeSettings } from "../../edge-settings.ts";
import type { EdgeCamera } from "./edge-camera.ts";
import { holesIn } from "./fetch.ts";
import { Fetcher, type FetcherOptions } from "./fetcher.ts";
import { Tries } from "./tries.ts";

const LIMITS = {
  periodMs: MINUTE,
  /** What is shorter is about a group of pictures: a fetch begins with a key frame. */
  leastMs: 2 * SECOND,
  /** Fetched in one go; the rest of a gap the next time. */
  longestMs: HOUR,
  /** Between the end of retention and what is fetched: it would go again at once. */
  marginMs: 10 * MINUTE,
  /** What one person may ask for at once. */
  askedMs: 24 * HOUR,
  /** From so many cameras at once for people, besides what gaps are filled of: each fetch holds up to a group of pictures in memory. */
  askedAtOnce: 8,
  /** Of a gap that lasts: longer than what is kept in memory for events. */
  unsettledMs: 2 * MINUTE,
} as const;

const SETTLED_MS = 30 * SECOND;

/** What the camera may have recorded although we have not. */
const FILLABLE: ReadonlySet<GapCause> = new Set(["camera", "network", "stopped"]);

export interface EdgeFillOptions extends Omit<FetcherOptions, "megabitsPerSecond" | "archive"> {
  readonly settings: EdgeSettings;
  /** Of cameras that have no bound of their own. */
  readonly maxAgeMs: Millis;
  readonly cameras: { list(): readonly EdgeCamera[] };
  readonly archive: Pick<Archive, "gaps" | "spans" | "fetched">;
  /** How long a camera's live stream has to have been there: it may be gone again at once, and comes first. 30 s if absent. */
  readonly settledMs?: Millis;
}

/** Nobody asked for it just then. */
const BRIDGE: FetchAsker = { who: "viaduct", interface: "bridge" };

/**
 * Fills gaps of what cameras that are recorded all the time should have sent, from what these recorded themselves: oldest first, a few
 * cameras at once, within a rate, while their live stream flows. Each stream is filled from what the camera has of that one. What cannot be had stays a gap, and is asked for again, ever more rarely.
 * A person may have any stretch fetched that is missing, of any camera that was adopted over ONVIF.
 */
export class EdgeFill implements EdgeFetches {
  readonly #o: EdgeFillOptions;
  readonly #log: Log;
  readonly #tries: Tries;
  readonly #fetcher: Fetcher;
  readonly #timers: readonly Timer[];
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor(o: EdgeFillOptions) {
    const { clock, settings } = o;
    this.#o = o;
    this.#log = o.log.child({ part: "edge" });
    this.#tries = new Tries(clock);
    this.#fetcher = new Fetcher({ ...o, megabitsPerSecond: settings.megabitsPerSecond });
    this.#timers = settings.fill.length === 0 ? [] : this.#watch();
  }

  #watch(): readonly Timer[] {
    const { clock } = this.#o;
    return [
      clock.every(LIMITS.periodMs, () => void this.look()),
      clock.every(SECOND, () => {
        for (const { camera, stream, by, stop } of this.#fetcher.running.values())
          if (by === BRIDGE && !this.#isHealthy(camera, stream, 0)) stop.abort();
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
  idle(): Promise<void> {
    return this.#fetcher.idle();
  }

  list(camera: string): readonly EdgeFetch[] {
    return this.#fetcher.list(camera);
  }

  async ask(id: string, { stream, from, to }: WantedStretch, by: FetchAsker): Promise<EdgeFetch> {
    const { archive, clock, cameras } = this.#o;
    const camera = cameras.list().find(({ record }) => record.id === id);
    if (camera === undefined) throw new Fault("not-found", `no camera ${id}`);
    if (!camera.streams.some(({ info }) => info.name === stream))
      throw new Fault("not-found", `no stream ${stream} of camera ${id}`, { tell: "the camera has no such stream" });
    if (camera.record.deviceUrl === undefined)
      throw wrong("the camera was adopted without ONVIF: it has no recordings that can be asked for");
    const now = clock.now();
    if (from >= to) throw wrong("the beginning must be before the end");
    if (to - from > LIMITS.askedMs) throw wrong(`ask for ${LIMITS.askedMs / HOUR} hours at most`);
    const oldest = unixMillis(now - this.#keptMs(camera));
    if (from < oldest) throw wrong("what is so old is deleted at once, by the age that is set for the camera");
    this.#assertRoomFor(id);
    const parts: Span[] = [];
    for (const gap of await archive.gaps(id, from, to, stream)) {
      // What is on a disk that is away is there. While a gap lasts, the end of it may be recorded yet, from before an event.
      if (gap.cause === "away") continue;
      const end = Math.min(to, gap.to ?? now - LIMITS.unsettledMs);
      const stretch = { from: unixMillis(Math.max(gap.from, from)), to: unixMillis(end) };
      if (stretch.to - stretch.from < LIMITS.leastMs) continue;
      const there = await archive.spans(id, stretch.from, stretch.to, stream);
      for (const hole of holesIn(stretch, there, LIMITS.leastMs)) parts.push(...partsOf(hole));
    }
    if (parts.length === 0) throw wrong("nothing is missing there, or for less than two seconds");
    // Others may have asked while it was looked for.
    this.#assertRoomFor(id);
    return this.#fetcher.begin(camera, stream, parts, by);
  }

  #assertRoomFor(id: string): void {
    const { running } = this.#fetcher;
    if (this.#closed || running.has(id))
      throw new Fault("busy", `${id} is being fetched from`, {
        tell: "something is being fetched from this camera already: try again when that is over",
      });
    const asked = [...running.values()].filter(({ by }) => by !== BRIDGE).length;
    if (asked >= LIMITS.askedAtOnce)
      throw new Fault("busy", `${asked} fetches by hand`, {
        tell: `${asked} cameras are being fetched from for people already: try again when one of those fetches is over`,
      });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    const over = this.#fetcher.close();
    await this.#looking;
    await over;
    await this.#fetcher.close();
  }

  async #begin(): Promise<void> {
    const { settings, cameras, settledMs = SETTLED_MS } = this.#o;
    for (const camera of cameras.list()) {
      const { id } = camera.record;
      const isMeant = settings.fill === "all" || settings.fill.includes(id);
      // The main stream first.
      for (const { info } of camera.streams) {
        if (!isMeant || this.#fetcher.running.has(id) || !this.#isHealthy(camera, info.name, settledMs)) continue;
        if (this.#fetcher.running.size >= settings.atOnce) return;
        const hole = await this.#oldestHole(camera, info.name);
        // Somebody may have asked meanwhile.
        if (hole === undefined || this.#closed || this.#fetcher.running.has(id)) continue;
        const key = `${id}/${info.name}`;
        this.#fetcher.begin(camera, info.name, [hole], BRIDGE, (part) => this.#tries.tried(key, part));
      }
    }
  }

  /** The live stream comes, and is recorded, as it always is. The camera may have room for few, and the main one comes first. */
  #isHealthy({ streams, removed }: EdgeCamera, name: string, sinceMs: Millis): boolean {
    const stream = streams.find(({ info }) => info.name === name);
    if (stream === undefined) return false;
    const { connection, recording } = stream.info;
    return (
      !removed.aborted &&
      streams[0].info.connection.state !== "offline" &&
      connection.state === "online" &&
      this.#o.clock.now() - connection.since >= sinceMs &&
      recording.plan.mode === "continuous" &&
      recording.state === "recording"
    );
  }

  /** What is missing, is not about to be removed, and was not asked for in vain a moment ago. */
  async #oldestHole(camera: EdgeCamera, stream: string): Promise<Span | undefined> {
    const { archive, clock, settings } = this.#o;
    const { record } = camera;
    const now = clock.now();
    const reachMs = Math.min(this.#keptMs(camera), settings.maxHours * HOUR);
    const oldest = unixMillis(now - reachMs);
    for (const { from, to, cause } of await archive.gaps(record.id, oldest, now, stream)) {
      if (to === undefined || !FILLABLE.has(cause)) continue;
      const stretch = { from: unixMillis(Math.max(from, oldest)), to };
      if (to - stretch.from < LIMITS.leastMs) continue;
      const there = await archive.spans(record.id, stretch.from, stretch.to, stream);
      for (const hole of holesIn(stretch, there, LIMITS.leastMs)) {
        const [part] = partsOf(hole);
        if (part !== undefined && this.#tries.mayTry(`${record.id}/${stream}`, part)) return part;
      }
    }
    return undefined;
  }

  /** For how long what is fetched now would stay, less what it takes. */
  #keptMs({ info: { retention } }: EdgeCamera): Millis {
    const { maxDays } = retention;
    return (maxDays === undefined ? this.#o.maxAgeMs : maxDays * DAY) - LIMITS.marginMs;
  }
}

/** As much as is fetched in one go, each. */
function partsOf({ from, to }: Span): readonly Span[] {
  const parts: Span[] = [];
  for (let at = from; at < to; at = unixMillis(at + LIMITS.longestMs))
    parts.push({ from: at, to: unixMillis(Math.min(to, at + LIMITS.longestMs)) });
  return parts;
}

function wrong(tell: string): Fault {
  return new Fault("invalid", tell, { tell });
}
