import { execFileSync } from "node:child_process";
import type { Context } from "mocha";
import { missing, type Peer, peer } from "./peer.ts";

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

/** Makes a pair of virtual interfaces, or skips the test where that is not allowed (it takes root). */
export function clientNetwork(context: Context): ClientNetwork {
  return makeClientNetwork(context) ?? missing(context, NETWORK);
}

/** The same, or undefined where it is not allowed: for tests to which it is an extra. Skips without `ip`. */
export function makeClientNetwork(context: Context): ClientNetwork | undefined {
  made += 1;
  const name = `vd${process.pid}n${made}`;
  const here = `${name}a`.slice(-15);
  const there = `${name}b`.slice(-15);
  // Of the block for benchmarks between networks (RFC 2544), which nobody routes; a network of its own for each process.
  const network = `198.18.${process.pid % 250}`;
  const { program } = peer(context, "ip");
  const ip = (...args: readonly string[]): void => {
    execFileSync(program, args, { stdio: "pipe" });
  };
  const close = (): void => {
    try {
      ip("netns", "del", name);
    } catch {
      // It was not made.
    }
  };
  try {
    ip("netns", "add", name);
    ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name);
    ip("addr", "add", `${network}.${4 * made + 1}/30`, "dev", here);
    ip("link", "set", here, "up");
    ip("-n", name, "addr", "add", `${network}.${4 * made + 2}/30`, "dev", there);
    ip("-n", name, "link", "set", there, "up");
    ip("-n", name, "link", "set", "lo", "up");
    ip("-n", name, "route", "add", "default", "dev", there);
  } catch {
    close();
    return undefined;
  }
  const command = [program, "netns", "exec", name] as const;
  return {
    address: `${network}.${4 * made + 1}`,
    otherAddress: `${network}.${4 * made + 2}`,
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
    close,
  };
}
