import type { Principal } from "../../auth/principal.ts";
import { Fault } from "../../base/fault.ts";
import { type Headers, header, type Request } from "../wire/message.ts";
import { parsePoint, parseRange } from "../wire/range.ts";
import { parseSession, printSession } from "../wire/session.ts";
import { printTransport } from "../wire/transport.ts";
import { controlAddresses, parseAddress, type RequestAddress, trackIn } from "./address.ts";
import { describe, tracksOf } from "./description.ts";
import type { Presentation } from "./host.ts";
import { offerKeys } from "./key-management.ts";
import { multicastChoice } from "./multicast.ts";
import { type Described, type OpeningOptions, openSession } from "./open-session.ts";
import { playHeaders } from "./play-answer.ts";
import type { Player } from "./player.ts";
import { RtspFault } from "./reply.ts";
import { assertHas, type Required, requiredBy } from "./required.ts";
import type { RtspSession } from "./session.ts";
import type { PlayRequest } from "./session-options.ts";

/** What clients are told (RFC 2326 12.37); they come in time even where their own clock is slow. */
const SESSION_SECONDS = 60;

const METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER";

/** A request that was granted. */
export interface Answer {
  readonly headers: Headers;
  readonly body?: Buffer;
  /** To be done once the answer is written. */
  readonly afterwards?: () => void;
}

export interface RequestsOptions extends OpeningOptions {
  /** Somebody has proved who they are, for the first time on this connection. Throws `busy` when there are too many. */
  readonly authenticated: (who: Principal) => void;
}

/** What the requests of one connection do (RFC 2326 10), and the one session that it may have. */
export class Requests {
  readonly #o: RequestsOptions;
  #who: Principal | undefined;
  /** What DESCRIBE found, for the SETUPs that follow it, by the same account. */
  #described: Described | undefined;
  #session: RtspSession | undefined;
  /** What ends the session: what is played now, or paused; before that, what is set up. */
  #watched: (Pick<Presentation, "ended" | "release"> & { readonly player?: Player }) | undefined;
  readonly #closing = new AbortController();
  readonly #onRevoked = (): void => this.#o.failed(new Fault("denied", "the right to watch has ended"));

  constructor(options: RequestsOptions) {
    this.#o = options;
  }

  /** Whether anybody has proved who they are. */
  get authenticated(): boolean {
    return this.#who !== undefined;
  }

  get session(): RtspSession | undefined {
    return this.#session;
  }

  /** Ends the session, for good. */
  close(): void {
    this.#closing.abort();
    this.#dropSession();
  }

  /** What a request is answered, or the Fault that it is refused with. One at a time. */
  async serve(request: Request): Promise<Answer> {
    if (request.version !== "1.0") throw new RtspFault(505, "invalid", `RTSP/${request.version}`);
    if (header(request, "CSeq") === undefined) throw new Fault("invalid", "request without CSeq");
    const required = requiredBy(request);
    switch (request.method) {
      case "OPTIONS":
        return { headers: [["Public", METHODS]] };
      case "DESCRIBE":
        return this.#describe(request, required);
      case "SETUP":
        return this.#setUp(request, required);
      case "PLAY":
        return this.#play(request, required);
      case "PAUSE":
        return this.#pause(request);
      case "TEARDOWN":
        return this.#tearDown(request);
      case "GET_PARAMETER":
      case "SET_PARAMETER":
        return this.#parameter(request);
      default:
        throw new RtspFault(501, "invalid", `method ${request.method}`, { headers: [["Public", METHODS]] });
    }
  }

  async #authenticate(request: Request): Promise<Principal> {
    const { host, peer, authenticated } = this.#o;
    const authorization = header(request, "Authorization");
    const who = await host.authenticate({ method: request.method, uri: request.uri, authorization, peer });
    // Nobody would ever take it off the list of those who are there.
    if (this.#closing.signal.aborted) throw new Fault("unavailable", "the client hung up during its log-in");
    if (this.#who === undefined) authenticated(who);
    this.#who = who;
    this.#o.alive();
    return who;
  }

  async #describe(request: Request, required: Required): Promise<Answer> {
    const who = await this.#authenticate(request);
    const address = parseAddress(request.uri);
    const wanted = { purpose: "describe", talk: required.talk } as const;
    const presentation = await this.#o.host.open(who, address, this.#o.peer, wanted);
    assertHas(presentation.kind, required);
    const { localAddress, datagrams, clock } = this.#o;
    const tracks = await tracksOf(presentation, { clock, gone: this.#closing.signal });
    const control = controlAddresses(address);
    const group = multicastChoice(presentation, localAddress, datagrams.multicast)?.to;
    const keys = offerKeys(presentation, tracks.length, datagrams);
    const ours = { address: localAddress, now: clock.now(), group, keys };
    const text = await describe(presentation, tracks, control, ours);
    this.#described = { address, presentation, accountId: who.accountId, keys };
    return {
      headers: [
        ["Content-Type", "application/sdp"],
        ["Content-Base", control.contentBase],
        ["Cache-Control", "no-store"],
      ],
      body: Buffer.from(text),
    };
  }

  async #setUp(request: Request, required: Required): Promise<Answer> {
    const who = await this.#authenticate(request);
    const address = parseAddress(request.uri);
    const session = await this.#sessionFor(request, required, who, address);
    try {
      session.require(required);
      const spec = await session.setUp(address.track, request, this.#described?.keys);
      if (!this.#closing.signal.aborted && session !== this.#session) {
        this.#session = session;
        this.#watch({ ended: session.ended });
      }
      return { headers: [["Transport", printTransport(spec)], ...this.#sessionHeader()] };
    } finally {
      // Ports may have been opened for a client that is refused, or gone.
      if (session !== this.#session) session.close();
    }
  }

  /** The session that a SETUP belongs to; a new one, not yet ours, where there is none. */
  async #sessionFor(
    request: Request,
    required: Required,
    who: Principal,
    address: RequestAddress,
  ): Promise<RtspSession> {
    // Clients send the SETUPs of all tracks before they have read the session of the first.
    if (this.#session !== undefined && header(request, "Session") === undefined)
      return this.#assertAbout(this.#session, who, address);
    if (header(request, "Session") !== undefined) return this.#assertAbout(this.#sessionOf(request), who, address);
    const gone = this.#closing.signal;
    return openSession(this.#o, { who, address, talk: required.talk, described: this.#described, gone });
  }

  async #play(request: Request, required: Required): Promise<Answer> {
    const session = this.#sessionOf(request);
    const who = await this.#authenticate(request);
    const address = parseAddress(request.uri);
    this.#assertAbout(session, who, address);
    if (address.track !== undefined && session.size > 1)
      throw new RtspFault(460, "invalid", "PLAY of one track of several", {
        tell: "play the presentation, not one of its tracks",
      });
    const range = header(request, "Range");
    const asked = range === undefined ? undefined : parseRange(range);
    session.require(required);
    const wanted = { purpose: "play", talk: session.talks } as const;
    const presentation = await this.#o.host.open(who, session.address, this.#o.peer, wanted);
    const player = await this.#started(session, presentation, { range: asked, message: request });
    const headers = [...this.#sessionHeader(), ...playHeaders(request, presentation, session, player)];
    return { headers, afterwards: () => player.run() };
  }

  #pause(request: Request): Answer {
    const point = header(request, "Range");
    this.#sessionOf(request).pause(point === undefined ? undefined : parsePoint(point));
    return { headers: this.#sessionHeader() };
  }

  /** Of one track of several, that track alone (RFC 2326 10.7); of whatever else, the session. */
  #tearDown(request: Request): Answer {
    const headers = this.#sessionHeader();
    const left = this.#sessionOf(request).tearDown(trackIn(request.uri));
    return left ? { headers } : { headers, afterwards: () => this.#dropSession() };
  }

  /** Anything is a sign of life; parameters there are none (RFC 2326 10.8, 10.9). */
  #parameter(request: Request): Answer {
    if (header(request, "Session") !== undefined) this.#sessionOf(request);
    if (request.body.length > 0)
      throw new RtspFault(451, "invalid", "parameters are not known", { tell: "there are no parameters" });
    return { headers: this.#sessionHeader() };
  }

  /** The session that a request names. One of another connection does not exist here. */
  #sessionOf(request: Request): RtspSession {
    const value = header(request, "Session");
    const session = this.#session;
    if (session === undefined || value === undefined || parseSession(value).id !== session.id)
      throw new RtspFault(454, "not-found", "no such session on this connection");
    return session;
  }

  #assertAbout(session: RtspSession, who: Principal, address: RequestAddress): RtspSession {
    if (who.accountId !== session.accountId) throw new RtspFault(454, "denied", `the session is not ${who.name}'s`);
    if (address.segments.join("/") !== session.address.segments.join("/"))
      throw new RtspFault(459, "invalid", "one connection has one session, and it is about another presentation", {
        tell: "open another connection for another presentation",
      });
    return session;
  }

  #sessionHeader(): Headers {
    const session = this.#session;
    if (session === undefined) return [];
    return [["Session", printSession({ id: session.id, timeoutSeconds: SESSION_SECONDS })]];
  }

  async #started(session: RtspSession, presentation: Presentation, play: PlayRequest): Promise<Player> {
    try {
      const player = await session.play(presentation, play);
      // The client may have gone meanwhile: nobody would give back what was opened.
      if (this.#closing.signal.aborted) presentation.release?.();
      else this.#watch(presentation, player);
      return player;
    } catch (fault) {
      presentation.release?.();
      throw fault;
    }
  }

  #watch({ ended, release }: Pick<Presentation, "ended" | "release">, player?: Player): void {
    this.#unwatch();
    this.#watched = {
      ended,
      ...(release === undefined ? {} : { release }),
      ...(player === undefined ? {} : { player }),
    };
    if (ended.aborted) this.#onRevoked();
    else ended.addEventListener("abort", this.#onRevoked, { once: true });
  }

  #unwatch(): void {
    this.#watched?.ended.removeEventListener("abort", this.#onRevoked);
    this.#watched?.release?.(this.#watched.player?.sent);
    this.#watched = undefined;
  }

  #dropSession(): void {
    this.#unwatch();
    this.#session?.close();
    this.#session = undefined;
  }
}
