import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { ChallengeAnswerer, type Credentials } from "../../auth/scheme/http.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import type { Carrier } from "./carrier.ts";
import { RefusedTransport } from "./refusal.ts";

const LIMITS = {
  /** For the answer to the GET, from its last byte sent to its last line received. */
  answerMs: 10 * SECOND,
  headBytes: 16 * 1024,
  /** The first GET, and one with the log-in that the camera wants. */
  attempts: 2,
};

const TYPE = "application/x-rtsp-tunnelled";
const TUNNELED = /^application\/x-rtsp-tunnell?ed\b/i;
/** A POST has no end; what it says of its length, QuickTime's servers take for any number (Apple, Tunnelling RTSP and RTP in HTTP). */
const POST_LENGTH = 32_767;

export interface TunnelOptions {
  /** Connects to the camera's HTTP port. */
  readonly dial: () => Promise<Socket>;
  /** As it stands in the request lines: the path of the stream. */
  readonly path: string;
  readonly host: string;
  readonly credentials: Credentials | undefined;
  readonly allowBasic: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * RTSP in HTTP (ONVIF Streaming 5.1.1.4): a GET whose answer never ends brings what the camera says, a POST that never ends takes
 * what we say, in base64. Faults: RefusedTransport where there is no tunnel at this port, `unauthenticated`, `unavailable` when it is called off, those of `dial`.
 */
export async function openTunnel(o: TunnelOptions): Promise<Carrier> {
  const cookie = randomBytes(16).toString("hex");
  const answerer = o.credentials && new ChallengeAnswerer(o.credentials, { allowBasic: o.allowBasic });
  const request = (method: "GET" | "POST", more: readonly string[]): Buffer => {
    const authorization = answerer?.authorize(method, o.path);
    const lines = [
      `${method} ${o.path} HTTP/1.0`,
      `Host: ${o.host}`,
      "User-Agent: Viaduct",
      `x-sessioncookie: ${cookie}`,
      "Pragma: no-cache",
      "Cache-Control: no-cache",
      ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
      ...more,
    ];
    return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  };
  for (let attempt = 1; ; attempt += 1) {
    const down = await o.dial();
    try {
      down.write(request("GET", [`Accept: ${TYPE}`]));
      const { status, type, challenges, rest } = await answerOf(down, o);
      if (status === 200) {
        // A web server may answer with a page to whatever it is asked; what does not say its type may be a tunnel.
        if (type !== undefined && !TUNNELED.test(type))
          throw new RefusedTransport("http", "the answer is of another kind");
        const up = await o.dial();
        up.write(request("POST", [`Content-Type: ${TYPE}`, `Content-Length: ${POST_LENGTH}`]));
        return new Tunnel(down, up, rest);
      }
      if (status !== 401) throw new RefusedTransport("http", `the answer is ${status}`);
      if (attempt === LIMITS.attempts || answerer?.challenged(challenges) !== true)
        throw new Fault("unauthenticated", "the camera refuses the log-in for RTSP in HTTP", {
          tell: "the camera does not accept user and password",
        });
      down.destroy();
    } catch (error) {
      down.destroy();
      throw error;
    }
  }
}

interface HttpAnswer {
  readonly status: number;
  readonly type: string | undefined;
  readonly challenges: readonly string[];
  /** What came behind the head already. */
  readonly rest: Buffer;
}

/** The head of the answer to a GET. What comes behind it stays in the socket, which is left paused. */
function answerOf(socket: Socket, { clock, signal }: TunnelOptions): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const end = (): void => {
      timer.cancel();
      socket.off("data", read);
      socket.off("close", closed);
      signal.removeEventListener("abort", abort);
      socket.pause();
    };
    const fail = (why: string): void => {
      end();
      reject(new RefusedTransport("http", why));
    };
    const abort = (): void => {
      end();
      reject(new Fault("unavailable", "asking for a tunnel was called off"));
    };
    const closed = (): void => fail("the camera hangs up");
    const read = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const head = bytes.indexOf("\r\n\r\n");
      if (head < 0 && bytes.length <= LIMITS.headBytes) return;
      const [start = "", ...lines] = bytes.toString("latin1", 0, Math.max(0, head)).split("\r\n");
      const status = /^HTTP\/1\.[01] (\d{3})\b/.exec(start)?.[1];
      if (status === undefined) {
        fail("the answer is not HTTP");
        return;
      }
      const valuesOf = (name: RegExp): string[] => lines.flatMap((line) => name.exec(line)?.[1] ?? []);
      const challenges = valuesOf(/^www-authenticate:\s*(.*)$/i);
      const [type] = valuesOf(/^content-type:\s*(.*)$/i);
      end();
      resolve({ status: Number(status), type, challenges, rest: bytes.subarray(head + 4) });
    };
    const timer: Timer = clock.after(LIMITS.answerMs, () => fail("there is no answer"));
    socket.on("data", read);
    socket.once("close", closed);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
  });
}

/** Two connections as one. Either one's end is the end of both. */
class Tunnel implements Carrier {
  readonly #down: Socket;
  readonly #up: Socket;

  constructor(down: Socket, up: Socket, rest: Buffer) {
    this.#down = down;
    this.#up = up;
    if (rest.length > 0) down.unshift(rest);
    // Servers may answer the POST, at once or at its end; that says nothing that RTSP does not say better.
    up.resume();
    for (const socket of [down, up]) socket.on("close", () => this.destroy());
  }

  get localAddress(): string | undefined {
    return this.#down.localAddress;
  }

  get writableLength(): number {
    return this.#up.writableLength;
  }

  on(event: "data" | "error" | "close", listener: (...told: never[]) => void): void {
    for (const socket of event === "data" ? [this.#down] : [this.#down, this.#up])
      socket.on(event, listener as (...told: unknown[]) => void);
    // It was paused while nobody took what came.
    if (event === "data") this.#down.resume();
  }

  write(bytes: Buffer): void {
    this.#up.write(bytes.toString("base64"), "latin1");
  }

  pause(): void {
    this.#down.pause();
  }

  resume(): void {
    this.#down.resume();
  }

  destroy(): void {
    this.#down.destroy();
    this.#up.destroy();
  }
}
