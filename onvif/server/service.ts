import type { Peer, Principal } from "../../auth/principal.ts";
import type { CameraRight } from "../../auth/right.ts";
import type { Operation, RequestOf, ResponseOf, ServiceTable } from "../../wsdl/service.ts";
import type { Base } from "./base.ts";

/** One request, as far as a handler needs it. */
export interface Call {
  /** Undefined where the operation is open to everybody: credentials are not looked at then. */
  readonly who: Principal | undefined;
  readonly peer: Peer;
  /** How the client reached us, for addresses in the answer. */
  readonly base: Base;
  /** What of the path stands behind that of the service: names a thing of its own, as a subscription. Empty at most services. */
  readonly resource: string;
  /** Aborted when the client has gone. */
  readonly gone: AbortSignal;
}

/** A call whose caller has proved who it is. */
export interface KnownCall extends Call {
  readonly who: Principal;
}

type CallOf<O extends Operation> = O["access"] extends "PRE_AUTH" ? Call : KnownCall;
type Run<O extends Operation> = (request: RequestOf<O>, call: CallOf<O>) => ResponseOf<O> | Promise<ResponseOf<O>>;

/** An operation that needs a right over one camera. The dispatcher demands it; the handler runs only when it is held. */
export interface Guarded<O extends Operation> {
  readonly needs: CameraRight;
  /** The camera that the request is about. Throws what a missing one is answered with, for a hidden one too. */
  readonly camera: (request: RequestOf<O>, call: CallOf<O>) => string;
  readonly run: Run<O>;
}

/** One handler for each operation of the table: a forgotten one does not compile. */
export type Handlers<T extends ServiceTable> = {
  readonly [K in keyof T["operations"]]: Run<T["operations"][K]> | Guarded<T["operations"][K]>;
};

/** A service with its handlers, at one path below `/onvif/`; one that ends with `/` stands for all that is directly below it. Several may share a path. */
export interface Service {
  readonly path: string;
  readonly table: ServiceTable;
  readonly handlers: ReadonlyMap<string, Run<Operation> | Guarded<Operation>>;
}

/** Puts a table and its handlers together. */
export function serve<T extends ServiceTable>(path: string, table: T, handlers: Handlers<T>): Service {
  // The table's types have done their work; from here on values are what decode made and serialize checks.
  return { path, table, handlers: new Map(Object.entries(handlers)) };
}
