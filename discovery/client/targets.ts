import { isIP } from "node:net";
import { plainAddress } from "../../base/address.ts";
import { Fault } from "../../base/fault.ts";
import type { CameraSide } from "../../net/sides.ts";

const LIMITS = {
  /** Addresses of one scan, a /20: some 20 s of asking. A larger site is scanned in parts. */
  addresses: 4096,
  /** Lines that a person types. */
  targets: 64,
} as const;

/**
 * The single addresses in `targets` (`10.1.0.7`, `10.1.0.0/24`), each once and in order. Of an IPv4 range neither the network
 * nor the broadcast address; of any range only what the camera side may dial. Fault `invalid` for what is no address and for
 * more than 4096 addresses; the Fault of {@link CameraSide.assertMayDial} for a forbidden single address.
 */
export function addressesOf(targets: readonly string[], side: CameraSide): readonly string[] {
  if (targets.length > LIMITS.targets) throw refuse(`more than ${LIMITS.targets} addresses and ranges`);
  const found = new Set<string>();
  for (const target of targets.map((text) => text.trim()).filter((text) => text !== "")) {
    const [text = "", length, rest] = target.split("/");
    const address = plainAddress(text);
    if (address === undefined || rest !== undefined)
      throw refuse(`"${target.slice(0, 60)}" is neither an IP address nor a range like 10.1.0.0/24`);
    if (length === undefined) {
      side.assertMayDial(address);
      found.add(address);
    } else for (const one of rangeOf(address, length, target)) if (mayDial(side, one)) found.add(one);
    if (found.size > LIMITS.addresses) throw refuse(`more than ${LIMITS.addresses} addresses: scan range by range`);
  }
  return [...found];
}

function rangeOf(address: string, length: string, target: string): readonly string[] {
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (isIP(address) === 6) {
    if (bits !== 128) throw refuse(`"${target}": IPv6 cameras are asked by their single addresses`);
    return [address];
  }
  if (bits < 0 || bits > 32) throw refuse(`"${target}" is no range like 10.1.0.0/24`);
  const size = 2 ** (32 - bits);
  if (size > LIMITS.addresses)
    throw refuse(`"${target}" has more than ${LIMITS.addresses} addresses: scan it in parts`);
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = Math.floor(number / size) * size;
  const addresses = Array.from({ length: size }, (_, index) => dotted(first + index));
  // RFC 3021: a /31 has neither a network nor a broadcast address.
  return size > 2 ? addresses.slice(1, -1) : addresses;
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

function mayDial(side: CameraSide, ip: string): boolean {
  try {
    side.assertMayDial(ip);
    return true;
  } catch {
    return false;
  }
}

function refuse(tell: string): Fault {
  return new Fault("invalid", `scan target: ${tell}`, { tell });
}
