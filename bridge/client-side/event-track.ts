import { randomInt } from "node:crypto";
import type { Clock, Timer } from "../../base/clock.ts";
import { BoundedQueue } from "../../base/queue.ts";
import { type MonotonicMillis, SECOND } from "../../base/units.ts";
import type { ExtraTrack } from "../../media/extended-source.ts";
import { type GroupMarks, PacketGroup } from "../../media/group.ts";
import { PlainPacketizer } from "../../media/plain-packetizer.ts";
import type { Track } from "../../media/track.ts";
import { printMetadataStream } from "../../wsdl/metadata-stream.ts";
import type { EventBus } from "../event-bus.ts";

const LIMITS = {
  /** Of one document, and so of one second; of what happens the oldest are left out, of what stands the rest goes into the next. */
  events: 100,
  characters: 128 * 1024,
} as const;

/** A document begins at least so often (ONVIF Streaming 5.1.2.1): so late does an event arrive at most. */
const PERIOD_MS = SECOND;

/** As clients are told of it. */
export const EVENT_TRACK: Track = {
  kind: "metadata",
  codec: "VND.ONVIF.METADATA",
  encoding: "vnd.onvif.metadata",
  payloadType: 107,
  clockRateHz: 90_000,
  channels: 1,
  fmtp: "",
};

/**
 * What happens at a camera, as a track of ONVIF metadata: what the bridge knows of it and what it says of itself. Made once for all who
 * have it, and only while somebody does. The first document, and the next one after somebody has come or asked, tells how
 * everything stands, with as many more as that takes; the others, what has happened.
 */
export class EventTrack implements ExtraTrack {
  readonly track = EVENT_TRACK;
  readonly #clock: Clock;
  readonly #bus: EventBus;
  readonly #camera: string;
  readonly #packetizer: PlainPacketizer;
  readonly #rtpBegin = randomInt(2 ** 32);
  readonly #begunAt: MonotonicMillis;
  readonly #readers = new Map<(group: PacketGroup) => void, number>();
  /** Printed, in the order in which it happened. */
  readonly #news = new BoundedQueue<string>(
    { maxItems: LIMITS.events, maxWeight: LIMITS.characters },
    (xml) => xml.length,
  );
  #whole = true;
  /** How everything stood when somebody had come or asked, as far as no document has told it; what has happened since comes after it. */
  #standing: readonly string[] = [];
  #running: { readonly timer: Timer; readonly leave: () => void } | undefined;

  /** `camera`: its id. */
  constructor(camera: string, bus: EventBus, clock: Clock) {
    this.#camera = camera;
    this.#bus = bus;
    this.#clock = clock;
    this.#begunAt = clock.monotonic();
    const { payloadType } = EVENT_TRACK;
    this.#packetizer = new PlainPacketizer(EVENT_TRACK, {
      payloadType,
      ssrc: randomInt(2 ** 32),
      sequence: randomInt(2 ** 16),
    });
  }

  get ssrc(): number {
    return this.#packetizer.ssrc;
  }

  join(index: number, deliver: (group: PacketGroup) => void): () => void {
    this.#readers.set(deliver, index);
    this.renew();
    if (this.#running === undefined) {
      const leave = this.#bus.listen(({ camera, xml }) => {
        if (camera === this.#camera) while (!this.#news.push(xml)) if (this.#news.shift() === undefined) return;
      });
      this.#running = { timer: this.#clock.every(PERIOD_MS, () => this.#tell()), leave };
      this.#tell();
    }
    return () => {
      this.#readers.delete(deliver);
      if (this.#readers.size > 0) return;
      this.#running?.timer.cancel();
      this.#running?.leave();
      this.#running = undefined;
      this.#news.clear();
      this.#standing = [];
    };
  }

  renew(): void {
    this.#whole = true;
  }

  #tell(): void {
    const at = this.#clock.now();
    const data = Buffer.from(printMetadataStream(this.#take()));
    const rtpTime = (this.#rtpBegin + Math.round((this.#clock.monotonic() - this.#begunAt) * 90)) >>> 0;
    const marks = { rtpTime, at, quality: "arrival", key: true, discontinuity: false } as const;
    const format = { codec: "VND.ONVIF.METADATA" } as const;
    const packets = this.#packetizer.packets({ ...marks, data, format }, rtpTime);
    for (const [deliver, track] of this.#readers)
      deliver(new PacketGroup({ ...marks, track } satisfies GroupMarks, packets));
  }

  /** One document. Neither a second reader nor a second request begins the list anew before it is told to its end. */
  #take(): readonly string[] {
    if (this.#whole && this.#standing.length === 0) {
      // What has just happened stands in how things are now, unless it is over already.
      const properties = this.#bus.properties(this.#camera).map(({ xml }) => xml);
      this.#standing = [...this.#takeNews(), ...properties.filter((xml) => xml.length <= LIMITS.characters)];
      this.#whole = false;
    }
    return this.#standing.length > 0 ? this.#takeStanding() : this.#takeNews();
  }

  #takeStanding(): readonly string[] {
    const taken: string[] = [];
    let characters = 0;
    for (const xml of this.#standing.slice(0, LIMITS.events)) {
      characters += xml.length;
      if (characters > LIMITS.characters) break;
      taken.push(xml);
    }
    this.#standing = this.#standing.slice(taken.length);
    return taken;
  }

  #takeNews(): readonly string[] {
    const taken: string[] = [];
    for (let xml = this.#news.shift(); xml !== undefined; xml = this.#news.shift()) taken.push(xml);
    return taken;
  }
}
