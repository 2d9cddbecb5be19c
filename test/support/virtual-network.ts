import { execFileSync } from "node:child_process";

/** A pair of virtual interfaces: one here, the other in a namespace. */
export interface VirtualNetwork {
  readonly namespace: string;
  /** Our address on it, and that of the other end. */
  readonly here: string;
  readonly there: string;
}

/** Makes one with the program `ip`; undefined where that is not allowed. `number`: 1 to 60, of those that this process makes. */
export function makeNetwork(ip: string, number: number): VirtualNetwork | undefined {
  const namespace = `vd${process.pid}n${number}`;
  const [near, far] = [`${namespace}a`, `${namespace}b`].map((name) => name.slice(-15));
  // Of the block for benchmarks between networks (RFC 2544), which nobody routes; a network of its own for each process.
  const [here, there] = [1, 2].map((host) => `198.18.${process.pid % 250}.${4 * number + host}`);
  const network = { namespace, here: here ?? "", there: there ?? "" };
  const steps = [
    `netns add ${namespace}`,
    `link add ${near} type veth peer name ${far} netns ${namespace}`,
    `addr add ${here}/30 dev ${near}`,
    `link set ${near} up`,
    `-n ${namespace} addr add ${there}/30 dev ${far}`,
    `-n ${namespace} link set ${far} up`,
    `-n ${namespace} link set lo up`,
    `-n ${namespace} route add default dev ${far}`,
  ];
  try {
    for (const step of steps) run(ip, step);
  } catch {
    removeNetwork(ip, network);
    return undefined;
  }
  return network;
}

/** Also one that is not there. */
export function removeNetwork(ip: string, { namespace }: VirtualNetwork): void {
  try {
    run(ip, `netns del ${namespace}`);
  } catch {
    // It was not made.
  }
}

/** Whether an address is yet to be found free: the machine's network changes once more then. */
export function isSettling(ip: string): boolean {
  return run(ip, "-6 addr show tentative") !== "";
}

function run(ip: string, step: string): string {
  return execFileSync(ip, step.split(" "), { stdio: "pipe", encoding: "utf8" }).trim();
}
