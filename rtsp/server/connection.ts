import { UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import { asFault, Fault } from "../../base/fault.ts";
import { type MonotonicMillis, SECOND } from "../../base/units.ts";
import { type Headers, header, type Interleaved, type Request } from "../wire/message.ts";
import { MessageParser } from "../wire/parser.ts";
import { printResponse } from "../wire/print.ts";
import { RtspFault, statusOf } from "./reply.ts";
import { Requests, type RequestsOptions } from "./requests.ts";
import type { RtspSession } from "./session.ts";

const LIMITS = {
  /** Until the first right log-in. Who takes longer is no player. */
  loginMs: 10 * SECOND,
  /** Without a sign of life, while nothing is being sent. */
  idleMs: 70 * SECOND,
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

export interface ConnectionOptions extends Omit<RequestsOptions, "alive" | "failed"> {
  /** A request was refused, or the connection was ended by us. */
  readonly refused: (fault: Fault, request: Request | undefined) => void;
  readonly closed: () => void;
}

/** One RTSP connection of a client: how long it lives, and that its requests are answered one after another. */
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
  #refusedLogIns = 0;
  readonly #requests: Requests;

  constructor(options: ConnectionOptions) {
    this.#o = options;
    this.#deadline = this.#in(LIMITS.loginMs);
    this.#takenAt = options.clock.monotonic();
    this.#requests = new Requests({
      ...options,
      alive: () => {
        this.#deadline = this.#in(LIMITS.idleMs);
      },
      failed: (fault) => this.end(fault),
    });
    options.carrier.once("close", () => this.#close());
  }

  get session(): RtspSession | undefined {
    return this.#requests.session;
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
    if (this.session?.active === true && !this.session.mustReport) this.#deadline = this.#in(LIMITS.idleMs);
    if (now < this.#deadline) return;
    if (this.#ending) this.#o.carrier.destroy();
    else this.end(new Fault("unavailable", this.#requests.authenticated ? "no sign of life" : "no log-in in time"));
  }

  /** Hangs up. */
  end(fault: Fault | undefined): void {
    if (fault !== undefined && !this.#ending) this.#o.refused(fault, undefined);
    this.#ending = true;
    this.#requests.close();
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
    this.#requests.close();
    this.#o.closed();
  }

  #interleaved({ channel, payload }: Interleaved): void {
    if (this.session?.packet(channel, payload) === true) return;
    // Behind a TEARDOWN there are reports that were on their way already.
    if (!this.#requests.authenticated) throw new Fault("invalid", "packets before SETUP");
  }

  /** Framing is lost, so the connection is: but the client is told. */
  #farewell(fault: Fault): void {
    this.#o.refused(fault, undefined);
    this.#ending = true;
    this.#deadline = this.#in(LIMITS.farewellMs);
    this.#requests.close();
    this.#o.carrier.end(printResponse({ status: statusOf(fault), headers: [["Server", SERVER]] }));
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    while (!this.#ending) {
      const request = this.#queue.shift();
      if (request === undefined) break;
      if (this.#requests.authenticated) this.#deadline = this.#in(LIMITS.idleMs);
      try {
        const answer = await this.#requests.serve(request);
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
      const authorization = header(request, "Authorization");
      for (const challenge of this.#o.host.challenges(this.#o.peer, { stale, authorization }))
        headers.push(["WWW-Authenticate", challenge]);
      // The first request of most players carries no credentials: that is no attempt.
      if (authorization !== undefined && !stale) this.#refusedLogIns += 1;
    }
    if (fault.kind !== "unauthenticated" || this.#refusedLogIns > 0) this.#o.refused(fault, request);
    if (fault.tell === undefined) this.#send(status, request, headers);
    else {
      headers.push(["Content-Type", "text/plain; charset=utf-8"]);
      this.#send(status, request, headers, Buffer.from(`${fault.tell}\n`));
    }
    if (this.#refusedLogIns >= LIMITS.refusedLogIns) this.end(new Fault("unauthenticated", "too many wrong log-ins"));
  }
}
