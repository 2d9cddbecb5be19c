import type { Fault } from "../base/fault.ts";
import type { Interface } from "./right.ts";

/** A request that a door has refused, for whoever keeps account of it. */
export interface RefusedRequest {
  readonly fault: Fault;
  readonly interface: Interface;
  /** Remote IP address. */
  readonly address: string;
  /** The account, once it has proved itself. */
  readonly who?: string | undefined;
  /** What was asked for: an operation, or a method and an address. */
  readonly what: string;
}
