import type { ChallengeAnswerer } from "../../auth/scheme/http.ts";
import { plainAddress } from "../../base/address.ts";
import type { Timer } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { QuirkSeen } from "../../base/quirk.ts";
import { SECOND, type UnixMillis } from "../../base/units.ts";
import { type Headers, header } from "../wire/message.ts";
import { ONVIF_REPLAY } from "../wire/option-tags.ts";
import { printRange } from "../wire/range.ts";
import { RtspConnection } from "./connection.ts";
import { Conversation } from "./conversation.ts";
import { Incoming, type UpstreamEvents } from "./incoming.ts";
import { KeepAlive, keepAlivePeriod, methodsIn } from "./keepalive.ts";
import type { RtspQuirk } from "./known-quirks.ts";
import { Lanes } from "./lanes.ts";
import { type CarrierOptions, openCarrier } from "./open-carrier.ts";
import { expectOk, redirectOf } from "./refusal.ts";
import { readDescription, setUpTracks } from "./set-up.ts";

/** RFC 3550 6.2. Cameras exist that take nothing else as a sign of life (bluenviron/mediamtx#1403). */
const REPORT_PERIOD_MS = 5 * SECOND;
const WATCH_PERIOD_MS = SECOND;

/** `url`: `rtsp:` or `rtsps:`, without user information; its host is an IP address. */
export interface AttemptOptions extends CarrierOptions {
  readonly answerer: ChallengeAnswerer | undefined;
  readonly log: Log;
  readonly events: UpstreamEvents;
  readonly replay?: ReplayStretch;
  /** As {@link RtspConnection} asks it. */
  readonly paced?: (bytes: number) => Promise<void> | undefined;
}

/** What of a camera's own recording is to be sent, by the camera's clock. */
export interface ReplayStretch {
  readonly from: UnixMillis;
  readonly to: UnixMillis;
}

/** Parrot drones want a range (bluenviron/gortsplib a5856345). */
const LIVE: Headers = [["Range", "npt=0.000-"]];

/** As fast as the connection takes it (ONVIF Streaming 6.2 to 6.4). */
function replayHeaders({ from, to }: ReplayStretch): Headers {
  return [
    ["Require", ONVIF_REPLAY],
    ["Rate-Control", "no"],
    ["Range", printRange({ unit: "clock", from, to })],
  ];
}

/** One attempt at a session by one transport: a connection, what is asked on it, and what comes. */
export class Attempt {
  readonly #options: AttemptOptions;
  readonly #lanes: Lanes;
  readonly #incoming: Incoming;
  readonly #seen: QuirkSeen<RtspQuirk>;
  #connection: RtspConnection | undefined;
  #control = "";

  constructor(o: AttemptOptions) {
    this.#options = o;
    this.#seen = (name) => o.events.quirk?.(name);
    this.#lanes = new Lanes(o.transport, plainAddress(o.url.hostname) ?? "", this.#seen);
    this.#incoming = new Incoming({ ...o, failed: (fault) => this.#connection?.fail(fault) });
  }

  /** Resolves to the address that the camera redirects to; otherwise only by abortion, to undefined. */
  async run(): Promise<URL | undefined> {
    const { signal, clock, answerer, paced } = this.#options;
    const { channels } = this.#lanes;
    const carrier = await openCarrier(this.#options);
    const connection = new RtspConnection({
      carrier,
      clock,
      isChannel: (channel) => channels.has(channel),
      onPacket: (channel, packet) => channels.receive(channel, packet),
      seen: this.#seen,
      paced,
    });
    this.#connection = connection;
    this.#lanes.attach(connection, carrier.localAddress);
    const conversation = new Conversation(connection, answerer, this.#seen);
    const { promise: aborted, resolve } = Promise.withResolvers<undefined>();
    const stop = (): void => {
      // Told, for to ask a signal that follows others would cost more than the rest of what is done with a packet there.
      this.#incoming.mute();
      resolve(undefined);
    };
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const playing = this.#play(connection, conversation);
    // What fails after the abortion has nobody to tell.
    playing.catch(() => undefined);
    try {
      return await Promise.race([playing, aborted]);
    } finally {
      await conversation.teardown(this.#control, clock);
      // Up to here packets come, whatever ended the session.
      signal.removeEventListener("abort", stop);
      this.#lanes.close();
      this.#incoming.close();
      connection.fail(new Fault("unavailable", "the session is over"));
    }
  }

  async #play(connection: RtspConnection, conversation: Conversation): Promise<URL | undefined> {
    const { url, replay } = this.#options;
    const options = await conversation.ask("OPTIONS", url.href);
    const answer = await conversation.ask("DESCRIBE", url.href, [["Accept", "application/sdp"]]);
    if (answer.status >= 300 && answer.status < 400) return redirectOf(answer, url);
    expectOk("DESCRIBE", answer);
    const described = readDescription(answer, url, this.#seen);
    this.#control = described.control;
    await setUpTracks({
      ...this.#options,
      described,
      conversation,
      lanes: this.#lanes,
      incoming: this.#incoming,
      seen: this.#seen,
      ...(replay && { headers: [["Require", ONVIF_REPLAY]] }),
    });
    this.#incoming.begin();
    const played = await conversation.ask("PLAY", this.#control, replay === undefined ? LIVE : replayHeaders(replay));
    expectOk("PLAY", played);
    conversation.notePlay(played);
    this.#incoming.describe();
    return this.#attend(connection, conversation, methodsIn(header(options, "Public")));
  }

  /** Shows that we are there, and sees whether the camera is. Only rejects. */
  async #attend(
    connection: RtspConnection,
    conversation: Conversation,
    offered: ReadonlySet<string>,
  ): Promise<undefined> {
    const { clock } = this.#options;
    const periodMs = keepAlivePeriod(conversation.timeoutSeconds);
    const stalled = Promise.withResolvers<never>();
    const send = (method: string): Promise<number | undefined> => this.#signOfLife(conversation, method);
    const keepAlive = new KeepAlive({ clock, periodMs, offered, send, seen: this.#seen });
    const timers: readonly Timer[] = [
      clock.every(REPORT_PERIOD_MS, () => this.#incoming.report()),
      // The connection stays, so that the camera can be told that its session is over.
      clock.every(WATCH_PERIOD_MS, () => {
        const stall = this.#incoming.stall(periodMs);
        if (stall !== undefined) stalled.reject(stall);
      }),
    ];
    try {
      return await Promise.race([connection.ended, stalled.promise]);
    } finally {
      keepAlive.stop();
      for (const timer of timers) timer.cancel();
    }
  }

  async #signOfLife(conversation: Conversation, method: string): Promise<number | undefined> {
    try {
      const { status } = await conversation.ask(method, this.#control);
      this.#incoming.answered();
      return status;
    } catch (error) {
      if (this.#connection?.over === false) this.#seen("silent-keepalive");
      this.#options.log.debug({ err: asFault(error) }, "no answer to a sign of life");
      return undefined;
    }
  }
}
