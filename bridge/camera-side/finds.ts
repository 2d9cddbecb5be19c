import type { Clock } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import { type Log, withoutLogIns } from "../../base/log.ts";
import type { UnixMillis } from "../../base/units.ts";
import { type Found, probe } from "../../discovery/client/probe.ts";
import type { CameraSide } from "../../net/sides.ts";
import type { Pulling, TransportSetting } from "../camera.ts";
import type { CameraRecord } from "../camera-store.ts";
import type { KeptFor } from "../kept-for.ts";
import type { AdoptionChoice, AdoptionTarget, Discovery, DiscoveryEvent, Find, Scan } from "../ports.ts";
import type { RecordingPlan } from "../recording-plan.ts";
import { adoptCamera } from "./adopt.ts";
import type { Cameras } from "./cameras.ts";
import { newCameraOf } from "./new-camera.ts";
import { assertMaySendBy } from "./transport.ts";

/** Finds of old scans go first beyond this; a network with more cameras is scanned range by range. */
const MAX_FINDS = 2000;

/** What answered on the camera networks, and the button that makes one ours. */
export class Finds implements Discovery {
  readonly #side: CameraSide;
  readonly #cameras: Cameras;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #port: number | undefined;
  readonly #ca: string | undefined;
  readonly #recording: RecordingPlan;
  readonly #found = new Map<string, Found & { lastSeen: UnixMillis }>();
  readonly #listeners = new Set<(event: DiscoveryEvent) => void>();
  readonly #stopping = new AbortController();
  #scan: Scan = { running: false, probed: 0, total: 0, startedAt: undefined, failure: undefined };
  #scanning: Promise<void> | undefined;

  /** `ca`: PEM certificates of the site's own authority. `recording`: of cameras of which nothing else is said. `port`: where cameras listen for probes, 3702 unless a test says otherwise. */
  constructor(o: {
    side: CameraSide;
    cameras: Cameras;
    ca: string | undefined;
    recording: RecordingPlan;
    clock: Clock;
    log: Log;
    port?: number;
  }) {
    this.#side = o.side;
    this.#cameras = o.cameras;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#port = o.port;
    this.#ca = o.ca;
    this.#recording = o.recording;
  }

  list(): readonly Find[] {
    return [...this.#found.values()].map((found) => this.#findOf(found));
  }

  get scan(): Scan {
    return this.#scan;
  }

  listen(listener: (event: DiscoveryEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  startScan(targets: readonly string[] = []): Promise<void> {
    if (this.#scan.running) throw new Fault("busy", "scan while scanning", { tell: "a scan is running already" });
    this.#progress({ running: true, probed: 0, total: 0, startedAt: this.#clock.now(), failure: undefined });
    this.#scanning = this.#run(targets);
    return this.#scanning;
  }

  async adopt(target: AdoptionTarget, o: AdoptionChoice): Promise<CameraRecord> {
    const plainText = o.plainText === true;
    const transport = o.transport ?? "auto";
    assertMaySendBy(transport, plainText);
    // Every page that listens hears of it: the address goes without its log-in.
    const id = "find" in target ? target.find : withoutLogIns(target.rtsp).replace(/^.*@/, "");
    const adopted = await adoptCamera({
      target: this.#targetOf(target),
      plainText,
      ca: this.#ca,
      side: this.#side,
      clock: this.#clock,
      log: this.#log,
      signal: this.#stopping.signal,
      onProgress: (step) => this.#emit({ type: "adopting", id, step }),
      ...(o.credentials === undefined ? {} : { credentials: o.credentials }),
    });
    const record = await this.#cameras.add(
      newCameraOf(adopted, { recording: this.#recording, ...o, plainText, transport }),
    );
    this.#log.info({ camera: record.id, ip: record.ip, plainText }, "camera adopted");
    return record;
  }

  setTransport(camera: string, setting: TransportSetting): Promise<void> {
    return this.#cameras.setTransport(camera, setting);
  }

  setPulling(camera: string, stream: string, pulling: Pulling): Promise<void> {
    return this.#cameras.setPulling(camera, stream, pulling);
  }

  setRetention(camera: string, retention: KeptFor): Promise<void> {
    return this.#cameras.setRetention(camera, retention);
  }

  setRecording(camera: string, stream: string, plan: RecordingPlan): Promise<void> {
    return this.#cameras.setRecording(camera, stream, plan);
  }

  remove(camera: string): Promise<void> {
    return this.#cameras.remove(camera);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#scanning;
  }

  async #run(targets: readonly string[]): Promise<void> {
    try {
      await probe({
        side: this.#side,
        clock: this.#clock,
        log: this.#log,
        targets,
        signal: this.#stopping.signal,
        onFound: (found) => this.#remember(found),
        onProgress: ({ probed, total }) => this.#progress({ ...this.#scan, probed, total }),
        ...(this.#port === undefined ? {} : { port: this.#port }),
      });
      this.#progress({ ...this.#scan, running: false });
    } catch (error) {
      const fault = asFault(error);
      this.#log.warn({ err: fault }, "scan failed");
      this.#progress({ ...this.#scan, running: false, failure: fault.tell ?? "the scan failed; the log says why" });
    }
  }

  #targetOf(target: AdoptionTarget): { ip: string; xaddrs: readonly string[] } | { rtsp: string; sub?: string } {
    if ("rtsp" in target) return target;
    const found = this.#found.get(target.find);
    if (found === undefined)
      throw new Fault("not-found", `no find ${target.find}`, {
        tell: "this camera is not in the list any more: scan again",
      });
    return found;
  }

  #remember(found: Found): void {
    this.#found.delete(found.id);
    const entry = { ...found, lastSeen: this.#clock.now() };
    this.#found.set(found.id, entry);
    for (const id of this.#found.keys()) {
      if (this.#found.size <= MAX_FINDS) break;
      this.#found.delete(id);
    }
    this.#emit({ type: "found", find: this.#findOf(entry) });
  }

  #findOf({ scopes: _scopes, types: _types, ...found }: Found & { lastSeen: UnixMillis }): Find {
    const device = new Set(found.xaddrs);
    const ours = this.#cameras
      .list()
      .find(({ record }) => record.ip === found.ip && (record.deviceUrl === undefined || device.has(record.deviceUrl)));
    return { ...found, adoptedAs: ours?.record.id };
  }

  #progress(scan: Scan): void {
    this.#scan = scan;
    this.#emit({ type: "scan", scan });
  }

  #emit(event: DiscoveryEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
