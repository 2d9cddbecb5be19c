import type { Credentials } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import { MINUTE, type MonotonicMillis } from "../../base/units.ts";
import type { CameraSide } from "../../net/sides.ts";
import type { CameraTls } from "../../net/tcp.ts";
import { escapeXml } from "../../wsdl/xml.ts";
import { Caller } from "./caller.ts";
import { readServices } from "./camera.ts";
import { readClock } from "./clock.ts";
import { profileOfStream } from "./media.ts";

/** After a failure: a camera that refuses a log-in must not be asked until it locks the account. */
const RETRY_MS = 10 * MINUTE;

export interface SyncPointOptions {
  /** The camera's device service, at `ip`. */
  readonly device: URL;
  /** The stream, as the camera told its address. */
  readonly stream: URL;
  /** The only address that is dialed. */
  readonly ip: string;
  readonly credentials?: Credentials;
  readonly tls?: CameraTls;
  readonly side: CameraSide;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends what is being asked. */
  readonly signal: AbortSignal;
}

/** Asks a camera through ONVIF for a key frame of one stream (Media2 5.7, Media 5.16: SetSynchronizationPoint). */
export class SyncPoint {
  readonly #options: SyncPointOptions;
  #profile: Awaited<ReturnType<typeof profileOfStream>>;
  #asking = false;
  #notBefore: MonotonicMillis | undefined;

  constructor(options: SyncPointOptions) {
    this.#options = options;
  }

  /** Asks, unless the camera is being asked already or has failed lately. How it ends shows in the stream, and in the log. */
  ask(): void {
    const { clock, log, signal } = this.#options;
    if (this.#asking || signal.aborted || clock.monotonic() < (this.#notBefore ?? 0)) return;
    this.#asking = true;
    this.#ask()
      .catch((error: unknown) => {
        this.#profile = undefined;
        this.#notBefore = (clock.monotonic() + RETRY_MS) as MonotonicMillis;
        if (!signal.aborted) log.info({ err: asFault(error) }, "the camera cannot be asked for a key frame");
      })
      .finally(() => {
        this.#asking = false;
      });
  }

  async #ask(): Promise<void> {
    const { device, stream, ip } = this.#options;
    const caller = new Caller(this.#options);
    const offset = await readClock(caller, { url: device, prefix: "tds", operation: "GetSystemDateAndTime" });
    caller.login.clockOffsetMs = offset ?? caller.login.clockOffsetMs;
    // Its profiles may be others after a change in its settings: they are looked up anew after a failure.
    this.#profile ??= await profileOfStream(caller, await readServices(caller, device, ip), { ip, stream });
    if (this.#profile === undefined) throw new Fault("not-found", "no profile has this stream");
    const { prefix, url, token } = this.#profile;
    const content = `<${prefix}:ProfileToken>${escapeXml(token)}</${prefix}:ProfileToken>`;
    await caller.call({ url, prefix, operation: "SetSynchronizationPoint", content });
  }
}
