import { randomUUID } from "node:crypto";
import type { Audit } from "../../../auth/audit.ts";
import { BytePace } from "../../../base/byte-pace.ts";
import type { Clock } from "../../../base/clock.ts";
import { asFault, isFault } from "../../../base/fault.ts";
import type { Log } from "../../../base/log.ts";
import type { Metrics } from "../../../base/metrics.ts";
import { isoOf } from "../../../base/units.ts";
import type { Span } from "../../../media/source.ts";
import type { CameraSide } from "../../../net/sides.ts";
import type { Archive } from "../../../recorder/archive.ts";
import { MAIN_STREAM } from "../../camera.ts";
import type { CameraRecord } from "../../camera-store.ts";
import type { EdgeFetch, FetchAsker, WantedStretch } from "../../edge-fetches.ts";
import type { EventBus } from "../../event-bus.ts";
import { publishFetched } from "../../own-events.ts";
import { loginOf } from "../login.ts";
import { askEdge, type EdgeCamera, type EdgeSource } from "./edge-camera.ts";
import { type Fetched, fetchSpan } from "./fetch.ts";
import type { OwnRecording } from "./whose.ts";

const LIMITS = {
  /** Of all cameras together, in one go: about 200 ms at the usual rate. */
  burstBytes: 512 * 1024,
  /** Fetches of one camera that are remembered. */
  remembered: 20,
} as const;

const BITS_PER_BYTE = 8;

export interface FetcherOptions {
  readonly megabitsPerSecond: number;
  readonly archive: Pick<Archive, "fetched">;
  readonly side: CameraSide;
  /** Of the site's own authority, PEM. */
  readonly ca: string | undefined;
  readonly audit: Audit;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A fetch that runs. */
interface Running {
  readonly camera: EdgeCamera;
  readonly stream: string;
  readonly by: FetchAsker;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Fetches stretches of cameras' own recordings, one of a camera at a time, all within a rate, and says what became of each. */
export class Fetcher {
  readonly #o: FetcherOptions;
  readonly #log: Log;
  readonly #pace: BytePace;
  readonly #running = new Map<string, Running>();
  /** By camera, the newest first. */
  readonly #known = new Map<string, readonly EdgeFetch[]>();
  readonly #count: (result: "filled" | "nothing" | "failed") => void;

  constructor(o: FetcherOptions) {
    const { clock, megabitsPerSecond, metrics } = o;
    this.#o = o;
    this.#log = o.log.child({ part: "edge" });
    const bytesPerSecond = (megabitsPerSecond * 1e6) / BITS_PER_BYTE;
    this.#pace = new BytePace(clock, { bytesPerSecond, burstBytes: LIMITS.burstBytes });
    const counter = metrics.counter("viaduct_edge_fetches_total", "Fetches from cameras' own recordings", ["result"]);
    this.#count = (result) => counter.inc({ result });
  }

  get running(): ReadonlyMap<string, Pick<Running, "camera" | "stream" | "by" | "stop">> {
    return this.#running;
  }

  list(camera: string): readonly EdgeFetch[] {
    return this.#known.get(camera) ?? [];
  }

  /** Begins to fetch parts of a stretch, one after the other. `tried`: one of them was had, or could not be. The caller has seen that none runs. */
  begin(
    camera: EdgeCamera,
    stream: string,
    parts: readonly Span[],
    by: FetchAsker,
    tried?: (part: Span) => void,
  ): EdgeFetch {
    const { id } = camera.record;
    const [from, to] = [parts[0]?.from, parts.at(-1)?.to];
    if (from === undefined || to === undefined || this.#running.has(id)) throw new Error("one at a time, of something");
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, camera.removed]);
    const begunAt = this.#o.clock.now();
    const fetch = { id: randomUUID(), camera: id, stream, from, to, by, begunAt } as const;
    this.#keep({ ...fetch, state: "running", endedAt: undefined, why: undefined });
    const ended = this.#all(camera, stream, parts, signal, tried)
      .then((end) => this.#over({ ...fetch, ...end, endedAt: this.#o.clock.now() }))
      .finally(() => this.#running.delete(id));
    this.#running.set(id, { camera, stream, by, stop, ended });
    return this.list(id)[0] as EdgeFetch;
  }

  /** Resolves when nothing is being fetched. */
  async idle(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  close(): Promise<void> {
    for (const { stop } of this.#running.values()) stop.abort();
    return this.idle();
  }

  /** Never rejects. */
  async #all(
    camera: EdgeCamera,
    stream: string,
    parts: readonly Span[],
    signal: AbortSignal,
    tried: ((part: Span) => void) | undefined,
  ): Promise<Pick<EdgeFetch, "state" | "why">> {
    let groups = 0;
    let why: string | undefined;
    for (const part of parts) {
      const about = { camera: camera.record.id, stream, from: isoOf(part.from), to: isoOf(part.to) };
      try {
        const fetched = await this.#fetch(camera, { ...part, stream }, signal);
        groups += fetched.groups;
        if (signal.aborted) break;
        tried?.(part);
        why = fetched.why ?? why;
        this.#count(fetched.groups === 0 ? "nothing" : "filled");
        this.#log.info({ ...about, ...fetched }, "fetched from the camera's own recording");
      } catch (error) {
        if (signal.aborted) break;
        tried?.(part);
        const fault = asFault(error);
        const isNothing = isFault(error, "not-found");
        this.#count(isNothing ? "nothing" : "failed");
        const said = isNothing
          ? "the camera has nothing to fill a gap with"
          : "the camera's own recording cannot be fetched";
        this.#log.warn({ ...about, err: fault }, said);
        // What there is of the others is not lost by it.
        if (groups === 0) return { state: isNothing ? "nothing" : "failed", why: fault.tell ?? said };
        why = fault.tell ?? said;
        break;
      }
    }
    if (signal.aborted) return { state: "stopped", why: groups === 0 ? undefined : "what had come by then is kept" };
    return { state: groups === 0 ? "nothing" : "fetched", why };
  }

  #over(fetch: EdgeFetch): void {
    const { camera, stream, from, to, by, state, why } = fetch;
    this.#keep(fetch);
    this.#o.audit.record({
      ...by,
      action: "fetch-footage",
      camera,
      ...(stream === MAIN_STREAM ? {} : { subject: `stream ${stream}` }),
      outcome: state === "failed" ? "failed" : "allowed",
      why: why === undefined ? state : `${state}: ${why}`,
      from: isoOf(from),
      to: isoOf(to),
    });
    publishFetched(this.#o.bus, fetch);
  }

  #keep(fetch: EdgeFetch): void {
    const others = this.list(fetch.camera).filter(({ id }) => id !== fetch.id);
    this.#known.set(fetch.camera, [fetch, ...others].slice(0, LIMITS.remembered));
  }

  async #fetch(camera: EdgeCamera, wanted: WantedStretch, signal: AbortSignal): Promise<Fetched> {
    const { side, ca, clock } = this.#o;
    const { stream, from, to } = wanted;
    const source = await askEdge(camera, { stream, span: { from, to }, side, clock, ca, signal });
    let fetched: Fetched = { ...NOTHING, why: "it has no recording of that time" };
    for (const own of source.recordings) {
      fetched = await this.#replay(camera.record, wanted, source, own, signal);
      // Only that was not what the camera had said: another one may be. Where something was recorded, another one would overlap it.
      if (!fetched.isOfAnother || signal.aborted) break;
    }
    return fetched;
  }

  async #replay(
    record: CameraRecord,
    { stream, from, to }: WantedStretch,
    source: EdgeSource,
    own: OwnRecording,
    signal: AbortSignal,
  ): Promise<Fetched> {
    const { archive, side, ca, clock, log } = this.#o;
    const url = await source.replayUrl(own.recording);
    const { credentials, tls } = loginOf(record, ca);
    return fetchSpan({
      camera: record.id,
      stream,
      span: { from, to },
      cameraClock: source.clock,
      isOfAnother: (tracks) => source.isOfAnother(tracks, own),
      archive,
      side,
      clock,
      url,
      ...(credentials === undefined ? {} : { credentials }),
      ...(tls === undefined ? {} : { tls }),
      pace: this.#pace,
      log: log.child({ part: "edge" }),
      signal,
    });
  }
}

const NOTHING = { groups: 0, discarded: { outside: 0, untimed: 0, repeated: 0 }, isOfAnother: false };
