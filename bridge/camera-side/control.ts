import type { Clock } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import { MINUTE, type MonotonicMillis, SECOND } from "../../base/units.ts";
import type { VideoChange, VideoSettings } from "../../media/video-settings.ts";
import type { CameraSide } from "../../net/sides.ts";
import { type CameraControls, readControls } from "../../onvif/client/controls.ts";
import { Conversation } from "../../onvif/client/conversation.ts";
import { readEncoder, writeEncoder } from "../../onvif/client/encoder.ts";
import { SoapFault } from "../../wsdl/envelope.ts";
import type { ResponseOf } from "../../wsdl/service.ts";
import { DEVICE } from "../../wsdl/tables/tds.ts";
import { IMAGING } from "../../wsdl/tables/timg.ts";
import { PTZ } from "../../wsdl/tables/tptz.ts";
import {
  type CameraControl,
  type Controls,
  type ImagingOperation,
  type ImagingRequest,
  LONGEST_MOVE_MS,
  NO_CONTROLS,
  type PtzOperation,
  type PtzRequest,
} from "../camera-control.ts";
import type { CameraRecord } from "../camera-store.ts";
import { CameraPicture } from "./camera-picture.ts";
import { controlFault, notSupported } from "./control-fault.ts";
import { loginOf } from "./login.ts";
import { MoveEnd } from "./move-end.ts";
import { endsMove, type MoveRequest } from "./move-request.ts";
import { OwnTokens } from "./own-tokens.ts";
import { PlaceTokens, tourOfCamera } from "./place-tokens.ts";

const LIMITS = {
  /** What a camera has changes with its settings at most. */
  knownMs: 10 * MINUTE,
  /** A camera that did not tell what it has may have been busy. */
  askAgainMs: MINUTE,
  /** How long a continuous move lasts where neither the client nor the camera says it. */
  moveMs: 10 * SECOND,
} as const;

export interface ControlOptions {
  readonly side: CameraSide;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the site's own authority, PEM. */
  readonly ca: string | undefined;
  /** Ends what is being asked. */
  readonly signal: AbortSignal;
  /** Has a stream described anew. Resolves when it flows again, or can be waited for no longer. */
  readonly renew: (stream: string) => Promise<void>;
}

/** A camera that was adopted through ONVIF, as far as it can be controlled. */
export class CameraControlPort implements CameraControl {
  readonly #record: CameraRecord;
  readonly #options: ControlOptions;
  readonly #conversation: Conversation | undefined;
  readonly #places: PlaceTokens;
  readonly #io: OwnTokens;
  #found: CameraControls | undefined;
  #foundUntil = 0;
  #controls: Controls = NO_CONTROLS;
  /** By stream, how it was encoded at first. */
  readonly #first = new Map<string, VideoSettings>();
  #asking: Promise<CameraControls> | undefined;
  #notBefore: MonotonicMillis | undefined;
  readonly #moveEnd: MoveEnd;
  readonly #picture: CameraPicture;

  constructor(record: CameraRecord, options: ControlOptions) {
    this.#record = record;
    this.#options = options;
    this.#moveEnd = new MoveEnd({ clock: options.clock, stop: (profile) => this.#stop(profile) });
    const asking = { ...loginOf(record, options.ca), ...options };
    this.#picture = new CameraPicture(asking, async () => (await this.#known()).snapshot);
    this.#places = new PlaceTokens(record.id);
    this.#io = new OwnTokens(`${record.id} io`);
    const { deviceUrl, ip } = record;
    if (deviceUrl === undefined) return;
    this.#conversation = new Conversation({ ...asking, device: new URL(deviceUrl), ip });
  }

  get controls(): Controls {
    return this.#controls;
  }

  /** Finds out what there is, in the background, and anew after a while: it may have changed while the camera was away. */
  look(): void {
    if (this.#found !== undefined && this.#options.clock.monotonic() < this.#foundUntil) return;
    this.#found = undefined;
    // Who wants to control it learns why that is not possible.
    this.#known().catch(() => undefined);
  }

  async ptz<K extends PtzOperation>(
    operation: K,
    request: PtzRequest<K>,
  ): Promise<ResponseOf<(typeof PTZ)["operations"][K]>> {
    try {
      return await this.#move(operation, request);
    } catch (error) {
      if (operation === "Stop") this.#moveEnd.missed();
      throw error;
    }
  }

  async imaging<K extends ImagingOperation>(
    operation: K,
    request: ImagingRequest<K>,
  ): Promise<ResponseOf<(typeof IMAGING)["operations"][K]>> {
    const { imagingSource } = await this.#known();
    if (imagingSource === undefined) throw notSupported();
    return this.#ask(IMAGING, operation, { ...request, VideoSourceToken: imagingSource } as never);
  }

  async setEncoder(stream: string, change: VideoChange): Promise<void> {
    const found = await this.#known();
    const index = this.#record.streams.findIndex(({ name }) => name === stream);
    const place = found.encoders[index];
    if (place === undefined || this.#conversation === undefined) throw notSupported();
    try {
      await writeEncoder(this.#conversation, place, change);
      // What came of it: a camera may have adapted the change.
      const encoder = { ...place, ...(await readEncoder(this.#conversation, place)) };
      this.#know({ ...found, encoders: found.encoders.with(index, encoder) });
    } catch (error) {
      throw controlFault(error);
    }
    await this.#options.renew(stream);
  }

  async setRelay(token: string, state: "active" | "inactive"): Promise<void> {
    await this.#known();
    const relay = this.#io.cameras(token);
    if (relay === undefined) throw new Fault("not-found", `no relay ${token}`);
    await this.#ask(DEVICE, "SetRelayOutputState", { RelayOutputToken: relay, LogicalState: state });
  }

  snapshot(): Promise<Buffer> {
    return this.#picture.get();
  }

  /** Stops what was set moving. */
  close(): Promise<void> {
    return this.#moveEnd.close();
  }

  /** What a camera without ONVIF has is nothing. */
  #known(): Promise<CameraControls> {
    const conversation = this.#conversation;
    if (conversation === undefined) return Promise.reject(notSupported());
    if (this.#found !== undefined) return Promise.resolve(this.#found);
    const { clock } = this.#options;
    if (this.#asking === undefined) {
      if (clock.monotonic() < (this.#notBefore ?? 0)) return Promise.reject(silent());
      this.#asking = this.#find(conversation).finally(() => {
        this.#asking = undefined;
      });
    }
    return this.#asking;
  }

  async #find(conversation: Conversation): Promise<CameraControls> {
    const { clock, log } = this.#options;
    const { ip, streams, deviceUrl = "" } = this.#record;
    try {
      const found = await readControls(conversation, {
        device: new URL(deviceUrl),
        ip,
        streams: streams.map(({ url }) => new URL(url)),
        log,
      });
      this.#know(found);
      this.#foundUntil = clock.monotonic() + LIMITS.knownMs;
      return found;
    } catch (error) {
      this.#notBefore = (clock.monotonic() + LIMITS.askAgainMs) as MonotonicMillis;
      log.info({ err: asFault(error) }, "the camera does not say what of it can be controlled");
      throw controlFault(error);
    }
  }

  #know(found: CameraControls): void {
    this.#found = found;
    this.#controls = this.#projected(found);
  }

  #projected({ ptz, imagingSource, encoders, relays, inputs, snapshot }: CameraControls): Controls {
    this.#io.learn([...relays, ...inputs].map(({ token }) => token));
    const own = <T extends { readonly token: string }>(one: T): T => ({ ...one, token: this.#io.own(one.token) });
    return {
      ptz: ptz && {
        configuration: { ...ptz.configuration, token: "", NodeToken: "" },
        node: { ...ptz.node, token: "" },
        options: ptz.options,
      },
      imaging: imagingSource !== undefined,
      encoders: new Map(
        this.#record.streams.flatMap(({ name }, index) => {
          const encoder = encoders[index];
          if (encoder === undefined) return [];
          const { settings, choices } = encoder;
          const first = this.#first.get(name) ?? settings;
          this.#first.set(name, first);
          return [[name, { settings, choices, first }]];
        }),
      ),
      relays: relays.map(own),
      inputs: inputs.map(own),
      snapshot: snapshot !== undefined,
    };
  }

  /** The camera's token behind one of ours, which a client may have kept from before the bridge was started. */
  async #placeOf(kind: "presets" | "tours", token: string, profile: string): Promise<string> {
    const tokens = this.#places[kind];
    if (tokens.cameras(token) === undefined) {
      const list = kind === "presets" ? "GetPresets" : "GetPresetTours";
      this.#places.inAnswer(await this.#ask(PTZ, list, { ProfileToken: profile }));
    }
    const found = tokens.cameras(token);
    if (found === undefined)
      throw new SoapFault(
        "not-found",
        "Sender",
        ["InvalidArgVal", "NoToken"],
        `There is none of that among the ${kind}`,
      );
    return found;
  }

  async #move<K extends PtzOperation>(
    operation: K,
    request: PtzRequest<K>,
  ): Promise<ResponseOf<(typeof PTZ)["operations"][K]>> {
    const { ptz } = await this.#known();
    if (ptz === undefined) throw notSupported();
    const asked: MoveRequest = { ...request, ProfileToken: ptz.profile };
    const { profile } = ptz;
    if (asked.PresetToken !== undefined) asked.PresetToken = await this.#placeOf("presets", asked.PresetToken, profile);
    if (asked.PresetTourToken !== undefined)
      asked.PresetTourToken = await this.#placeOf("tours", asked.PresetTourToken, profile);
    if (asked.PresetTour !== undefined)
      asked.PresetTour = await tourOfCamera(asked.PresetTour, (kind, token) => this.#placeOf(kind, token, profile));
    const ask = () => this.#ask(PTZ, operation, asked as never, { urgent: operation === "Stop" });
    let answer: object;
    if (operation === "ContinuousMove") {
      const wantedMs = asked.Timeout ?? ptz.configuration.DefaultPTZTimeout ?? LIMITS.moveMs;
      const moveMs = Math.min(LONGEST_MOVE_MS, Math.max(0, wantedMs));
      const { Min, Max } = ptz.options.PTZTimeout;
      asked.Timeout = Math.max(Min, Math.min(Max, moveMs));
      answer = await this.#moveEnd.begin(moveMs, profile, ask);
    } else {
      answer = await ask();
      if (endsMove(operation, asked)) this.#moveEnd.over();
    }
    return this.#places.inAnswer(answer) as ResponseOf<(typeof PTZ)["operations"][K]>;
  }

  async #stop(profile: string): Promise<boolean> {
    try {
      await this.#ask(PTZ, "Stop", { ProfileToken: profile, PanTilt: true, Zoom: true }, { urgent: true });
      return true;
    } catch (err) {
      this.#options.log.warn({ err: asFault(err) }, "the camera could not be told to stop moving");
      return false;
    }
  }

  readonly #ask: Conversation["ask"] = async (table, operation, request, how) => {
    try {
      if (this.#conversation === undefined) throw notSupported();
      return await this.#conversation.ask(table, operation, request, how);
    } catch (error) {
      throw controlFault(error);
    }
  };
}

function silent(): Fault {
  return new Fault("unavailable", "the camera did not say what it has a moment ago", {
    tell: "the camera does not answer",
  });
}
