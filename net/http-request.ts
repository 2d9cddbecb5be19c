import { type IncomingHttpHeaders, request } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Millis } from "../base/units.ts";
import { readWhole } from "./http.ts";
import type { Dialing } from "./sides.ts";
import { type CameraTls, dial, type ServerTls } from "./tcp.ts";

/** Of the answer's head. */
const HEAD_BYTES = 16 * 1024;

export interface HttpRequest {
  /** http or https; the host is an IP literal. User information is ignored. */
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Bound of the answer's body. */
  readonly maxBytes: number;
  /** For everything from the dialing to the last byte. */
  readonly timeoutMs: Millis;
  readonly side: Dialing;
  readonly clock: Clock;
  /** For https. */
  readonly tls?: CameraTls | ServerTls;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * One request, to a camera or to who is told of events, on a connection of its own. Redirects are answers like others: they are not followed.
 * Faults: those of `dial`, `unavailable` (broke off, too late), `invalid` (answer too long, compressed, or not HTTP).
 */
export async function httpRequest(options: HttpRequest): Promise<HttpAnswer> {
  const { url, clock, timeoutMs } = options;
  const secure = url.protocol === "https:";
  if (!secure && url.protocol !== "http:") throw new Fault("invalid", `${url.protocol} is not HTTP`);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(url.port) || (secure ? 443 : 80);

  const late = new AbortController();
  const timer = clock.after(timeoutMs, () => late.abort());
  const signal = options.signal === undefined ? late.signal : AbortSignal.any([late.signal, options.signal]);
  try {
    const { side } = options;
    const socket = await dial({
      host,
      port,
      side,
      clock,
      timeoutMs,
      signal,
      ...(secure ? { tls: options.tls ?? {} } : {}),
    });
    const end = (): void => void socket.destroy();
    signal.addEventListener("abort", end, { once: true });
    try {
      return await exchange(options, socket);
    } catch (error) {
      if (late.signal.aborted)
        throw new Fault("unavailable", `${url.host} took longer than ${timeoutMs} ms`, { cause: error });
      if (signal.aborted) throw new Fault("unavailable", `request to ${url.host} was called off`);
      throw error;
    } finally {
      signal.removeEventListener("abort", end);
      socket.destroy();
    }
  } finally {
    timer.cancel();
  }
}

function exchange(options: HttpRequest, socket: Socket): Promise<HttpAnswer> {
  const { url, method, headers, body, maxBytes } = options;
  return new Promise((resolve, reject) => {
    const broken = (cause: Error): void => {
      const parse = "code" in cause && typeof cause.code === "string" && cause.code.startsWith("HPE_");
      reject(
        new Fault(parse ? "invalid" : "unavailable", `request to ${url.host} failed: ${cause.message}`, { cause }),
      );
    };
    const sent = request({
      // Without an agent, and with a connection that exists already, Node writes to nothing else.
      createConnection: () => socket,
      method,
      path: `${url.pathname}${url.search}`,
      headers: {
        Host: url.host,
        "Accept-Encoding": "identity",
        Connection: "close",
        ...headers,
        ...(body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) }),
      },
      maxHeaderSize: HEAD_BYTES,
    });
    sent.on("error", broken);
    sent.on("response", (response) => {
      response.on("error", () => undefined);
      readWhole(response, maxBytes, `answer of ${url.host}`).then(
        (bytes) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes }),
        reject,
      );
    });
    sent.on("upgrade", () => broken(new Error("answered with an upgrade")));
    sent.end(body);
  });
}
