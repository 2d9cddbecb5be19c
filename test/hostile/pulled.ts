import { silentLog } from "../../base/log.ts";
import { SECOND } from "../../base/units.ts";
import type { Connection } from "../../bridge/camera.ts";
import { Ingest } from "../../bridge/camera-side/ingest.ts";
import { createDepacketizer } from "../../media/depacketizer.ts";
import type { PacketGroup } from "../../media/group.ts";
import { Hub } from "../../media/hub.ts";
import { writeRtpHeader } from "../../media/rtp.ts";
import { cameraSide } from "../../net/sides.ts";
import { PPS, SPS, START, slice } from "../media/receiver-fixture.ts";
import { FakeCamera, framed, type Script } from "../rtsp/client/fake-camera.ts";
import { eventually } from "../support/bridge.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const side = cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] });

/** Makes RTP of payloads, numbered on. */
export class Numbers {
  #sequence = 0;
  #timestamp = 0;

  packet(payload: Buffer, o: { marker?: boolean; next?: boolean; ssrc?: number; timestamp?: number } = {}): Buffer {
    const { marker = false, next = false, ssrc = 7, timestamp } = o;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    if (next) this.#timestamp = (this.#timestamp + 3600) >>> 0;
    const packet = Buffer.concat([Buffer.alloc(12), payload]);
    writeRtpHeader(packet, {
      marker,
      payloadType: 96,
      sequence: this.#sequence,
      timestamp: timestamp ?? this.#timestamp,
      ssrc,
    });
    return packet;
  }

  /** A key frame that a decoder can begin with. */
  keyFrame(): Buffer {
    return Buffer.concat([
      framed(0, this.packet(SPS, { next: true })),
      framed(0, this.packet(PPS)),
      framed(0, this.packet(slice(5), { marker: true })),
    ]);
  }
}

/** One camera pulled into a hub, with a reader that takes samples out of what comes. */
export class Pulled {
  readonly clock = new VirtualClock(START);
  readonly hub = new Hub({ clock: this.clock, log: silentLog() });
  readonly states: Connection[] = [];
  readonly groups: PacketGroup[] = [];
  readonly camera: FakeCamera;
  readonly numbers = new Numbers();
  samples = 0;
  readonly #ingest: Ingest;

  private constructor(camera: FakeCamera) {
    this.camera = camera;
    this.#ingest = new Ingest({
      url: camera.url,
      credentials: undefined,
      tls: undefined,
      side,
      hub: this.hub,
      clock: this.clock,
      log: silentLog(),
      onLost: () => undefined,
      onConnection: (connection) => this.states.push(connection),
    });
    const depacketizer = createDepacketizer({
      kind: "video",
      codec: "H264",
      encoding: "H264",
      payloadType: 96,
      clockRateHz: 90_000,
      channels: 1,
      fmtp: "",
    });
    this.hub.join({
      deliver: (group) => {
        this.groups.push(group);
        this.samples += depacketizer?.push(group).length ?? 0;
      },
    });
    this.#ingest.start();
  }

  static async from(script: Script = {}): Promise<Pulled> {
    return new Pulled(await FakeCamera.start(script));
  }

  get state(): Connection | undefined {
    return this.states.at(-1);
  }

  /** Moves time on until it is so. */
  async until(done: () => boolean, stepMs = SECOND): Promise<void> {
    await eventually(async () => {
      if (!done()) await this.clock.advance(stepMs);
      return done();
    });
  }

  /** It is asked to play. */
  async playing(): Promise<void> {
    await eventually(() => this.camera.methods.includes("PLAY"));
  }

  /** A key frame is sent and arrives: the session goes on. */
  async flows(): Promise<void> {
    const before = this.samples;
    await eventually(() => {
      if (this.samples === before) this.camera.send(this.numbers.keyFrame());
      return this.samples > before;
    });
  }

  async close(): Promise<void> {
    const closing = this.#ingest.stop();
    await this.until(() => this.clock.pending === 0);
    await closing;
    await this.camera.close();
  }
}
