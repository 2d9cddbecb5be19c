import type { Clock, Timer } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import { MINUTE, type Millis, type MonotonicMillis, SECOND } from "../../base/units.ts";
import type { CameraSide } from "../../net/sides.ts";
import { type CameraControls, readControls } from "../../onvif/client/controls.ts";
import { Conversation } from "../../onvif/client/conversation.ts";
import { fetchSnapshot } from "../../onvif/client/snapshot.ts";
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
import { controlFault } from "./control-fault.ts";
import { loginOf } from "./login.ts";
import { OwnTokens } from "./own-tokens.ts";

const LIMITS = {
  /** What a camera has changes with its settings at most. */
  knownMs: 10 * MINUTE,
  /** A camera that did not tell what it has may have been busy. */
  askAgainMs: MINUTE,
  /** How long a snapshot is as good as a new one. */
  snapshotMs: SECOND,
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
}

/** A camera that was adopted through ONVIF, as far as it can be controlled. */
export class CameraControlPort implements CameraControl {
  readonly #record: CameraRecord;
  readonly #options: ControlOptions;
  readonly #conversation: Conversation | undefined;
  readonly #presets: OwnTokens;
  readonly #io: OwnTokens;
  #found: CameraControls | undefined;
  #foundUntil = 0;
  #controls: Controls = NO_CONTROLS;
  #asking: Promise<CameraControls> | undefined;
  #notBefore: MonotonicMillis | undefined;
  /** Ends a continuous move. */
  #deadline: Timer | undefined;
  #picture: Promise<Buffer> | undefined;

  constructor(record: CameraRecord, options: ControlOptions) {
    this.#record = record;
    this.#options = options;
    this.#presets = new OwnTokens(`${record.id} preset`);
    this.#io = new OwnTokens(`${record.id} io`);
    const { deviceUrl, ip } = record;
    if (deviceUrl === undefined) return;
    this.#conversation = new Conversation({
      device: new URL(deviceUrl),
      ip,
      ...loginOf(record, options.ca),
      ...options,
    });
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
    const { ptz } = await this.#known();
    if (ptz === undefined) throw notSupported();
    const asked = { ...request, ProfileToken: ptz.profile } as { PresetToken?: string; Timeout?: Millis };
    if (asked.PresetToken !== undefined) asked.PresetToken = await this.#presetOf(asked.PresetToken, ptz.profile);
    const moveMs = Math.min(
      LONGEST_MOVE_MS,
      Math.max(0, asked.Timeout ?? ptz.configuration.DefaultPTZTimeout ?? LIMITS.moveMs),
    );
    if (operation === "ContinuousMove") {
      const { Min, Max } = ptz.options.PTZTimeout;
      asked.Timeout = Math.max(Min, Math.min(Max, moveMs));
      this.#stopAfter(moveMs, ptz.profile);
    } else if (MOVES.has(operation)) this.#deadline?.cancel();
    const answer = await this.#ask(PTZ, operation, asked as never);
    return this.#presets.inAnswer(answer) as ResponseOf<(typeof PTZ)["operations"][K]>;
  }

  async imaging<K extends ImagingOperation>(
    operation: K,
    request: ImagingRequest<K>,
  ): Promise<ResponseOf<(typeof IMAGING)["operations"][K]>> {
    const { imagingSource } = await this.#known();
    if (imagingSource === undefined) throw notSupported();
    return this.#ask(IMAGING, operation, { ...request, VideoSourceToken: imagingSource } as never);
  }

  async setRelay(token: string, state: "active" | "inactive"): Promise<void> {
    await this.#known();
    const relay = this.#io.cameras(token);
    if (relay === undefined) throw new Fault("not-found", `no relay ${token}`);
    await this.#ask(DEVICE, "SetRelayOutputState", { RelayOutputToken: relay, LogicalState: state });
  }

  snapshot(): Promise<Buffer> {
    // One question at a time and a second, whoever asks: a crowd of clients costs the camera no more than one.
    if (this.#picture === undefined) {
      const picture = this.#fetch();
      this.#picture = picture;
      const age = (): void => {
        this.#options.clock.after(LIMITS.snapshotMs, () => {
          this.#picture = undefined;
        });
      };
      picture.then(age, age);
    }
    return this.#picture;
  }

  /** Stops what was set moving. */
  async close(): Promise<void> {
    if (this.#deadline === undefined || this.#found?.ptz === undefined) return;
    this.#deadline.cancel();
    await this.#stop(this.#found.ptz.profile);
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
        stream: new URL(streams[0].url),
        log,
      });
      this.#found = found;
      this.#foundUntil = clock.monotonic() + LIMITS.knownMs;
      this.#controls = this.#projected(found);
      return found;
    } catch (error) {
      this.#notBefore = (clock.monotonic() + LIMITS.askAgainMs) as MonotonicMillis;
      log.info({ err: asFault(error) }, "the camera does not say what of it can be controlled");
      throw controlFault(error);
    }
  }

  #projected({ ptz, imagingSource, relays, inputs, snapshot }: CameraControls): Controls {
    this.#io.learn([...relays, ...inputs].map(({ token }) => token));
    const own = <T extends { readonly token: string }>(one: T): T => ({ ...one, token: this.#io.own(one.token) });
    return {
      ptz: ptz && {
        configuration: { ...ptz.configuration, token: "", NodeToken: "" },
        node: { ...ptz.node, token: "" },
        options: ptz.options,
      },
      imaging: imagingSource !== undefined,
      relays: relays.map(own),
      inputs: inputs.map(own),
      snapshot: snapshot !== undefined,
    };
  }

  async #presetOf(token: string, profile: string): Promise<string> {
    if (this.#presets.cameras(token) === undefined)
      this.#presets.inAnswer(await this.#ask(PTZ, "GetPresets", { ProfileToken: profile }));
    const preset = this.#presets.cameras(token);
    if (preset === undefined)
      throw new SoapFault("not-found", "Sender", ["InvalidArgVal", "NoToken"], "There is no such preset");
    return preset;
  }

  #stopAfter(moveMs: Millis, profile: string): void {
    this.#deadline?.cancel();
    this.#deadline = this.#options.clock.after(moveMs, () => {
      this.#deadline = undefined;
      void this.#stop(profile);
    });
  }

  async #stop(profile: string): Promise<void> {
    try {
      await this.#ask(PTZ, "Stop", { ProfileToken: profile, PanTilt: true, Zoom: true });
    } catch (err) {
      this.#options.log.warn({ err: asFault(err) }, "the camera could not be told to stop moving");
    }
  }

  async #fetch(): Promise<Buffer> {
    const { snapshot } = await this.#known();
    if (snapshot === undefined) throw notSupported();
    try {
      return await fetchSnapshot({ url: snapshot, ...loginOf(this.#record, this.#options.ca), ...this.#options });
    } catch (error) {
      throw controlFault(error);
    }
  }

  readonly #ask: Conversation["ask"] = async (table, operation, request) => {
    try {
      if (this.#conversation === undefined) throw notSupported();
      return await this.#conversation.ask(table, operation, request);
    } catch (error) {
      throw controlFault(error);
    }
  };
}

/** What ends a continuous move by another one, or by standing still. */
const MOVES: ReadonlySet<PtzOperation> = new Set([
  "Stop",
  "AbsoluteMove",
  "RelativeMove",
  "GotoPreset",
  "GotoHomePosition",
]);

function notSupported(): SoapFault {
  return new SoapFault("invalid", "Receiver", ["ActionNotSupported"], "The camera does not have this");
}

function silent(): Fault {
  return new Fault("unavailable", "the camera did not say what it has a moment ago", {
    tell: "the camera does not answer",
  });
}
