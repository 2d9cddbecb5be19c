import { randomBytes } from "node:crypto";
import { wantsKey } from "../media/rtcp.ts";
import { BACK_CHANNEL, ONVIF_REPLAY } from "../rtsp/wire/option-tags.ts";
import { parseRange } from "../rtsp/wire/range.ts";
import { CardReplay } from "./card-replay.ts";
import type { Feed } from "./feed.ts";
import type { Line } from "./rtsp-line.ts";
import type { MulticastStream } from "./rtsp-multicast.ts";
import type { RtspOptions } from "./rtsp-options.ts";
import { baseOf, movedFrom, type Place, placeOf, type StreamName } from "./rtsp-target.ts";
import { sessionField } from "./rtsp-timeout.ts";
import { openWay, type Way } from "./rtsp-ways.ts";
import type { RtspAnswer, RtspRequest } from "./rtsp-wire.ts";
import { type MediaName, mediaOf, printSdp } from "./sdp.ts";
import { type Outlet, type Showing, Viewer } from "./viewer.ts";

const METHODS = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "GET_PARAMETER", "SET_PARAMETER", "TEARDOWN"];

/** What all sessions share. */
export interface Room {
  url(host: string, stream: StreamName): string;
  /** Whether somebody else has, or has left behind, a session. */
  occupied(): boolean;
  /** Undefined where there is none; Fault `busy` without free ports. */
  multicast(stream: StreamName): Promise<MulticastStream> | undefined;
}

/** What a client is answered, and the session that it sets up: one for each connection. */
export class RtspSession {
  readonly #line: Line;
  readonly #options: RtspOptions;
  readonly #room: Room;
  readonly #reportChannels = new Set<number>();
  /** Where sound for the speaker comes in. */
  #speakerChannel: number | undefined;
  #speakerOutlet: Outlet | undefined;
  #id = "";
  #showing: Showing | undefined;
  /** Addresses of the tracks that were set up, as the client asked for them. */
  readonly #controls = new Map<MediaName, string>();
  /** What the session is about. */
  #watched: StreamName = "main";
  #described = false;

  constructor(line: Line, options: RtspOptions, room: Room) {
    this.#line = line;
    this.#options = options;
    this.#room = room;
  }

  get begun(): boolean {
    return this.#showing !== undefined;
  }

  get playing(): boolean {
    return this.#showing?.playing === true;
  }

  /** A picture or sound is sent. */
  get watching(): boolean {
    return this.#showing?.watching === true;
  }

  /** Of what the client sends inside the connection. */
  packet(channel: number, packet: Buffer): void {
    if (channel === this.#speakerChannel) this.#heard(packet);
    else if (this.#reportChannels.has(channel)) this.#reported(packet);
  }

  end(): void {
    this.#showing?.close();
    this.#showing = undefined;
    this.#controls.clear();
    this.#options.speaker?.leave(this);
    this.#speakerOutlet?.close();
    this.#speakerOutlet = undefined;
    this.#speakerChannel = undefined;
  }

  answer(request: RtspRequest): RtspAnswer | Promise<RtspAnswer> {
    const { method, uri, headers } = request;
    const { gate, quirks } = this.#options;
    if (method === "OPTIONS") return { status: 200, headers: [["Public", METHODS.join(", ")]] };
    const refused = method === "GET_PARAMETER" && quirks.has("no-get-parameter");
    if (refused || !METHODS.includes(method)) return { status: 501 };
    if (!gate.check(headers.get("authorization"), method, uri))
      return { status: 401, headers: gate.challenges().map((value) => ["WWW-Authenticate", value] as const) };
    const place = placeOf(uri, this.#options);
    if (place === undefined) return { status: 404 };
    const required = headers.get("require");
    if (required === BACK_CHANNEL && quirks.has("backchannel-breaks")) {
      this.#line.close();
      return { status: 500 };
    }
    const has = { [BACK_CHANNEL]: this.#options.speaker !== undefined, [ONVIF_REPLAY]: this.#options.card !== false };
    if (required !== undefined && !(Object.hasOwn(has, required) && has[required as keyof typeof has]))
      return { status: 551, headers: [["Unsupported", required]] };
    if (method === "DESCRIBE") return this.#describe(uri, place, required === BACK_CHANNEL);
    if (method === "SETUP") return this.#setUp(request, place);
    const showing = this.#showing;
    if (method.endsWith("_PARAMETER") && showing === undefined) return { status: 200 };
    const named = headers.get("session")?.split(";")[0]?.trim();
    const tacit = named === undefined && quirks.has("late-session");
    if (showing === undefined || (named !== this.#id && !tacit)) return { status: 454 };
    const session = sessionField(this.#id, quirks);
    if (method === "PLAY" && quirks.has("needs-range") && !headers.has("range")) return { status: 457 };
    if (showing instanceof CardReplay && method === "PLAY") {
      const range = parseRange(headers.get("range") ?? "");
      if (range.unit !== "clock") return { status: 457 };
      showing.aim(range);
    }
    if (method === "PLAY") {
      showing.play();
      const info = showing.rtpInfo(this.#controls);
      return { status: 200, headers: [session, ["Range", "npt=0.000-"], ["RTP-Info", info]] };
    }
    if (method === "PAUSE") showing.pause();
    return { status: 200, headers: [session] };
  }

  #describe(uri: string, { stream, isRecorded = false }: Place, withSpeaker: boolean): RtspAnswer {
    const { address, audio, saidHost, quirks } = this.#options;
    const moved = movedFrom(uri, quirks);
    if (moved !== undefined) return { status: 302, headers: [["Location", moved]] };
    if (this.#described && quirks.has("describe-once")) return { status: 455 };
    this.#described = true;
    const twice = quirks.has("doubled-scheme") ? "rtsp://" : "";
    return {
      status: 200,
      headers: [
        ["Content-Type", "application/sdp"],
        ...(quirks.has("query-control")
          ? []
          : [
              ["Content-Base", `${twice}${isRecorded ? uri : baseOf(uri, this.#room.url(saidHost, stream))}/`] as const,
            ]),
      ],
      body: printSdp({
        address,
        feed: this.#feedOf(stream),
        media: mediaOf(audio && !isRecorded, quirks),
        withSpeaker,
        quirks,
      }),
    };
  }

  async #setUp({ uri, headers }: RtspRequest, place: Place): Promise<RtspAnswer> {
    const { track: name, stream } = place;
    const { quirks } = this.#options;
    const asked = headers.get("transport") ?? "";
    if (name === undefined) return { status: 459 };
    if (name === "speaker") return this.#setUpSpeaker(asked);
    if (quirks.has("one-session") && this.#room.occupied()) return { status: 453 };
    if (quirks.has("no-mode") && /;\s*mode=/i.test(asked)) return { status: 400 };
    const other = this.begun && stream !== this.#watched;
    if (other || this.playing || this.#controls.has(name)) return { status: 455 };
    const way = await openWay(asked, this.#line, this.#options, {
      own: this.begun ? 12 : 10,
      multicast: () => this.#room.multicast(stream),
      name,
      onReport: (packet) => this.#reported(packet),
      onRtp: undefined,
    });
    if (typeof way === "string") return { status: way === "refused" ? 461 : 503 };
    if (this.#line.closed) return { status: 503 };
    const again = this.begun;
    const ssrc = this.#show(name, way, place);
    if (ssrc === undefined) return { status: 461 };
    this.#controls.set(name, uri);
    return {
      status: 200,
      headers: [
        ...(quirks.has("late-session")
          ? []
          : [sessionField(again && quirks.has("changing-session") ? newId() : this.#id, quirks)]),
        ["Transport", `${way.transport};ssrc=${ssrc}`],
      ],
    };
  }

  /** Its source, in hexadecimal digits; undefined where a session would go half to a client and half to a group. */
  #show(name: MediaName, way: Way, { stream, isRecorded }: Place): string | undefined {
    if (isRecorded === true) {
      const { quirks, clock } = this.#options;
      if ("group" in way) return undefined;
      const replay = this.#begin(() => new CardReplay(this.#feedOf(stream), way.outlet, { quirks, clock }), stream);
      return replay instanceof CardReplay ? replay.ssrc : undefined;
    }
    if ("group" in way) {
      if (this.#showing instanceof Viewer) return undefined;
      this.#begin(() => way.group.join(), stream);
      return way.group.ssrcOf(name);
    }
    const viewer = this.#begin(() => new Viewer(this.#feedOf(stream), this.#options.quirks), stream);
    if (!(viewer instanceof Viewer)) {
      way.outlet.close();
      return undefined;
    }
    if (way.channels !== undefined) this.#reportChannels.add(way.channels[1]);
    viewer.setUp(name, way.outlet);
    return viewer.ssrcOf(name);
  }

  #begin(make: () => Showing, stream: StreamName): Showing {
    if (this.#showing === undefined) {
      this.#id = newId();
      this.#watched = stream;
      this.#showing = make();
    }
    return this.#showing;
  }

  async #setUpSpeaker(asked: string): Promise<RtspAnswer> {
    const { quirks, speaker } = this.#options;
    if (this.playing) return { status: 455 };
    if (speaker?.take(this) !== true) return { status: quirks.has("one-speaker-session") ? 500 : 453 };
    const way = await openWay(asked, this.#line, this.#options, {
      own: this.begun ? 12 : 10,
      multicast: () => undefined,
      name: "audio",
      onReport: (packet) => this.#reported(packet),
      onRtp: (packet) => this.#heard(packet),
    });
    if (typeof way === "string" || "group" in way || this.#line.closed) {
      speaker.leave(this);
      return { status: way === "refused" ? 461 : 503 };
    }
    this.#begin(() => new Viewer(this.#feedOf(this.#watched), quirks), this.#watched);
    this.#speakerOutlet = way.outlet;
    [this.#speakerChannel] = way.channels ?? [];
    if (way.channels !== undefined) this.#reportChannels.add(way.channels[1]);
    return { status: 200, headers: [sessionField(this.#id, quirks), ["Transport", way.transport]] };
  }

  #heard(packet: Buffer): void {
    this.#line.signOfLife();
    // What comes before PLAY is not for it yet (ONVIF Streaming 5.3.2).
    if (this.playing) this.#options.speaker?.hear(packet);
  }

  #reported(packet: Buffer): void {
    this.#line.signOfLife();
    if (this.#speakerOutlet !== undefined) this.#options.speaker?.report(packet);
    if (!this.#options.quirks.has("no-feedback") && wantsKey(packet)) this.#feedOf(this.#watched).wantKeyFrame();
  }

  #feedOf(stream: StreamName): Feed {
    const { main, sub = main } = this.#options.feeds;
    return stream === "main" ? main : sub;
  }
}

function newId(): string {
  return randomBytes(8).toString("hex");
}
