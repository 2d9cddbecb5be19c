import { Fault } from "../../base/fault.ts";
import type { Metrics } from "../../base/metrics.ts";
import { MemoryBudget } from "../../recorder/memory-budget.ts";
import type { CameraDirectory, Pulling, TransportSetting } from "../camera.ts";
import type { CameraRecord, CameraStore, NewCamera } from "../camera-store.ts";
import type { KeptFor } from "../kept-for.ts";
import type { RecordingPlan } from "../recording-plan.ts";
import { RunningCamera } from "./running-camera.ts";
import type { StreamParts } from "./running-stream.ts";
import { saveCamera } from "./save-camera.ts";
import { assertMaySendBy } from "./transport.ts";

/** All adopted cameras, at work from the start of the process to its end. */
export class Cameras implements CameraDirectory {
  readonly #store: CameraStore;
  readonly #parts: StreamParts;
  readonly #running = new Map<string, RunningCamera>();
  #saving: Promise<unknown> = Promise.resolve();

  private constructor(parts: StreamParts) {
    this.#store = parts.store;
    this.#parts = parts;
  }

  static async start(
    o: Omit<StreamParts, "preRollBudget"> & { readonly preRollBytes: number; readonly metrics: Metrics },
  ): Promise<Cameras> {
    const cameras = new Cameras({ ...o, preRollBudget: new MemoryBudget(o.preRollBytes) });
    for (const record of await o.store.list()) cameras.#run(record);
    o.metrics.measure("viaduct_cameras", "Adopted cameras", () => cameras.#running.size);
    o.metrics.measure("viaduct_cameras_online", "Cameras whose stream is flowing", () => {
      return cameras.list().filter((camera) => camera.info.connection.state === "online").length;
    });
    return cameras;
  }

  list(): readonly RunningCamera[] {
    return [...this.#running.values()];
  }

  find(id: string): RunningCamera | undefined {
    return this.#running.get(id);
  }

  /** Saves the camera, and starts to pull and record it. Faults: those of {@link saveCamera}. */
  async add(adopted: Omit<NewCamera, "id" | "adoptedAt">): Promise<CameraRecord> {
    const { store, archive, clock } = this.#parts;
    // One after the other, so that each is compared with those before it.
    const saving = this.#saving.then(() => saveCamera(adopted, { store, recorded: () => archive.cameras(), clock }));
    this.#saving = saving.catch(() => undefined);
    const record = await saving;
    this.#run(record);
    return record;
  }

  /** From now on, and at once. `not-found` when there is no such camera, `denied` where plain text is not allowed for it. */
  async setTransport(id: string, setting: TransportSetting): Promise<void> {
    assertMaySendBy(setting, this.#running.get(id)?.record.plainText !== false);
    await this.#store.setTransport(id, setting);
    this.#running.get(id)?.setTransport(setting);
  }

  /** From now on, and at once. `not-found` when there is no such stream. */
  async setPulling(id: string, stream: string, pulling: Pulling): Promise<void> {
    await this.#store.setPulling(id, stream, pulling);
    this.#running.get(id)?.setPulling(stream, pulling);
  }

  /** From now on. `not-found` when there is none. */
  async setRetention(id: string, retention: KeptFor): Promise<void> {
    await this.#store.setRetention(id, retention);
    this.#running.get(id)?.setRetention(retention);
  }

  /** From now on. `not-found` when there is no such stream. */
  async setRecording(id: string, stream: string, plan: RecordingPlan): Promise<void> {
    await this.#store.setRecording(id, stream, plan);
    this.#running.get(id)?.setRecording(stream, plan);
  }

  /** `not-found` when there is none. Its recordings stay until their retention ends. */
  async remove(id: string): Promise<void> {
    const camera = this.#running.get(id);
    if (camera === undefined) throw new Fault("not-found", `no camera ${id}`);
    await this.#store.remove(id);
    this.#running.delete(id);
    await camera.close({ removed: true });
    // Its parts may have said something of it until now.
    this.#parts.bus.forget(id);
  }

  async close(): Promise<void> {
    await Promise.all(this.list().map((camera) => camera.close({ removed: false })));
  }

  #run(record: CameraRecord): void {
    const camera = new RunningCamera(record, this.#parts);
    this.#running.set(record.id, camera);
    camera.start();
  }
}
