import { execFileSync } from "node:child_process";
import type { Context } from "mocha";
import type { ClientNetwork } from "./client-network.ts";
import { missing, peer } from "./peer.ts";

const TABLE = "loss";

export interface PacketLoss {
  /** Datagrams that were dropped so far. */
  dropped(): number;
}

/**
 * Has the kernel drop some of a hundred datagrams at the other end of a network: of those that leave it at random, of those that
 * come there in turn. It ends with the network. Skips without `nft` or the right to it.
 */
export function losePackets(
  context: Context,
  { command }: ClientNetwork,
  direction: "leaving" | "coming",
  percent: number,
): PacketLoss {
  const { program } = peer(context, "nft");
  const [ip, ...inside] = command;
  const nft = (text: string): string =>
    execFileSync(ip, [...inside, program, "-f", "-"], { input: text, encoding: "utf8", stdio: "pipe" });
  const every = Math.round(100 / percent);
  // Ours come many at once, which the kernel takes for one: at random, a short film would now and then lose none of them.
  const lost =
    direction === "coming" ? `numgen inc mod ${every} == ${every >> 1}` : `numgen random mod 100 < ${percent}`;
  const hook = direction === "leaving" ? "output" : "input";
  try {
    nft(`table ip ${TABLE} {
      chain lossy {
        type filter hook ${hook} priority 0; policy accept;
        meta l4proto udp ${lost} counter drop
      }
    }`);
  } catch {
    return missing(context, "the right to drop packets with nft");
  }
  return {
    dropped: () => Number(/counter packets (\d+)/.exec(nft(`list table ip ${TABLE}`))?.[1]),
  };
}
