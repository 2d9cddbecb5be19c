import type { Peer, Principal } from "../../auth/principal.ts";
import { UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import { type MonotonicMillis, SECOND } from "../../base/units.ts";
import type { PortRange } from "../../net/udp.ts";
import { type Headers, header, headerValues, type Interleaved, type Request } from "../wire/message.ts";
import { MessageParser } from "../wire/parser.ts";
import { printResponse } from "../wire/print.ts";
import { parseRange, printRange } from "../wire/range.ts";
import { printRtpInfo } from "../wire/rtp-info.ts";
import { parseSession, printSession } from "../wire/session.ts";
import { printTransport } from "../wire/transport.ts";
import { controlAddresses, parseAddress, type RequestAddress, trackAddress } from "./address.ts";
import type { Carrier } from "./carrier.ts";
import { describe, tracksOf } from "./description.ts";
import type { Presentation, RtspHost } from "./host.ts";
import type { Player } from "./player.ts";
import { RtspFault, statusOf, unsupported } from "./reply.ts";
import { ONVIF_REPLAY, RtspSession } from "./session.ts";

const LIMITS = {
  /** Until the first right log-in. Who takes longer is no player. */
  loginMs: 10 * SECOND,
  /** Without a sign of life, while nothing is being sent. */
  idleMs: 70 * SECOND,
  /** What clients are told (RFC 2326 12.37); they come in time even where their own clock is slow. */
  sessionSeconds: 60,
  /** A client that takes nothing of what waits for it for so long is not there any more. */
  stuckMs: 30 * SECOND,
  /** How long a client may take to read why it is being hung up on. */
  farewellMs: 2 * SECOND,
  /** Requests that wait for the one before. Clients send a handful at once. */
  pipelined: 32,
  /** Answers that a client does not read, whatever else it is sent. */
  unsentBytes: 1024 * 1024,
  /** Wrong log-ins on one connection; what comes from one address is throttled besides. */
  refusedLogIns: 10,
};

const SERVER = "Viaduct";
const METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER";

interface Answer {
  readonly headers: Headers;
  readonly body?: Buffer;
  /** To be done once the answer is written. */
  readonly afterwards?: () => void;
}

export interface ConnectionOptions {
  readonly carrier: Carrier;
  readonly peer: Peer;
  /** Our address as the client reached it. */
  readonly localAddress: string;
  readonly host: RtspHost;
  /** The client may have datagrams, from these ports. */
  readonly udp: { readonly range: PortRange | undefined } | undefined;
  readonly clock: Clock;
  /** Somebody has proved who they are, for the first time on this connection. Throws `busy` when there are too many. */
  readonly authenticated: (who: Principal) => void;
  readonly dropped: () => void;
  /** A request was refused, or the connection was ended by us. */
  readonly refused: (fault: Fault, request: Request | undefined) => void;
  readonly closed: () => void;
}

/** One RTSP connection of a client: its requests, one after another, and at most one session. */
export class ClientConnection {
  readonly #o: ConnectionOptions;
  readonly #parser = new MessageParser({ role: "server" });
  readonly #queue: Request[] = [];
  #working = false;
  #ending = false;
  #deadline: MonotonicMillis;
  /** Of answers alone. */
  #unsentBytes = 0;
  /** What the client had taken when that was last looked at, and when it last took something or had nothing to take. */
  #takenBytes = 0;
  #takenAt: MonotonicMillis;
  #who: Principal | undefined;
  #refusedLogIns = 0;
  /** What DESCRIBE found, for the SETUPs that follow it, by the same account. */
  #described:
    | { readonly address: RequestAddress; readonly presentation: Presentation; readonly accountId: string }
    | undefined;
  #session: RtspSession | undefined;
  #watched: AbortSignal | undefined;
  readonly #onRevoked = (): void => this.end(new Fault("denied", "the right to watch has ended"));

  constructor(options: ConnectionOptions) {
    this.#o = options;
    this.#deadline = this.#in(LIMITS.loginMs);
    this.#takenAt = options.clock.monotonic();
    options.carrier.once("close", () => this.#close());
  }

  get session(): RtspSession | undefined {
    return this.#session;
  }

  /** What the client sent, however it was cut on the way. */
  read(chunk: Buffer): void {
    if (this.#ending) return;
    try {
      for (const message of this.#parser.push(chunk)) {
        if (message.type === "interleaved") this.#interleaved(message);
        else if (message.type === "request") this.#queue.push(message);
        else throw new Fault("invalid", "a response where requests belong");
      }
      if (this.#queue.length > LIMITS.pipelined)
        throw new Fault("invalid", `more than ${LIMITS.pipelined} requests at once`);
    } catch (error) {
      this.#farewell(asFault(error));
      return;
    }
    void this.#work();
  }

  /** Called every second or so: ends what has been silent or deaf for too long. */
  check(now: MonotonicMillis): void {
    if (this.#isStuck(now)) {
      this.end(new Fault("unavailable", `the client has taken nothing for ${LIMITS.stuckMs} ms`));
      return;
    }
    // A recording that has ended is followed by the same patience as a request.
    if (this.#session?.active === true && !this.#session.mustReport) this.#deadline = this.#in(LIMITS.idleMs);
    if (now < this.#deadline) return;
    if (this.#ending) this.#o.carrier.destroy();
    else this.end(new Fault("unavailable", this.#who === undefined ? "no log-in in time" : "no sign of life"));
  }

  /** Hangs up. */
  end(fault: Fault | undefined): void {
    if (fault !== undefined && !this.#ending) this.#o.refused(fault, undefined);
    this.#ending = true;
    this.#dropSession();
    this.#o.carrier.destroy();
  }

  #isStuck(now: MonotonicMillis): boolean {
    const { bytesWritten, writableLength } = this.#o.carrier;
    const takenBytes = bytesWritten - writableLength;
    if (writableLength === 0 || takenBytes !== this.#takenBytes) this.#takenAt = now;
    this.#takenBytes = takenBytes;
    return now - this.#takenAt >= LIMITS.stuckMs;
  }

  #in(ms: number): MonotonicMillis {
    return (this.#o.clock.monotonic() + ms) as MonotonicMillis;
  }

  #close(): void {
    this.#ending = true;
    this.#queue.length = 0;
    this.#dropSession();
    this.#o.closed();
  }

  /** Receiver reports are signs of life (RFC 3550 6.4.2; ONVIF Streaming 5.2.1.2); nothing else is expected. */
  #interleaved({ channel }: Interleaved): void {
    if (this.#session?.isRtcpChannel(channel) === true) this.#deadline = this.#in(LIMITS.idleMs);
    // Behind a TEARDOWN there are reports that were on their way already.
    else if (this.#who === undefined) throw new Fault("invalid", "packets before SETUP");
  }

  /** Framing is lost, so the connection is: but the client is told. */
  #farewell(fault: Fault): void {
    this.#o.refused(fault, undefined);
    this.#ending = true;
    this.#deadline = this.#in(LIMITS.farewellMs);
    this.#dropSession();
    this.#o.carrier.end(printResponse({ status: statusOf(fault), headers: [["Server", SERVER]] }));
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    for (let request = this.#queue.shift(); request !== undefined; request = this.#queue.shift()) {
      if (this.#who !== undefined) this.#deadline = this.#in(LIMITS.idleMs);
      try {
        const answer = await this.#serve(request);
        this.#send(200, request, answer.headers, answer.body);
        answer.afterwards?.();
      } catch (error) {
        this.#refuse(request, asFault(error));
      }
    }
    this.#working = false;
  }

  #send(status: number, request: Request, headers: Headers, body?: Buffer): void {
    const { carrier } = this.#o;
    if (this.#ending) return;
    const sequence = header(request, "CSeq");
    const numbered: Headers = sequence === undefined ? [] : [["CSeq", sequence.slice(0, 32)]];
    const bytes = printResponse({
      status,
      headers: [...numbered, ["Server", SERVER], ...headers],
      ...(body === undefined ? {} : { body }),
    });
    this.#unsentBytes += bytes.length;
    carrier.write(bytes, () => {
      this.#unsentBytes -= bytes.length;
    });
    if (this.#unsentBytes > LIMITS.unsentBytes)
      this.end(new Fault("unavailable", "the client does not read its answers"));
  }

  #refuse(request: Request, fault: Fault): void {
    const status = statusOf(fault);
    const headers: [string, string][] = fault instanceof RtspFault ? fault.headers.map(([a, b]) => [a, b]) : [];
    if (fault.kind === "unauthenticated") {
      const stale = fault instanceof UnauthenticatedFault && fault.stale;
      for (const challenge of this.#o.host.challenges(this.#o.peer, stale))
        headers.push(["WWW-Authenticate", challenge]);
      // The first request of most players carries no credentials: that is no attempt.
      if (header(request, "Authorization") !== undefined && !stale) this.#refusedLogIns += 1;
    }
    if (fault.kind !== "unauthenticated" || this.#refusedLogIns > 0) this.#o.refused(fault, request);
    if (fault.tell === undefined) this.#send(status, request, headers);
    else {
      headers.push(["Content-Type", "text/plain; charset=utf-8"]);
      this.#send(status, request, headers, Buffer.from(`${fault.tell}\n`));
    }
    if (this.#refusedLogIns >= LIMITS.refusedLogIns) this.end(new Fault("unauthenticated", "too many wrong log-ins"));
  }

  async #serve(request: Request): Promise<Answer> {
    if (request.version !== "1.0") throw new RtspFault(505, "invalid", `RTSP/${request.version}`);
    if (header(request, "CSeq") === undefined) throw new Fault("invalid", "request without CSeq");
    const unknown = requirements(request).filter((tag) => tag !== ONVIF_REPLAY);
    if (unknown.length > 0) throw unsupported(unknown.join(", "));
    switch (request.method) {
      case "OPTIONS":
        return { headers: [["Public", METHODS]] };
      case "DESCRIBE":
        return this.#describe(request);
      case "SETUP":
        return this.#setUp(request);
      case "PLAY":
        return this.#play(request);
      case "PAUSE":
        this.#sessionOf(request).pause();
        return { headers: this.#sessionHeader() };
      case "TEARDOWN":
        this.#sessionOf(request);
        return { headers: this.#sessionHeader(), afterwards: () => this.#dropSession() };
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
    if (this.#who === undefined) authenticated(who);
    this.#who = who;
    this.#deadline = this.#in(LIMITS.idleMs);
    return who;
  }

  async #describe(request: Request): Promise<Answer> {
    const who = await this.#authenticate(request);
    const address = parseAddress(request.uri);
    const presentation = await this.#o.host.open(who, address, this.#o.peer);
    if (presentation.kind === "live" && requirements(request).includes(ONVIF_REPLAY)) throw unsupported(ONVIF_REPLAY);
    const tracks = await tracksOf(presentation);
    const control = controlAddresses(address);
    const ours = { address: this.#o.localAddress, now: this.#o.clock.now() };
    const text = await describe(presentation, tracks, control, ours);
    this.#described = { address, presentation, accountId: who.accountId };
    return {
      headers: [
        ["Content-Type", "application/sdp"],
        ["Content-Base", control.contentBase],
        ["Cache-Control", "no-store"],
      ],
      body: Buffer.from(text),
    };
  }

  async #setUp(request: Request): Promise<Answer> {
    const who = await this.#authenticate(request);
    const address = parseAddress(request.uri);
    const session = await this.#sessionFor(request, who, address);
    if (requirements(request).includes(ONVIF_REPLAY)) session.requireReplay();
    try {
      const spec = await session.setUp(address.track, header(request, "Transport"));
      if (!this.#ending) this.#session = session;
      return { headers: [["Transport", printTransport(spec)], ...this.#sessionHeader()] };
    } finally {
      // Ports may have been opened for a client that is refused, or gone.
      if (session !== this.#session) session.close();
    }
  }

  /** The session that a SETUP belongs to; a new one, not yet ours, where there is none. */
  async #sessionFor(request: Request, who: Principal, address: RequestAddress): Promise<RtspSession> {
    // Clients send the SETUPs of all tracks before they have read the session of the first.
    if (this.#session !== undefined && header(request, "Session") === undefined)
      return this.#assertAbout(this.#session, who, address);
    if (header(request, "Session") !== undefined) return this.#assertAbout(this.#sessionOf(request), who, address);
    const { host, peer, carrier, udp, localAddress, clock, dropped } = this.#o;
    const known = this.#described;
    const same =
      known?.accountId === who.accountId &&
      !known.presentation.ended.aborted &&
      known.address.segments.join("/") === address.segments.join("/");
    // A track's address may have lost the query that the presentation was described with.
    const described = same && (known.address.key === address.key || address.query.size === 0) ? known : undefined;
    const presentation = described?.presentation ?? (await host.open(who, address, peer));
    return new RtspSession({
      carrier,
      clock,
      address: described?.address ?? address,
      kind: presentation.kind,
      tracks: await tracksOf(presentation),
      accountId: who.accountId,
      accountName: who.name,
      dropped,
      udp: udp && { localAddress, peerAddress: peer.address, range: udp.range },
      alive: () => {
        this.#deadline = this.#in(LIMITS.idleMs);
      },
      failed: (fault) => this.end(asFault(fault)),
    });
  }

  async #play(request: Request): Promise<Answer> {
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
    const presentation = await this.#o.host.open(who, session.address, this.#o.peer);
    if (requirements(request).includes(ONVIF_REPLAY)) session.requireReplay();
    const player = await session.play(presentation, { range: asked, message: request });
    this.#watch(presentation.ended);
    const headers = [...this.#sessionHeader(), ...playing(session, player), ...granted(request, presentation)];
    return { headers, afterwards: () => player.run() };
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
    return [["Session", printSession({ id: session.id, timeoutSeconds: LIMITS.sessionSeconds })]];
  }

  #watch(ended: AbortSignal): void {
    this.#watched?.removeEventListener("abort", this.#onRevoked);
    this.#watched = ended;
    if (ended.aborted) this.#onRevoked();
    else ended.addEventListener("abort", this.#onRevoked, { once: true });
  }

  #dropSession(): void {
    this.#watched?.removeEventListener("abort", this.#onRevoked);
    this.#watched = undefined;
    this.#session?.close();
    this.#session = undefined;
  }
}

/** What a client must be able to rely on (RFC 2326 12.32). */
function requirements(request: Request): readonly string[] {
  return headerValues(request, "Require").flatMap((value) => value.split(",").map((tag) => tag.trim()));
}

/** Scale and Speed as they were asked for: they are had, or refused (RFC 2326 12.34, 12.35). Live video has neither. */
function granted(request: Request, { kind }: Presentation): Headers {
  if (kind === "live") return [];
  return request.headers.filter(([name]) => /^(?:scale|speed)$/i.test(name));
}

/** From when on is played, and where each track begins, as far as it is known (RFC 2326 12.29, 12.33). */
function playing(session: RtspSession, player: Player): Headers {
  const entries = session.lanes().map(({ index }) => {
    const first = player.first.get(index);
    const url = trackAddress(session.address, index);
    const packet = first?.packets[0];
    return packet === undefined || first === undefined
      ? { url }
      : { url, seq: packet.readUInt16BE(2), rtptime: first.rtpTime };
  });
  return [
    ...(player.range === undefined ? [] : ([["Range", printRange(player.range)]] as const)),
    ["RTP-Info", printRtpInfo(entries)],
  ];
}
