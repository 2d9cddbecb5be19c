import { createHash } from "node:crypto";
import type { Clock, Timer } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { HOUR, MINUTE, SECOND, type UnixMillis } from "../base/units.ts";
import type { Identity } from "../net/tls.ts";
import { escapeXml } from "../wsdl/xml.ts";
import type { Device, DeviceStream } from "./device.ts";
import { DigestGate } from "./digest.ts";
import { startDiscovery } from "./discovery.ts";
import { Feed, type Size } from "./feed.ts";
import { Motion } from "./motion.ts";
import { type OnvifOptions, OnvifServer, PATHS } from "./onvif.ts";
import { deviceOperations } from "./onvif-device.ts";
import { Events } from "./onvif-events.ts";
import { IO_OPERATIONS, imagingOperations, type Settable } from "./onvif-io.ts";
import { media2Operations, mediaOperations } from "./onvif-media.ts";
import { ptzOperations } from "./onvif-ptz.ts";
import type { Quirk } from "./quirks.ts";
import { RtspServer } from "./rtsp-server.ts";
import { TokenGate } from "./soap.ts";
import { type Heard, Speaker } from "./speaker.ts";

const LIMITS = {
  /** There must be room for the frame number's code and for the words. */
  width: [320, 3840],
  height: [176, 2160],
  fps: [1, 60],
} as const;

const DEFAULTS = { width: 640, height: 360, fps: 15 };
const CLOCK_OFF_MS = -(3 * HOUR + 7 * MINUTE);
/** Of pictures that were there before anybody watched. */
const BURST_MS = 2 * SECOND;
const SIZE_PERIOD_MS = 10 * SECOND;
/** An address that leads nowhere (RFC 5737). */
const WRONG_HOST = "198.51.100.77";

export interface SimCameraOptions {
  readonly name: string;
  /** Own address of this machine, best one on a network of cameras alone. */
  readonly address: string;
  /** 0: any. */
  readonly httpPort: number;
  readonly rtspPort: number;
  /** Absent: the camera cannot be found. */
  readonly discoveryPort?: number;
  readonly user: string;
  readonly password: string;
  /** Pixels, even. 640 by 360 if absent. */
  readonly width?: number;
  readonly height?: number;
  /** 15 if absent. */
  readonly fps?: number;
  /** With sound. */
  readonly audio?: boolean;
  /** With a speaker. */
  readonly speaker?: boolean;
  /** It has RTSPS and HTTPS, and nothing without TLS. */
  readonly tls?: Identity;
  /** Can be moved and set, has a relay and an input, and gives a snapshot. */
  readonly controls?: boolean;
  readonly quirks?: readonly Quirk[];
  readonly clock: Clock;
  readonly log: Log;
}

/** A camera that runs in this process. */
export interface SimCamera {
  /** Its ONVIF device service. */
  readonly deviceUrl: string;
  /** Its main stream, without user information. */
  readonly rtspUrl: string;
  /** Its sub-stream, a smaller picture; absent where the main one is small already. */
  readonly subUrl: string | undefined;
  /** RTSP connections that it has accepted so far. */
  readonly connections: number;
  /** Clients that it sends a picture to. */
  readonly sessions: number;
  /** What was said to it; undefined where it has no speaker. */
  readonly heard: Heard | undefined;
  /** Of one that can be controlled. */
  readonly motion: Motion | undefined;
  readonly settable: Settable | undefined;
  /** Somebody has its speaker. */
  readonly talkedTo: boolean;
  /** Requests of ONVIF that it was sent so far. */
  readonly requests: number;
  /** Subscriptions to its events that were made so far, and that there are. */
  readonly subscriptions: number;
  readonly subscribers: number;
  /** Goes off the network, breaking all connections. */
  pause(): Promise<void>;
  /** Comes back at the same addresses. */
  resume(): Promise<void>;
  /** Changes the size of the main picture under running sessions. */
  setResolution(width: number, height: number): void;
  /** Sends bytes that are neither RTSP nor RTP to all RTSP clients. */
  sendGarbage(): void;
  close(): Promise<void>;
}

/** Starts one. Fault `invalid` for sizes and rates that it cannot draw. */
export async function startSimCamera(options: SimCameraOptions): Promise<SimCamera> {
  const { width, height, fps } = { ...DEFAULTS, ...options };
  assertDrawable(width, height, fps);
  const camera = new Camera(options, { width, height, fps });
  try {
    await camera.resume();
  } catch (error) {
    await camera.close();
    throw error;
  }
  return camera;
}

function assertDrawable(width: number, height: number, fps: number): void {
  if (!within(width, LIMITS.width) || !within(height, LIMITS.height) || width % 2 !== 0 || height % 2 !== 0)
    throw new Fault("invalid", `picture of ${width}x${height}`, {
      tell: `a simulated camera's picture is ${LIMITS.width.join("–")} by ${LIMITS.height.join("–")} pixels, both even`,
    });
  if (!within(fps, LIMITS.fps))
    throw new Fault("invalid", `${fps} frames/s`, {
      tell: `a simulated camera sends ${LIMITS.fps.join("–")} pictures a second`,
    });
}

function within(value: number, [low, high]: readonly [number, number]): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}

class Camera implements SimCamera, Device {
  readonly address: string;
  readonly user: string;
  readonly serial: string;
  readonly mac: string;
  readonly endpoint: string;
  readonly scopes: readonly string[];
  readonly audio: boolean;
  readonly motion: Motion | undefined;
  readonly settable: Settable | undefined;
  readonly quirks: ReadonlySet<Quirk>;
  readonly #main: Feed;
  readonly #sub: Feed | undefined;
  readonly #options: SimCameraOptions;
  readonly #speaker: Speaker | undefined;
  readonly #rtsp: RtspServer;
  readonly #onvif: OnvifServer;
  readonly #events: Events;
  #discovery: { close(): Promise<void> } | undefined;
  #sizes: Timer | undefined;

  constructor(options: SimCameraOptions, o: { readonly width: number; readonly height: number; readonly fps: number }) {
    const { name, address, user, password, clock, log } = options;
    this.#options = options;
    this.address = address;
    this.user = user;
    this.audio = options.audio === true;
    this.#speaker = options.speaker === true ? new Speaker() : undefined;
    this.motion = options.controls === true ? new Motion(clock) : undefined;
    this.settable = options.controls === true ? { brightness: 50, focus: 0, relay: "inactive" } : undefined;
    this.quirks = new Set(options.quirks);
    // The same camera is known again after a restart.
    const identity = createHash("sha256").update(`${name} ${address}`).digest("hex");
    this.serial = identity.slice(0, 12).toUpperCase();
    this.mac = `02:${(identity.slice(12, 22).match(/../g) ?? []).join(":")}`;
    this.endpoint = `urn:uuid:${identity.slice(0, 8)}-${identity.slice(8, 12)}-5${identity.slice(13, 16)}-a${identity.slice(17, 20)}-${identity.slice(20, 32)}`;
    this.scopes = [
      "onvif://www.onvif.org/Profile/Streaming",
      "onvif://www.onvif.org/Profile/T",
      "onvif://www.onvif.org/type/video_encoder",
      "onvif://www.onvif.org/hardware/Simulated",
      `onvif://www.onvif.org/name/${encodeURIComponent(name)}`,
    ];
    const feed = (size: Size): Feed =>
      new Feed({
        clock,
        name,
        which: landscapeOf(address),
        size,
        fps: o.fps,
        clockOffsetMs: this.quirks.has("clock-off") ? CLOCK_OFF_MS : 0,
        ...(this.quirks.has("long-groups") ? { keyPeriodMs: MINUTE } : {}),
        note: () => this.#note(),
        burstMs: this.quirks.has("old-burst") ? BURST_MS : 0,
      });
    this.#main = feed(o);
    this.#sub = o.width > LIMITS.width[0] ? feed(subSizeOf(o)) : undefined;
    const login = { realm: "Simulated camera", user, password, clock } as const;
    const strong = this.quirks.has("sha256-only");
    const decoys = this.quirks.has("many-challenges");
    this.#rtsp = new RtspServer({
      address,
      saidHost: this.#saidHost,
      feeds: { main: this.#main, ...(this.#sub === undefined ? {} : { sub: this.#sub }) },
      audio: this.audio,
      speaker: this.#speaker,
      tls: options.tls,
      gate: new DigestGate({
        ...login,
        quality: this.quirks.has("rtsp-qop"),
        algorithms: strong || decoys ? ["SHA-256"] : ["MD5"],
        oneTime: this.quirks.has("one-time-nonces"),
        odd: this.quirks.has("odd-challenge"),
        decoys,
      }),
      quirks: this.quirks,
      clock,
      log,
    });
    this.#events = new Events(this, clock);
    this.#onvif = new OnvifServer({
      address,
      tls: options.tls,
      operations: {
        tds: deviceOperations(this),
        ...(this.quirks.has("media2-only") ? {} : { trt: mediaOperations(this) }),
        tr2: media2Operations(this),
        tev: this.#events.operations(),
        ...this.#controlOperations(),
        wsnt: this.#events.subscriptionOperations(),
      },
      gate: new DigestGate({ ...login, quality: true, algorithms: strong ? ["SHA-256"] : ["MD5"] }),
      ...(this.motion === undefined ? {} : { snapshot: () => this.#main.snapshot() }),
      tokens: new TokenGate({ user, password, now: () => this.now() }),
      now: () => this.now(),
      quirks: this.quirks,
      log,
    });
  }

  get deviceUrl(): string {
    return this.#httpUrl(this.address, PATHS.device);
  }

  get rtspUrl(): string {
    return this.#rtsp.url(this.address, "main");
  }

  get subUrl(): string | undefined {
    return this.#sub === undefined ? undefined : this.#rtsp.url(this.address, "sub");
  }

  get streams(): Device["streams"] {
    const stream = (token: "main" | "sub", feed: Feed): DeviceStream => {
      const url = escapeXml(this.#rtsp.url(this.#saidHost, token));
      const told = this.quirks.has("ragged-uri") ? `\n        ${url.replaceAll("&", "&amp;")}\n      ` : url;
      return { token, feed, url: told };
    };
    return [stream("main", this.#main), ...(this.#sub === undefined ? [] : [stream("sub", this.#sub)])];
  }

  get httpPort(): number {
    return this.#onvif.port;
  }

  get rtspPort(): number {
    return this.#rtsp.port;
  }

  get connections(): number {
    return this.#rtsp.connections;
  }

  get sessions(): number {
    return this.#rtsp.sessions;
  }

  get requests(): number {
    return this.#onvif.requests;
  }

  get subscriptions(): number {
    return this.#events.created;
  }

  get subscribers(): number {
    return this.#events.points;
  }

  get heard(): Heard | undefined {
    return this.#speaker?.heard;
  }

  get talkedTo(): boolean {
    return this.#speaker?.taken === true;
  }

  now(): UnixMillis {
    return this.#main.now();
  }

  url(path: string): string {
    return this.#httpUrl(this.#saidHost, path);
  }

  setResolution(width: number, height: number): void {
    assertDrawable(width, height, this.#main.fps);
    this.#main.resize({ width, height });
  }

  sendGarbage(): void {
    this.#rtsp.sendGarbage();
  }

  async resume(): Promise<void> {
    const { httpPort, rtspPort, discoveryPort, address, clock, log } = this.#options;
    await this.#rtsp.listen(this.#rtsp.port || rtspPort);
    await this.#onvif.listen(this.#onvif.port || httpPort);
    if (this.quirks.has("changing-size")) this.#sizes = clock.every(SIZE_PERIOD_MS, () => this.#changeSize());
    if (discoveryPort === undefined) return;
    this.#discovery = await startDiscovery({
      address,
      port: discoveryPort,
      endpoint: this.endpoint,
      scopes: this.scopes,
      serviceUrl: this.url(PATHS.device),
      log,
    });
  }

  async pause(): Promise<void> {
    const discovery = this.#discovery;
    this.#discovery = undefined;
    this.#events.close();
    this.#sizes?.cancel();
    await Promise.all([this.#rtsp.close(), this.#onvif.close(), discovery?.close()]);
  }

  close(): Promise<void> {
    return this.pause();
  }

  #controlOperations(): Pick<OnvifOptions["operations"], "tptz" | "timg" | "tmd"> {
    if (this.motion === undefined || this.settable === undefined) return {};
    return {
      tptz: ptzOperations(this, this.motion),
      timg: imagingOperations(this.settable),
      tmd: IO_OPERATIONS,
    };
  }

  /** Where it looks, in the picture. */
  #note(): string {
    if (this.motion === undefined) return "";
    const { pan, tilt, zoom } = this.motion.position;
    return `${pan.toFixed(2)} ${tilt.toFixed(2)} ${zoom.toFixed(2)}`;
  }

  /** To the smallest that it can draw, and back. */
  #changeSize(): void {
    const { width = DEFAULTS.width, height = DEFAULTS.height } = this.#options;
    const small = this.#main.size.width === LIMITS.width[0];
    this.#main.resize(small ? { width, height } : { width: LIMITS.width[0], height: LIMITS.height[0] });
  }

  get #saidHost(): string {
    return this.quirks.has("wrong-host-uri") ? WRONG_HOST : this.address;
  }

  #httpUrl(host: string, path: string): string {
    const scheme = this.#options.tls === undefined ? "http" : "https";
    return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${this.#onvif.port}${path}`;
  }
}

/** As narrow as can be drawn, in the same proportions as far as there is room for the words. */
function subSizeOf({ width, height }: Size): Size {
  const [narrow, low] = [LIMITS.width[0], LIMITS.height[0]];
  return { width: narrow, height: Math.max(low, 2 * Math.round((height * narrow) / width / 2)) };
}

/** Cameras with consecutive addresses look different. */
function landscapeOf(address: string): number {
  return Number.parseInt(/([0-9a-f]+)$/i.exec(address)?.[1] ?? "0", 10) || 0;
}
