import type { Clock, Timer } from "../../base/clock.ts";
import type { QuirkSeen } from "../../base/quirk.ts";
import { type Millis, SECOND } from "../../base/units.ts";
import type { RtspQuirk } from "./known-quirks.ts";

const LIMITS = {
  /** RFC 2326 12.37: the time-out of a session whose server names none. */
  defaultMs: 60 * SECOND,
  /** A camera that asks for more is broken; one that asks for less often does not mean it. */
  shortestMs: SECOND,
  longestMs: 30 * SECOND,
};

/** How often to show that we are there, for a session with this time-out (undefined or 0: none was named). */
export function keepAlivePeriod(timeoutSeconds: number | undefined): Millis {
  const timeoutMs = timeoutSeconds === undefined || timeoutSeconds === 0 ? LIMITS.defaultMs : timeoutSeconds * SECOND;
  return Math.min(LIMITS.longestMs, Math.max(LIMITS.shortestMs, timeoutMs / 2));
}

/** The methods in a `Public` header (RFC 2326 10.1). */
export function methodsIn(value: string | undefined): ReadonlySet<string> {
  return new Set((value ?? "").split(",").map((method) => method.trim().toUpperCase()));
}

/**
 * Shows the camera at half of its time-out that we are there: with GET_PARAMETER where it offers that, else with OPTIONS, and
 * with OPTIONS from then on where GET_PARAMETER is refused (AlexxIT/go2rtc#2409). A missing answer means nothing, for there
 * are cameras that answer no sign of life (bluenviron/mediamtx#842): whether the stream flows decides.
 */
export class KeepAlive {
  readonly #send: (method: string) => Promise<number | undefined>;
  readonly #seen: QuirkSeen<RtspQuirk>;
  readonly #timer: Timer;
  #method: "GET_PARAMETER" | "OPTIONS";

  /** `send` resolves to the status of the answer, to undefined where there is none, and never rejects. */
  constructor(o: {
    readonly clock: Clock;
    readonly periodMs: Millis;
    readonly offered: ReadonlySet<string>;
    readonly send: (method: string) => Promise<number | undefined>;
    readonly seen: QuirkSeen<RtspQuirk>;
  }) {
    this.#send = o.send;
    this.#seen = o.seen;
    this.#method = o.offered.has("GET_PARAMETER") ? "GET_PARAMETER" : "OPTIONS";
    this.#timer = o.clock.every(o.periodMs, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    const status = await this.#send(this.#method);
    if (status === undefined || status < 400 || status === 401) return;
    if (this.#method === "GET_PARAMETER") this.#seen("no-get-parameter");
    this.#method = "OPTIONS";
  }

  stop(): void {
    this.#timer.cancel();
  }
}
