import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request } from "node:https";
import { WebSocket } from "ws";

/** What came back for one request. */
export interface WebAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Each Set-Cookie field. */
  readonly cookies: readonly string[];
  readonly text: string;
  /** The body where it is JSON. */
  readonly json: unknown;
}

export interface WebRequest {
  /** Sent as JSON, unless it is text or bytes already. */
  readonly body?: unknown;
  /** An empty one takes away what a browser would send. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Done when the other end has had the head of the request, and before it gets the body. */
  readonly meanwhile?: () => Promise<unknown>;
}

/** A WebSocket that was let in. */
export interface OpenFeed {
  /** What came: JSON as values, binary messages as buffers. */
  readonly messages: readonly unknown[];
  /** The close code. */
  readonly closed: Promise<number>;
  /** Whether a ping is answered before the other end closes. */
  alive(): Promise<boolean>;
  send(bytes: Buffer): void;
  close(): void;
}

/** A browser without a window: it keeps the session's cookie, and says what browsers say of where a request comes from. */
export class WebClient {
  readonly #port: number;
  /** The Cookie field. */
  cookie = "";

  constructor(port: number) {
    this.#port = port;
  }

  get origin(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** `path` goes out as it is. */
  send(method: string, path: string, { body, headers = {}, meanwhile }: WebRequest = {}): Promise<WebAnswer> {
    const bytes = body === undefined || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port: this.#port,
          method,
          path,
          agent: false,
          rejectUnauthorized: false,
          headers: withoutEmpty({
            ...(method === "GET" || method === "HEAD" ? {} : { origin: this.origin, "sec-fetch-site": "same-origin" }),
            ...(bytes === undefined
              ? {}
              : { "content-type": "application/json", "content-length": String(Buffer.byteLength(bytes)) }),
            cookie: this.cookie,
            ...(meanwhile === undefined ? {} : { expect: "100-continue" }),
            ...headers,
          }),
        },
        (response) => void answerOf(response).then(resolve, reject),
      );
      sent.on("error", reject);
      if (meanwhile === undefined) sent.end(bytes);
      // Node.js says so just before it hands the request on, which has all been done by the time that this arrives.
      else sent.once("continue", () => void meanwhile().then(() => sent.end(bytes), reject));
    }).then((answer) => {
      const { cookies } = answer as WebAnswer;
      for (const cookie of cookies) this.cookie = cookie.split(";", 1)[0] ?? "";
      return answer as WebAnswer;
    });
  }

  logIn(name: string, password: string): Promise<WebAnswer> {
    return this.send("POST", "/api/session", { body: { name, password } });
  }

  /** An open WebSocket, or the status with which it was refused. */
  async feed(path: string, headers: Readonly<Record<string, string>> = {}): Promise<OpenFeed | number> {
    const socket = new WebSocket(`wss://127.0.0.1:${this.#port}${path}`, {
      rejectUnauthorized: false,
      headers: withoutEmpty({ origin: this.origin, cookie: this.cookie, ...headers }),
    });
    const messages: unknown[] = [];
    socket.on("message", (data: Buffer, binary: boolean) =>
      messages.push(binary ? data : (JSON.parse(data.toString()) as unknown)),
    );
    const closed = once(socket, "close").then(([code]) => code as number);
    const refused = new Promise<number>((resolve) => {
      socket.on("unexpected-response", (_request, response: IncomingMessage) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
    });
    const status = await Promise.race([once(socket, "open").then(() => undefined), refused]);
    if (status !== undefined) return status;
    const alive = (): Promise<boolean> => {
      const answered = once(socket, "pong").then(() => true);
      socket.ping();
      return Promise.race([answered, closed.then(() => false)]);
    };
    return { messages, closed, alive, send: (bytes) => socket.send(bytes), close: () => socket.close() };
  }

  /** As {@link feed}; throws where it was refused. */
  async openFeed(path: string): Promise<OpenFeed> {
    const feed = await this.feed(path);
    if (typeof feed === "number") throw new Error(`${path} was refused with ${feed}`);
    return feed;
  }
}

function withoutEmpty(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ""));
}

async function answerOf(response: IncomingMessage): Promise<WebAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  const isJson = (response.headers["content-type"] ?? "").startsWith("application/json") && text !== "";
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    cookies: response.headers["set-cookie"] ?? [],
    text,
    json: isJson ? (JSON.parse(text) as unknown) : undefined,
  };
}
