import type { Credentials } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault, isFault } from "../../base/fault.ts";
import { type Millis, type MonotonicMillis, SECOND, type UnixMillis, unixMillis } from "../../base/units.ts";
import { type HttpAnswer, httpRequest } from "../../net/http-request.ts";
import type { CameraSide } from "../../net/sides.ts";
import type { CameraTls } from "../../net/tcp.ts";
import { deviceText } from "../../wsdl/device-text.ts";
import { type FaultMessage, faultMessage, printEnvelope } from "../../wsdl/envelope.ts";
import { NAMESPACES, type Prefix } from "../../wsdl/namespaces.ts";
import { parseXml } from "../../wsdl/parse-xml.ts";
import type { XmlElement } from "../../wsdl/xml.ts";
import { Login } from "./login.ts";
import { isLoginFault } from "./quirks.ts";

const LIMITS = {
  /** The largest real answers, profiles of a recorder with 64 channels, have some 300 KiB. */
  answerBytes: 2 * 1024 * 1024,
  /** gSOAP devices declare every namespace that they know in each message. */
  xml: { bytes: 2 * 1024 * 1024, depth: 64, elements: 20_000, declarations: 256 },
  requestMs: 10 * SECOND,
  totalMs: 60 * SECOND,
  /** Requests of one conversation, all repetitions counted. */
  requests: 500,
} as const;

const SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/";

export interface CallerOptions {
  readonly credentials?: Credentials;
  readonly side: CameraSide;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly tls?: CameraTls;
  /** Of an earlier conversation with the same camera, which goes on. */
  readonly login?: Login;
  /** A conversation that goes on as long as the camera is ours: without a bound of its whole time and number of requests. */
  readonly unending?: boolean;
}

/** An operation of one of ONVIF's services. */
export interface Call {
  readonly url: URL;
  /** Of the service that the operation belongs to. */
  readonly prefix: Prefix;
  readonly operation: string;
  /** XML inside the operation's element; prefixes `tt` and that of the service are declared. */
  readonly content?: string;
  /** Header blocks besides the log-in's, as XML that declares its own prefixes. */
  readonly header?: string;
  /** What the action begins with, where that is not the namespace. */
  readonly actions?: string;
  /** For this request, where it is to be held longer than others. */
  readonly timeoutMs?: Millis;
}

/** An answer, with what is needed to read the camera's clock from it. */
export interface Answer {
  readonly body: XmlElement;
  /** Our time in the middle of the exchange. */
  readonly at: UnixMillis;
  /** How long it took. */
  readonly tookMs: Millis;
}

/** A SOAP fault that is not about logging in: the camera does not know the operation, or refuses its arguments. */
export class RefusedByCamera extends Fault {
  /** ONVIF's, from the outside to the inside, as the camera wrote them. */
  readonly subcodes: readonly string[];

  constructor({ code, subcodes, reason }: FaultMessage, what: string) {
    super("invalid", `${what}: camera says ${[code, ...subcodes].join("/")}: ${reason}`, {
      tell: "the camera refused an ONVIF request",
    });
    this.subcodes = subcodes;
  }
}

/**
 * One conversation with one camera: SOAP 1.2 over HTTP(S), each request on a connection of its own, logged in as the camera
 * demands. Bounded in answer size, time per request (10 s), time in all (60 s, unless it is unending) and log-in attempts.
 */
export class Caller {
  readonly login: Login;
  readonly #options: CallerOptions;
  readonly #endsAt: MonotonicMillis;
  #tls: CameraTls | undefined;
  #requests = 0;
  /** The Date field of the last answer that refused us, and our time then. */
  #refusedAt: { readonly date: string | undefined; readonly at: UnixMillis } | undefined;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.login = options.login ?? new Login(options.credentials);
    const totalMs = options.unending === true ? Number.POSITIVE_INFINITY : LIMITS.totalMs;
    this.#endsAt = (options.clock.monotonic() + totalMs) as MonotonicMillis;
    const { tls } = options;
    this.#tls = tls?.onPin === undefined ? tls : { ...tls, onPin: (spki) => this.#pin(spki) };
  }

  get remainingMs(): Millis {
    return this.#endsAt - this.#options.clock.monotonic();
  }

  /** What the camera's HTTP server said of its clock when it refused a request. */
  get refusedAt(): { readonly date: string | undefined; readonly at: UnixMillis } | undefined {
    return this.#refusedAt;
  }

  /**
   * Calls, logging in where the camera asks for it. Faults: `unauthenticated`, `unavailable` (no answer, too late), `denied`
   * (an address or key that is not allowed, or this account may not), `invalid` (a SOAP fault, or nothing that is SOAP).
   */
  async call(call: Call): Promise<Answer> {
    for (;;) {
      const answer = await this.#exchange(call, true);
      if ("body" in answer) {
        this.login.taken();
        return answer;
      }
      if (!this.login.refused({ ...answer.refused, encrypted: call.url.protocol === "https:" }))
        throw new Fault("denied", `${call.operation}: camera refuses it to this account`, {
          tell: "the camera refuses this to the given account: it needs more rights",
        });
    }
  }

  /** Calls without logging in; undefined when the camera wants a login first. */
  async callOpenly(call: Call): Promise<Answer | undefined> {
    const answer = await this.#exchange(call, false);
    return "body" in answer ? answer : undefined;
  }

  async #exchange(
    call: Call,
    proven: boolean,
  ): Promise<Answer | { readonly refused: { challenges: readonly string[]; fault: boolean } }> {
    const { clock } = this.#options;
    const what = `${call.operation} at ${call.url.host}`;
    const [before, begun] = [clock.now(), clock.monotonic()];
    const response = await this.#requestTwice(call, proven);
    const at = unixMillis((before + clock.now()) / 2);
    const tookMs = clock.monotonic() - begun;
    const { status } = response;
    if (status >= 300 && status < 400)
      throw notOnvif(`${what}: answered with a redirect (${status}), which is not followed`);
    const body = bodyOf(response, what);
    const fault = body && faultMessage(body);
    if (status === 401 || (fault !== undefined && isLoginFault(fault))) {
      this.#refusedAt = { date: response.headers.date, at };
      return { refused: { challenges: challengesOf(response), fault: fault !== undefined && isLoginFault(fault) } };
    }
    if (fault !== undefined) throw new RefusedByCamera(fault, what);
    if (status === 403)
      throw new Fault("denied", `${what}: HTTP 403`, {
        tell: "the camera refuses this account: it is locked for a while, or it needs more rights",
      });
    if (status === 503) throw new Fault("unavailable", `${what}: HTTP 503`, { tell: "the camera is busy" });
    if (body === undefined || status !== 200) throw notOnvif(`${what}: HTTP ${status}`);
    if (body.name !== `${call.operation}Response`) throw notOnvif(`${what}: answered with ${body.name.slice(0, 60)}`);
    return { body, at, tookMs };
  }

  /** Cameras close connections at odd moments: a request that was cut off is sent once more, with a fresh proof. */
  async #requestTwice(call: Call, proven: boolean): Promise<HttpAnswer> {
    try {
      return await this.#request(call, proven);
    } catch (error) {
      if (!(error instanceof Fault) || !wasCutOff(error.cause)) throw error;
      if (proven) this.login.unanswered();
      return this.#request(call, proven);
    }
  }

  #request(call: Call, proven: boolean): Promise<HttpAnswer> {
    const { url, prefix, operation, content = "", actions = NAMESPACES[prefix] } = call;
    const { side, clock, signal, unending } = this.#options;
    const timeoutMs = Math.min(call.timeoutMs ?? LIMITS.requestMs, this.remainingMs);
    if (timeoutMs <= 0)
      throw new Fault("unavailable", `camera needs more than ${LIMITS.totalMs} ms`, { tell: "the camera is too slow" });
    this.#requests += 1;
    if (unending !== true && this.#requests > LIMITS.requests)
      throw new Fault("unavailable", "too many requests to one camera");
    const proof = proven ? this.login.proof("POST", `${url.pathname}${url.search}`, clock.now()) : {};
    const body = printEnvelope({
      body: `<${prefix}:${operation}>${content}</${prefix}:${operation}>`,
      namespaces: { tt: NAMESPACES.tt, [prefix]: NAMESPACES[prefix] },
      header: (proof.security ?? "") + (call.header ?? ""),
    });
    return httpRequest({
      url,
      method: "POST",
      headers: {
        "Content-Type": `application/soap+xml; charset=utf-8; action="${actions}/${operation}"`,
        ...(proof.authorization === undefined ? {} : { Authorization: proof.authorization }),
      },
      body,
      maxBytes: LIMITS.answerBytes,
      timeoutMs,
      side,
      clock,
      ...(this.#tls === undefined ? {} : { tls: this.#tls }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** The key that the camera shows first is the one that it must show for the rest of the conversation. */
  #pin(spki: string): void {
    this.#options.tls?.onPin?.(spki);
    this.#tls = { ...this.#options.tls, pin: spki };
  }
}

/** What a camera lacks, or does not show this account, is as if it had answered nothing. */
export async function ifThere<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isFault(error, "invalid") || isFault(error, "denied")) return undefined;
    throw error;
  }
}

function wasCutOff(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && (cause.code === "ECONNRESET" || cause.code === "EPIPE");
}

function challengesOf(response: HttpAnswer): readonly string[] {
  // Node joins repeated fields with commas, which the reader of challenges takes apart again.
  const value = response.status === 401 ? response.headers["www-authenticate"] : undefined;
  return value === undefined ? [] : [value];
}

/** The one element of the SOAP body; undefined when there is none, as with an answer that is a web page. */
function bodyOf(response: HttpAnswer, what: string): XmlElement | undefined {
  if (response.body.length === 0) return undefined;
  try {
    const root = parseXml(deviceText(response.body), LIMITS.xml);
    if (root.name !== "Envelope" || (root.ns !== NAMESPACES.s && root.ns !== SOAP_11)) return undefined;
    return root.children.find((child) => child.name === "Body" && child.ns === root.ns)?.children[0];
  } catch (cause) {
    // Web servers send a page with a 401 or 404; what counts then is the status.
    if (response.status !== 200) return undefined;
    throw notOnvif(`${what}: the answer is no XML within bounds`, cause);
  }
}

function notOnvif(message: string, cause?: unknown): Fault {
  const tell = "what answers at this address does not speak ONVIF";
  return new Fault("invalid", message, cause === undefined ? { tell } : { tell, cause });
}
