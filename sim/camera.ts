import type { Timer } from "../base/clock.ts";
import { SECOND, type UnixMillis } from "../base/units.ts";
import { UPSTREAM_TRANSPORTS } from "../rtsp/wire/transport.ts";
import { escapeXml } from "../wsdl/xml.ts";
import { feedsOf } from "./camera-feeds.ts";
import { identityOf } from "./camera-identity.ts";
import type { SimCamera, SimCameraOptions } from "./camera-options.ts";
import type { Device, DeviceStream, Settable } from "./device.ts";
import { DigestGate } from "./digest.ts";
import { startDiscovery } from "./discovery.ts";
import { assertDrawable, SMALLEST } from "./drawable.ts";
import type { Feed } from "./feed.ts";
import { Motion } from "./motion.ts";
import { type OnvifOptions, OnvifServer, PATHS } from "./onvif.ts";
import { cardOperations } from "./onvif-card.ts";
import { deviceOperations } from "./onvif-device.ts";
import { Events } from "./onvif-events.ts";
import { IO_OPERATIONS, imagingOperations } from "./onvif-io.ts";
import { media2Operations, mediaOperations } from "./onvif-media.ts";
import { ptzOperations } from "./onvif-ptz.ts";
import type { Quirk } from "./quirks.ts";
import { RtspServer } from "./rtsp-server.ts";
import { recordedBeside } from "./rtsp-target.ts";
import { TokenGate } from "./soap.ts";
import { type Heard, Speaker } from "./speaker.ts";

const DEFAULTS = { width: 640, height: 360, fps: 15 };
const SIZE_PERIOD_MS = 10 * SECOND;
/** An address that leads nowhere (RFC 5737). */
const WRONG_HOST = "198.51.100.77";

/** Starts one. Fault `invalid` for sizes and rates that it cannot draw. */
export async function startSimCamera(options: SimCameraOptions): Promise<SimCamera> {
  const { width, height, fps } = { ...DEFAULTS, ...options };
  assertDrawable({ width, height }, fps);
  const camera = new Camera(options, { width, height, fps });
  try {
    await camera.resume();
  } catch (error) {
    await camera.close();
    throw error;
  }
  return camera;
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
    const { serial, mac, endpoint, scopes, groups } = identityOf(name, address);
    this.serial = serial;
    this.mac = mac;
    this.endpoint = endpoint;
    this.scopes = scopes;
    const feeds = feedsOf({ ...options, size: o, fps: o.fps, quirks: this.quirks, note: () => this.#note() });
    this.#main = feeds.main;
    this.#sub = feeds.sub;
    const login = { realm: "Simulated camera", user, password, clock } as const;
    const strong = this.quirks.has("sha256-only");
    const decoys = this.quirks.has("many-challenges");
    this.#rtsp = new RtspServer({
      address,
      saidHost: this.#saidHost,
      feeds,
      audio: this.audio,
      card: options.card ?? false,
      speaker: this.#speaker,
      transports: new Set(options.transports ?? UPSTREAM_TRANSPORTS),
      groups,
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
        ...(options.card === undefined || options.card === false ? {} : cardOperations(this)),
        wsnt: this.#events.subscriptionOperations(),
      },
      gate: new DigestGate({ ...login, quality: true, algorithms: strong ? ["SHA-256"] : ["MD5"] }),
      ...(this.motion === undefined ? {} : { snapshot: () => this.#main.snapshot() }),
      tokens: new TokenGate({ user, password, now: () => this.now() }),
      now: () => this.now(),
      first: this.#rtsp.first,
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
      return { token, feed, url: told, group: this.#rtsp.groupOf(token) };
    };
    return [stream("main", this.#main), ...(this.#sub === undefined ? [] : [stream("sub", this.#sub)])];
  }

  get card(): Device["card"] {
    const { card = false } = this.#options;
    if (card === false) return undefined;
    return this.streams
      .filter(({ token }) => token === "main" || card === "both")
      .map((stream) => {
        const shown = this.quirks.has("replays-the-main-stream") ? "main" : stream.token;
        return {
          stream,
          from: stream.feed.beganAt,
          url: recordedBeside(this.#rtsp.url(this.#saidHost, "main"), shown),
        };
      });
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
    assertDrawable({ width, height }, this.#main.fps);
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
    this.#main.resize(this.#main.size.width === SMALLEST.width ? { width, height } : SMALLEST);
  }

  get #saidHost(): string {
    return this.quirks.has("wrong-host-uri") ? WRONG_HOST : this.address;
  }

  #httpUrl(host: string, path: string): string {
    const scheme = this.#options.tls === undefined ? "http" : "https";
    return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${this.#onvif.port}${path}`;
  }
}
