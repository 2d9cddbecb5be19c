import type { Clock } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { QuirkSeen } from "../../base/quirk.ts";
import { SECOND } from "../../base/units.ts";
import { type Headers, header, type Request, type Response } from "../wire/message.ts";
import { MessageParser, type Oddity } from "../wire/parser.ts";
import { frameInterleaved, printRequest, printResponse } from "../wire/print.ts";
import type { Carrier } from "./carrier.ts";
import type { RtspQuirk } from "./known-quirks.ts";

const LIMITS = {
  /** A camera that starts its encoder for us may take some seconds; one that takes longer hangs. */
  answerMs: 10 * SECOND,
  /** What we send is tiny. A camera that does not read even that is not there any more. */
  unsentBytes: 256 * 1024,
};

/** What a camera may ask of us; anything else is answered with 501. Some ask as a sign of life. */
const HARMLESS: ReadonlySet<string> = new Set(["OPTIONS", "GET_PARAMETER", "SET_PARAMETER"]);

interface Pending {
  readonly answered: (response: Response) => void;
  readonly failed: (fault: Fault) => void;
}

export interface ConnectionOptions {
  readonly carrier: Carrier;
  readonly clock: Clock;
  /** Which interleaved channels are in use; anything else behind a `$` is rubbish. */
  readonly isChannel: (channel: number) => boolean;
  /** A packet of an interleaved channel. The bytes are the callee's during the call: they may be written to, and not be kept. */
  readonly onPacket: (channel: number, packet: Buffer) => void;
  readonly seen: QuirkSeen<RtspQuirk>;
  /** Told of all that was read; what it returns is waited for before more is. Must not reject. Absent: nothing is held up. */
  readonly paced?: ((bytes: number) => Promise<void> | undefined) | undefined;
}

const ODDITIES: Readonly<Record<Oddity, RtspQuirk>> = { "line feed alone": "line-feeds", rubbish: "torn-framing" };

/** One RTSP connection to a camera: requests and their answers, and interleaved packets (RFC 2326). Ends once, with a Fault. */
export class RtspConnection {
  readonly #carrier: Carrier;
  readonly #clock: Clock;
  readonly #onPacket: ConnectionOptions["onPacket"];
  readonly #parser: MessageParser;
  readonly #paced: ConnectionOptions["paced"];
  readonly #pending = new Map<number, Pending>();
  readonly #whenEnded: (fault: Fault) => void;
  #sequence = 0;
  #ended: Fault | undefined;
  /** Rejects when the connection is over. */
  readonly ended: Promise<never>;

  constructor(o: ConnectionOptions) {
    this.#carrier = o.carrier;
    this.#clock = o.clock;
    this.#onPacket = o.onPacket;
    this.#paced = o.paced;
    const { isChannel, seen } = o;
    this.#parser = new MessageParser({ role: "client", isChannel, onOddity: (what) => seen(ODDITIES[what]) });
    const { promise, reject } = Promise.withResolvers<never>();
    this.ended = promise;
    this.#whenEnded = reject;
    // Whoever is interested races it; that nobody does is no error of its own.
    promise.catch(() => undefined);
    o.carrier.on("data", (chunk: Buffer) => this.#read(chunk));
    o.carrier.on("error", (cause) =>
      this.fail(new Fault("unavailable", `connection to the camera: ${cause.message}`, { cause })),
    );
    o.carrier.on("close", () => this.fail(new Fault("unavailable", "the camera closed the connection")));
  }

  get over(): boolean {
    return this.#ended !== undefined;
  }

  /** Sends a request and waits for its answer. Faults: `unavailable` (no answer in time, connection over), `invalid`. */
  request(method: string, uri: string, headers: Headers): Promise<Response> {
    return new Promise((resolve, reject) => {
      const late = new Fault("unavailable", `the camera does not answer ${method} within ${LIMITS.answerMs} ms`);
      // First, for it throws on what cannot be sent, and a timer would be left behind.
      const sequence = this.#send(method, uri, headers);
      const timer = this.#clock.after(LIMITS.answerMs, () => settle(() => reject(late)));
      const settle = (act: () => void): void => {
        timer.cancel();
        this.#pending.delete(sequence);
        act();
      };
      const pending: Pending = {
        answered: (response) => settle(() => resolve(response)),
        failed: (fault) => settle(() => reject(fault)),
      };
      if (this.#ended === undefined) this.#pending.set(sequence, pending);
      else pending.failed(this.#ended);
    });
  }

  /** Sends one packet on an interleaved channel. */
  sendPacket(channel: number, packet: Buffer): void {
    this.#write(frameInterleaved(channel, packet));
  }

  /** Ends the connection, for the given reason. The first reason counts. */
  fail(fault: Fault): void {
    if (this.#ended !== undefined) return;
    this.#ended = fault;
    for (const { failed } of this.#pending.values()) failed(fault);
    this.#whenEnded(fault);
    this.#carrier.destroy();
  }

  #send(method: string, uri: string, headers: Headers): number {
    this.#sequence += 1;
    this.#write(printRequest({ method, uri, headers: [["CSeq", `${this.#sequence}`], ...headers] }));
    return this.#sequence;
  }

  #write(bytes: Buffer): void {
    if (this.#ended !== undefined) return;
    this.#carrier.write(bytes);
    if (this.#carrier.writableLength > LIMITS.unsentBytes)
      this.fail(new Fault("unavailable", "the camera does not read what is sent to it"));
  }

  #read(chunk: Buffer): void {
    try {
      for (const message of this.#parser.push(chunk)) {
        if (this.#ended !== undefined) return;
        if (message.type === "interleaved") this.#onPacket(message.channel, message.payload);
        else if (message.type === "response") this.#answer(message);
        else this.#serve(message);
      }
      this.#hold(this.#paced?.(chunk.length));
    } catch (error) {
      this.fail(asFault(error));
    }
  }

  /** Reads no more before then: TCP makes the camera wait. */
  #hold(until: Promise<void> | undefined): void {
    if (until === undefined || this.#ended !== undefined) return;
    this.#carrier.pause();
    void until.then(() => this.#carrier.resume());
  }

  #answer(response: Response): void {
    const sequence = header(response, "CSeq");
    // There are cameras that forget it; they answer in order.
    const key = sequence === undefined ? this.#pending.keys().next().value : Number(sequence);
    if (response.status >= 200 && key !== undefined) this.#pending.get(key)?.answered(response);
  }

  #serve(request: Request): void {
    const sequence = header(request, "CSeq");
    if (sequence !== undefined)
      this.#write(printResponse({ status: HARMLESS.has(request.method) ? 200 : 501, headers: [["CSeq", sequence]] }));
    if (request.method === "TEARDOWN" || request.method === "REDIRECT")
      this.fail(new Fault("unavailable", `the camera ends the session (${request.method})`));
  }
}
