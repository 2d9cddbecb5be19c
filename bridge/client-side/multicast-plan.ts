import { type GroupRange, groupAt } from "../../net/multicast.ts";
import type { MulticastAddress } from "../../rtsp/server/host.ts";
import { PORTS_OF_STREAM } from "../../rtsp/server/multicast.ts";

/** How many streams have ports of their own before ports are used again, with another group. */
export const STREAMS_WITH_OWN_PORTS = 1024;

/** Where streams are sent by multicast: which group and ports belong to which, now and after every restart. */
export interface MulticastPlan {
  readonly groups: GroupRange;
  /** Even; of the first stream's first track. */
  readonly port: number;
  readonly ttl: number;
}

/**
 * The address of the stream with a `number`, counted from 1. Ports differ too, for there are receivers that hear every group on
 * a port. Undefined where the range has no more groups.
 */
export function multicastAddress({ groups, port, ttl }: MulticastPlan, number: number): MulticastAddress | undefined {
  const address = groupAt(groups, number - 1);
  if (address === undefined) return undefined;
  return { address, port: port + ((number - 1) % STREAMS_WITH_OWN_PORTS) * PORTS_OF_STREAM, ttl };
}
