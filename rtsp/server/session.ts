import { randomBytes } from "node:crypto";
import { Fault } from "../../base/fault.ts";
import type { UnixMillis } from "../../base/units.ts";
import { wantsKey } from "../../media/rtcp.ts";
import type { Track } from "../../media/track.ts";
import { header, type Request } from "../wire/message.ts";
import type { Range } from "../wire/range.ts";
import { ALL_FRAMES, parseManner, type ReplayManner } from "../wire/replay.ts";
import type { TransportSpec } from "../wire/transport.ts";
import type { RequestAddress } from "./address.ts";
import { BytePace } from "./byte-pace.ts";
import { isWithheld } from "./description.ts";
import type { LivePresentation, Presentation, RecordedPresentation } from "./host.ts";
import { agreeOnKeys, type KeyOffer } from "./key-management.ts";
import type { Lane } from "./lane.ts";
import { LivePlayer } from "./live-player.ts";
import { multicastPorts } from "./multicast.ts";
import { Outlet } from "./outlet.ts";
import type { Player } from "./player.ts";
import { ReplayPlayer } from "./replay-player.ts";
import { RtspFault } from "./reply.ts";
import { assertHas, type Required } from "./required.ts";
import { SentNumbers } from "./sent-numbers.ts";
import type { PlayRequest, SessionOptions } from "./session-options.ts";
import { SessionTalk } from "./session-talk.ts";
import { next, type State } from "./state.ts";
import { stretchOf } from "./stretch.ts";
import { chooseTransport } from "./transport.ts";
import { GroupWriter } from "./writer.ts";

const USUAL_MANNER: ReplayManner = { scale: 1, speed: 1, rateControl: true, frames: ALL_FRAMES };

/** One client's session with one presentation (RFC 2326 3.4): which tracks it set up, and whether it plays. */
export class RtspSession {
  /** Cannot be guessed. */
  readonly id = randomBytes(16).toString("hex");
  readonly address: RequestAddress;
  readonly accountId: string;
  readonly accountName: string;
  readonly #options: SessionOptions;
  readonly #lanes = new Map<number, Lane>();
  readonly #outlet: Outlet;
  #state: State = "init";
  #player: Player | undefined;
  #replayed = false;
  readonly #numbers = new SentNumbers();
  /** Where PAUSE stopped a recording. */
  #paused: UnixMillis | undefined;
  readonly #ending = new AbortController();
  #isOnvifReplay = false;
  #talk: SessionTalk | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#outlet = new Outlet({ ...options, onReport: (packet) => this.#reported(packet) });
    this.address = options.address;
    this.accountId = options.accountId;
    this.accountName = options.accountName;
  }

  /** Something may be sent at any moment. */
  get active(): boolean {
    return this.#state === "playing" && !this.#replayed;
  }

  /** Over UDP nothing shows that the client is there but what it says. */
  get mustReport(): boolean {
    return this.#outlet.way !== undefined && this.#outlet.way !== "interleaved";
  }

  /** How many tracks are set up. */
  get size(): number {
    return this.#lanes.size + (this.talks ? 1 : 0);
  }

  /** The client has set up the camera's speaker. */
  get talks(): boolean {
    return this.#talk !== undefined;
  }

  /** What the client relies on, at SETUP or at PLAY: of ONVIF's replay it is told more. Fault 551 for what there is not. */
  require(required: Required): void {
    assertHas(this.#options.kind, required);
    this.#isOnvifReplay ||= required.replay;
  }

  /** A packet of the client inside the RTSP connection; false where none is expected on that channel. */
  packet(channel: number, packet: Buffer): boolean {
    if (this.mustReport) return false;
    if (this.#talk?.lane.pair[0] === channel) this.#said(packet);
    else if (this.#allLanes().some(({ pair }) => pair[1] === channel)) this.#reported(packet);
    else return false;
    return true;
  }

  /**
   * `offer`: keys that the client was told of. Faults: `wrong-state`, `not-found` (no such track), 461, 463; of the speaker 453 and
   * `denied`.
   */
  async setUp(index: number | undefined, request: Pick<Request, "headers">, offer?: KeyOffer): Promise<TransportSpec> {
    const state = next(this.#state, "SETUP");
    const { tracks, talk } = this.#options;
    // The presentation's own address stands for its only track.
    const open = tracks.flatMap((track, at) => (isWithheld(track, this.#options) ? [] : [at]));
    const chosen = index ?? (open.length === 1 ? open[0] : undefined);
    if (chosen === undefined)
      throw new RtspFault(459, "invalid", "SETUP of a presentation of several tracks", {
        tell: "set up each track by the address in its a=control",
      });
    const isTalk = chosen === tracks.length;
    const track = isTalk ? talk?.track : tracks[chosen];
    if (track === undefined) throw new Fault("not-found", `no track ${chosen}`, { tell: "there is no such track" });
    if (isWithheld(track, this.#options)) throw withheld();
    const others = this.#allLanes().filter((lane) => lane.index !== chosen);
    const { way, spec, pair } = chooseTransport(header(request, "Transport"), {
      isTaken: (channel) => others.some((lane) => lane.pair.includes(channel)),
      udpTo: this.#options.udp?.peerAddress,
      srtpTo: isTalk ? undefined : this.#options.srtp?.peerAddress,
      multicast: isTalk ? undefined : this.#group(chosen),
      others: others.length === 0 ? undefined : this.#outlet.way,
    });
    const keys = way === "srtp" ? agreeOnKeys(header(request, "KeyMgmt"), offer?.take(chosen)) : undefined;
    const onRtp = isTalk ? (packet: Buffer): void => this.#said(packet) : undefined;
    const serverPort = await this.#outlet.open(way, chosen, pair, { keys, onRtp });
    if (this.#ending.signal.aborted) throw new Fault("unavailable", "the client is gone");
    const lane = { index: chosen, track, pair };
    if (isTalk && talk !== undefined) {
      this.#talk ??= SessionTalk.take(talk, lane, this.#options.failed);
      this.#talk.lane = lane;
    } else this.#lanes.set(chosen, lane);
    this.#state = state;
    const ssrc = keys === undefined ? undefined : this.#options.ssrc?.(chosen);
    return {
      ...spec,
      ...(serverPort === undefined ? {} : { serverPort }),
      ...(ssrc === undefined ? {} : { ssrc }),
    };
  }

  /** Prepares to play; the caller runs the player once the answer is written. Faults: `wrong-state`, `invalid`, 457, 551, those of reading. */
  async play(presentation: Presentation, asked: PlayRequest): Promise<Player> {
    const state = next(this.#state, "PLAY");
    if (this.lanes().some(({ track }) => isWithheld(track, presentation))) throw withheld();
    const player = await (presentation.kind === "live" ? this.#live(presentation) : this.#replay(presentation, asked));
    if (this.#ending.signal.aborted) {
      player.stop();
      throw new Fault("unavailable", "the client hung up");
    }
    this.#player = player;
    this.#replayed = false;
    this.#state = state;
    return player;
  }

  async #live({ source, talk }: LivePresentation): Promise<Player> {
    if (!this.#isSame(source.tracks))
      throw new Fault("unavailable", "the camera's tracks are others than those described", {
        tell: "the camera sends other tracks than before: describe it anew",
      });
    const { multicast, failed } = this.#options;
    if (this.#talk !== undefined && talk === undefined)
      throw new Fault("denied", "no right to talk any more", { tell: "you may not talk to this camera" });
    await this.#talk?.start();
    this.#stop();
    if (this.#outlet.way !== "multicast" || multicast === undefined)
      return new LivePlayer(source, this.#writer(true), failed);
    const { senders, to, localAddress } = multicast;
    return senders.join({ source, to, localAddress, lanes: this.#lanes, failed });
  }

  #group(track: number): Parameters<typeof chooseTransport>[1]["multicast"] {
    const to = this.#options.multicast?.to;
    const ports = to && multicastPorts(to, track);
    return ports && { address: to.address, ports, ttl: to.ttl };
  }

  async #replay(presentation: RecordedPresentation, { range, message }: PlayRequest): Promise<Player> {
    const { clock, failed } = this.#options;
    const manner = parseManner(message, { ...USUAL_MANNER, ...presentation.manner });
    const paused = this.#position() ?? this.#paused;
    const stretch = await stretchOf(presentation, { range, paused, backward: manner.scale < 0 });
    this.#assertSame(await presentation.source.tracks(stretch.from));
    const running = this.#player instanceof ReplayPlayer ? this.#player : undefined;
    running?.hold();
    const player: ReplayPlayer = await ReplayPlayer.open({
      source: presentation.source,
      stretch,
      manner,
      lanes: this.#lanes,
      // At another speed, and without rate control (ONVIF Streaming 6.4), the clocks of a report do not go together.
      writer: this.#writer(manner.rateControl && manner.scale === 1),
      clock,
      numbers: this.#numbers,
      bytePace: this.mustReport ? new BytePace(clock) : undefined,
      onvif: this.#wantsExtension(message) ? Number(header(message, "CSeq")) & 0xff : undefined,
      gone: this.#ending.signal,
      jump: this.#player !== undefined,
      ended: () => {
        if (this.#player === player) this.#replayed = true;
      },
      failed,
    }).catch((error: unknown) => {
      running?.release();
      throw error;
    });
    this.#stop();
    return player;
  }

  /**
   * A camera's tracks may have been others at another time than those that the client was told of: then it would take one codec
   * for another, or everything would be read in search of a track that is not there. Fault 457.
   */
  #assertSame(there: readonly Track[]): void {
    if (there.length > 0 && !this.#isSame(there))
      throw new RtspFault(457, "invalid", "other tracks in this range than those described", {
        tell: "other tracks are recorded there: describe that time, with ?at= in the address",
      });
  }

  /** The tracks that are set up are what the client was told of. */
  #isSame(there: readonly Track[]): boolean {
    return this.lanes().every(({ index, track }) => {
      const other = there[index];
      const same = other?.codec === track.codec && other.clockRateHz === track.clockRateHz;
      return same && other.payloadType === track.payloadType;
    });
  }

  /** GStreamer's rtspsrc in its ONVIF mode says Rate-Control, relies on the header extension, and requires nothing (1.22). */
  #wantsExtension(message: PlayRequest["message"]): boolean {
    return this.#isOnvifReplay || header(message, "Rate-Control") !== undefined;
  }

  /**
   * At once; a recording also when it gets to `point` (RFC 2326 10.6). The session counts as playing up to then, and behind it,
   * as at the end of a range. Faults: `wrong-state`, 457.
   */
  pause(point?: Range): void {
    const state = next(this.#state, "PAUSE");
    if (point !== undefined && this.#player instanceof ReplayPlayer) {
      this.#player.pauseAt(point);
      return;
    }
    this.#paused = this.#position() ?? this.#paused;
    this.#talk?.pause();
    this.#stop();
    this.#state = state;
  }

  close(): void {
    this.#ending.abort();
    this.#stop();
    this.#talk?.close();
    this.#talk = undefined;
    this.#outlet.close();
    this.#lanes.clear();
    this.#state = next(this.#state, "TEARDOWN");
  }

  /** Each track that is set up, for RTP-Info. */
  lanes(): readonly Lane[] {
    return [...this.#lanes.values()];
  }

  #allLanes(): readonly Lane[] {
    return [...this.#lanes.values(), ...(this.#talk === undefined ? [] : [this.#talk.lane])];
  }

  #said(packet: Buffer): void {
    this.#options.alive();
    this.#talk?.push(packet);
  }

  /** Reports are signs of life (RFC 3550 6.4.2; ONVIF Streaming 5.2.1.2). */
  #reported(packet: Buffer): void {
    this.#options.alive();
    if (this.#player?.requestKey !== undefined && wantsKey(packet)) this.#player.requestKey();
  }

  #position(): UnixMillis | undefined {
    return this.#player instanceof ReplayPlayer ? this.#player.position : undefined;
  }

  #stop(): void {
    this.#player?.stop();
    this.#player = undefined;
  }

  #writer(reports: boolean): GroupWriter {
    const { clock, dropped } = this.#options;
    const { sink } = this.#outlet;
    if (sink === undefined) throw new Fault("wrong-state", "nothing is set up");
    return new GroupWriter({ sink, clock, dropped, reports, lanes: this.#lanes });
  }
}

function withheld(): Fault {
  return new Fault("denied", "no right to metadata", { tell: "you may not have this camera's metadata" });
}
