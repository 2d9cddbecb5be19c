import { ChallengeAnswerer, type Credentials } from "../../auth/scheme/http.ts";
import { plainAddress } from "../../base/address.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import { SECOND } from "../../base/units.ts";
import { type MediaDescription, parseSdp } from "../../media/sdp.ts";
import { TalkQueue } from "../../media/talk-queue.ts";
import type { Track } from "../../media/track.ts";
import type { CameraSide } from "../../net/sides.ts";
import type { CameraTls } from "../../net/tcp.ts";
import { type Headers, header } from "../wire/message.ts";
import { BACK_CHANNEL } from "../wire/option-tags.ts";
import type { UpstreamTransport } from "../wire/transport.ts";
import type { Carrier } from "./carrier.ts";
import { RtspConnection } from "./connection.ts";
import { Conversation } from "./conversation.ts";
import { dialRtsp } from "./dial-rtsp.ts";
import { KeepAlive, keepAlivePeriod } from "./keepalive.ts";
import type { Lane } from "./lane.ts";
import { Lanes } from "./lanes.ts";
import { baseOf, joinControl } from "./quirks.ts";
import { expectOk, mayBeTransport } from "./refusal.ts";
import { setUpLane } from "./set-up.ts";

/** RFC 3550 6.2. */
const REPORT_PERIOD_MS = 5 * SECOND;

const REQUIRE: Headers = [["Require", BACK_CHANNEL]];

export interface SpeakerOptions {
  /** The camera's stream: `rtsp:` or `rtsps:`, without user information; its host is an IP address. */
  readonly url: URL;
  readonly credentials?: Credentials;
  readonly tls?: CameraTls;
  readonly side: CameraSide;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends what is being asked, or the session. */
  readonly signal: AbortSignal;
}

/**
 * What a camera's speaker takes, by a question on a connection of its own; undefined where it has none. Never asked on the
 * connection of the picture: there are cameras that break it off then (AlexxIT/go2rtc pkg/rtsp/README.md, "backchannel").
 * Faults: those of dialing and asking, `invalid`.
 */
export async function describeSpeaker(o: SpeakerOptions): Promise<Track | undefined> {
  const asking = await Speaker.dial(o, "tcp");
  try {
    return (await asking.describe())?.track;
  } finally {
    await asking.close();
  }
}

/** A running session with a camera's speaker. */
export interface TalkSession {
  /** An RTP packet of the talker. */
  push(packet: Buffer): void;
  /** Rejects when the camera ends it. */
  readonly ended: Promise<never>;
  /** With a TEARDOWN. */
  close(): Promise<void>;
}

/**
 * Opens a session that has the camera's speaker and nothing else: inside the RTSP connection, or over UDP where the camera
 * refuses that; over TLS never. Faults: `not-found` (no speaker), those of {@link pull}.
 */
export async function openTalk(o: SpeakerOptions): Promise<TalkSession> {
  const transports: readonly UpstreamTransport[] = o.url.protocol === "rtsps:" ? ["tcp"] : ["tcp", "udp"];
  for (const transport of transports) {
    const speaker = await Speaker.dial(o, transport);
    try {
      await speaker.open();
      return speaker;
    } catch (error) {
      await speaker.close();
      if (!mayBeTransport(error) || transport === transports.at(-1)) throw asFault(error);
      o.log.info({ err: error }, "the speaker is tried by another transport");
    }
  }
  throw new Fault("internal", "no transport");
}

/** What a camera does oddly shows in the session of its picture, too. */
function unseen(): void {}

/** One connection to a camera, for its speaker alone. */
class Speaker implements TalkSession {
  readonly ended: Promise<never>;
  readonly #options: SpeakerOptions;
  readonly #transport: UpstreamTransport;
  readonly #connection: RtspConnection;
  readonly #conversation: Conversation;
  readonly #lanes: Lanes;
  readonly #timers: Timer[] = [];
  #control: string;
  #keepAlive: KeepAlive | undefined;
  #queue: TalkQueue | undefined;
  #closing: Promise<void> | undefined;

  static async dial(o: SpeakerOptions, transport: UpstreamTransport): Promise<Speaker> {
    const carrier = await dialRtsp(o.url, o);
    return new Speaker(o, transport, carrier);
  }

  private constructor(o: SpeakerOptions, transport: UpstreamTransport, carrier: Carrier) {
    this.#options = o;
    this.#transport = transport;
    this.#control = o.url.href;
    this.#lanes = new Lanes(transport, plainAddress(o.url.hostname) ?? "", unseen);
    const { channels } = this.#lanes;
    this.#connection = new RtspConnection({
      carrier,
      clock: o.clock,
      isChannel: (channel) => channels.has(channel),
      onPacket: (channel, packet) => channels.receive(channel, packet),
      seen: unseen,
    });
    this.#lanes.attach(this.#connection, carrier.localAddress);
    const allowBasic = o.url.protocol === "rtsps:";
    const answerer = o.credentials && new ChallengeAnswerer(o.credentials, { allowBasic });
    this.#conversation = new Conversation(this.#connection, answerer, unseen);
    this.ended = this.#connection.ended;
    o.signal.addEventListener("abort", this.#abort, { once: true });
    if (o.signal.aborted) this.#abort();
  }

  /** The section of the description that is for sound towards the camera (ONVIF Streaming 5.3.2). */
  async describe(): Promise<MediaDescription | undefined> {
    const { url } = this.#options;
    const answer = await this.#conversation.ask("DESCRIBE", url.href, [["Accept", "application/sdp"], ...REQUIRE]);
    // What it cannot do (551), and what it may have against the question besides.
    if (answer.status >= 300) return undefined;
    const { control, media } = parseSdp(answer.body.toString("utf8"));
    const base = baseOf([header(answer, "Content-Base"), header(answer, "Content-Location")], url, unseen);
    this.#control = joinControl(base, control, url, unseen);
    // A camera that marks everything so means what it sends (bluenviron/mediamtx#5074).
    if (media.every(({ direction }) => direction === "sendonly")) return undefined;
    return media.find(({ direction, track }) => direction === "sendonly" && track.kind === "audio");
  }

  async open(): Promise<void> {
    const { clock, url } = this.#options;
    const media = await this.describe();
    if (media === undefined)
      throw new Fault("not-found", "the camera describes no speaker", { tell: "the camera has no speaker" });
    const lane = await setUpLane(
      media,
      // Its reports; that the connection stands is enough.
      () => undefined,
      {
        url,
        control: this.#control,
        transport: this.#transport,
        conversation: this.#conversation,
        lanes: this.#lanes,
        seen: unseen,
      },
      REQUIRE,
    );
    const played = await this.#conversation.ask("PLAY", this.#control, REQUIRE);
    expectOk("PLAY", played);
    // Nobody would stop what begins below.
    if (this.#closing !== undefined) throw new Fault("unavailable", "the talk was called off");
    this.#conversation.notePlay(played);
    this.#queue = new TalkQueue({ clock, track: media.track, send: (packet) => this.#send(lane, packet) });
    this.#timers.push(clock.every(REPORT_PERIOD_MS, () => this.#report(lane)));
    this.#keepAlive = new KeepAlive({
      clock,
      periodMs: keepAlivePeriod(this.#conversation.timeoutSeconds),
      offered: new Set(["GET_PARAMETER"]),
      send: (method) => this.#signOfLife(method),
      seen: unseen,
    });
  }

  push(packet: Buffer): void {
    this.#queue?.push(packet);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock, signal } = this.#options;
    signal.removeEventListener("abort", this.#abort);
    this.#keepAlive?.stop();
    for (const timer of this.#timers) timer.cancel();
    this.#queue?.close();
    await this.#conversation.teardown(this.#control, clock, REQUIRE);
    this.#lanes.close();
    this.#connection.fail(new Fault("unavailable", "the talk is over"));
  }

  readonly #abort = (): void => void this.close();

  #send(lane: Lane, packet: Buffer): void {
    // The first report says how the talker's clock goes from the beginning on.
    if (this.#queue?.packets === 1) this.#report(lane);
    lane.send(packet);
  }

  #report(lane: Lane): void {
    const report = this.#queue?.report();
    if (report !== undefined) lane.report(report);
  }

  async #signOfLife(method: string): Promise<number | undefined> {
    try {
      return (await this.#conversation.ask(method, this.#control)).status;
    } catch {
      // Whether the connection stands decides.
      return undefined;
    }
  }
}
