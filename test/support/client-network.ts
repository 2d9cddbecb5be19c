import type { Context } from "mocha";
import { claimNetwork } from "./network-pool.ts";
import { missing, type Peer, peer } from "./peer.ts";
import { makeNetwork, removeNetwork } from "./virtual-network.ts";

/** What is missing where there is none. */
export const NETWORK = "the right to make network namespaces";

let made = 0;

/** A network of its own, for programs that look for devices by multicast: one end here, the other in another namespace. */
export interface ClientNetwork {
  /** Our address on it. */
  readonly address: string;
  /** That of the other end. */
  readonly otherAddress: string;
  /** What runs a program at the other end: put it before the program and its arguments. */
  readonly command: readonly [program: string, ...args: readonly string[]];
  /** A program that runs at the other end. */
  peer(context: Context, name: string): Peer;
  close(): void;
}

/** A pair of virtual interfaces, or skips the test where that is not allowed (it takes root). */
export function clientNetwork(context: Context): ClientNetwork {
  return makeClientNetwork(context) ?? missing(context, NETWORK);
}

/** The same, or undefined where it is not allowed: for tests to which it is an extra. Skips without `ip`. */
export function makeClientNetwork(context: Context): ClientNetwork | undefined {
  const { program } = peer(context, "ip");
  const claimed = claimNetwork();
  if (claimed === undefined) made += 1;
  const network = claimed ?? makeNetwork(program, made);
  if (network === undefined) return undefined;
  const command = [program, "netns", "exec", network.namespace] as const;
  return {
    address: network.here,
    otherAddress: network.there,
    command,
    peer(asking, wanted) {
      const [inside, outside] = [peer(asking, wanted).program, peer(asking, program)];
      const [, ...first] = command;
      return {
        program: inside,
        run: (args, options) => outside.run([...first, inside, ...args], options),
        start: (args, options) => outside.start([...first, inside, ...args], options),
      };
    },
    close() {
      if (claimed === undefined) removeNetwork(program, network);
    },
  };
}
