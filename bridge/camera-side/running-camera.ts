import type { Timer } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import type { RecordedSource } from "../../media/source.ts";
import type { BridgedCamera, CameraInfo, Pulling, TransportSetting } from "../camera.ts";
import type { CameraRecord } from "../camera-store.ts";
import { type KeptFor, retentionOf } from "../kept-for.ts";
import type { RecordingPlan } from "../recording-plan.ts";
import { CameraEvents } from "./camera-events.ts";
import { CameraControlPort } from "./control.ts";
import { loginOf } from "./login.ts";
import { RunningStream, type StreamParts } from "./running-stream.ts";
import { CameraSpeaker } from "./speaker.ts";

/** How late the hours of a recording, and the ends of events, are noticed at most. */
const LOOK_MS = SECOND;

/** One adopted camera at work: its streams, and what it tells. */
export class RunningCamera implements BridgedCamera {
  readonly record: CameraRecord;
  readonly streams: readonly [RunningStream, ...RunningStream[]];
  readonly speaker: CameraSpeaker;
  readonly control: CameraControlPort;
  readonly #removal = new AbortController();
  readonly #closing = new AbortController();
  readonly #events: CameraEvents;
  readonly #archive: StreamParts["archive"];
  readonly #looks: Timer;
  readonly #unlisten: () => void;
  #transport: TransportSetting;
  #retention: KeptFor;

  constructor(record: CameraRecord, o: StreamParts) {
    this.record = record;
    this.#transport = record.transport;
    this.#retention = record.retention;
    this.#archive = o.archive;
    const [first, ...others] = record.streams;
    const { side, clock, ca } = o;
    const asked = { side, clock, log: o.log.child({ camera: record.id }), signal: this.#closing.signal, ca };
    this.speaker = new CameraSpeaker({ url: new URL(first.url), ...loginOf(record, ca), ...asked });
    this.control = new CameraControlPort(record, { ...asked, renew: (stream) => this.#stream(stream).renew() });
    this.#events = new CameraEvents({ ...asked, camera: record, bus: o.bus });
    const main = new RunningStream(record, first, {
      ...o,
      onOnline: () => {
        // The camera may have room for one session alone, and the main stream comes first.
        for (const stream of this.streams) stream.look();
        this.control.look();
      },
    });
    this.streams = [main, ...others.map((stream) => new RunningStream(record, stream, o))];
    this.#unlisten = o.bus.listen((event) => {
      if (event.camera === record.id) for (const { recording } of this.streams) recording.see(event);
    });
    this.#looks = clock.every(LOOK_MS, () => {
      for (const { recording } of this.streams) recording.look();
    });
  }

  get recorded(): RecordedSource {
    return this.streams[0].recorded;
  }

  get info(): CameraInfo {
    const [main, ...others] = this.streams;
    const { connection, recording } = main.info;
    return {
      id: this.record.id,
      name: this.record.name,
      manufacturer: this.record.manufacturer,
      model: this.record.model,
      connection,
      transport: this.#transport,
      retention: this.#retention,
      streams: [main.info, ...others.map((stream) => stream.info)],
      recording: recording.state === "recording",
      recordingProblem: recording.problem,
      unrecordable: main.recording.unrecordable,
      quirks: [...new Map(this.streams.flatMap(({ quirks }) => quirks).map((quirk) => [quirk.name, quirk])).values()],
    };
  }

  get removed(): AbortSignal {
    return this.#removal.signal;
  }

  start(): void {
    this.setRetention(this.#retention);
    for (const stream of this.streams) stream.start();
    this.#events.start();
    this.streams[0].look();
  }

  setTransport(setting: TransportSetting): void {
    this.#transport = setting;
    for (const stream of this.streams) stream.setTransport(setting);
  }

  /** `not-found` where there is no such stream. */
  setPulling(name: string, pulling: Pulling): void {
    this.#stream(name).setPulling(pulling);
  }

  setRetention(retention: KeptFor): void {
    this.#retention = retention;
    this.#archive.retain(this.record.id, retentionOf(retention));
  }

  /** `not-found` where there is no such stream. */
  setRecording(name: string, plan: RecordingPlan): void {
    this.#stream(name).recording.follow(plan);
  }

  /** Ends the readers where the camera is removed, and seals what was recorded. */
  async close(options: { readonly removed: boolean }): Promise<void> {
    if (options.removed) this.#removal.abort();
    await this.control.close();
    this.#closing.abort();
    await Promise.all([this.speaker.close(), this.#events.close()]);
    this.#unlisten();
    this.#looks.cancel();
    await Promise.all(this.streams.map((stream) => stream.close()));
  }

  #stream(name: string): RunningStream {
    const stream = this.streams.find((one) => one.info.name === name);
    if (stream === undefined) throw new Fault("not-found", `no stream ${name} of camera ${this.record.id}`);
    return stream;
  }
}
