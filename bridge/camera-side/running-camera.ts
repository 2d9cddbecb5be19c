import { Fault } from "../../base/fault.ts";
import type { RecordedSource } from "../../media/source.ts";
import type { Archive } from "../../recorder/archive.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import { type BridgedCamera, type CameraInfo, MAIN_STREAM, type Pulling, type TransportSetting } from "../camera.ts";
import type { CameraRecord } from "../camera-store.ts";
import type { EventBus } from "../event-bus.ts";
import { CameraEvents } from "./camera-events.ts";
import { CameraControlPort } from "./control.ts";
import { loginOf } from "./login.ts";
import { RunningStream, type StreamParts } from "./running-stream.ts";
import { CameraSpeaker } from "./speaker.ts";

export interface CameraParts extends StreamParts {
  readonly bus: EventBus;
  readonly archive: Archive;
}

/** One adopted camera at work: its streams, and the recorder of the main one. */
export class RunningCamera implements BridgedCamera {
  readonly record: CameraRecord;
  readonly streams: readonly [RunningStream, ...RunningStream[]];
  readonly recorded: RecordedSource;
  readonly speaker: CameraSpeaker;
  readonly control: CameraControlPort;
  readonly #removal = new AbortController();
  readonly #closing = new AbortController();
  readonly #recorder: StreamRecorder;
  readonly #events: CameraEvents;
  #transport: TransportSetting;
  /** How the recorder leaves the main stream; undefined while that is not recorded. */
  #leave: (() => void) | undefined;

  constructor(record: CameraRecord, o: CameraParts) {
    this.record = record;
    this.#transport = record.transport;
    this.recorded = o.archive.source(record.id);
    this.#recorder = o.archive.recorder(record.id, MAIN_STREAM);
    const [first, ...others] = record.streams;
    const { side, clock, ca } = o;
    const asked = { side, clock, log: o.log.child({ camera: record.id }), signal: this.#closing.signal, ca };
    this.speaker = new CameraSpeaker({ url: new URL(first.url), ...loginOf(record, ca), ...asked });
    this.control = new CameraControlPort(record, asked);
    this.#events = new CameraEvents({ ...asked, camera: record, bus: o.bus });
    const main = new RunningStream(record, first, {
      ...o,
      onOnline: () => {
        this.#describe();
        // The camera may have room for one session alone, and the main stream comes first.
        for (const stream of this.streams) stream.look();
        this.control.look();
      },
      onLost: (why) => this.#recorder.gap(why),
    });
    this.streams = [main, ...others.map((stream) => new RunningStream(record, stream, o))];
  }

  get info(): CameraInfo {
    const [main, ...others] = this.streams;
    const { connection } = main.info;
    return {
      id: this.record.id,
      name: this.record.name,
      manufacturer: this.record.manufacturer,
      model: this.record.model,
      connection,
      transport: this.#transport,
      streams: [main.info, ...others.map((stream) => stream.info)],
      recording: this.#recorder.live !== undefined,
      recordingProblem: this.#recorder.problem,
      unrecordable: this.#recorder.unrecordable,
      quirks: [...new Map(this.streams.flatMap(({ quirks }) => quirks).map((quirk) => [quirk.name, quirk])).values()],
    };
  }

  get removed(): AbortSignal {
    return this.#removal.signal;
  }

  start(): void {
    this.#record();
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
    const stream = this.streams.find((one) => one.info.name === name);
    if (stream === undefined) throw new Fault("not-found", `no stream ${name} of camera ${this.record.id}`);
    stream.setPulling(pulling);
    this.#record();
  }

  /** Ends the readers where the camera is removed, and seals what was recorded. */
  async close(options: { readonly removed: boolean }): Promise<void> {
    if (options.removed) this.#removal.abort();
    await this.control.close();
    this.#closing.abort();
    await Promise.all([this.speaker.close(), this.#events.close()]);
    await Promise.all(this.streams.map((stream) => stream.close()));
    this.#leave?.();
    await this.#recorder.close();
  }

  /** What is pulled always is recorded; what is not has gaps of its own, which nobody could tell from lost footage. */
  #record(): void {
    const [main] = this.streams;
    if (main.info.pulling === "always") {
      this.#describe();
      this.#leave ??= main.follow({
        deliver: (group) => this.#recorder.push(group),
        changed: () => this.#describe(),
      });
    } else if (this.#leave !== undefined) {
      this.#leave();
      this.#leave = undefined;
      this.#recorder.gap("the camera is watched on demand, and not recorded");
    }
  }

  #describe(): void {
    this.#recorder.describe(this.streams[0].info.tracks);
  }
}
