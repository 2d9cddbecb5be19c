import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { asFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { UnixMillis } from "../base/units.ts";
import { putFirst } from "../net/http.ts";
import type { Identity } from "../net/tls.ts";
import type { DigestGate } from "./digest.ts";
import type { Quirk } from "./quirks.ts";
import { NS, parseRequest, printEnvelope, printFault, SoapFault, type SoapRequest, type TokenGate } from "./soap.ts";

const LIMITS = { bodyBytes: 64 * 1024, connections: 64 } as const;

/** Paths of the services. That of the device service is fixed (ONVIF Core 5.1.1). */
export const PATHS = {
  device: "/onvif/device_service",
  media: "/onvif/media_service",
  media2: "/onvif/media2_service",
  events: "/onvif/event_service",
  subscription: "/onvif/subscription",
  ptz: "/onvif/ptz_service",
  imaging: "/onvif/imaging_service",
  io: "/onvif/deviceio_service",
  recording: "/onvif/recording_service",
  search: "/onvif/search_service",
  replay: "/onvif/replay_service",
  snapshot: "/onvif/snapshot",
} as const;

/** What is asked, and where. */
export interface Asked extends SoapRequest {
  /** Path and query. */
  readonly target: string;
}

/** XML of an answer's body, with a header where one is needed. */
export type Told = string | { readonly header: string; readonly body: string };

/** Operations by name. They throw {@link SoapFault}. */
export type Operations = Readonly<Record<string, (asked: Asked) => Told | Promise<Told>>>;

/** Operations that everybody may ask for (ONVIF Core 5.9.4, class PRE_AUTH). */
const OPEN: ReadonlySet<string> = new Set([
  "GetServices",
  "GetServiceCapabilities",
  "GetCapabilities",
  "GetSystemDateAndTime",
  "GetHostname",
  "GetEndpointReference",
  "GetWsdlUrl",
]);

export interface OnvifOptions {
  readonly address: string;
  /** Absent: without TLS. */
  readonly tls: Identity | undefined;
  readonly operations: Readonly<Partial<Record<keyof typeof NS, Operations>>>;
  readonly gate: DigestGate;
  readonly tokens: TokenGate;
  /** Its picture as a JPEG file, where it gives one. */
  readonly snapshot?: () => Buffer;
  /** The camera's own clock, which its Date fields tell. */
  readonly now: () => UnixMillis;
  /** Is given every connection first, with TLS behind it, and lets the service have it by `serve`. */
  readonly first: (socket: Socket, serve: () => void) => void;
  readonly quirks: ReadonlySet<Quirk>;
  readonly log: Log;
}

/** The web server of a camera: SOAP 1.2 over HTTP, with log-in by HTTP digest or UsernameToken (ONVIF Core 5.9). */
export class OnvifServer {
  readonly #options: OnvifOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #requests = 0;

  constructor(options: OnvifOptions) {
    this.#options = options;
  }

  /** So far. */
  get requests(): number {
    return this.#requests;
  }

  get port(): number {
    return this.#port;
  }

  async listen(port: number): Promise<void> {
    const { tls, first } = this.#options;
    const serve = (request: IncomingMessage, response: ServerResponse): void => void this.#serve(request, response);
    const server = tls === undefined ? createServer(serve) : createSecureServer(tls, serve);
    server.maxConnections = LIMITS.connections;
    putFirst(server, tls === undefined ? "connection" : "secureConnection", first);
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.listen(port, this.#options.address);
    await once(server, "listening");
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Breaks all connections, too. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#requests += 1;
    response.setHeader("Date", new Date(this.#options.now()).toUTCString());
    try {
      if (request.method === "GET" && request.url === PATHS.snapshot && this.#options.snapshot !== undefined) {
        this.#picture(request, response, this.#options.snapshot);
        return;
      }
      if (request.method !== "POST") {
        response.writeHead(405, { Allow: "POST" }).end();
        return;
      }
      const body = await bodyOf(request);
      const asked = body && parseRequest(body);
      if (asked === undefined) {
        response.writeHead(400).end();
        return;
      }
      const target = request.url ?? "/";
      const denied = this.#denied(request, asked, target);
      if (denied !== undefined) {
        response.writeHead(denied.status, { "WWW-Authenticate": denied.challenges, ...SOAP_TYPE }).end(denied.body);
        return;
      }
      const told = await this.#run({ ...asked, target });
      const text = typeof told === "string" ? printEnvelope(told) : printEnvelope(told.body, told.header);
      response.writeHead(200, SOAP_TYPE).end(text);
    } catch (error) {
      if (error instanceof SoapFault)
        response.writeHead(error.code === "Sender" ? 400 : 500, SOAP_TYPE).end(printFault(error));
      else {
        this.#options.log.debug({ err: asFault(error) }, "simulated camera: request cannot be answered");
        response.writeHead(400).end();
      }
    }
  }

  #picture({ headers }: IncomingMessage, response: ServerResponse, snapshot: () => Buffer): void {
    const { gate } = this.#options;
    if (headers.authorization !== undefined && gate.check(headers.authorization, "GET", PATHS.snapshot))
      response.writeHead(200, { "Content-Type": "image/jpeg" }).end(snapshot());
    else response.writeHead(401, { "WWW-Authenticate": [...gate.challenges()] }).end();
  }

  /** HTTP digest goes before a token (Core 5.9.3). */
  #denied(
    request: IncomingMessage,
    asked: SoapRequest,
    target: string,
  ): { readonly status: number; readonly challenges: string[]; readonly body: string } | undefined {
    const { gate, tokens, quirks } = this.#options;
    const tokenOnly = quirks.has("token-only");
    const authorization = tokenOnly ? undefined : request.headers.authorization;
    if (authorization !== undefined && gate.check(authorization, request.method ?? "", target)) return undefined;
    const token = authorization === undefined ? tokens.check(asked.header) : undefined;
    if (token === true || (this.#isOpen(asked.operation) && authorization === undefined && token === undefined))
      return undefined;
    const body = printFault(new SoapFault("Sender", ["NotAuthorized"], "Sender not authorized"));
    return token === false || tokenOnly
      ? { status: 400, challenges: [], body }
      : { status: 401, challenges: [...gate.challenges()], body };
  }

  #isOpen(operation: string): boolean {
    return (
      OPEN.has(operation) && !(operation === "GetSystemDateAndTime" && this.#options.quirks.has("clock-needs-login"))
    );
  }

  async #run(asked: Asked): Promise<Told> {
    const prefix = (Object.keys(NS) as (keyof typeof NS)[]).find((name) => NS[name] === asked.ns);
    const operations = prefix && this.#options.operations[prefix];
    const run = operations && Object.hasOwn(operations, asked.operation) ? operations[asked.operation] : undefined;
    if (run === undefined)
      throw new SoapFault("Receiver", ["ActionNotSupported"], "This camera does not have that operation");
    return run(asked);
  }
}

const SOAP_TYPE = { "Content-Type": "application/soap+xml; charset=utf-8" };

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LIMITS.bodyBytes) return undefined;
  }
  return Buffer.concat(chunks);
}
