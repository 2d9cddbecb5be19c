import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "./find-program.ts";
import { isSettling, makeNetwork, removeNetwork, type VirtualNetwork } from "./virtual-network.ts";

const LIMITS = {
  /** What the tests take in all: nobody gives one back, for there may be rules in it that lose packets. */
  networks: 8,
  /** Looks at addresses that are yet to be found free, four a second: the kernel takes a second or two. */
  looks: 40,
};

/** Networks that were made before the first test, and the folder in which they are claimed: for the processes in which tests run. */
const POOL = "VIADUCT_TEST_NETWORKS";

interface Pool {
  readonly folder: string;
  readonly networks: readonly VirtualNetwork[];
}

/**
 * Makes the networks of all tests before the first one. A browser drops what it is loading whenever the machine's network changes, so that a test
 * that made one of its own would make another one fail.
 */
export async function mochaGlobalSetup(): Promise<void> {
  const ip = findProgram("ip");
  if (ip === undefined) return;
  const networks: VirtualNetwork[] = [];
  for (let number = 1; number <= LIMITS.networks; number += 1) {
    const network = makeNetwork(ip, number);
    if (network === undefined) break;
    networks.push(network);
  }
  if (networks.length < LIMITS.networks) {
    for (const network of networks) removeNetwork(ip, network);
    return;
  }
  for (let look = 0; look < LIMITS.looks && isSettling(ip); look += 1)
    await new Promise((resolve) => setTimeout(resolve, 250));
  const pool: Pool = { folder: mkdtempSync(join(tmpdir(), "viaduct-networks-")), networks };
  process.env[POOL] = JSON.stringify(pool);
}

export function mochaGlobalTeardown(): void {
  const [pool, ip] = [poolOf(), findProgram("ip")];
  if (pool === undefined || ip === undefined) return;
  for (const network of pool.networks) removeNetwork(ip, network);
  rmSync(pool.folder, { recursive: true, force: true });
}

/** One that nobody else has; undefined where none were made. */
export function claimNetwork(): VirtualNetwork | undefined {
  const pool = poolOf();
  if (pool === undefined) return undefined;
  for (const network of pool.networks)
    try {
      mkdirSync(join(pool.folder, network.namespace));
      return network;
    } catch {
      // Somebody else has it.
    }
  throw new Error(`tests take more than ${LIMITS.networks} networks: have more of them made in network-pool.ts`);
}

function poolOf(): Pool | undefined {
  const text = process.env[POOL];
  return text === undefined ? undefined : (JSON.parse(text) as Pool);
}
