import { BlockList, isIP, isIPv4 } from "node:net";
import { Fault } from "./fault.ts";

/**
 * An IP address in the one spelling that we compare and look up: IPv4-mapped IPv6 addresses as IPv4, IPv6 compressed
 * and in lower case, without a zone. Undefined for anything that is not an IP literal.
 */
export function plainAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const bare = text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/s, "");
  const family = isIP(bare);
  if (family === 0) return undefined;
  if (family === 4) return bare;
  const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped === null) return canonical;
  const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/**
 * What stands for one machine where something is counted: its IPv4 address, or the /64 of its IPv6 address, for within that it
 * can take any number of addresses. `ip` in the spelling of {@link plainAddress}.
 */
export function networkOf(ip: string): string {
  if (!ip.includes(":")) return ip;
  const [left = [], right = []] = ip.split("::").map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return `${[...left, ...zeros, ...right].slice(0, 4).join(":")}::/64`;
}

/** `10.2.0.9`, `10.2.0.0/24`, `fd00::/8`: what {@link Networks} takes. */
export function isNetwork(text: string): boolean {
  try {
    return new Networks([text]) instanceof Networks;
  } catch {
    return false;
  }
}

/** A set of address ranges. */
export class Networks {
  readonly #list = new BlockList();

  /** `cidrs`: `10.0.0.0/8`, `fd00::/8`, or single addresses. Fault `invalid` for anything else. */
  constructor(cidrs: Iterable<string> = []) {
    for (const cidr of cidrs) this.add(cidr);
  }

  add(cidr: string): void {
    const [text = "", length, rest] = cidr.split("/");
    const address = plainAddress(text);
    const bits = address === undefined ? 0 : familyOf(address) === "ipv4" ? 32 : 128;
    const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : -1;
    if (address === undefined || rest !== undefined || prefix < 0 || prefix > bits)
      throw new Fault("invalid", `${cidr} is neither an IP address nor a range like 10.1.0.0/16`);
    this.#list.addSubnet(address, prefix, familyOf(address));
  }

  /** `ip` in the spelling of {@link plainAddress}. */
  has(ip: string): boolean {
    return this.#list.check(ip, familyOf(ip));
  }
}

function familyOf(ip: string): "ipv4" | "ipv6" {
  return isIP(ip) === 6 ? "ipv6" : "ipv4";
}
