import type { Socket } from "node:net";
import { type AuditFormat, type Origin, printCefMessage, printSyslog } from "../../auth/audit/format.ts";
import { fieldsOf } from "../../auth/audit/line.ts";
import { BEGINNING, readOn, type TailPosition } from "../../auth/audit/tail.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Closable } from "../../base/lifecycle.ts";
import { type Log, Repeats } from "../../base/log.ts";
import { MINUTE, type MonotonicMillis, SECOND } from "../../base/units.ts";
import { readIfThere, writeWhole } from "../../base/whole-file.ts";

const LIMITS = {
  connectMs: 10 * SECOND,
  /** How long a receiver may take nothing. */
  stuckMs: 30 * SECOND,
  /** How often it is looked for new entries. */
  lookMs: 1 * SECOND,
  /** Syslog acknowledges nothing: what was sent counts as received when the connection has lasted so long behind it. */
  settleMs: 5 * SECOND,
  firstRetryMs: 1 * SECOND,
  longestRetryMs: 1 * MINUTE,
} as const;

/** Who is told what the audit log says, and how. */
export interface ForwardTarget {
  readonly name: string;
  readonly format: Exclude<AuditFormat, "csv">;
  /** An encrypted connection to the receiver, which has proved who it is. Faults of dialing. */
  dial(timeoutMs: number, signal: AbortSignal): Promise<Socket>;
}

/** How forwarding stands, for pages. */
export interface ForwardState {
  readonly name: string;
  readonly connected: boolean;
  /** The newest entry that counts as received. */
  readonly received: number;
  /** Why it is not connected. */
  readonly why: string | undefined;
}

export interface ForwarderOptions {
  readonly target: ForwardTarget;
  /** The file of the log that is written. */
  readonly current: string;
  /** Where it is kept how far the receiver is. */
  readonly positionFile: string;
  readonly origin: Origin;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Sends the audit log to one receiver. The log itself is the queue: while the receiver is away nothing is lost but what its retention
 * removes, which is told in the log. After a broken connection the last seconds are sent once more, for nobody can know what
 * arrived; numbers show what came twice.
 */
export class AuditForwarder implements Closable {
  readonly #o: ForwarderOptions;
  readonly #stopping = new AbortController();
  readonly #failures: Repeats;
  readonly #running: Promise<void>;
  /** What counts as received. */
  #settled: TailPosition;
  /** What was sent behind that, and when. */
  #sent: { readonly position: TailPosition; readonly at: MonotonicMillis }[] = [];
  #stored: TailPosition;
  #connected = false;
  #why: string | undefined;

  static async start(o: ForwarderOptions): Promise<AuditForwarder> {
    return new AuditForwarder(o, positionIn(await readIfThere(o.positionFile)));
  }

  private constructor(o: ForwarderOptions, position: TailPosition) {
    this.#o = o;
    this.#settled = position;
    this.#stored = position;
    this.#failures = new Repeats(o.clock);
    this.#running = this.#run();
  }

  get state(): ForwardState {
    return {
      name: this.#o.target.name,
      connected: this.#connected,
      received: this.#settled.seq,
      why: this.#connected ? undefined : this.#why,
    };
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#store();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let retryMs: number = LIMITS.firstRetryMs;
    while (!signal.aborted) {
      try {
        const socket = await this.#o.target.dial(LIMITS.connectMs, signal);
        retryMs = LIMITS.firstRetryMs;
        await this.#feed(socket);
      } catch (error) {
        if (signal.aborted) return;
        const fault = asFault(error);
        this.#why = fault.message;
        if (this.#failures.admit(fault.message) !== undefined)
          this.#o.log.warn({ err: fault, target: this.#o.target.name }, "the audit log is not forwarded now");
      }
      await this.#o.clock.sleep(retryMs, signal).catch(() => undefined);
      retryMs = Math.min(LIMITS.longestRetryMs, retryMs * 2);
    }
  }

  /** Until the connection ends, which is a Fault `unavailable`, or everything is to stop. */
  async #feed(socket: Socket): Promise<void> {
    const { clock, current } = this.#o;
    const gone = new AbortController();
    socket.resume();
    socket.once("close", () => gone.abort(new Fault("unavailable", "the receiver closed the connection")));
    const signal = AbortSignal.any([gone.signal, this.#stopping.signal]);
    this.#connected = true;
    this.#sent = [];
    let position = this.#settled;
    try {
      while (!signal.aborted) {
        const block = await readOn(current, position);
        if (block.lost !== undefined) this.#tellLost(block.lost);
        for (const line of block.lines) socket.write(this.#framed(line));
        await this.#drained(socket, signal);
        position = block.position;
        this.#sent.push({ position, at: clock.monotonic() });
        await this.#settle();
        if (block.lines.length === 0) await clock.sleep(LIMITS.lookMs, signal);
      }
    } finally {
      this.#connected = false;
      socket.destroy();
    }
    signal.throwIfAborted();
  }

  async #drained(socket: Socket, signal: AbortSignal): Promise<void> {
    const written = Promise.withResolvers<void>();
    const stop = (): void => written.reject(signal.reason as Error);
    const stuck = this.#o.clock.after(LIMITS.stuckMs, () =>
      written.reject(new Fault("unavailable", "the receiver takes nothing")),
    );
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    socket.write("", () => written.resolve());
    try {
      await written.promise;
    } finally {
      stuck.cancel();
      signal.removeEventListener("abort", stop);
    }
  }

  async #settle(): Promise<void> {
    const until = this.#o.clock.monotonic() - LIMITS.settleMs;
    while (this.#sent[0] !== undefined && this.#sent[0].at <= until)
      this.#settled = this.#sent.shift()?.position ?? this.#settled;
    if (this.#settled.seq - this.#stored.seq > 0) await this.#store();
  }

  async #store(): Promise<void> {
    this.#stored = this.#settled;
    await writeWhole(this.#o.positionFile, `${JSON.stringify(this.#stored)}\n`).catch((err: unknown) =>
      this.#o.log.error({ err }, "cannot write down how far the audit log is forwarded"),
    );
  }

  #tellLost({ from, to }: { readonly from: number; readonly to: number }): void {
    this.#o.audit.record({
      who: "viaduct",
      action: "forward-lost",
      interface: "bridge",
      outcome: "failed",
      subject: this.#o.target.name,
      why: `entries ${from} to ${to} were removed before they were sent`,
    });
  }

  /** JSON lines end with a line end; messages of syslog begin with their length (RFC 5425 4.3). */
  #framed(line: Buffer): string | Buffer {
    const text = line.toString("utf8");
    const { origin, target } = this.#o;
    if (target.format === "json") return `${text}\n`;
    const fields = fieldsOf(line) ?? {};
    const message = Buffer.from(
      target.format === "cef" ? printCefMessage(fields, origin) : printSyslog(text, fields, origin),
    );
    return Buffer.concat([Buffer.from(`${message.length} `), message]);
  }
}

function positionIn(text: string | undefined): TailPosition {
  try {
    const { first, offset, seq } = JSON.parse(text ?? "") as TailPosition;
    return [first, offset, seq].every((value) => Number.isSafeInteger(value) && value >= 0)
      ? { first, offset, seq }
      : BEGINNING;
  } catch {
    // Lost: everything is sent once more.
    return BEGINNING;
  }
}
