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
 * Has the kernel drop some of a hundred datagrams at the other end of a network, at random: of those that leave it, or that come
 * there. It ends with the network. Skips without `nft` or the right to it.
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
  const hook = direction === "leaving" ? "output" : "input";
  try {
    nft(`table ip ${TABLE} {
      chain lossy {
        type filter hook ${hook} priority 0; policy accept;
        meta l4proto udp numgen random mod 100 < ${percent} counter drop
      }
    }`);
  } catch {
    return missing(context, "the right to drop packets with nft");
  }
  return {
    dropped: () => Number(/counter packets (\d+)/.exec(nft(`list table ip ${TABLE}`))?.[1]),
  };
}
