import type { IncomingMessage, ServerResponse } from "node:http";
import type { AccessRequest } from "../../auth/access.ts";
import type { Peer, Principal } from "../../auth/principal.ts";
import type { RefusedRequest } from "../../auth/refused.ts";
import { UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, type Fault } from "../../base/fault.ts";
import { type Log, Repeats } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import { callerOf } from "../../net/client-certificate.ts";
import { decode } from "../../wsdl/decode.ts";
import {
  type Addressing,
  type Envelope,
  printAddressing,
  printAround,
  printFault,
  SoapFault,
} from "../../wsdl/envelope.ts";
import { printWsdl } from "../../wsdl/print-wsdl.ts";
import { serialize, serializeKept } from "../../wsdl/serialize.ts";
import type { AccessClass, Operation, ServiceTable } from "../../wsdl/service.ts";
import { escapeXml, type XmlElement } from "../../wsdl/xml.ts";
import { goneOf, refuse, send, type Text } from "./answer.ts";
import { authenticate, type HttpAuthentication, type UsernameTokenAuthentication } from "./authenticate.ts";
import { addressOf, type Base } from "./base.ts";
import { Places } from "./places.ts";
import { encoderAsMeant } from "./quirks.ts";
import { Refused, readMessage } from "./request.ts";
import type { Call, KnownCall, Service } from "./service.ts";

/** Right to change or to read what only those may who look after accounts. */
const ADMINISTRATIVE: ReadonlySet<AccessClass> = new Set(["READ_SYSTEM_SECRET", "WRITE_SYSTEM", "UNRECOVERABLE"]);

export interface OnvifServerOptions {
  readonly services: readonly Service[];
  /** The services of a device of one camera. It is the same for a camera that is not there, which nobody may find out; absent: there are no such devices. */
  readonly cameraServices?: (camera: string) => readonly Service[];
  /** Throws unless the account may use the device of this camera, or, without one, that of all cameras. */
  readonly admit?: (who: Principal, camera: string | undefined) => void;
  readonly authenticator: HttpAuthentication;
  /** Absent: UsernameTokens are ignored. */
  readonly usernameTokens?: UsernameTokenAuthentication;
  /** Throws unless `who` may; writes the audit entry. */
  readonly demand: (who: Principal, what: AccessRequest) => void;
  /** Told of each request that was refused. */
  readonly refused?: (refused: RefusedRequest) => void;
  /** Names under which clients may address us; others in a Host field are ignored. Lower case, without port. */
  readonly publicHosts?: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Stands for the address of a service. */
const HERE = "{here}";

/** A request as handlers see it. A class, for an object with a getter of its own is made anew from nothing at each request. */
class Asked implements Call {
  readonly who: Principal | undefined;
  readonly peer: Peer;
  readonly base: Base;
  readonly resource: string;
  readonly #response: ServerResponse;

  constructor(who: Principal | undefined, peer: Peer, base: Base, resource: string, response: ServerResponse) {
    this.who = who;
    this.peer = peer;
    this.base = base;
    this.resource = resource;
    this.#response = response;
  }

  get gone(): AbortSignal {
    return goneOf(this.#response);
  }
}

/** What is known of a request when its answer is written. */
interface Progress {
  operation: string;
  addressing: Addressing | undefined;
  who: Principal | undefined;
}

/**
 * The ONVIF services at `/onvif/…`: limits, parsing, authentication, rights, faults. The order is that of ONVIF Core 5.9:
 * the operation decides whether credentials are needed, so a message is parsed before it is known who sent it.
 */
export class OnvifServer {
  readonly #options: OnvifServerOptions;
  readonly #places: Places;
  readonly #repeats: Repeats;
  readonly #answered;
  /** By the first of the tables that are served at one path, with {@link HERE} for its address. */
  readonly #wsdl = new WeakMap<ServiceTable, string>();

  constructor(options: OnvifServerOptions) {
    this.#options = options;
    this.#places = new Places(options);
    this.#repeats = new Repeats(options.clock);
    this.#answered = options.metrics.counter("viaduct_onvif_requests_total", "ONVIF requests answered", [
      "operation",
      "outcome",
    ]);
  }

  /** Answers one request, always, and never rejects. With `camera`, as the device of that one. */
  async handle(request: IncomingMessage, response: ServerResponse, camera?: string): Promise<void> {
    const peer = callerOf(request);
    if (request.method === "GET" && /^[^?]*\?wsdl$/i.test(request.url ?? "")) {
      this.#describe(request, response, camera);
      return;
    }
    const progress: Progress = { operation: "none", addressing: undefined, who: undefined };
    try {
      const xml = await this.#answer(request, response, peer, progress, camera);
      this.#answered.inc({ operation: progress.operation, outcome: "ok" });
      send(response, 200, xml);
    } catch (thrown) {
      if (thrown instanceof Refused) {
        this.#answered.inc({ operation: progress.operation, outcome: String(thrown.status) });
        refuse(response, thrown.status);
      } else this.#fail(asFault(thrown), response, peer, progress);
    }
  }

  /** What there is at a path, as WSDL; the same for everybody. */
  #describe(request: IncomingMessage, response: ServerResponse, own: string | undefined): void {
    try {
      const { services, base, at } = this.#places.of(request, own);
      const [first, ...others] = services.map(({ table }) => table);
      if (first === undefined) throw new Refused(404);
      // Printed once: it takes a millisecond or two, and anybody may ask for it.
      const wsdl = this.#wsdl.get(first) ?? printWsdl([first, ...others], HERE);
      this.#wsdl.set(first, wsdl);
      // By a function, for the end of the path is the asker's: `$` in a string would put in what stands around it, again and again.
      const here = escapeXml(addressOf(base, at));
      const xml = wsdl.replaceAll(HERE, () => here);
      send(response, 200, xml, { type: "text/xml; charset=utf-8" });
    } catch (thrown) {
      refuse(response, thrown instanceof Refused ? thrown.status : 500);
    }
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    peer: Peer,
    progress: Progress,
    own: string | undefined,
  ): Promise<Text> {
    const { services, resource, camera, base } = this.#places.of(request, own);
    const envelope = await readMessage(request);
    progress.addressing = envelope.addressing;
    const { body } = envelope;
    if (body === undefined) throw new SoapFault("invalid", "Sender", ["WellFormed"], "The body is empty");
    const { service, access } = operationOf(services, body);
    progress.operation = `${service.table.prefix}:${body.name}`;

    const { authenticator, usernameTokens, demand } = this.#options;
    const open = access === "PRE_AUTH";
    const who = open ? undefined : await authenticate(request, peer, envelope, authenticator, usernameTokens);
    progress.who = who;
    if (who !== undefined) this.#options.admit?.(who, camera);
    if (who !== undefined && ADMINISTRATIVE.has(access))
      demand(who, { right: "manage-accounts", interface: "onvif", address: peer.address });
    return this.#run(service, body, envelope, new Asked(who, peer, base, resource, response));
  }

  /** Not asynchronous itself, so that the request is not kept while its answer is waited for, as that of a pull point for minutes. */
  #run(service: Service, body: XmlElement, envelope: Envelope, call: Call): Text | Promise<Text> {
    const { prefix, actions, operations } = service.table;
    const operation: Operation | undefined = Object.hasOwn(operations, body.name) ? operations[body.name] : undefined;
    const handler = service.handlers.get(body.name);
    if (operation === undefined || handler === undefined)
      throw new SoapFault("invalid", "Receiver", ["ActionNotSupported"], `${body.name} is not supported`);
    const args = decode(operation.request, encoderAsMeant(`${prefix}:${body.name}`, operation.request, body));
    // Handlers of operations for everybody are typed so that they cannot rely on a caller.
    const known = call as KnownCall;
    let result: unknown;
    if (typeof handler === "function") result = handler(args, known);
    else {
      const camera = handler.camera(args, known);
      const { address } = call.peer;
      this.#options.demand(known.who, { right: handler.needs, camera, interface: "onvif", address });
      result = handler.run(args, known);
    }
    const header = printAddressing(envelope.addressing, `${actions}/${body.name}Response`);
    const how = { prefix, name: `${body.name}Response`, type: operation.response, header };
    return result instanceof Promise ? result.then((value) => printed(value, how)) : printed(result, how);
  }

  #fail(fault: Fault, response: ServerResponse, peer: Peer, { operation, addressing, who }: Progress): void {
    const { log, authenticator, refused } = this.#options;
    this.#answered.inc({ operation, outcome: fault.kind });
    if (fault.kind === "internal") log.error({ err: fault, operation }, "ONVIF request failed");
    else {
      const suppressed = this.#repeats.admit(`${peer.address} ${operation} ${fault.kind}`);
      if (suppressed !== undefined)
        log.info({ err: fault, operation, address: peer.address, suppressed }, "ONVIF request refused");
    }
    refused?.({ fault, interface: "onvif", address: peer.address, who: who?.name, what: operation });
    const { status, xml } = printFault(fault, addressing);
    const stale = fault instanceof UnauthenticatedFault && fault.stale;
    const { authorization } = response.req.headers;
    const challenges = status === 401 ? authenticator.challenges(peer, { stale, authorization }) : [];
    send(response, status, xml, { challenges });
  }
}

/** The answer with what a handler has given. */
function printed(
  value: unknown,
  how: Pick<ServiceTable, "prefix"> & {
    readonly name: string;
    readonly type: Operation["response"];
    readonly header: string;
  },
): Text {
  const { prefix, name, type, header } = how;
  if (type.sent !== undefined) {
    const kept = serializeKept(prefix, name, type, type.sent, value);
    const [before, behind] = printAround(kept.prefixes, header);
    return [before + kept.before, kept.bytes, kept.behind + behind];
  }
  const { xml, prefixes } = serialize(prefix, name, type, value);
  const [before, behind] = printAround(prefixes, header);
  return before + xml + behind;
}

/** The service at a path that has the operation which a body asks for, and the operation's class. Faults for what none has. */
function operationOf(
  services: readonly Service[],
  body: XmlElement,
): { readonly service: Service; readonly access: AccessClass } {
  let elsewhere = false;
  for (const service of services) {
    const { namespace, operations, others } = service.table;
    const access = Object.hasOwn(operations, body.name) ? operations[body.name]?.access : others.get(body.name);
    if (access === undefined) continue;
    if (body.ns === namespace) return { service, access };
    elsewhere = true;
  }
  throw elsewhere
    ? new SoapFault("invalid", "Sender", ["Namespace"], "The operation is of another namespace")
    : new SoapFault("invalid", "Sender", ["UnknownAction"], "The operation is not known here");
}
