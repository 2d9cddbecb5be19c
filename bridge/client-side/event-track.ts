import { randomInt } from "node:crypto";
import type { Clock, Timer } from "../../base/clock.ts";
import { type MonotonicMillis, SECOND, type UnixMillis } from "../../base/units.ts";
import type { ExtraTrack } from "../../media/extended-source.ts";
import { type GroupMarks, PacketGroup } from "../../media/group.ts";
import { PlainPacketizer } from "../../media/plain-packetizer.ts";
import type { Track } from "../../media/track.ts";
import { type PropertyEvent, printMetadataStream } from "../../wsdl/metadata-stream.ts";
import type { CameraInfo } from "../camera.ts";

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

type Property = Omit<PropertyEvent, "operation">;

/**
 * What the bridge knows of a camera, as a track of ONVIF metadata: whether it is there, and whether it is recorded. Made once for all who
 * have it, and only while somebody does. The first document, and the next one after somebody has come or asked, tells how
 * everything stands; the others, what has changed.
 */
export class EventTrack implements ExtraTrack {
  readonly track = EVENT_TRACK;
  readonly #clock: Clock;
  readonly #camera: { readonly info: CameraInfo };
  readonly #packetizer: PlainPacketizer;
  readonly #rtpBegin = randomInt(2 ** 32);
  readonly #begunAt: MonotonicMillis;
  readonly #readers = new Map<(group: PacketGroup) => void, number>();
  readonly #told = new Map<string, string>();
  #whole = true;
  #timer: Timer | undefined;

  constructor(camera: { readonly info: CameraInfo }, clock: Clock) {
    this.#camera = camera;
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
    if (this.#timer === undefined) {
      this.#timer = this.#clock.every(PERIOD_MS, () => this.#tell());
      this.#tell();
    }
    return () => {
      this.#readers.delete(deliver);
      if (this.#readers.size > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    };
  }

  renew(): void {
    this.#whole = true;
  }

  #tell(): void {
    const at = this.#clock.now();
    const data = Buffer.from(printMetadataStream(this.#news(at)));
    const rtpTime = (this.#rtpBegin + Math.round((this.#clock.monotonic() - this.#begunAt) * 90)) >>> 0;
    const marks = { rtpTime, at, quality: "arrival", key: true, discontinuity: false } as const;
    const format = { codec: "VND.ONVIF.METADATA" } as const;
    const packets = this.#packetizer.packets({ ...marks, data, format }, rtpTime);
    for (const [deliver, track] of this.#readers)
      deliver(new PacketGroup({ ...marks, track } satisfies GroupMarks, packets));
  }

  #news(now: UnixMillis): readonly PropertyEvent[] {
    const operation = this.#whole ? "Initialized" : "Changed";
    const events = propertiesOf(this.#camera.info, now).filter(
      ({ topic, data }) => this.#whole || this.#told.get(topic) !== data[1],
    );
    for (const { topic, data } of events) this.#told.set(topic, data[1]);
    this.#whole = false;
    return events.map((property) => ({ ...property, operation }));
  }
}

/** By the tokens of our ONVIF services: a camera's id is that of its video source and of its recording job. */
function propertiesOf({ id, connection, recording }: CameraInfo, now: UnixMillis): readonly Property[] {
  return [
    {
      at: connection.since,
      topic: "VideoSource/SignalLoss",
      source: ["Source", id],
      data: ["State", String(connection.state === "offline")],
    },
    {
      at: now,
      topic: "RecordingConfig/JobState",
      source: ["RecordingJobToken", id],
      data: ["State", recording ? "Active" : "Idle"],
    },
  ];
}
