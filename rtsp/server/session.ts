import { randomBytes } from "node:crypto";
import { Fault } from "../../base/fault.ts";
import { wantsKey } from "../../media/rtcp.ts";
import { header, type Request } from "../wire/message.ts";
import type { Range } from "../wire/range.ts";
import type { TransportSpec } from "../wire/transport.ts";
import type { RequestAddress } from "./address.ts";
import type { LivePresentation, Presentation, RecordedPresentation } from "./host.ts";
import { agreeOnKeys, type KeyOffer } from "./key-management.ts";
import { areAsDescribed, type Lane } from "./lane.ts";
import { LivePlayer } from "./live-player.ts";
import { multicastPorts } from "./multicast.ts";
import { Outlet } from "./outlet.ts";
import type { Player } from "./player.ts";
import { assertHas, type Required } from "./required.ts";
import type { PlayRequest, SessionOptions } from "./session-options.ts";
import { SessionReplay } from "./session-replay.ts";
import { SessionTalk } from "./session-talk.ts";
import { next, type State } from "./state.ts";
import { assertGranted, trackToSetUp } from "./track-to-set-up.ts";
import { chooseTransport } from "./transport.ts";
import { GroupWriter } from "./writer.ts";

/** One client's session with one presentation (RFC 2326 3.4): which tracks it set up, and whether it plays. */
export class RtspSession {
  /** Cannot be guessed. */
  readonly id = randomBytes(16).toString("hex");
  readonly address: RequestAddress;
  readonly accountId: string;
  readonly accountName: string;
  /** What was set up may not be had any longer. What is played says that itself. */
  readonly ended: AbortSignal;
  readonly #options: SessionOptions;
  readonly #lanes = new Map<number, Lane>();
  readonly #outlet: Outlet;
  #state: State = "init";
  #player: Player | undefined;
  readonly #ending = new AbortController();
  readonly #replay: SessionReplay;
  #talk: SessionTalk | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#outlet = new Outlet({ ...options, onReport: (packet) => this.#reported(packet) });
    const { clock, failed } = options;
    this.#replay = new SessionReplay({ lanes: this.#lanes, clock, gone: this.#ending.signal, failed });
    this.address = options.address;
    this.accountId = options.accountId;
    this.accountName = options.accountName;
    this.ended = options.ended;
  }

  /** Something may be sent at any moment. */
  get active(): boolean {
    return this.#state === "playing" && !this.#replay.isOver;
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
    if (required.replay) this.#replay.requireOnvif();
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
    const { talk, clock, failed } = this.#options;
    const { chosen, track, isTalk } = trackToSetUp(index, this.#options);
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
      const report = (packet: Buffer, to: Lane): void => this.#outlet.sink?.report(packet, to);
      this.#talk ??= SessionTalk.take(talk, lane, { clock, report, failed });
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
    for (const { track } of this.lanes()) assertGranted(track, presentation);
    const player = await (presentation.kind === "live"
      ? this.#live(presentation)
      : this.#recorded(presentation, asked));
    if (this.#ending.signal.aborted) {
      player.stop();
      throw new Fault("unavailable", "the client hung up");
    }
    this.#player = player;
    this.#state = state;
    return player;
  }

  async #live({ source, talk }: LivePresentation): Promise<Player> {
    if (!areAsDescribed(this.#lanes, source.tracks))
      throw new Fault("unavailable", "the camera's tracks are others than those described", {
        tell: "the camera sends other tracks than before: describe it anew",
      });
    const { multicast, failed, cohorts } = this.#options;
    if (this.#talk !== undefined && talk === undefined)
      throw new Fault("denied", "no right to talk any more", { tell: "you may not talk to this camera" });
    await this.#talk?.start();
    this.#stop();
    const { sink } = this.#outlet;
    if (this.#outlet.way !== "multicast" || multicast === undefined) {
      const cohort = sink && cohorts.of(source, this.#lanes, sink);
      return new LivePlayer({ source, cohort, writer: this.#writer(true), failed });
    }
    const { senders, to, localAddress } = multicast;
    return senders.join({ source, to, localAddress, lanes: this.#lanes, failed });
  }

  #recorded(presentation: RecordedPresentation, asked: PlayRequest): Promise<Player> {
    const writer = (reports: boolean): GroupWriter => this.#writer(reports);
    return this.#replay.open(presentation, asked, { writer, isUdp: this.mustReport });
  }

  #group(track: number): Parameters<typeof chooseTransport>[1]["multicast"] {
    const to = this.#options.multicast?.to;
    const ports = to && multicastPorts(to, track);
    return ports && { address: to.address, ports, ttl: to.ttl };
  }

  /**
   * At once; a recording also when it gets to `point` (RFC 2326 10.6). The session counts as playing up to then, and behind it,
   * as at the end of a range. Faults: `wrong-state`, 457.
   */
  pause(point?: Range): void {
    const state = next(this.#state, "PAUSE");
    if (point !== undefined && this.#replay.pauseAt(point)) return;
    this.#replay.pause();
    this.#talk?.pause();
    this.#stop();
    this.#state = state;
  }

  /** Ends one of several tracks, also while it plays; false where nothing would be left. */
  tearDown(index: number | undefined): boolean {
    if (index === undefined || this.size < 2) return false;
    if (this.#talk?.lane.index !== index) {
      const isThere = this.#lanes.delete(index);
      this.#player?.lanesChanged?.();
      return isThere;
    }
    this.#talk.close();
    this.#talk = undefined;
    return true;
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
    this.#talk?.reported(packet);
    if (this.#player?.requestKey !== undefined && wantsKey(packet)) this.#player.requestKey();
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
